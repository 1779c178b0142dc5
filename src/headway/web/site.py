"""What every page and every action stands on: the watched world, the visitor, and how a page is made of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse

from headway.app import Headway
from headway.model.visitor import Role, Visitor
from headway.web.address import Address
from headway.web.look import project_name
from headway.web.noticed import NoticeBook
from headway.web.people import NotAllowed, People
from headway.web.picture import Picture
from headway.web.render import here_of, reader_of, render
from headway.web.watch import Watch

Open = Callable[[], Headway]


def nobody_ticks() -> None:
    """Ticks are done by somebody else."""


@dataclass(frozen=True, slots=True)
class Site:
    """``open_app`` gives a fresh project; ``watch`` keeps what pages show; ``people`` tells visitors from each other;
    ``ask`` has a tick look soon, where this process ticks; ``address`` is where the board is
    reached. ``deciding`` is held from the look at what a decision is for until it is written down: else two who saw the
    same would both decide it (G1)."""

    open_app: Open
    watch: Watch
    people: People
    ask: Callable[[], None] = nobody_ticks
    address: Address = field(default_factory=Address)
    deciding: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _books: dict[Path, NoticeBook] = field(default_factory=dict)

    @property
    def ticks(self) -> bool:
        """Whether this process ticks."""
        return self.ask is not nobody_ticks

    def seen(self, request: Request, role: Role = Role.VIEWER, *also: str) -> tuple[Picture, Visitor]:
        """The moment to show, and to whom. Raises ``NotAllowed`` for those without the role. A token that was made for
        one of ``also`` does as well as one for what the role may."""
        self.known(request, role)
        picture = self.watch.picture()
        return picture, self.visitor(request, picture.app, role, *also)

    def known(self, request: Request, role: Role = Role.VIEWER) -> None:
        """Nothing of the project is read for those who cannot be let in, nor told them where it cannot be read. Raises
        ``NotAllowed`` for them."""
        stranger = self.people.stranger(request)
        if stranger is not None:
            raise NotAllowed(stranger, role)

    def opened(self, request: Request, role: Role = Role.VIEWER) -> tuple[Headway, Visitor]:
        """The project as it is at this very moment, and who asks. Raises ``NotAllowed`` for those without the role."""
        self.known(request, role)
        app = self.open_app()
        return app, self.visitor(request, app, role)

    def visitor(self, request: Request, app: Headway, role: Role = Role.VIEWER, *also: str) -> Visitor:
        """Who asks. Raises ``NotAllowed`` for those without the role."""
        visitor = self.people.visitor(request, app)
        if not visitor.may(role, *also):
            raise NotAllowed(visitor, role)
        return visitor

    def book(self, app: Headway) -> NoticeBook:
        """Since when things wait for people."""
        path = app.paths.noticed
        return self._books.setdefault(path, NoticeBook(path))

    def acting(self, visitor: Visitor) -> Headway:
        """The project as it is at this very moment, at the hands of a visitor; the board stands as ``via`` in what
        they do."""
        via = {"board": visitor.how}
        return replace(self.open_app(), person=visitor.name, via=via)

    def page(
        self,
        request: Request,
        template: str,
        shown: Picture | Headway,
        visitor: Visitor,
        status: int = 200,
        *,
        same: bool = False,
        live: bool = True,
        **values: object,
    ) -> HTMLResponse:
        """A page in the reader's language, for this visitor, of a moment or of the project as it is.

        ``same``: it follows from the moment, the address and the visitor alone, and is made once for all three.
        ``live``: it follows what happens.
        """
        reader = reader_of(request)
        app = shown.app if isinstance(shown, Picture) else shown
        here = here_of(request)
        make = partial(
            render,
            template,
            reader,
            path=request.url.path,
            here=here,
            project=project_name(app),
            now=shown.now if isinstance(shown, Picture) else app.clock.now(),
            revision=shown.revision if isinstance(shown, Picture) else "",
            live=live and request.method == "GET",
            visitor=visitor,
            **values,
        )
        known = shown.pages if same and isinstance(shown, Picture) else None
        text = known.get((here, reader, visitor), make) if known is not None else make()
        return HTMLResponse(text, status, headers=fresh(reader.lang))


def fresh(lang: str) -> dict[str, str]:
    """Headers of what is made anew for each who asks."""
    return {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie", "Content-Language": lang}
