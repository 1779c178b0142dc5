"""Collect every text that a person can read into the Chinese catalogue, and compile it.

``python scripts/messages.py`` updates ``src/headway/lang/zh/LC_MESSAGES/headway.po`` and ``.mo``;
``--check`` writes nothing and ends with status 1 when texts are untranslated, gone, or the ``.mo`` is stale.
"""

from __future__ import annotations

import ast
import re
import string
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "headway"
PO = SOURCE / "lang" / "zh" / "LC_MESSAGES" / "headway.po"
# The compiled file must not change by the mere passing of time.
_FIXED = datetime(2025, 1, 1, tzinfo=UTC)
CALLS = {"say", "translated", "word", "_"}
ENUMS = {"AuditKind", "Stage", "Verdict", "PickVerdict", "Category", "ChangeKind", "RevertVerdict", "ReleaseKind"}
CLICK = ("core", "decorators", "exceptions", "formatting", "parser", "types")  # what click itself says to a person
TEMPLATE_TEXT = re.compile(r"""\b_\(\s*(?:"([^"]+)"|'([^']+)')""")


Id = str | tuple[str, str]  # a text, or a singular and its plural


def texts() -> Iterator[Id]:
    """Every message id: first arguments of ``say`` and its like, ``help=``, values of enums that people see."""
    for path in sorted(SOURCE.rglob("*.py")):
        if "template" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield from _in_python(node)
    for path in sorted(SOURCE.rglob("*.html")):
        for found in TEMPLATE_TEXT.findall(path.read_text(encoding="utf-8")):
            yield next(filter(None, found))
    for name in CLICK:
        path = Path(click.__path__[0]) / f"{name}.py"
        yield from _in_click(ast.parse(path.read_text(encoding="utf-8")))


def _in_click(tree: ast.AST) -> Iterator[Id]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if node.func.id == "_" and words:
                yield words[0]
            elif node.func.id == "ngettext" and len(words) == 2:
                yield words[0], words[1]


def _in_python(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in CALLS and node.args:
            yield from _constant(node.args[0])
        if name == "Check" and node.args:
            yield from _constant(node.args[0])
        for keyword in node.keywords:
            # argparse's help is that of the load client, which programs call and which says it in English.
            if keyword.arg == "help" and name != "add_argument":
                yield from _constant(keyword.value)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "help":
                yield from _constant(value)
    elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "rows" for t in node.targets):
        yield from _row_names(node.value)
    elif isinstance(node, ast.ClassDef) and node.name in ENUMS:
        for part in node.body:
            if isinstance(part, ast.Assign):
                yield from _constant(part.value)


def _row_names(node: ast.AST) -> Iterator[str]:
    """The first cells of a list of rows written out as ``(name, value)``: they are shown with ``word(name)``."""
    for row in node.elts if isinstance(node, ast.List) else ():
        if isinstance(row, ast.Tuple) and len(row.elts) == 2:
            yield from _constant(row.elts[0])


def _constant(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip():
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constant(node.body)
        yield from _constant(node.orelse)


def fields(text: str) -> set[str]:
    """The ``{names}`` of a template."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def catalogue() -> tuple[Catalog, list[str]]:
    """The catalogue as it should be, and what is wrong with it."""
    old = read_po(PO.open("rb"), locale="zh") if PO.exists() else Catalog(locale="zh")
    new = Catalog(
        locale="zh", domain="headway", charset="utf-8", fuzzy=False, creation_date=_FIXED, revision_date=_FIXED
    )
    problems = []
    for text in sorted(set(texts()), key=str):
        known = old.get(text)
        words = one_form(known)
        new.add(text, words if isinstance(text, str) else (words,))
        most = text if isinstance(text, str) else text[1]
        if not words:
            problems.append(f"not translated: {most}")
        elif _fields_differ(most, words):
            problems.append(f"other fields: {most} -> {words}")
    return new, problems


def one_form(known: Message | None) -> str:
    """A translation; Chinese has one form for all numbers."""
    string = known.string if known else ""
    return str(string) if isinstance(string, str) else str(string[0]) if string else ""


def _fields_differ(text: str, words: str) -> bool:
    try:
        return fields(words) != fields(text)
    except ValueError:  # a brace that belongs to no field
        return True


def main() -> int:
    new, problems = catalogue()
    po, mo = BytesIO(), BytesIO()
    write_po(po, new, width=110, omit_header=True, sort_output=True)
    write_mo(mo, new)
    compiled = PO.with_suffix(".mo")
    if "--check" in sys.argv:
        stale = not compiled.exists() or compiled.read_bytes() != mo.getvalue()
        problems += ["the compiled catalogue is stale: run scripts/messages.py"] if stale else []
    else:
        PO.parent.mkdir(parents=True, exist_ok=True)
        PO.write_bytes(po.getvalue())
        compiled.write_bytes(mo.getvalue())
    for problem in problems:
        print(problem)
    return 1 if problems and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
