"""Audit, metrics, policy and calendar in the browser: what a real `headway serve` shows of a line on its way."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from boardkit import Desk
from webserved import Served
from webworld import World

from headway.auditing import look
from headway.views.auditdocument import audit_document


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("pages")).to_busy()


@pytest.fixture(scope="module")
def pages(world: World) -> Iterator[httpx.Client]:
    with Served(world.git.path, world.clock.now()) as served, httpx.Client(base_url=served.url) as client:
        yield client


def audited(pages: httpx.Client, path: str) -> str:
    """The page, once the branch is looked through."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        answer = pages.get(path)
        assert answer.status_code in {200, 202}, answer.text
        if answer.status_code == 200:
            return answer.text
        time.sleep(0.1)
    raise AssertionError("still being looked through")


def test_p8_every_commit_of_a_release_branch_stands_on_its_audit_page(world: World, pages: httpx.Client) -> None:
    text = audited(pages, "/audit/releases/v0.1.1?lang=en")
    seen = look(world.app(), "releases/v0.1.1")
    document = audit_document(seen.line, seen.trunk, seen.audit)
    assert document["commits"]
    for row in document["commits"]:
        assert row["commit"][:10] in text
        assert all(o[:10] in text for o in row["origins"])
    assert "nothing breaks policy" in text


def test_the_list_tells_of_branches_that_were_looked_through(pages: httpx.Client) -> None:
    audited(pages, "/audit/releases/v0.1.1")
    text = pages.get("/audit?lang=en").text
    assert text.index("releases/v0.1.2") < text.index("releases/v0.1.1")
    assert "under way" in text


def test_nothing_is_said_in_one_way_on_the_page_of_metrics(pages: httpx.Client) -> None:
    text = pages.get("/metrics?lang=en").text
    shown = re.findall(r">\s*([-–—])\s*<", text)
    assert shown
    assert set(shown) == {"–"}


def test_a_tag_or_a_commit_is_asked_for_by_the_form(world: World, pages: httpx.Client) -> None:
    answer = pages.get("/audit", params={"ref": "v0.1.1", "lang": "en"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/audit/v0.1.1?lang=en")
    assert "v0.1.1" in audited(pages, answer.headers["location"])


@pytest.mark.parametrize("ref", ["releases/v9.9.9", "--all", "<script>alert(1)</script>", "a..b", "\u202ex"])
def test_what_names_no_commit_is_not_found(pages: httpx.Client, ref: str) -> None:
    answer = pages.get("/audit/" + httpx.QueryParams({"q": ref})["q"].replace("<", "%3C").replace(">", "%3E"))
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert "\u202e" not in answer.text


def test_c4_the_metrics_tell_of_slips_picks_and_reverts(pages: httpx.Client) -> None:
    text = pages.get("/metrics?lang=en").text
    for words in ("the meetup is on the second", "trunk revert to branch", "0 of 2 regular releases", "docs 1"):
        assert words in text


def test_the_policy_tells_what_is_the_projects_own(pages: httpx.Client) -> None:
    text = pages.get("/policy?lang=en").text
    assert "this project&#39;s own:" in text
    assert "the preset says" in text


def test_c3_the_calendar_gives_the_address_that_programs_subscribe_to(pages: httpx.Client) -> None:
    text = pages.get("/calendar?lang=en").text
    feed = f"{str(pages.base_url).rstrip('/')}/calendar.ics"
    assert f'value="{feed}"' in text
    assert 'href="webcal://' in text
    answer = pages.get(feed)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "BEGIN:VEVENT" in answer.text


def test_a_branch_that_has_nothing_of_the_trunk_is_what_was_asked_for_wrongly(tmp_path: Path) -> None:
    world = World(tmp_path)
    tree = world.git.run("rev-parse", "main^{tree}").strip()
    world.git.tag("elsewhere", world.git.run("commit-tree", tree, "-m", "Begin elsewhere").strip())
    answer = Desk(world).http.get("/audit/elsewhere?lang=en")
    assert (answer.status_code, "has no commit of the trunk" in answer.text) == (400, True)
