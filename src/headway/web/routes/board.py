"""``/`` and ``/trains/VERSION``: all trains, and one in full."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from headway.web.drawing import draw
from headway.web.look import train_of
from headway.web.site import Site


def board_pages(web: FastAPI, site: Site) -> None:
    @web.get("/", response_class=HTMLResponse)
    def board(request: Request) -> Response:
        picture, visitor = site.seen(request)
        return site.page(request, "board.html", picture, visitor, same=True, board=picture.board)

    @web.get("/trains/{version}", response_class=HTMLResponse)
    def train(request: Request, version: str) -> Response:
        picture, visitor = site.seen(request)
        page = train_of(picture, version)
        drawing = draw(page.train.stops, ended=page.train.row is None)
        return site.page(
            request, "train.html", picture, visitor, same=True, train=page.train, story=page.story, drawing=drawing
        )
