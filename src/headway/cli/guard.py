"""guard: release tags are where they belong; in CI, and in git's pre-push hook."""

from __future__ import annotations

import sys

import click

from headway.cli.common import NO, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.main import cli
from headway.errors import UnusableInput
from headway.model.text import say


@cli.command(
    "guard", cls=Command, help="Check that release tags are on their branches and were not moved (V5, B1, B4)."
)
@click.argument("remote", nargs=-1, metavar="[REMOTE URL]")
@click.option("--against", metavar="REMOTE|PATH", cls=Option, help="Compare the tags with those of this repository.")
@click.option("--pre-push", is_flag=True, cls=Option, help="Judge a push: the lines of git's hook on standard input.")
@click.option("--install", is_flag=True, cls=Option, help="Write git's pre-push hook, unless there is one.")
@common_options
@answering
def guard(context: Context, remote: tuple[str, ...], against: str | None, pre_push: bool, install: bool) -> Answer:
    if install + pre_push + bool(against) > 1 or (remote and not pre_push):
        raise UnusableInput(
            "usage.guard",
            say("--install, --pre-push and --against go one at a time; REMOTE and URL belong to --pre-push"),
            remedy=say("see `headway guard --help`"),
        )
    if install:
        return _install(context)
    from headway import guarding

    app = context.app()
    app.need_policy()
    if pre_push:
        found = guarding.guard_push(app, sys.stdin, remote[0] if remote else "the remote")
    else:
        found = guarding.guard_tags(app, against or "")

    def show(screen: Screen) -> None:
        if found.problems:
            screen.say(say("refused:") if pre_push else say("the tag guard found:"), "bold red")
            screen.reasons(found.problems)
        elif not pre_push and not found.checked and not found.older:
            screen.say(
                say("no tag here is a release tag by the policy's names: {tags}", tags=app.policy.versions.final_tag)
            )
        elif not pre_push:
            screen.say(say("{count} release tags are in order", count=found.checked), "green")
        if found.older:
            begin = found.begin or screen.word("none")
            words = say(
                "left out, from before the policy's first version ({begin}): {count}", begin=begin, count=found.older
            )
            screen.say(words, "dim")

    return Answer(NO if found.problems else YES, found.as_json(), show)


def _install(context: Context) -> Answer:
    from pathlib import Path

    from headway.effects import hook
    from headway.history.repository import open_repository
    from headway.model.reason import Reason
    from headway.model.text import facts

    done = hook.install(open_repository(Path(context.given.get("repo") or ".")))
    ok = done.written or done.there
    text = (
        say("{path} is outside this repository and would be every repository's hook", path=done.path)
        if done.outside
        else say("there is a hook already: {path}", path=done.path)
    )
    remedy = say("add this line near its beginning: {line}", line=hook.LINE)
    refused = () if ok else (Reason("V5", "guard.hook", text, facts(path=done.path, line=hook.LINE), remedy),)

    def show(screen: Screen) -> None:
        if ok:
            screen.say(
                say("{path} is written", path=done.path)
                if done.written
                else say("{path} is there already", path=done.path),
                "green",
            )
        screen.reasons(refused)
        screen.say(say("in CI:"))
        for line in hook.CI.splitlines():
            screen.line(f"  {line}")

    document = {
        "ok": ok,
        "problems": [r.as_json() for r in refused],
        "checked": 0,
        "hook": str(done.path),
        "written": done.written,
        "ci": hook.CI,
    }
    return Answer(YES if ok else NO, document, show)
