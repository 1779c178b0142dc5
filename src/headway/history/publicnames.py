"""The names that a Python module offers, read from its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath


@lru_cache(maxsize=64)
def syntax(text: str) -> ast.Module:
    """The syntax tree; an empty one for what this Python cannot read."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def public_names(text: str, path: str) -> tuple[str, ...]:
    """Public names in order, once each: entries of ``__all__``, classes and functions; of an ``__init__.py`` also what
    it takes from its own package. A module below a private one offers nothing."""
    pure = PurePosixPath(path)
    if any(part.startswith("_") for part in (*pure.parts[:-1], pure.stem) if part != "__init__"):
        return ()
    own = pure.parts[:-1] if pure.name == "__init__.py" else None
    return tuple(dict.fromkeys(n for n in _names(syntax(text), own) if not n.startswith("_")))


def _names(module: ast.Module, own: tuple[str, ...] | None) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom) and own is not None:
            if node.level or (node.module or "").partition(".")[0] in own:
                yield from (a.asname or a.name for a in node.names if a.name != "*")
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets) and node.value is not None:
                words = (n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant))
                yield from (w for w in words if isinstance(w, str))
