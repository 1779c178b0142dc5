"""perf link, perf table: two releases side by side (E6, E7)."""

from __future__ import annotations

from typing import Any

import click

from headway.cli.common import OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.measure import perf
from headway.errors import UnusableInput
from headway.model.text import say
from headway.perf.links import GRANULARITIES

_granularity = click.option(
    "--granularity", type=click.Choice(GRANULARITIES), default="week", cls=Option, help="Of charts (default: week)."
)


@perf.command("link", cls=Command, help="The dashboard's address of a comparison, and our own page's (E6, E7).")
@click.argument("base")
@click.argument("candidate")
@_granularity
@common_options
@answering
def link(context: Context, base: str, candidate: str, granularity: str) -> Answer:
    from headway.comparing import links_between

    found = links_between(context.app(), base, candidate, granularity)
    asked = found.link
    document = {
        **found.as_json(),
        "left": {"branch": asked.left[0], "commit": asked.left[1]},
        "right": {"branch": asked.right[0], "commit": asked.right[1]},
        "window": {"start": asked.start.isoformat(), "stop": asked.stop.isoformat()},
    }

    def show(screen: Screen) -> None:
        screen.line(found.dashboard) if found.dashboard else screen.say(say("the policy names no dashboard"))
        screen.line(found.path)

    return Answer(YES, document, show)


@perf.command("table", cls=Command, help="Two releases over all cells, from a dashboard's link or two commits (E7).")
@click.argument("url", required=False)
@click.option("--left", metavar="REF", cls=Option, help="The base, instead of a link.")
@click.option("--right", metavar="REF", cls=Option, help="The new side, instead of a link.")
@click.option("--series", is_flag=True, cls=Option, help="With each cell over the window, by the granularity.")
@_granularity
@common_options
@answering
def table(
    context: Context, url: str | None, left: str | None, right: str | None, series: bool, granularity: str
) -> Answer:
    from headway.comparing import links_between, links_of, moment_of, page_of
    from headway.perf.links import parse_dashboard_link
    from headway.views.comparison import as_json, chart_json

    if bool(url) == bool(left or right) or (not url and not (left and right)):
        raise UnusableInput(
            "usage",
            say("it is not clear what to compare"),
            remedy=say("give a link, or both --left and --right"),
        )
    app = context.app()
    links = (
        links_of(app, parse_dashboard_link(url, now=moment_of(app)))
        if url
        else links_between(app, left or "", right or "", granularity)
    )
    page = page_of(app, links.link)
    document: dict[str, Any] = {**as_json(page), "links": links.as_json()}
    if series:
        with app.measurements(write=False) as store:
            for row, shown in zip(page.rows, document["rows"], strict=True):
                shown["series"] = chart_json(store, row, links.link)

    def show(screen: Screen) -> None:
        from headway.views.comparisontable import show_page

        show_page(page, screen)

    return Answer(YES if page.left and page.right else OPEN, document, show)
