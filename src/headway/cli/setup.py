"""Commands around the work: init, doctor, demo, serve, completion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from headway.cli.common import NO, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.main import cli
from headway.lang import tr
from headway.model.text import say

if TYPE_CHECKING:
    from headway.history.repository import Repository


@cli.command("init", cls=Command, help="Write a first release.toml for this repository, and workflows with --github.")
@click.option("--upgrade", is_flag=True, cls=Option, help="Bring an older release.toml to the current format.")
@click.option("--github", is_flag=True, cls=Option, help="Write the workflows that run Headway on GitHub Actions.")
@click.option(
    "--action",
    default="",
    metavar="OWNER/NAME@REF",
    cls=Option,
    help="Where Headway's action is, with --github; best by the commit.",
)
@click.option("--dry-run", is_flag=True, cls=Option, help="With --github: show it, and write nothing.")
@common_options
@answering
def init(context: Context, upgrade: bool, github: bool, action: str, dry_run: bool) -> Answer:
    from headway.history.repository import open_repository
    from headway.setup import upgrade_policy, write_policy

    if github != bool(action) or (upgrade and github) or (dry_run and not github):
        raise click.UsageError("--github takes --action OWNER/NAME@REF and may take --dry-run, not --upgrade")
    repo = open_repository(Path(context.given.get("repo") or "."))
    if github:
        return _workflows(context, repo, action, dry_run)
    if upgrade:
        written = upgrade_policy(repo)
    else:
        written = write_policy(
            repo,
            context.given.get("preset") or "vllm-2025",
            context.given.get("trunk") or "",
            context.clock.now().date(),
        )

    def show(screen: Screen) -> None:
        screen.say(say("{path} is written; next: `headway doctor`, then `headway plan`", path=written.path), "green")

    return Answer(YES, {"entry": None, "file": str(written.path), "text": written.text}, show)


def _workflows(context: Context, repo: Repository, action: str, dry_run: bool) -> Answer:
    """The workflows of the policy that is there. Status 1 when one is there that differs: it is left as it is."""
    from headway.setup import There, write_workflows

    app = context.app()
    app.need_policy()
    files = write_workflows(repo, app.policy, action, dry_run=dry_run)
    ci = app.policy.build.by == "github" and app.policy.build.github.trigger == "tag"

    def show(screen: Screen) -> None:
        for f in files:
            match f.there:
                case There.NEW if dry_run:
                    screen.say(say("{path} would be written:", path=f.path))
                    screen.line(f.text)
                case There.NEW:
                    screen.say(say("{path} is written", path=f.path), "green")
                case There.SAME:
                    screen.say(say("{path} is as it should be", path=f.path), "dim")
                case There.DIFFERS:
                    screen.say(say("{path} differs and is left as it is; this would change:", path=f.path), "yellow")
                    screen.line(f.diff)
        if app.policy.forge.kind == "none":
            screen.say(
                say(
                    "forge.kind is none, so nobody is heard in comments, and no pull request or issue is written: set "
                    "it to github, then run this again"
                ),
                "yellow",
            )
        if ci:
            screen.say(
                say(
                    "a tag that is pushed with the job's own token starts no workflow: set build.github.trigger to "
                    "dispatch, or give the action another token"
                ),
                "yellow",
            )

    rows = [f.as_json() for f in files]
    status = NO if any(f.there is There.DIFFERS for f in files) else YES
    return Answer(status, {"entry": None, "written": not dry_run, "workflows": rows}, show)


@cli.command("doctor", cls=Command, help="What is in order here, and what would not work and why.")
@common_options
@answering
def doctor(context: Context) -> Answer:
    from headway.doctor import examine

    checks = examine(context.app())
    rows = [
        {"name": c.name, "ok": c.ok, "message": str(c.words), "remedy": None if c.ok or not c.remedy else str(c.remedy)}
        for c in checks
    ]

    def show(screen: Screen) -> None:
        from rich.cells import set_cell_size

        for c in checks:
            word = screen.word("ok") if c.ok else screen.word("look")
            screen.line(
                f"  {set_cell_size(word, 5)} {screen.word(c.name)}: {tr(c.words, screen.lang)}",
                "" if c.ok else "yellow",
            )
            if not c.ok and c.remedy:
                screen.line(f"        → {tr(c.remedy, screen.lang)}", "dim")

    ok = all(c.ok for c in checks)
    return Answer(YES if ok else NO, {"entry": None, "ok": ok, "checks": rows}, show)


@cli.command("serve", cls=Command, help="The board in a browser.")
@click.option(
    "--host",
    default="127.0.0.1",
    cls=Option,
    help="The address; others than loopback once there is a login and board.url.",
)
@click.option("--port", default=8787, type=click.IntRange(0, 65535), cls=Option, help="The port; 0 takes a free one.")
@click.option(
    "--tick-every",
    type=click.IntRange(1),
    metavar="SECONDS",
    cls=Option,
    help="Also tick, this often (where webhooks are let in: 600 when it is not given).",
)
@click.option("--local", is_flag=True, cls=Option, help="Nobody logs in, though there is a login; loopback only.")
@common_options
@answering
def serve(context: Context, host: str, port: int, tick_every: int | None, local: bool) -> Answer:
    from headway.web.server import serve as serve_pages

    serve_pages(context.app, host, port, announce=announce, tick_every_s=tick_every, local=local)
    return Answer(YES, {}, lambda _: None)


def announce(url: str) -> None:
    click.echo(f"headway: {url}", err=True)


@cli.command("demo", cls=Command, help="A whole release train on a toy inference engine, for real.")
@click.option("--keep", metavar="DIR", cls=Option, help="Keep the folders here (default: a temporary one).")
@click.option("--no-serve", is_flag=True, cls=Option, help="End by itself instead of serving the board.")
@common_options
@answering
def demo(context: Context, keep: str | None, no_serve: bool) -> Answer:
    from headway.cli.demo import run

    return run(context, Path(keep) if keep else None, serve=not no_serve and not context.json)


@cli.command("completion", cls=Command, help="The script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
@answering
def completion(context: Context, shell: str) -> Answer:
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    script = found(cli, {}, "headway", "_HEADWAY_COMPLETE").source()
    return Answer(YES, {"script": script}, lambda s: click.echo(script))
