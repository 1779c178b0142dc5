"""``/benchmark/llms``: two releases side by side, under the dashboard's own address and parameters (E6, E7)."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from headway.lang import tr
from headway.model.text import Text
from headway.perf.links import GRANULARITIES, PAGE
from headway.views.findings import COLOURS, FINDINGS, WHYS, Finding
from headway.views.sheet import as_csv, as_markdown
from headway.web.apianswers import as_json
from headway.web.compare import environment
from headway.web.compareasked import MOST, MOST_SHOWN, VIEWS, form_asked, narrowed, without
from headway.web.compareread import comparison
from headway.web.comparesheets import json_of, sheet_of
from headway.web.render import reader_of
from headway.web.site import Site, fresh


def compare_pages(web: FastAPI, site: Site) -> None:
    @web.get(PAGE, response_class=HTMLResponse)
    def compare(request: Request) -> Response:
        picture, visitor = site.seen(request)
        query = request.url.query
        part, form = form_asked(query, request.headers.get("accept", ""))
        found = comparison(picture, query, *((0, MOST_SHOWN) if form == "html" else (MOST, MOST)))
        if form == "html":
            return site.page(
                request,
                "compare.html",
                picture,
                visitor,
                c=found,
                link=found.asked.link,
                filters=dict(found.asked.link.filters),
                environment=environment(found.page),
                findings=tuple(Finding),
                finding_words=FINDINGS,
                colours=COLOURS,
                whys=WHYS,
                granularities=GRANULARITIES,
                views=VIEWS,
                page_path=PAGE,
                narrowed=narrowed,
                without=without,
            )
        lang = reader_of(request).lang
        if form == "json":
            answer = as_json(json_of(found, part))
        elif form == "csv":
            name = f"comparison-{part or 'cells'}.csv"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            answer = Response(as_csv(sheet_of(found, part)), media_type="text/csv; charset=utf-8", headers=headers)
        else:

            def words(text: Text) -> str:
                return tr(text, lang)

            text = as_markdown(sheet_of(found, part), words)
            answer = Response(text, media_type="text/markdown; charset=utf-8")
        answer.headers.update({**fresh(lang), "Vary": "Accept, Accept-Language, Cookie"})
        answer.headers["X-Total-Count"] = str(found.total)
        return answer
