"""Word to people of what they must act on: each thing once, sent by apprise to wherever they are."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import quote, urljoin

from headway.lang import tr
from headway.model.ports import Progress
from headway.model.text import Text, one_line, say
from headway.views.notices import Notice, notices
from headway.web.look import project_name
from headway.web.noticed import NoticeBook
from headway.web.picture import Picture
from headway.web.watch import Watch

_AGAIN_S = (60.0, 300.0, 900.0)  # after messages that did not arrive, in a row
_MOST = 20  # things in one message


class Sender(Protocol):
    """Sends a message to everybody; whether it arrived everywhere."""

    def __call__(self, title: str, body: str) -> bool: ...


def apprise_sender(environ: Mapping[str, str], name: str) -> Sender | Text | None:
    """Sends to the addresses in a variable of the environment; ``None`` where it is empty, and why it cannot where one
    of them is none."""
    words = environ.get(name, "").split() if name else []
    if not words:
        return None
    import apprise  # slow to load, and most serve without it

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would log addresses, which hold secrets
    to = apprise.Apprise()
    bad = [str(n) for n, word in enumerate(words, 1) if not to.add(word)]
    if bad:
        return say(
            "nobody is told of what waits: {name} holds what is no address (its number {bad})", name=name, bad=bad
        )

    def send(title: str, body: str) -> bool:
        return bool(to.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))

    return send


class Notifier:
    """Looks at each new picture, and sends what nobody was told of yet. What did not arrive is sent again later."""

    def __init__(self, watch: Watch, book: NoticeBook, send: Sender, progress: Progress) -> None:
        self._watch = watch
        self._book = book
        self._send = send
        self._progress = progress
        self._ended = threading.Event()
        self._news = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        worker = threading.Thread(target=self._work, name="headway-notices", daemon=True)

        def tell(_: str) -> None:
            self._news.set()

        with self._watch.listening(tell):
            self._news.set()
            worker.start()
            try:
                yield
            finally:
                self._ended.set()
                self._news.set()
                worker.join(timeout=5)

    def _work(self) -> None:
        failures = 0
        while True:
            self._news.wait(_AGAIN_S[min(failures, len(_AGAIN_S)) - 1] if failures else None)
            if self._ended.is_set():
                return
            self._news.clear()
            try:
                picture = self._watch.picture()
            except Exception:  # noqa: BLE001, S112 - the world cannot be read: the next picture comes when it can
                continue
            try:
                arrived = self.look(picture)
            except Exception:  # noqa: BLE001 - whatever a way to people fails by, nobody is left untold for good
                arrived = False
            failures = 0 if arrived else failures + 1
            if failures == 1:
                self._progress.say(say("a message to people did not arrive; it is sent again later"))

    def look(self, picture: Picture) -> bool:
        """Send what is new; whether it arrived, or there was nothing."""
        found = notices(picture.board)
        known = self._book.look(found, picture.now)
        new = [n for n in found if not known[n.key].told]
        if not new:
            return True
        title, body = message(picture, new)
        if not self._send(title, body):
            return False
        self._book.told(n.key for n in new)
        return True


def message(picture: Picture, new: Sequence[Notice]) -> tuple[str, str]:
    """Title and plain text of a message, in the policy's language. Words of others are inert: one line each."""
    lang, board = picture.policy.notify.lang, picture.policy.board.url
    title = tr(say("{project}: waiting for people: {count}", project=project_name(picture.app), count=len(new)), lang)
    lines = []
    for n in new[:_MOST]:
        lines += [
            f"{_inert(n.train)}: {_inert(tr(n.text, lang))} ({n.clause})",
            f"  → {_inert(tr(n.remedy, lang))}",
            *([f"  {urljoin(board, '/trains/' + quote(n.train, safe=''))}"] if board else []),
        ]
    if len(new) > _MOST:
        lines.append(tr(say("and more: {count}", count=len(new) - _MOST), lang))
    return _inert(title), "\n".join(lines)


def _inert(text: str) -> str:
    """Words of others on one line, that call nobody and are no markup of a chat (``@all``, ``<!channel>``)."""
    return one_line(text).replace("@", "@\N{ZERO WIDTH SPACE}").replace("<", "‹").replace(">", "›")
