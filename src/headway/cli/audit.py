"""audit, reverts, backtest: what is on release branches, why, what is missing, what breaks policy."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headway.cli.common import NO, OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.main import cli
from headway.lang import LANGUAGES, tr, translated
from headway.model.text import one_line, say

if TYPE_CHECKING:
    from headway.views.auditreport import Report, Section


@cli.command(
    "audit",
    cls=Command,
    help="Every commit of a release branch: origin on the trunk, category, what breaks policy; reverts and fixes that "
    "it lacks (P7, P8, B6). REF is a branch, a tag or a commit. Nothing is written to the repository.",
)
@click.argument("ref")
@click.option(
    "--ignore-trailers", is_flag=True, cls=Option, help="Map origins without trailers and pull request numbers."
)
@click.option(
    "--output",
    metavar="FILE",
    cls=Option,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the report to this file: Markdown (.md) or HTML (.html).",
)
@common_options
@answering
def audit(context: Context, ref: str, ignore_trailers: bool, output: Path | None) -> Answer:
    from headway.auditkept import KeptReports
    from headway.views.auditreport import Report

    if output is not None:
        _check_name(output)
    kept = KeptReports(context.given, ref, ignore_trailers)
    known = kept.get()
    report = Report.unpacked(known) if known else None
    if report is None:
        report = _look_through(context, ref, ignore_trailers)
        kept.put(report.packed())
    title, parts = report.titles[context.lang], report.sections[context.lang]
    if output is not None:
        _write(output, title, parts, context.lang)

    def show(screen: Screen) -> None:
        screen.line(title, "bold" if report.clean else "bold red")
        for s in parts:
            _table(screen, s)

    return Answer(YES if report.clean else NO, report.document, show)


def _look_through(context: Context, ref: str, ignore_trailers: bool) -> Report:
    from headway.auditing import look
    from headway.views.auditdocument import audit_document
    from headway.views.auditreport import Report, headline, sections

    found = look(context.app(), ref, ignore_trailers=ignore_trailers)
    title = headline(found.line, found.trunk, found.audit)
    return Report(
        found.audit.clean,
        audit_document(found.line, found.trunk, found.audit),
        {lang: tr(title, lang) for lang in LANGUAGES},
        {lang: sections(found.audit, partial(tr, lang=lang), partial(translated, lang=lang)) for lang in LANGUAGES},
    )


_PAGES, _TEXTS = (".html", ".htm"), (".md", ".markdown")


def _check_name(output: Path) -> None:
    from headway.errors import UnusableInput

    if output.suffix.lower() not in (*_PAGES, *_TEXTS):
        raise UnusableInput(
            "audit.format",
            say("{file} is neither Markdown nor HTML by its name", file=output),
            remedy=say("name a file that ends in .md or .html"),
        )


def _write(output: Path, title: str, parts: tuple[Section, ...], lang: str) -> None:
    from headway.errors import WorldFailed
    from headway.views.auditreport import markdown, page

    text = page(title, parts, lang) if output.suffix.lower() in _PAGES else markdown(title, parts)
    try:
        output.write_text(text, encoding="utf-8", errors="replace")
    except OSError as e:
        raise WorldFailed(
            "audit.unwritable",
            say("{file} cannot be written: {why}", file=output, why=str(e)),
            remedy=say("name a file in a folder that exists and is yours"),
        ) from e


def _table(screen: Screen, section: Section) -> None:
    from rich.markup import escape
    from rich.table import Table

    screen.line("")
    screen.line(f"{section.heading} ({len(section.rows)})", "bold")
    if not section.rows:
        screen.line(section.none, "dim")
        return
    if not screen.console.is_terminal:  # a file or a pipe: a row is a line
        for row in (section.titles, *section.rows):
            screen.line("  " + "  ".join(row))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    last = len(section.titles) - 1
    for i, title in enumerate(section.titles):
        short = i != last and max((len(r[i]) for r in section.rows), default=0) <= 26
        table.add_column(title, overflow="fold", no_wrap=short)
    for row in section.rows:
        table.add_row(*(escape(one_line(cell)) for cell in row))
    screen.console.print(table)


@cli.command("reverts", cls=Command, help="Each trunk revert since the cut: does the branch need it (B6)?")
@click.option("--branch", metavar="REF", cls=Option, help="A release branch, live or not (default: every live one).")
@common_options
@answering
def reverts(context: Context, branch: str | None) -> Answer:
    from headway.auditing import live_release_branches, look
    from headway.decide.reverts import RevertVerdict
    from headway.views.auditdocument import branch_only_row, revert_row, shipped_row

    app = context.app()
    seen = [look(app, name) for name in ([branch] if branch else live_release_branches(app))]
    found = [(x.line.branch, f) for x in seen for f in x.audit.reverts]
    rows = [{**revert_row(f), "branch": name} for name, f in found]
    only = [{**branch_only_row(b), "branch": x.line.branch} for x in seen for b in x.audit.branch_only]
    shipped = [{**shipped_row(s), "branch": x.line.branch} for x in seen for s in x.audit.shipped]

    def show(screen: Screen) -> None:
        for x in seen:
            screen.say(say("{branch}, cut at {cut}", branch=x.line.branch, cut=x.line.cut[:12]), "bold")
        told = [f for _, f in found if f.verdict is not RevertVerdict.NOT_ON_BRANCH]
        for f in told:
            screen.line(f"  {f.revert.commit.sha[:12]}  {screen.word(f.verdict.value)}  {f.revert.commit.title}")
            screen.line(f"       {tr(f.why, screen.lang)}", "dim")
        if not rows:
            screen.say(say("no trunk reverts since the cut"))
        elif len(told) < len(rows):
            screen.say(say("reverts of no concern to the branch: {count}", count=len(rows) - len(told)), "dim")
        _listed(screen, "Shipped, then reverted", [(r["revert"], r["subject"], " ".join(r["tags"])) for r in shipped])
        alone = [(r["commit"], r["subject"], screen.word(r["kind"])) for r in only]
        _listed(screen, "On the branch only, never on the trunk", alone)

    document = {
        "branch": seen[0].line.branch,
        "cut": seen[0].line.cut,
        "reverts": rows,
        "branch_only": only,
        "shipped_then_reverted": shipped,
    }
    verdicts = {r["verdict"] for r in rows}
    open_ = OPEN if verdicts & {RevertVerdict.PARTIAL, RevertVerdict.AMBIGUOUS} else YES
    return Answer(NO if RevertVerdict.NEEDED in verdicts else open_, document, show)


def _listed(screen: Screen, heading: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        screen.line("")
        screen.line(screen.word(heading), "bold")
        for sha, subject, more in rows:
            screen.line(f"  {str(sha)[:12]}  {subject}  {more}")


@cli.command(
    "backtest",
    cls=Command,
    help="What this policy would have said of past releases: one row for each release branch.",
)
@click.option(
    "--releases",
    type=click.IntRange(min=1),
    metavar="N",
    cls=Option,
    help="Only the newest N release branches (default: all).",
)
@common_options
@answering
def backtest(context: Context, releases: int | None) -> Answer:
    from headway.auditing import backtest as run

    rows = list(run(context.app(), releases))
    document = {
        "releases": [
            {
                "branch": r.branch,
                "commits": r.commits,
                "violations_by_clause": r.violations,
                "missed_reverts": list(r.missed),
                "error": str(r.error) if r.error else None,
            }
            for r in rows
        ]
    }

    def show(screen: Screen) -> None:
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for title in (say("branch"), say("commits"), say("violations"), say("reverts missed")):
            table.add_column(tr(title, screen.lang), overflow="fold")
        for r in rows:
            found = " ".join(f"{clause}×{n}" for clause, n in r.violations.items()) or "-"
            missed = " ".join(sha[:12] for sha in r.missed) or "-"
            cells = (
                (r.branch, "-", tr(r.error, screen.lang), "-") if r.error else (r.branch, str(r.commits), found, missed)
            )
            table.add_row(*(escape(one_line(cell)) for cell in cells))
        if rows:
            screen.console.print(table)
        else:
            screen.say(say("there are no release branches here"))

    return Answer(YES, document, show)
