"""The policy file's own documentation, generated from its schema: JSON Schema and a reference page."""

from __future__ import annotations

from inspect import getdoc
from typing import Any, get_args, get_origin

import tomlkit
from pydantic.fields import FieldInfo

from headway.policy.forge_tables import GitHubBuild
from headway.policy.gate_tables import EvidenceGate
from headway.policy.image_tables import ImageTable
from headway.policy.loader import DEFAULT_PRESET, load_policy
from headway.policy.notes_tables import NoteGroup
from headway.policy.perf_tables import PerfCell
from headway.policy.release_tables import Gate
from headway.policy.schema import EarlierNaming, Phase, Policy
from headway.policy.table import Table


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of ``release.toml`` for editors. Defaults are those of the vllm-2025 preset, which gives
    what a file leaves out; so only the keys of list elements are required."""
    schema = Policy.model_json_schema(by_alias=True)
    values = load_policy(None, source=DEFAULT_PRESET).model_dump(mode="json", by_alias=True)
    for section, field in schema["properties"].items():
        field.pop("default", None)
        if "$ref" not in field:
            field["default"] = values[section]
            continue
        table = schema["$defs"][field["$ref"].rpartition("/")[2]]
        table.pop("required", None)
        for key, of_key in table["properties"].items():
            of_key["default"] = values[section][key]
    schema.pop("required", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "release.toml",
        "description": "Release policy of a project that is released with Headway.",
    }


def reference_markdown() -> str:
    """A Markdown page: one table per section with key, type, the vllm-2025 preset's value, description."""
    values = load_policy(None, source=DEFAULT_PRESET).model_dump(by_alias=True)
    parts = [
        "# release.toml",
        "",
        f"Every key is optional: what a file leaves out comes from its preset (`{DEFAULT_PRESET}` unless it names "
        "another). Tables are merged over the preset's, lists replace them; an empty table whose keys are your own, "
        "such as `releases_per_month = {}`, empties the preset's. Unknown keys are refused.",
    ]
    own = {name: f for name, f in Policy.model_fields.items() if not _is_table(f) and name != "approvals"}
    parts += _section("Top level", "Keys before the first table.", own, values)
    for name, field in Policy.model_fields.items():
        if _is_table(field):
            table: type[Table] = field.annotation  # type: ignore[assignment]
            parts += _section(f"[{name}]", getdoc(table) or "", table.model_fields, values[name])
    parts += _section("[build.github]", getdoc(GitHubBuild) or "", GitHubBuild.model_fields, values["build"]["github"])
    parts += _section("[[versions.earlier]]", getdoc(EarlierNaming) or "", EarlierNaming.model_fields, {})
    parts += _section("[[picks.phases]]", getdoc(Phase) or "", Phase.model_fields, {})
    parts += _section("[[notes.groups]]", getdoc(NoteGroup) or "", NoteGroup.model_fields, {})
    parts += _section("[[gates]]", getdoc(EvidenceGate) or "", EvidenceGate.model_fields, {})
    parts += _section("[[perf.cells]]", getdoc(PerfCell) or "", PerfCell.model_fields, {})
    parts += _section("[[images]]", getdoc(ImageTable) or "", ImageTable.model_fields, {})
    parts += _section("[approvals.NAME]", getdoc(Gate) or "", Gate.model_fields, values["approvals"]["go"])
    return "\n".join(parts) + "\n"


def _is_table(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, Table)


def _section(title: str, about: str, fields: dict[str, FieldInfo], values: dict[str, Any]) -> list[str]:
    lines = ["", f"## `{title}`" if title.startswith("[") else f"## {title}", "", about, ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in fields.items():
        key = field.alias or name
        absent = key not in values and field.default is None
        value = (
            ""
            if absent
            else "required"
            if field.is_required() and key not in values
            else _code(_toml(values.get(key, field.default)))
        )
        lines.append(f"| `{key}` | {_cell(_type(field.annotation))} | {value} | {_cell(field.description or '')} |")
    return lines


def _toml(value: Any) -> str:
    """A value as it is written in the file; elements of long lists each on a line of their own."""
    if isinstance(value, dict) and any(isinstance(v, dict) for v in value.values()):
        return "\n".join(f"{k}: {_inline(v) if isinstance(v, dict) else _toml(v)}" for k, v in value.items())
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return "\n".join(f"{_inline({_name_of(v): v[_name_of(v)]})} …" for v in value)
    if isinstance(value, dict):
        return "\n".join(f"{k} = {_toml(v)}" for k, v in value.items()) or "{}"
    if isinstance(value, list | tuple):
        items = [_toml(v) for v in value]
        short = f"[{', '.join(items)}]"
        return short if len(short) <= 60 else "\n".join(items)
    return str(tomlkit.item(value).as_string())


def _name_of(element: dict[str, Any]) -> str:
    """The key by which people know an element of a list."""
    return next((k for k in ("title", "name") if k in element), next(iter(element)))


def _inline(value: dict[str, Any]) -> str:
    """A table within a table, without what is empty."""
    return ", ".join(f"{k} = {_toml(v)}" for k, v in value.items() if v not in ([], (), "", {}))


def _code(text: str) -> str:
    return "<br>".join(f"`{_cell(line)}`" for line in text.split("\n"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(annotation: Any) -> str:
    """A TOML reader's word for a type."""
    plain = {str: "string", int: "integer", float: "number", bool: "boolean"}
    if annotation in plain:
        return plain[annotation]
    args, origin = get_args(annotation), get_origin(annotation)
    if origin is tuple:
        inner = _type(args[0])
        return f"list of {inner}" if args[-1] is Ellipsis else f"pair of {inner}"
    if origin is dict:
        return f"table of {_type(args[1])}"
    if origin is not None and all(isinstance(a, str) for a in args):
        return " or ".join(f"`{a}`" for a in args)
    if origin is not None:
        return _type(args[0])
    return "table" if issubclass(annotation, Table) else str(annotation.__name__)
