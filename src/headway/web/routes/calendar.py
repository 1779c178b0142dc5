"""``/calendar`` and its subscription, ``/calendar.ics``."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from headway.app import Headway
from headway.errors import UnusableInput
from headway.lang import tr
from headway.model.text import Text, say
from headway.reports import calendar_of, calendar_revision
from headway.views.calendar import MONTHS, STATUSES, calendar_ics, kind_headings
from headway.web.look import project_name
from headway.web.render import reader_of
from headway.web.site import Site, fresh


def calendar_pages(web: FastAPI, site: Site) -> None:
    @web.get("/calendar", response_class=HTMLResponse)
    def calendar(request: Request, year: str = "") -> Response:
        picture, visitor = site.seen(request)
        wanted = _year(picture.app, year)
        rows = picture.kept(("calendar", wanted), lambda: calendar_of(picture.app, wanted))
        feed = urljoin(picture.policy.board.url or str(request.base_url), "/calendar.ics")
        return site.page(
            request,
            "calendar.html",
            picture,
            visitor,
            year=wanted,
            rows=rows,
            months=MONTHS,
            statuses=STATUSES,
            window=kind_headings(rows)[2],
            feed=feed,
            webcal=re.sub("^https?:", "webcal:", feed),
        )

    @web.get("/calendar.ics")
    def calendar_file(request: Request, year: str = "") -> Response:
        picture, _ = site.seen(request)
        app, lang = picture.app, reader_of(request).lang

        def words(text: Text) -> str:
            return tr(text, lang)

        wanted = _year(app, year)
        rows = picture.kept(("calendar", wanted), lambda: calendar_of(app, wanted))
        body = calendar_ics(
            rows,
            project=project_name(app),
            now=picture.now,
            revision=calendar_revision(app),
            timezone=app.policy.cadence.timezone,
            translate=words,
        )
        return Response(body, media_type="text/calendar; charset=utf-8", headers=fresh(lang))


def _year(app: Headway, text: str) -> int:
    if not text:
        return app.clock.now().year
    if text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    raise UnusableInput(
        "calendar.year",
        say("{year} is not a year of the calendar", year=text),
        clause="C3",
        remedy=say("give a year in four digits"),
    )
