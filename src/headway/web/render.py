"""Templates, and the language a reader asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request

from headway.decide.pickstates import PICK_STATES
from headway.lang import LANGUAGES, shown, tr, translated
from headway.model.markdown import spans
from headway.model.reason import Reason
from headway.model.text import Fact, Text, clean, say
from headway.policy.clauses import CLAUSES
from headway.views.acts import VERBS
from headway.views.board import OUTCOMES, TURNS, when_text
from headway.views.entrywords import ENTRY_KINDS, SIGNALS, check_text, claim_text
from headway.views.factwords import fact_text, fact_values
from headway.views.gates import LIGHTS
from headway.views.mending import mending
from headway.views.shown import part_text
from headway.views.stops import STOPS
from headway.views.train import CAUSES, REVERT_STATES, VERDICTS
from headway.views.visitors import HOW, MAY, ROLES, TOKEN_STATES
from headway.views.words import KINDS, STAGES, short
from headway.web.drawing import clipped

_WORDS: dict[Any, Text] = {
    **{("stage", k): v for k, v in STAGES.items()},
    **{("kind", k): v for k, v in KINDS.items()},
    **{("light", k): v for k, v in LIGHTS.items()},
    **{("turn", k): v for k, v in TURNS.items()},
    **{("outcome", k): v for k, v in OUTCOMES.items()},
    **{("stop", k): v for k, v in STOPS.items()},
    **{("pick", k): v for k, v in PICK_STATES.items()},
    **{("revert", k): v for k, v in REVERT_STATES.items()},
    **{("verdict", k): v for k, v in VERDICTS.items()},
    **{("cause", k): v for k, v in CAUSES.items()},
    **{("role", k): v for k, v in ROLES.items()},
    **{("do", k): v for k, v in VERBS.items()},
    **{("role-may", k): v for k, v in MAY.items()},
    **{("how", k): v for k, v in HOW.items()},
    **{("token", k): v for k, v in TOKEN_STATES.items()},
    **{("entry", k): v for k, v in ENTRY_KINDS.items()},
    **{("signal", k): v for k, v in SIGNALS.items()},
}


_CODE = Markup("<code>{}</code>")


@dataclass(frozen=True, slots=True)
class Reader:
    """``lang`` is what is shown; ``chosen`` that the address says so, and its links go on saying it. ``wall``: the page
    hangs on a wall. ``other`` is the address of this page in the other language."""

    lang: str
    chosen: bool
    wall: bool = False
    other: str = ""

    def link(self, path: str, **query: object) -> str:
        """The address of a page, which keeps the language when it was chosen. Segments must be quoted already."""
        pairs = {**query, **({"lang": self.lang} if self.chosen else {})}
        return f"{path}?{urlencode(pairs)}" if pairs else path


def reader_of(request: Request) -> Reader:
    """``?lang=``, else the first language of Accept-Language that there is, else English."""
    asked = request.query_params
    wanted = asked.get("lang", "").lower()[:2]
    chosen = wanted in LANGUAGES
    lang = wanted if chosen else _accepted(request.headers.get("accept-language", ""))
    rest = [(k, v) for k, v in asked.multi_items() if k != "lang"] if request.method == "GET" else []
    other = "?" + urlencode([*rest, ("lang", "en" if lang == "zh" else "zh")])
    return Reader(lang, chosen, asked.get("wall") == "1", other)


def here_of(request: Request) -> str:
    """The address of this page, as a link within the board: ``//policy`` would be another host's, and a ``?`` or ``#``
    within the path is none of the address's own."""
    path = quote(request.scope["path"])
    query = urlencode(list(request.query_params.multi_items()))
    return ("/." if path.startswith("//") else "") + path + (f"?{query}" if query else "")


def _accepted(header: str) -> str:
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")):
        name, _, weight = part.partition(";")
        try:
            q = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            q = 0.0
        if name.strip()[:2].lower() in LANGUAGES and q > 0:
            ranked.append((-q, position, name.strip()[:2].lower()))
    return min(ranked)[2] if ranked else "en"


@pass_context
def _say(context: Context, template: str, /, **values: object) -> str:
    """``_("…", x=…)`` in a template; the catalogue is made from the templates too."""
    return tr(say(template, **values), context["reader"].lang)


@pass_context
def _text(context: Context, text: Text) -> str:
    return tr(text, context["reader"].lang)


@pass_context
def _value(context: Context, value: str | Text) -> str:
    """Words of others as they are; a text in the reader's language."""
    return tr(value, context["reader"].lang) if isinstance(value, Text) else value


@pass_context
def _said(context: Context, word: str) -> str:
    """A word of our own vocabulary that stands in the data, such as a category."""
    return translated(word, context["reader"].lang)


@pass_context
def _word(context: Context, kind: str, value: object) -> str:
    return tr(_WORDS[kind, value], context["reader"].lang)


@pass_context
def _clause(context: Context, clause: str) -> str:
    text = CLAUSES.get(clause)
    return tr(text, context["reader"].lang) if text else ""


@pass_context
def _fact_name(context: Context, name: str) -> str:
    return tr(fact_text(name), context["reader"].lang)


@pass_context
def _fact_values(context: Context, name: str, value: Fact) -> list[str]:
    """A fact in lines."""
    lang = context["reader"].lang
    return [tr(v, lang) if isinstance(v, Text) else shown(name, v, lang) for v in fact_values(value)]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _day(at: date) -> str:
    """Of a time, the day in UTC."""
    return f"{at.astimezone(UTC) if isinstance(at, datetime) else at:%Y-%m-%d}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _shown(value: object) -> object:
    """Whatever a template puts out, without characters that a browser would obey."""
    return clean(value) if type(value) is str else value


def _marked(text: str) -> Markup:
    """Words between backticks as code; each part of it escaped, whoever wrote it."""
    return Markup("").join(_CODE.format(part) if code else part for code, part in spans(clean(text)))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("headway.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["_"] = _say
    env.globals["word"] = _word
    env.globals["clause_text"] = _clause
    env.globals["fact_name"] = _fact_name
    env.globals["fact_values"] = _fact_values
    env.filters["text"] = _text
    env.filters["value"] = _value
    env.filters["mending"] = mending
    env.filters["kept"] = Reason.kept
    env.filters["part"] = part_text
    env.filters["check"] = check_text
    env.filters["claim"] = claim_text
    env.filters["when"] = when_text
    env.filters["moment"] = _moment
    env.filters["day"] = _day
    env.filters["short"] = short
    env.filters["seconds"] = _seconds
    env.filters["marked"] = _marked
    env.filters["percent"] = _percent
    env.filters["clipped"] = clipped
    env.filters["address"] = lambda text: quote(str(text), safe="/")
    env.filters["said"] = _said
    env.filters["segment"] = lambda text: quote(str(text), safe="")
    return env


def prepare() -> None:
    """Compiles all templates: else the first who asks for a page waits for that."""
    env = _environment()
    for name in env.list_templates():
        env.get_template(name)


def render(template: str, reader: Reader, **values: object) -> str:
    """A page in the reader's language."""
    html_lang = "zh-Hans" if reader.lang == "zh" else reader.lang
    return _environment().get_template(template).render(reader=reader, html_lang=html_lang, **values)
