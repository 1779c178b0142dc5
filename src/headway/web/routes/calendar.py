"""``/calendar`` and its subscription, ``/calendar.ics``."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from headway.lang import tr
from headway.model.text import Text
from headway.reports import calendar_of, calendar_revision
from headway.views.calendar import MONTHS, STATUSES, calendar_ics, kind_headings
from headway.web.look import project_name
from headway.web.render import reader_of
from headway.web.site import Site, fresh
from headway.web.years import YEARS, year_of


def calendar_pages(web: FastAPI, site: Site) -> None:
    @web.get("/calendar", response_class=HTMLResponse)
    def calendar(request: Request, year: str = "") -> Response:
        picture, visitor = site.seen(request)
        wanted = year_of(year, picture.now)
        rows = picture.kept(("calendar", wanted), lambda: calendar_of(picture.app, wanted))
        feed = urljoin(picture.policy.board.url or str(request.base_url), "/calendar.ics")
        return site.page(
            request,
            "calendar.html",
            picture,
            visitor,
            same=True,
            year=wanted,
            rows=rows,
            months=MONTHS,
            statuses=STATUSES,
            window=kind_headings(rows)[2],
            years=YEARS,
            feed=feed,
            webcal=re.sub("^https?:", "webcal:", feed),
        )

    @web.get("/calendar.ics")
    def calendar_file(request: Request, year: str = "") -> Response:
        picture, _ = site.seen(request)
        app, lang = picture.app, reader_of(request).lang

        def words(text: Text) -> str:
            return tr(text, lang)

        wanted = year_of(year, picture.now)
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
