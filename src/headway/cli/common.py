"""What all commands share: options, the way an answer or an error is shown, exit statuses."""

from __future__ import annotations

import functools
import getpass
import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from headway.clock import SetClock, SystemClock
from headway.errors import HeadwayError, UnusableInput
from headway.lang import LANGUAGES, language, tr, translated
from headway.model.ports import Clock, Progress
from headway.model.reason import Reason
from headway.model.text import Text, clean, one_line, say

YES, NO, USAGE, OPEN, WORLD = 0, 1, 2, 3, 4
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Answer:
    """A command's result: exit status, the JSON document, and what to print for a person."""

    status: int
    document: dict[str, Any]
    show: Callable[[Screen], None]


@dataclass(frozen=True)
class Screen:
    """Where a person reads: a rich console on stdout, and the language."""

    console: Any
    lang: str

    def say(self, text: Text, style: str = "") -> None:
        self.console.print(tr(text, self.lang), style=style or None, markup=False, highlight=False, soft_wrap=True)

    def line(self, text: str, style: str = "") -> None:
        self.console.print(clean(text), style=style or None, markup=False, highlight=False, soft_wrap=True)

    def reasons(self, reasons: tuple[Reason, ...]) -> None:
        """Each refusal or wait: clause and text, then its remedy."""
        for r in reasons:
            self.line(f"  {r.clause:>3}  {tr(r.text, self.lang)}")
            self.line(f"       → {tr(r.remedy, self.lang)}", "dim")

    def word(self, text: str) -> str:
        return translated(text, self.lang)


@dataclass
class Context:
    """The common options as given, before or after the command's name; the later one wins."""

    given: dict[str, Any] = field(default_factory=dict)

    def merge(self, values: dict[str, Any]) -> None:
        self.given.update({k: v for k, v in values.items() if v not in (None, False)})

    @property
    def json(self) -> bool:
        return bool(self.given.get("json_out"))

    @property
    def lang(self) -> str:
        return language(self.given.get("lang"))

    @property
    def clock(self) -> Clock:
        text = self.given.get("now")
        return SetClock(moment(text)) if text else SystemClock()

    @functools.cached_property
    def progress(self) -> Progress:
        from headway.terminal import TerminalProgress

        return TerminalProgress(self.lang)

    def app(self) -> Any:
        """The project that the options name."""
        from headway.app import open_headway

        policy = self.given.get("policy")
        return open_headway(
            Path(self.given.get("repo") or "."),
            trunk=self.given.get("trunk") or "",
            policy_file=Path(policy) if policy else None,
            preset=self.given.get("preset"),
            clock=self.clock,
            progress=self.progress,
            person=self.person,
        )

    def policy(self) -> Any:
        """The policy in force, where nothing else of the project is needed: without a trunk, the preset's."""
        from headway.history.repository import open_repository
        from headway.policy.loader import load_policy
        from headway.policyfile import find_policy

        file, trunk, preset = (self.given.get(name) for name in ("policy", "trunk", "preset"))
        repo = open_repository(Path(self.given.get("repo") or "."))
        try:
            return find_policy(repo, trunk or "", Path(file) if file else None, preset)[0]
        except UnusableInput as e:
            if trunk or e.code != "repo.no-trunk":
                raise
            return load_policy(None, source="preset", preset=preset)

    def person(self, repo: Any) -> str:
        """Who is at the controls: ``--as``, HEADWAY_PERSON, git's own user name, else the system's."""
        named = self.given.get("person") or os.environ.get("HEADWAY_PERSON")
        return named or repo.git.try_run("config", "user.name")[1].strip() or getpass.getuser()


def moment(text: str) -> datetime:
    """An ISO 8601 time; one without a zone is in UTC. Raises ``UnusableInput``."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as e:
        raise UnusableInput(
            "usage.time",
            say("{text} is not an ISO 8601 time", text=text),
            remedy=say("write it like 2025-02-05T09:00:00+00:00"),
        ) from e
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


class Finite(click.FloatRange):
    """A number within bounds; NaN lies within any and JSON has no word for it, so it is refused, as infinity is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return found


class Option(click.Option):
    """An option whose help is shown in the reader's language."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        found = super().get_help_record(ctx)
        if found is None or not self.help:
            return found
        lang = lang_of(ctx)
        return found[0], found[1].replace(self.help, translated(self.help, lang))


class Command(click.Command):
    """A command whose help is shown in the reader's language."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(translated(self.help or "", lang_of(ctx)))

    def get_short_help_str(self, limit: int = 45) -> str:
        text = translated((self.help or "").partition("\n")[0], lang_of(click.get_current_context(silent=True)))
        return text if len(text) <= limit else text[: limit - 1] + "…"


class Group(Command, click.Group):
    """A group of such commands."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(n, c) for n in self.list_commands(ctx) if (c := self.get_command(ctx, n)) and not c.hidden]
        with formatter.section(translated("Commands", lang_of(ctx))):
            formatter.write_dl([(n, c.get_short_help_str(78)) for n, c in rows])


Group.group_class = Group


def lang_of(ctx: click.Context | None) -> str:
    """The language that the command line asks for, also while it is still being read (help is shown then)."""
    argv = sys.argv
    wanted = next((argv[i + 1] for i, a in enumerate(argv[:-1]) if a == "--lang"), None)
    wanted = wanted or next((a.partition("=")[2] for a in argv if a.startswith("--lang=")), None)
    return language(wanted)


_COMMON: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--repo",), {"metavar": "PATH", "help": "The project's repository (default: the current directory)."}),
    (("--trunk",), {"metavar": "REF", "help": "The trunk (default: the policy's, the remote's HEAD, main, master)."}),
    (("--policy",), {"metavar": "FILE", "help": "A release.toml to use instead of the project's own."}),
    (("--preset",), {"metavar": "NAME", "help": "A preset to use instead of the one the policy names."}),
    (("--json", "json_out"), {"is_flag": True, "help": "Print one JSON document on stdout, nothing else there."}),
    (("--now",), {"metavar": "ISO8601", "help": "The time it is taken to be."}),
    (("--lang",), {"type": click.Choice(LANGUAGES), "help": "Language of what a person reads."}),
    (("--as", "person"), {"metavar": "NAME", "help": "Who is at the controls (default: git's user.name)."}),
)
NAMES = ("repo", "trunk", "policy", "preset", "json_out", "now", "lang", "person")


def common_options(fn: F) -> F:
    """The options that every command takes."""
    for names, settings in reversed(_COMMON):
        fn = click.option(*names, cls=Option, **settings)(fn)
    return fn


def answering(fn: Callable[..., Answer]) -> Callable[..., None]:
    """A command that returns an ``Answer``: it is shown, and its status becomes the process's."""

    @functools.wraps(fn)
    @click.pass_context
    def run(ctx: click.Context, /, **values: Any) -> None:
        began = time.monotonic()
        context = ctx.ensure_object(Context)
        context.merge({k: values.pop(k, None) for k in NAMES})
        answer = fn(context, **values)
        emit(context, answer, time.monotonic() - began)
        ctx.exit(answer.status)

    return run


def emit(context: Context, answer: Answer, elapsed_s: float) -> None:
    """Print an answer, as JSON or for a person."""
    if context.json:
        document = {**answer.document, "elapsed_s": round(elapsed_s, 3)}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n")
        sys.stdout.flush()
        return
    from rich.console import Console

    answer.show(Screen(Console(soft_wrap=False), context.lang))


_WORDS = frozenset({"git", "why"})
"""Facts that are somebody's words, which the message mostly has: they are not told twice."""


def show_error(error: HeadwayError, *, as_json: bool, lang: str) -> None:
    """An error as the contract has it: JSON on stdout, or words on stderr."""
    if as_json:
        sys.stdout.write(json.dumps({"error": error.as_json()}, ensure_ascii=False, indent=1, default=str) + "\n")
        return
    head = f"{error.clause}: " if error.clause else ""
    from headway.views.factwords import fact_text

    said = tr(error.message, lang)
    sys.stderr.write(f"headway: {head}{said}\n")
    for name, value in error.facts:
        rows = value if isinstance(value, tuple) else (value,)
        if name in _WORDS and all(one_line(str(row)) in said for row in rows):
            continue
        told = tr(fact_text(name), lang)
        sys.stderr.writelines(f"  {told}: {row}\n" for row in rows)
    sys.stderr.write(f"  → {tr(error.remedy, lang)}\n")


def refusal(reasons: tuple[Reason, ...]) -> Answer:
    """A control that the policy does not allow."""

    def show(screen: Screen) -> None:
        screen.say(say("refused:"), "bold red")
        screen.reasons(reasons)

    rows = [r.as_json() for r in reasons]
    return Answer(NO, {"entry": None, "refused": rows, "violations": rows}, show)
