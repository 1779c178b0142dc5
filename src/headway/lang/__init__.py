"""Words in the reader's language: gettext catalogues beside this file. English is what the code says."""

from __future__ import annotations

import gettext
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from headway.lang.own import OWN
from headway.model.text import Part, Text, one_line, plain

LANGUAGES = ("en", "zh")


def language(wanted: str | None = None, env: Mapping[str, str] = os.environ) -> str:
    """``wanted``, else HEADWAY_LANG, else the locale's language; English for any that there is no catalogue of."""
    for name in (wanted, env.get("HEADWAY_LANG"), env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG")):
        if name:
            return "zh" if name.lower().startswith("zh") else "en"
    return "en"


@lru_cache(maxsize=4)
def _catalogue(lang: str) -> gettext.NullTranslations:
    return gettext.translation("headway", Path(__file__).parent, [lang], fallback=True)


def speak(lang: str) -> None:
    """Let click's own words (usage, options, its refusals) be in this language: it asks gettext's current domain."""
    os.environ["LANGUAGE"] = lang
    gettext.bindtextdomain("headway", Path(__file__).parent)
    gettext.textdomain("headway")


def translated(text: str, lang: str) -> str:
    """A message id in a language."""
    return _catalogue(lang).gettext(text) if text and lang != "en" else text


def tr(text: Text, lang: str) -> str:
    """A text with its values, in a language, for a person to read: words of others stay words, on one line.

    Words of our own vocabulary (``OWN``) and texts among the values are said in that language too; between backticks
    stands what is typed, which is the same in every language.
    """
    template = translated(text.template, lang)
    if lang == "en":
        return text.filled(template, one_line)
    parts = template.split("`")
    if len(parts) % 2 == 0:
        return text.filled(template, one_line)
    told = {name: shown(name, value, lang) for name, value in text.values}
    return "`".join(text.filled(p, one_line) if i % 2 else p.format(**told) for i, p in enumerate(parts))


def shown(name: str, value: Part, lang: str) -> str:
    """The value of a field or fact in a language, on one line."""
    if isinstance(value, Text):
        return tr(value, lang)
    if isinstance(value, tuple):
        return ", ".join(shown(name, part, lang) for part in value)
    own = OWN.get(name, {}).get(value) if lang != "en" and isinstance(value, str) else None
    return tr(own, lang) if own else one_line(plain(value))
