"""The demo command: where it plays, who tells it, what is printed at the end."""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from headway.cli.common import YES, Answer, Context, Screen
from headway.errors import UnusableInput
from headway.model.text import say


def run(context: Context, keep: Path | None, *, serve: bool) -> Answer:
    """Play in ``keep`` (new or empty; it stays), or in a temporary folder (gone at the end)."""
    from rich.console import Console

    from headway.demo.narrator import Narrator

    # Under --json stdout is the document's alone.
    tell = Narrator(Console(file=sys.stderr if context.json else sys.stdout), context.lang)
    if keep is not None:
        if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
            raise UnusableInput(
                "demo.not-empty",
                say("{path} is not an empty folder", path=keep),
                remedy=say("name a folder that does not exist yet"),
            )
        return _played(context, keep.absolute(), tell, serve=serve, stays=True)
    with tempfile.TemporaryDirectory(prefix="headway-demo-") as folder:
        return _played(context, Path(folder), tell, serve=serve, stays=False)


def _played(context: Context, folder: Path, tell: Any, *, serve: bool, stays: bool) -> Answer:
    from headway.demo.play import play

    document = play(folder, tell)
    rows = [
        ("candidates", ", ".join(c["tag"] for c in document["candidates"])),
        ("final", f"{document['final']['tag']} {document['final']['commit'][:12]}"),
        ("post", f"{document['post']['tag']} {document['post']['commit'][:12]}"),
        ("refused", ", ".join(r["clause"] for r in document["refused"])),
        ("reverts", ", ".join(r["commit"][:12] for r in document["reverts"])),
        ("waivers", ", ".join(f"{w['version']} {w['what']}" for w in document["waivers"]) or "-"),
        ("culprit", f"{document['culprit']['commit'][:12]} {document['culprit']['subject']}"),
        ("repository", document["repo"]),
        ("index", document["index"]),
        ("ledger", document["ledger"]),
    ]
    tell.rows(say("The whole train"), [(tell.word(name), value) for name, value in rows])
    if stays:
        tell.note(
            say("look around: headway --repo {repo} status | ledger show | verify | notes 0.7.1", repo=document["repo"])
        )
    if serve:
        _serve(context, document["repo"], tell)
    elif not stays:
        tell.note(say("the folders are removed now; keep them with --keep DIR"))

    def show(_: Screen) -> None: ...

    return Answer(YES, document, show)


def _serve(context: Context, repo: str, tell: Any) -> None:
    from headway.app import open_headway
    from headway.clock import SetClock
    from headway.web.server import serve

    end = open_headway(Path(repo)).entries()[-1].at
    tell.note(say("the board of this train is served until you press Ctrl-C"))

    def announce(url: str) -> None:
        tell.headway(say("open {url}", url=url))

    def board(port: int) -> None:
        app = partial(open_headway, Path(repo), clock=SetClock(end))
        serve(app, "127.0.0.1", port, announce=announce, tick_every_s=None, local=True)

    try:
        board(8787)
    except UnusableInput:
        board(0)
