"""A table as a file for people and spreadsheets: CSV that no spreadsheet takes for formulas, and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from headway.model.markdown import within
from headway.model.text import Text, clean

Value = str | int | float | Text | None
Words = Callable[[Text], str]

# What makes a spreadsheet calculate (OWASP, "CSV injection"); full-width forms count as well.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True, slots=True)
class Sheet:
    """``columns``: (name for programs, title for people) of each value of a row."""

    title: Text
    columns: tuple[tuple[str, Text], ...]
    rows: tuple[tuple[Value, ...], ...]


def as_csv(sheet: Sheet) -> str:
    """RFC 4180. Numbers are as they are; a text that would be a formula has an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([name for name, _ in sheet.columns])
    writer.writerows([[_safe(v) for v in row] for row in sheet.rows])
    return out.getvalue()


def as_markdown(sheet: Sheet, words: Words) -> str:
    """A heading and a table in the reader's language; texts of others are inert."""
    titles = [within(words(title)) for _, title in sheet.columns]
    lines = [f"## {within(words(sheet.title))}", "", _line(titles), _line(["---"] * len(titles))]
    lines += (_line([_shown(v, words) for v in row]) for row in sheet.rows)
    return "\n".join(lines) + "\n"


def _safe(value: Value) -> str | int | float | None:
    text = str(value) if isinstance(value, Text) else value
    if not isinstance(text, str):
        return text
    text = clean(text)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _shown(value: Value, words: Words) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    return within(words(value)) if isinstance(value, Text) else within(str(value))


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
