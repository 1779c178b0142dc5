"""Writes docs/reference from the code: commands, release.toml, its JSON Schema, clauses, ledger entries.

``make_reference.py`` writes the pages; ``make_reference.py --check`` writes nothing, names the stale ones, and ends
with status 1 when there are any.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

from headway.cli.main import MODULES, cli
from headway.model.entry import Entry, Kind
from headway.policy.clauses import CLAUSES
from headway.policy.reference import json_schema, reference_markdown

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"

_LETTERS = {
    "N": "What a release is",
    "V": "Versions",
    "C": "Cadence",
    "B": "Release branches and builds",
    "P": "Cherry-picks",
    "E": "Performance evidence",
    "G": "Headway's own: go, holds, explanation, record",
}
_STATUS = """\
| status | meaning |
|---|---|
| 0 | done, or the answer is yes |
| 1 | the answer is no: refused, regressed, violations found |
| 2 | wrong usage, or input that cannot be used |
| 3 | open: a person or more data is needed |
| 4 | the outside world failed: network, disk, a child process, or another tick holds the lock |
"""


def pages() -> dict[str, str]:
    """File name to text."""
    return {
        "cli.md": commands_page(),
        "policy.md": _generated("release.toml", "headway.policy.schema") + _without_title(reference_markdown()),
        "release.schema.json": json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n",
        "clauses.md": clauses_page(),
        "entries.md": entries_page(),
    }


def _generated(title: str, source: str) -> str:
    return f"# {title}\n\n<!-- Written by scripts/make_reference.py from {source}; do not edit. -->\n"


def _without_title(markdown: str) -> str:
    return markdown.partition("\n")[2]


def commands_page() -> str:
    """Every command with its arguments and options; the common options once."""
    for name in MODULES:
        import_module(f"headway.cli.{name}")
    lines = [_generated("Commands", "headway.cli")]
    lines += [cli.help or "", "", "## Options of every command", ""]
    lines += ["They stand before or after the command's name.", "", *_options(_own(cli))]
    lines += ["", "## Exit status", "", _STATUS]
    lines += ["With status 0, 1 and 3 `--json` prints the command's document; with 2 and 4 it prints"]
    lines += [
        '`{"error": {"code", "clause", "message", "facts", "remedy"}}`. JSON is in English, whatever `--lang` says.'
    ]
    for path, command in _walk(("headway",), cli):
        lines += ["", f"## `{' '.join(path)}`", "", command.help or ""]
        if isinstance(command, click.Group):
            continue
        lines += ["", "```text", _usage(path, command), "```"]
        own = [o for o in _own(command) if o.opts[0] not in {c.opts[0] for c in _own(cli)}]
        if own:
            lines += ["", *_options(own)]
    return "\n".join(lines) + "\n"


def _walk(path: tuple[str, ...], group: click.Group) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in sorted(group.commands):
        command = group.commands[name]
        if command.hidden:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _walk((*path, name), command)


def _own(command: click.Command) -> list[click.Option]:
    return [p for p in command.params if isinstance(p, click.Option) and not p.hidden]


def _usage(path: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(path))
    return " ".join([*path, *(piece for p in command.params for piece in p.get_usage_pieces(context)), "[OPTIONS]"])


def _options(options: list[click.Option]) -> list[str]:
    rows = ["| option | meaning |", "|---|---|"]
    for o in options:
        names = ", ".join(o.opts)
        value = "" if o.is_flag else f" {_value(o)}"
        notes = " Required." if o.required else _default(o)
        rows.append(f"| `{names}{value}` | {_cell(((o.help or '') + notes).strip())} |")
    return rows


def _value(o: click.Option) -> str:
    if isinstance(o.type, click.Choice):
        return "\\|".join(map(str, o.type.choices))
    return _cell(o.metavar or ("NUMBER" if isinstance(o.type, click.IntRange) else o.type.name.upper()))


def _default(o: click.Option) -> str:
    if o.is_flag or o.multiple or not isinstance(o.default, str | int) or o.default == "":
        return ""
    return f" Default: `{o.default}`."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def clauses_page() -> str:
    """The clauses that refusals, waits and pages cite."""
    lines = [_generated("Clauses", "headway.policy.clauses")]
    lines += ["Every refusal and every wait names the clause it rests on. N, V, C, B, P and E are the clauses of"]
    lines += ["vLLM's release policy; G is Headway's own. What is a number or a name in them is a value of"]
    lines += ["[release.toml](policy.md)."]
    for letter, title in _LETTERS.items():
        lines += ["", f"## {letter}: {title}", "", "| clause | says |", "|---|---|"]
        lines += [f"| {key} | {_cell(str(text))} |" for key, text in CLAUSES.items() if key[0] == letter]
    return "\n".join(lines) + "\n"


def entries_page() -> str:
    """What a ledger entry holds, and the kinds there are with the fields of each one's payload."""
    lines = [_generated("Ledger entries", "headway.model.entry")]
    lines += ["The ledger only grows. Each entry carries the digest of the one before it, so that a changed or missing"]
    lines += [
        "entry breaks the chain from there on. `headway ledger show` prints them, `headway ledger export` writes a"
    ]
    lines += ["bundle that can be verified with nothing but itself.", "", "## Fields of every entry", ""]
    lines += [f"`{'`, `'.join(Entry.__dataclass_fields__)}`", "", inspect.getdoc(Entry) or ""]
    lines += ["", "## Kinds", "", "| kind | payload | when |", "|---|---|---|"]
    comments = _comments(inspect.getsource(Kind))
    for kind in Kind:
        fields, _, about = comments[kind.name].partition("   ")
        lines.append(f"| `{kind.value}` | {_cell(fields.strip())} | {_cell(about.strip())} |")
    return "\n".join(lines) + "\n"


def _comments(source: str) -> dict[str, str]:
    """Member name to the comment behind it; two spaces or more part the fields from the words."""
    source = re.sub(r"\n +#(?= )", "", source)  # a comment that goes on in the next line
    found = re.findall(r'^ +([A-Z_]+) = "[^"]*"  # (.*)$', source, re.MULTILINE)
    return {name: re.sub(r"  +", "   ", text) for name, text in found}


def main() -> int:
    stale = []
    for name, text in pages().items():
        path = REFERENCE / name
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    verb = "stale" if "--check" in sys.argv[1:] else "written"
    sys.stdout.writelines(f"{verb}: docs/reference/{name}\n" for name in stale)
    return 1 if stale and verb == "stale" else 0


if __name__ == "__main__":
    sys.exit(main())
