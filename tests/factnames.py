"""The names of all facts that the source gives to refusals, waits and errors, read from its syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "headway"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.Call) and _called(n) == name)


def _keys(value: ast.AST) -> set[str]:
    """The keys of the dictionaries that stand in an expression."""
    rows = (k for d in ast.walk(value) if isinstance(d, ast.Dict) for k in d.keys)
    return {k.value for k in rows if isinstance(k, ast.Constant) and isinstance(k.value, str)}


def _in_function(function: _Function, handing: str) -> tuple[set[str], bool]:
    """Names given in the calls of ``handing`` there, and whether it hands on its own ``**known``."""
    own = function.args.kwarg.arg if function.args.kwarg else None
    found: set[str] = set()
    hands_on = False
    for call in _calls(function, handing):
        for k in call.keywords:
            if k.arg is not None:
                found.add(k.arg)
            elif isinstance(k.value, ast.Name):
                hands_on |= k.value.id == own
                given = [n for n in ast.walk(function) if isinstance(n, ast.Assign | ast.AnnAssign) and n.value]
                for n in given:
                    targets = n.targets if isinstance(n, ast.Assign) else [n.target]
                    if any(isinstance(t, ast.Name) and t.id == k.value.id for t in targets):
                        assert n.value is not None
                        found |= _keys(n.value)
            else:
                found |= _keys(k.value)
    return found, hands_on


def fact_names() -> dict[str, str]:
    """Each with a file in which it is given. Helpers that hand their ``**known`` on to ``facts`` count too, through as
    many others as there are; ``refusal.no`` is one that all modules call."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
    named: dict[str, str] = {}
    done: set[tuple[Path | None, str]] = set()
    to_do: list[tuple[Path | None, str, frozenset[str]]] = [(None, "facts", frozenset())]
    while to_do:
        where, handing, parameters = to_do.pop()
        if (where, handing) in done:
            continue
        done.add((where, handing))
        for path, tree in trees.items():
            if where not in (None, path):
                continue
            for function in (n for n in ast.walk(tree) if isinstance(n, _Function)):
                found, hands_on = _in_function(function, handing)
                named.update(dict.fromkeys(found - parameters, str(path.relative_to(SOURCE))))
                if hands_on:
                    own = frozenset(a.arg for a in (*function.args.args, *function.args.kwonlyargs))
                    everywhere = path.name == "refusal.py"
                    to_do.append((None if everywhere else path, function.name, own))
    return named
