"""What an address of the comparison page asks for: the dashboard's parameters, and those of ours beside them (E7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from headway.errors import UnusableInput
from headway.model.text import Text, facts, say
from headway.perf.links import NO_FILTER, PAGE, DashboardLink, address_of, parse_dashboard_link
from headway.views.findings import Finding

ON_A_PAGE = 50
MOST = 5000  # rows that one answer holds
MOST_SHOWN = 500  # of a page: more take seconds to make, in which nobody else is answered
VIEWS = ("cells", "matrix", "trend", "averages", "environment", "waivers")
FORMATS = ("html", "json", "csv", "md")


@dataclass(frozen=True, slots=True)
class Asked:
    """``metric`` and ``finding`` keep the rows of one; ``page`` counts from 1 and has ``per`` rows; ``trend`` is the
    key of a row (``""``: the first), ``branch`` one whose launches its trend shows; ``data`` a digest that the page
    once had. All are ``""`` where nothing is asked for."""

    link: DashboardLink
    metric: str = ""
    finding: str = ""
    page: int = 1
    per: int = 0
    trend: str = ""
    branch: str = ""
    data: str = ""

    def query(self, link: DashboardLink | None = None, **changes: Any) -> dict[str, str]:
        """The parameters of an address that asks for this, with changes; another choice of rows begins at page 1."""
        if "page" not in changes:
            changes["page"] = 1
        new = replace(self, link=link or self.link, **changes)
        pairs = dict(parse_qsl(address_of(PAGE, new.link).partition("?")[2], keep_blank_values=True))
        for field, name in _OURS.items():
            value = str(getattr(new, field))
            if value not in {"", "0", "1" if field == "page" else ""}:
                pairs[name] = value
        return pairs


# Our parameters, by the field that holds them.
_OURS = {
    "metric": "metricName",
    "finding": "show",
    "page": "page",
    "per": "per",
    "trend": "trend",
    "branch": "trendBranch",
    "data": "data",
}


def asked_for(query: str, now: datetime, tags: Mapping[str, str]) -> Asked:
    """Read a query. ``tags`` (name to commit) may stand for commits. Raises ``UnusableInput`` as
    ``parse_dashboard_link`` does, and for what is none of ours."""
    link = parse_dashboard_link(f"{PAGE}?{query}", now=now)
    left, right = ((branch, tags.get(commit, commit)) for branch, commit in (link.left, link.right))
    given = dict(parse_qsl(query, keep_blank_values=True))
    finding = given.get("show", "")
    if finding and finding not in {f.value for f in Finding}:
        raise _unknown("show", finding, say("show one of {known}", known=[f.value for f in Finding]))
    return Asked(
        replace(link, left=left, right=right),
        given.get("metricName", ""),
        finding,
        _number("page", given.get("page", ""), 1),
        min(_number("per", given.get("per", ""), 0), MOST),
        given.get("trend", ""),
        given.get("trendBranch", ""),
        given.get("data", ""),
    )


def form_asked(query: str, accept: str) -> tuple[str, str]:
    """(view, format): by ``view`` and ``format``, else by the first kind of answer in ``Accept`` that there is."""
    given = dict(parse_qsl(query))
    view, form = given.get("view", ""), given.get("format", "")
    if view and view not in VIEWS:
        raise _unknown("view", view, say("view is one of {known}", known=VIEWS))
    if form and form not in FORMATS:
        raise _unknown("format", form, say("format is one of {known}", known=FORMATS))
    if not form:
        kinds = {"text/html": "html", "application/json": "json", "text/csv": "csv", "text/markdown": "md"}
        named = (part.partition(";")[0].strip().lower() for part in accept.split(","))
        form = next((kinds[kind] for kind in named if kind in kinds), "html")
    return view, form


def without(link: DashboardLink, *names: str) -> DashboardLink:
    """The link without these filters."""
    return replace(link, filters=tuple((n, v) for n, v in link.filters if n not in names))


def narrowed(link: DashboardLink, **filters: str) -> DashboardLink:
    """The link with these filters, in the order in which links have them."""
    found = {**dict(link.filters), **filters}
    return replace(link, filters=tuple((name, found[name]) for name, _ in NO_FILTER if found.get(name)))


def _number(name: str, text: str, default: int) -> int:
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) < 8 and int(text) > 0:
        return int(text)
    raise _unknown(name, text, say("give a number of 1 or more"))


def _unknown(name: str, value: str, remedy: Text) -> UnusableInput:
    return UnusableInput(
        "compare.parameter",
        say("{name} of the comparison cannot be {value}", name=name, value=value),
        clause="E7",
        facts=facts(parameter=name, value=value),
        remedy=remedy,
    )
