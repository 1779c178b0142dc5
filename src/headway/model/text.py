"""Words that a person will read, kept as template + values so that they can be translated where they are shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

Scalar = str | int | float | bool | None
Fact = Scalar | tuple[str, ...]
Facts = tuple[tuple[str, Fact], ...]

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
    """An English ``str.format`` template (the gettext message id) and its values. ``str()`` gives the English."""

    template: str
    values: Facts = ()

    def filled(self, template: str, shown: Callable[[str], str] = str) -> str:
        """``template`` (this one, or its translation) with the values put in, each as it is ``shown``."""
        return template.format(**{k: shown(_plain(v)) for k, v in self.values})

    def __str__(self) -> str:
        return self.filled(self.template)


def _plain(value: Fact) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return "-" if value is None else str(value)


def _fact(value: object) -> Fact:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(str(v) for v in (sorted(value, key=str) if isinstance(value, set | frozenset) else value))
    return str(value)


def say(template: str, /, **values: object) -> Text:
    """A ``Text``; dates become ISO 8601, times minutes in UTC, collections tuples of strings.

    gettext extracts the template from here.
    """
    return Text(template, tuple((k, _fact(_readable(v))) for k, v in values.items()))


def _readable(value: object) -> object:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else value


def facts(**values: object) -> Facts:
    """Facts of a refusal, wait or error, in the order given."""
    return tuple((k, _fact(v)) for k, v in values.items())


def facts_json(items: Facts) -> dict[str, object]:
    """Facts as a JSON object."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in items}
