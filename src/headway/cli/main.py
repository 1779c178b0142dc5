"""``headway``: the command line. Thin: every command asks a use case and shows its answer."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from typing import NoReturn

import click

from headway import __version__
from headway.cli.common import NAMES, USAGE, WORLD, Context, Group, Option, common_options, lang_of, show_error
from headway.errors import BrokenInvariant, HeadwayError, UnusableInput, WorldFailed
from headway.lang import speak
from headway.model.text import say

MODULES = (
    "look",
    "notes",
    "predict",
    "audit",
    "picks",
    "drop",
    "resolutions",
    "control",
    "keep",
    "prove",
    "guard",
    "figures",
    "setup",
    "measure",
    "access",
    "comparing",
    "running",
    "simulating",
    "noise",
    "matrix",
    "importing",
    "culprit",
    "building",
    "gates",
    "state",
    "tokens",
)


@click.group(
    cls=Group,
    help="Headway runs release trains: cut, pick, prove, and promote the very bits that were tested.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@common_options
@click.version_option(__version__, prog_name="headway", cls=Option, help="Show the version and exit.")
@click.pass_context
def cli(ctx: click.Context, /, **values: object) -> None:
    ctx.ensure_object(Context).merge({k: values[k] for k in NAMES})


def _load() -> None:
    """Commands register themselves when their module is imported."""
    from importlib import import_module

    for name in MODULES:
        import_module(f"headway.cli.{name}")


def _on_term(_signum: int, _frame: object) -> NoReturn:
    # An exception, so that servers under test and builds are ended on the way out.
    raise KeyboardInterrupt


def main() -> None:
    """Run, and turn whatever ends a command into the contract's exit status. A traceback is a defect."""
    as_json = "--json" in sys.argv
    speak("en" if as_json else lang_of(None))
    signal.signal(signal.SIGTERM, _on_term)
    _load()
    try:
        code = cli.main(standalone_mode=False, prog_name="headway")
    except HeadwayError as e:
        _fail(e, as_json)
    except click.exceptions.NoArgsIsHelpError as e:
        if as_json:
            _fail(_no_command(e), as_json)
        sys.stderr.write(f"{e.format_message()}\n")
        sys.exit(USAGE)
    except click.UsageError as e:
        _fail(_usage(e), as_json)
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        stopped = WorldFailed("stopped", say("stopped"), remedy=say("run it again: it goes on where it was"))
        _fail(stopped, as_json, 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(WORLD)
    except OSError as e:
        _fail(_disk(e), as_json)
    except Exception as e:  # noqa: BLE001 - the last stop: a traceback on a user's screen is a defect
        _fail(_defect(e), as_json)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(error: HeadwayError, as_json: bool, status: int | None = None) -> NoReturn:
    show_error(error, as_json=as_json, lang=lang_of(None))
    sys.exit(error.status if status is None else status)


def _no_command(e: click.UsageError) -> UnusableInput:
    path = e.ctx.command_path if e.ctx else "headway"
    return UnusableInput("usage", say("a command is missing"), remedy=say("see `{command} --help`", command=path))


def _usage(e: click.UsageError) -> UnusableInput:
    path = e.ctx.command_path if e.ctx else "headway"
    return UnusableInput(
        "usage", say("{why}", why=e.format_message()), remedy=say("see `{command} --help`", command=path)
    )


def _defect(e: Exception) -> BrokenInvariant:
    """What nobody foresaw: in words, with the traceback in a file that a report can carry."""
    handle, name = tempfile.mkstemp(prefix="headway-defect-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as f:
        traceback.print_exception(e, file=f)
    return BrokenInvariant(
        "defect",
        say("this is a defect of Headway: {kind}: {why}", kind=type(e).__name__, why=str(e)),
        remedy=say("report it with {file}; nothing is half done, so the command can be run again", file=name),
    )


def _disk(e: OSError) -> WorldFailed:
    return WorldFailed(
        "disk",
        say("{path}: {why}", path=e.filename or "-", why=e.strerror or str(e)),
        remedy=say("mend it and run the command again; nothing is half done"),
    )
