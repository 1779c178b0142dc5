"""Commands of the store of measurements: perf import, perf export."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headway.cli.common import USAGE, YES, Answer, Command, Context, Option, Screen, answering, common_options, moment
from headway.cli.measure import perf
from headway.errors import not_found
from headway.model.text import say

if TYPE_CHECKING:
    from headway.perf.importing import Outcome

# What result files may not say themselves.
_TOLD = (
    ("--commit", "REV", say("Commit that was measured.")),
    ("--branch", "NAME", say("Branch that it was measured on.")),
    ("--repo-name", "OWNER/NAME", say("Repository that the commit is of.")),
    ("--model", "NAME", say("Model, as the policy or the dashboard spells it.")),
    ("--hardware", "NAME", say("Hardware, such as H100.")),
    ("--device", "NAME", say("Kind of device, such as cuda.")),
    ("--backend", "NAME", say("Backend, such as vllm.")),
    ("--dtype", "NAME", say("Type of the weights, such as bfloat16.")),
    ("--mode", "NAME", say("Mode of the benchmark, such as inference.")),
    ("--test", "NAME", say("Name of the test.")),
    ("--engine-version", "VERSION", say("Version of the engine.")),
    ("--date", "ISO8601", say("When it was measured, of files that do not say it.")),
)


def _told_options(fn: Any) -> Any:
    for name, metavar, text in reversed(_TOLD):
        fn = click.option(name, cls=Option, metavar=metavar, help=str(text), default="")(fn)
    return fn


@perf.command(
    "import",
    cls=Command,
    help="Result files of vllm bench, guidellm and record v3 into the store. The options say what a file does not.",
)
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path))
@_told_options
@click.option("--blocks", is_flag=True, cls=Option, help="Restore blocks of comparisons: they are the gate's evidence.")
@common_options
@answering
def import_results(context: Context, paths: tuple[Path, ...], blocks: bool, **told: str) -> Answer:
    from headway.history.repository import resolve_commit
    from headway.perf.importing import import_files
    from headway.perf.told import Told

    for path in paths:
        if not path.exists():
            raise not_found("file", str(path), say("name files of results, or folders with such"))
    app = context.app()
    commit = told["commit"]
    facts = Told(
        commit=(resolve_commit(app.repo, commit) or _commit(commit)) if commit else "",
        branch=told["branch"],
        repo=told["repo_name"],
        model=told["model"],
        hardware=told["hardware"],
        device=told["device"],
        backend=told["backend"],
        dtype=told["dtype"],
        mode=told["mode"],
        test=told["test"],
        engine=told["engine_version"],
        date=moment(told["date"]) if told["date"] else None,
    )
    with app.measurements(write=True) as store:
        found = import_files(store, paths, facts, context.progress, blocks=blocks)
    used = found.kept.new + found.kept.known + found.blocks
    return Answer(YES if used or not found.skipped else USAGE, found.as_json(), lambda screen: _show(screen, found))


def _commit(text: str) -> str:
    """A commit that this repository does not have must be a whole one. Raises ``UnusableInput``."""
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text):
        raise not_found("commit", text, say("name a commit of this repository, or a whole commit of another"))
    return text


def _show(screen: Screen, found: Outcome) -> None:
    kept = found.kept
    screen.say(
        say(
            "{new} new records in {launches} new launches from {files} files; {known} were there already",
            new=kept.new,
            launches=kept.launches,
            files=found.files,
            known=kept.known,
        ),
        "bold",
    )
    for name, metrics in found.set_aside.items():
        screen.say(say("{file}: not used, no known measure: {names}", file=name, names=sorted(metrics)))
    for note, names in found.notes.items():
        screen.say(say("{count} files: {note}", count=len(names), note=note))
    for name, refused in found.skipped:
        place = f"{name}:{refused.line}" if refused.line else name
        screen.say(say("skipped {place}: {why}", place=place, why=refused.why), "red")


@perf.command("export", cls=Command, help="All measurements as record v3 JSON lines; gzipped where FILE ends in .gz.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@common_options
@answering
def export_results(context: Context, file: Path) -> Answer:
    from headway.perf.exporting import export

    with context.app().measurements(write=False) as store:
        records = export(store, file)
    text = say("{records} records in {file}", records=records, file=file)
    return Answer(YES, {"records": records, "file": str(file)}, lambda screen: screen.say(text))
