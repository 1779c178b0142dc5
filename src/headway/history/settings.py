"""The options that a file offers its users: flags, environment variables, fields of configuration, keys of files."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from headway.history.publicnames import syntax

_FLAG_CALLS = frozenset({"add_argument", "add_option", "addoption", "option", "Option"})
_SETTING_CALLS = frozenset({"addini"})
_SETTING_CLASS = re.compile(r"^[A-Z]\w*Opt$")  # oslo.config's StrOpt, IntOpt …
_ENVIRONMENT = frozenset({"get", "pop", "setdefault"})
_CONFIG_CLASS = re.compile(r"(?:Config|Args|Settings)$")
_MODELS = frozenset({"BaseModel", "BaseSettings"})
_YAML_KEY = re.compile(r"^([A-Za-z_][\w.-]*)[ \t]*:(?:\s|$)", re.MULTILINE)


def options_of(text: str, path: str) -> tuple[str, ...]:
    """Flags (``--name``), settings and environment variables by name, fields of configuration as ``Class.field``."""
    if PurePosixPath(path).suffix != ".py":
        return ()
    found: dict[str, None] = {}
    for node in ast.walk(syntax(text)):
        if isinstance(node, ast.Call):
            found.update(dict.fromkeys(_called(node)))
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _last(node.value) == "environ":
            found.update(dict.fromkeys(_words([node.slice])))
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found.update(dict.fromkeys(_fields(node)))
    return tuple(found)


def _called(node: ast.Call) -> Iterator[str]:
    name = _last(node.func)
    if name in _FLAG_CALLS:
        yield from (w for w in _words(node.args) if w.startswith("--"))
    elif _names_setting(name, node.func):
        yield from _words(node.args[:1])


def _names_setting(name: str, func: ast.expr) -> bool:
    environment = name == "getenv" or (name in _ENVIRONMENT and _owner(func) == "environ")
    return environment or name in _SETTING_CALLS or _SETTING_CLASS.match(name) is not None


def _last(node: ast.expr) -> str:
    """The last part of a dotted name, ``""`` for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _owner(node: ast.expr) -> str:
    return _last(node.value) if isinstance(node, ast.Attribute) else ""


def _words(nodes: list[ast.expr]) -> Iterator[str]:
    return (n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))


def _fields(node: ast.ClassDef) -> Iterator[str]:
    if not (_CONFIG_CLASS.search(node.name) or any(_last(b) in _MODELS for b in node.bases)):
        return
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and not part.target.id.startswith("_"):
            yield f"{node.name}.{part.target.id}"


def top_keys(text: str, path: str) -> tuple[str, ...]:
    """The keys at the top of a TOML, YAML or JSON file."""
    suffix = PurePosixPath(path).suffix
    if suffix in {".yaml", ".yml"}:
        return tuple(_YAML_KEY.findall(text))
    found: object = None
    with suppress(ValueError, RecursionError):
        found = tomllib.loads(text) if suffix == ".toml" else json.loads(text) if suffix == ".json" else None
    return tuple(found) if isinstance(found, dict) else ()
