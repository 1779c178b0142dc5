"""``/`` and ``/trains/VERSION``: all trains, and one in full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from headway.lang import tr
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import Text, say
from headway.model.visitor import Role
from headway.reviewing import refused_requests
from headway.views.acts import Act, Verb
from headway.views.board import BoardRow, Turn
from headway.views.groups import cell_groups, pick_groups, revert_groups
from headway.views.timeline import TimelineRow, timeline
from headway.views.words import STAGES
from headway.web.drawing import draw
from headway.web.look import all_acts, train_of
from headway.web.picture import Picture
from headway.web.render import reader_of
from headway.web.site import Site

_CARDS = 8  # trains that are shown in full beside each other
_STORY = 40  # entries of a story that are shown at once


@dataclass(frozen=True, slots=True)
class Told:
    """What an act that has just been done wrote down, and what the gate said of a request, with what mends that."""

    row: TimelineRow | None
    reasons: tuple[Reason, ...]
    asked: bool
    acts: tuple[Act, ...] = ()


def board_pages(web: FastAPI, site: Site) -> None:
    @web.get("/", response_class=HTMLResponse)
    def board(request: Request, q: str = "", did: str = "", asked: str = "") -> Response:
        picture, visitor = site.seen(request)
        lang = reader_of(request).lang
        trains = tuple(r for r in picture.board.trains if fits(r, q, lambda t: tr(t, lang)))
        return site.page(
            request,
            "board.html",
            picture,
            visitor,
            same=True,
            board=picture.board,
            trains=trains,
            cards=cards(trains),
            signals=_signals(trains),
            q=q,
            told=_told(picture, did, asked == "tick" and site.ticks),
            ticks=site.ticks,
            manager=Role.MANAGER,
            requester=Role.REQUESTER,
        )

    @web.get("/trains/{version}", response_class=HTMLResponse)
    def train(request: Request, version: str, did: str = "", story: str = "") -> Response:
        picture, visitor = site.seen(request)
        page = train_of(picture, version)
        drawing = draw(page.train.stops, ended=page.train.row is None)
        return site.page(
            request,
            "train.html",
            picture,
            visitor,
            same=True,
            page=page,
            train=page.train,
            story=page.story if story == "all" else page.story[:_STORY],
            drawing=drawing,
            groups=pick_groups(page.train.picks),
            revert_groups=revert_groups(page.train.reverts),
            cell_groups=cell_groups(page.train),
            told=_told(picture, did, False),
        )


def fits(row: BoardRow, wanted: str, said: Callable[[Text], str]) -> bool:
    """Whether a train is meant by a filter: each of its words stands in what the board says of the train."""
    texts = [row.version, row.branch, row.date.isoformat(), said(STAGES[row.stage])]
    texts += [row.newest.tag] if row.newest else []
    texts += [said(b.text) for b in row.blockers]
    texts += [said(row.frozen)] if row.frozen else []
    told = "\n".join(texts).casefold()
    return all(word in told for word in wanted.casefold().split())


def cards(trains: tuple[BoardRow, ...]) -> tuple[BoardRow, ...]:
    """The trains that are shown in full: all where they are few, else those that need somebody first."""
    if len(trains) <= _CARDS:
        return trains
    ranked = sorted(trains, key=lambda r: (not r.stopped, r.turn is not Turn.PERSON, r.turn is Turn.CALENDAR))
    chosen = set(map(id, ranked[:_CARDS]))
    return tuple(r for r in trains if id(r) in chosen)


def _signals(trains: tuple[BoardRow, ...]) -> tuple[tuple[str, Text], ...]:
    """The signals that any of the trains passes, in their order."""
    found: dict[str, Text] = {}
    for row in sorted(trains, key=lambda r: -len(r.gates)):
        for g in row.gates:
            found.setdefault(g.name, g.title)
    return tuple(found.items())


def _told(picture: Picture, did: str, asked: bool) -> Told | None:
    entry = _entry(picture, did)
    if entry is None:
        return Told(None, (), True) if asked else None
    reasons = tuple(Reason.kept(v) for v in entry.payload.get("violations", ()))
    return Told(timeline((entry,))[0], reasons, asked, _again(picture, entry, bool(reasons)))


def _again(picture: Picture, entry: Entry, refused: bool) -> tuple[Act, ...]:
    """How what the gate refused is put to it again: a request that has just been made, and those that a waiver is
    for."""
    ids = [int(entry.payload.get("request", entry.seq))] if refused else []
    if entry.kind is Kind.WAIVED:
        ids = [a.id for a in refused_requests(picture.app, entry)]
    found = {a.of: a for a in all_acts(picture, entry.train) if a.verb is Verb.AMEND} if ids else {}
    return tuple(
        replace(found[of], words=say("Amend request {id}", id=id)) for id in ids if (of := f"pick:{id}") in found
    )


def _entry(picture: Picture, did: str) -> Entry | None:
    if not (did.isascii() and did.isdigit() and len(did) < 12):
        return None
    return next((e for e in reversed(picture.entries) if e.seq == int(did)), None)
