"""``/feed.atom``: what people must act on, for a feed reader."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import Response

from headway.lang import tr
from headway.model.text import Text, say
from headway.views.feed import atom
from headway.views.notices import notices
from headway.web.look import project_name
from headway.web.render import reader_of
from headway.web.site import Site, fresh


def feed_pages(web: FastAPI, site: Site) -> None:
    @web.get("/feed.atom")
    def feed(request: Request) -> Response:
        picture, _ = site.seen(request)
        lang = reader_of(request).lang
        found = notices(picture.board)
        noticed = site.book(picture.app).look(found, picture.now)

        def words(text: Text) -> str:
            return tr(text, lang)

        project = project_name(picture.app)
        body = atom(
            found,
            {key: n.since for key, n in noticed.items()},
            project=project,
            base=picture.policy.board.url or str(request.base_url),
            title=words(say("{project}: what waits for people", project=project)),
            now=picture.now,
            lang="zh-Hans" if lang == "zh" else lang,
            translate=words,
        )
        return Response(body, media_type="application/atom+xml; charset=utf-8", headers=fresh(lang))
