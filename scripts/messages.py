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
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "headway"
PO = SOURCE / "lang" / "zh" / "LC_MESSAGES" / "headway.po"
CALLS = {"say", "translated", "word", "_"}
ENUMS = {"Stage", "Verdict", "PickVerdict", "Category", "ChangeKind", "RevertVerdict", "ReleaseKind"}
TEMPLATE_TEXT = re.compile(r"""\b_\(\s*(?:"([^"]+)"|'([^']+)')""")


def texts() -> Iterator[str]:
    """Every message id: first arguments of ``say`` and its like, ``help=``, values of enums that people see."""
    for path in sorted(SOURCE.rglob("*.py")):
        if "template" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield from _in_python(node)
    for path in sorted(SOURCE.rglob("*.html")):
        for found in TEMPLATE_TEXT.findall(path.read_text(encoding="utf-8")):
            yield next(filter(None, found))


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
    new = Catalog(locale="zh", domain="headway", charset="utf-8", fuzzy=False)
    problems = []
    for text in sorted(set(texts())):
        known = old.get(text)
        words = str(known.string) if known and known.string else ""
        new.add(text, words)
        if not words:
            problems.append(f"not translated: {text}")
        elif _fields_differ(text, words):
            problems.append(f"other fields: {text} -> {words}")
    return new, problems


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
