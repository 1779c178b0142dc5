"""Words that a person will read, kept as template + values so that they can be translated where they are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias

Scalar = str | int | float | bool | None
Fact = Scalar | tuple[str, ...]
Facts = tuple[tuple[str, Fact], ...]
Part: TypeAlias = "Fact | Text | tuple[Text, ...]"
Parts: TypeAlias = "tuple[tuple[str, Part], ...]"

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """Words without what a terminal or a page would obey instead of show: control and direction characters, and
    surrogates, which cannot be written. Each becomes U+FFFD; line breaks and tabs stay."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """The same on one line, so that nobody's words can be taken for a line of ours."""
    return " ".join(clean(text).split()) if not text.isprintable() else text


@dataclass(frozen=True, slots=True)
class Text:
    """An English ``str.format`` template (the gettext message id) and its values, which may be texts themselves.
    ``str()`` gives the English."""

    template: str
    values: Parts = ()

    def filled(self, template: str, shown: Callable[[str], str] = str) -> str:
        """``template`` (this one, or its translation) with the values put in, each as it is ``shown``."""
        return template.format(**{k: shown(plain(v)) for k, v in self.values})

    def __str__(self) -> str:
        return self.filled(self.template)


NOTHING = Text("")


def flat(value: Part) -> Fact:
    """A value with its texts in English."""
    if isinstance(value, tuple):
        return tuple(map(str, value))
    return str(value) if isinstance(value, Text) else value


def plain(value: Part) -> str:
    """A value as English has it: a list with commas, ``-`` for none."""
    known = flat(value)
    if isinstance(known, tuple):
        return ", ".join(known)
    return "-" if known is None else str(known)


def _fact(value: object) -> Fact:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(str(v) for v in (sorted(value, key=str) if isinstance(value, set | frozenset) else value))
    return str(value)


def say(template: str, /, **values: object) -> Text:
    """A ``Text``; dates become ISO 8601, times minutes in UTC, collections tuples of strings; texts stay texts.

    gettext extracts the template from here.
    """
    return Text(template, tuple((k, _part(v)) for k, v in values.items()))


def _part(value: object) -> Part:
    if isinstance(value, Text):
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(v, Text) for v in value):
        return tuple(value)
    return _fact(_readable(value))


def _readable(value: object) -> object:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else value


def facts(**values: object) -> Facts:
    """Facts of a refusal, wait or error, in the order given."""
    return tuple((k, _fact(v)) for k, v in values.items())


def facts_json(items: Parts) -> dict[str, object]:
    """Facts as a JSON object; texts in English."""
    known = ((k, flat(v)) for k, v in items)
    return {k: list(v) if isinstance(v, tuple) else v for k, v in known}


def written(**texts: Text) -> dict[str, list[object]]:
    """Texts as the ledger keeps them beside their English, so that each reads them in their language."""
    return {name: [t.template, facts_json(t.values)] for name, t in texts.items()}


def kept(row: Mapping[str, object], name: str) -> Text:
    """The text ``name`` of a row of the ledger: the template in its ``said``, where it gives the English that was kept
    under ``name``; else that alone."""
    english, said = str(row.get(name) or ""), row.get("said")
    match said.get(name) if isinstance(said, Mapping) else None:
        case [str() as template, dict() as values]:
            found = Text(template, facts(**{str(k): value for k, value in values.items()}))
            try:
                if str(found) == english:
                    return found
            except (LookupError, ValueError, AttributeError):  # no template of ours
                pass
    return say("{text}", text=english)
