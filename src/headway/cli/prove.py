"""verify: a release, a ledger or a bundle is what it says it is."""

from __future__ import annotations

from pathlib import Path

import click

from headway.cli.common import NO, OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.main import cli
from headway.model.text import say


@cli.command("verify", cls=Command, help="Prove that a release is what was tested, or that a ledger is whole.")
@click.argument("what", metavar="VERSION|LEDGER", required=False)
@click.option(
    "--head", default="", metavar="DIGEST", cls=Option, help="A head that was kept: it must be in the ledger."
)
@click.option(
    "--allowed-signers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    cls=Option,
    help="Whose SSH signatures count (default: git's gpg.ssh.allowedSignersFile).",
)
@common_options
@answering
def verify(context: Context, what: str | None, head: str, allowed_signers: Path | None) -> Answer:
    from headway import proving
    from headway.ledger.signatures import Standing
    from headway.policy.scheme import parse_version
    from headway.refusal import version_of
    from headway.reports import newest_release

    allowed = allowed_signers or proving.allowed_signers(Path(context.given.get("repo") or "."))
    if what is not None and parse_version(what.removeprefix("v")) is None:
        proof = proving.prove_ledger(what, head, allowed)
    else:
        app = context.app()
        proof = proving.prove_release(app, version_of(what) if what else newest_release(app), head, allowed)

    def show(screen: Screen) -> None:
        if proof.problems:
            screen.say(say("{what}: the proof fails", what=proof.subject), "bold red")
            screen.reasons(proof.problems)
        elif not proof.ok:
            screen.say(say("{what}: what could be checked holds", what=proof.subject), "bold yellow")
        else:
            screen.say(say("{what}: every link of the proof holds", what=proof.subject), "bold green")
        screen.reasons(proof.absent)
        for w in proof.waived:
            screen.say(w.words, "yellow")
        for s in proof.signatures:
            if s.standing is not Standing.BAD:
                screen.say(s.words, "green" if s.standing is Standing.VOUCHED else "yellow")
        screen.say(say("{count} entries; the head is {head}", count=proof.entries, head=proof.head))

    status = NO if proof.problems else YES if proof.ok else OPEN
    return Answer(status, proof.as_json(), show)
