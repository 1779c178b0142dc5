"""figures: how long picks and reverts take, and which there are."""

from __future__ import annotations

import click

from headway.cli.common import YES, Answer, Command, Context, answering, common_options
from headway.cli.main import cli


@cli.command("figures", cls=Command, help="How long picks and reverts take, and which there are, by train.")
@click.argument("version", required=False)
@common_options
@answering
def figures(context: Context, version: str | None) -> Answer:
    from headway.reports import figures_of
    from headway.views.figures import over_all
    from headway.views.figurestable import figures_table

    found = figures_of(context.app(), version)
    whole = over_all(found)
    document = {"trains": [{"version": f.train, **f.as_json()} for f in found], "all": whole.as_json()}
    shown = found if version else (whole, *reversed(found))
    return Answer(YES, document, lambda screen: screen.console.print(figures_table(shown, screen.lang)))
