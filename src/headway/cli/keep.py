"""The ledger as a thing to keep: show, export, backup, sign."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from headway.cli.common import NO, YES, Answer, Command, Context, Group, Option, Screen, answering, common_options
from headway.cli.main import cli
from headway.model.entry import broken_links
from headway.model.text import one_line, say


@cli.group("ledger", cls=Group, help="The append-only record.")
def ledger() -> None: ...


@ledger.command("show", cls=Command, help="Every entry, oldest first.")
@click.argument("version", required=False)
@common_options
@answering
def show_(context: Context, version: str | None) -> Answer:
    from headway.views.timeline import words_of

    wanted = version.removeprefix("v") if version else None
    every = context.app().entries()
    entries = tuple(e for e in every if wanted in {None, e.train})
    problems = broken_links(every)

    def show(screen: Screen) -> None:
        for e in entries:
            who = one_line(e.actor)
            screen.line(f"{e.seq:>4}  {e.at:%Y-%m-%d %H:%M}  {who:<16.16}  {e.train:<12}  {words_of(e, screen.lang)}")
        for problem in problems:
            screen.say(say("the chain is broken: {problem}", problem=problem), "bold red")

    document = {"entries": [e.as_json() for e in entries], "problems": list(problems)}
    return Answer(NO if problems else YES, document, show)


@ledger.command("export", cls=Command, help="Write a bundle that can be verified with nothing but itself.")
@click.option("--to", "target", metavar="FILE", cls=Option, help="The file (default: stdout).")
@common_options
@answering
def export(context: Context, target: str | None) -> Answer:
    from headway.files import write_new
    from headway.ledger.bundle import export_lines

    entries = context.app().entries()
    text = "".join(line if line.endswith("\n") else line + "\n" for line in export_lines(entries))
    if target:
        write_new(Path(target), text.encode())
    document: dict[str, Any] = {"entry": None, "entries": len(entries), "file": target}
    if target is None:
        document["bundle"] = text

    def show(screen: Screen) -> None:
        if target:
            screen.say(say("{count} entries written to {file}", count=len(entries), file=target))
        else:
            sys.stdout.write(text)

    return Answer(YES, document, show)


@ledger.command("backup", cls=Command, help="Copy the ledger to a file.")
@click.option("--to", "target", required=True, metavar="FILE", cls=Option, help="The file; it must not exist.")
@common_options
@answering
def backup_(context: Context, target: str) -> Answer:
    from headway.ledger.bundle import backup

    app = context.app()
    backup(app.ledger_place, Path(target))
    return Answer(
        YES, {"entry": None, "file": target}, lambda s: s.say(say("the ledger was copied to {file}", file=target))
    )


@ledger.command("sign", cls=Command, help="Sign the last entry, and with it all before; the signature is an entry too.")
@click.option("--key", metavar="PATH", cls=Option, help="An SSH key (default: git's user.signingkey).")
@click.option("--sigstore", is_flag=True, cls=Option, help="Sign as who Sigstore says you are instead.")
@common_options
@answering
def sign(context: Context, key: str | None, sigstore: bool) -> Answer:
    from headway.cli.control import kept
    from headway.signing import sign_head

    if key and sigstore:
        raise click.UsageError("--key and --sigstore exclude each other")
    return kept(sign_head(context.app(), key, sigstore=sigstore))
