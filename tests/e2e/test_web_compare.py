"""The comparison page in a real browser: legible at every width, drawn, and of use without scripts or a mouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chromium import needs_chromium
from compareworld import CompareWorld
from test_web_browser import CONTRAST, opened
from webserved import Served
from webworld import PERF, POLICY

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> CompareWorld:
    policy = POLICY + PERF.replace('models = ["toy-small"]', 'models = ["toy-small", "Mixtral"]')
    return CompareWorld(tmp_path_factory.mktemp("compare"), policy).imported().nightly().hostile()


@pytest.fixture(scope="module")
def url(world: CompareWorld) -> Iterator[str]:
    with Served(world.git.path, world.clock.now()) as served:
        yield served.url.rstrip("/")


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light"), (2560, "dark")])
def test_it_fits_is_legible_and_runs_nothing_foreign(
    browser: Any, url: str, world: CompareWorld, width: int, scheme: str
) -> None:
    page = opened(browser, width, scheme)
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("dialog", lambda d: said.append(d.message))
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    for link in (world.link(lang="en"), "/benchmark/llms?lang=en", world.link(lang="en", rCommit="f" * 40)):
        page.goto(url + link)
        page.eval_on_selector_all("details", "all => all.forEach((d) => { d.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, link
        assert page.evaluate(CONTRAST) == [], link
    assert said == []
    assert all(a.startswith(url) for a in asked)
    page.context.close()


def test_the_trend_is_drawn_from_its_numbers_and_again_when_news_come(
    browser: Any, url: str, world: CompareWorld
) -> None:
    page = opened(browser)
    page.goto(url + world.link(lang="en", benchmarkName="nightly"))
    canvas = page.locator(".chart canvas")
    canvas.wait_for(timeout=30000)
    assert canvas.bounding_box()["width"] > 500
    page.evaluate("document.querySelector('.chart').replaceChildren()")
    page.evaluate("document.dispatchEvent(new CustomEvent('htmx:after:swap'))")
    canvas.wait_for(timeout=30000)
    page.context.close()


def test_without_scripts_the_form_and_the_map_lead_on(browser: Any, url: str, world: CompareWorld) -> None:
    page = opened(browser, java_script_enabled=False)
    page.goto(url + world.link(lang="en"))
    page.locator(".choose > summary").focus()
    page.keyboard.press("Enter")
    page.select_option("select[name=modelName]", "Mixtral")
    page.locator(".choose button").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**modelName=Mixtral**")
    assert "lang=en" in page.url
    assert page.locator(".compared tbody tr").count() == 1
    assert page.locator(".compared .tag.gap").inner_text() == "missing"
    page.goto(url + world.link(lang="en"))
    page.locator(".heat-bad a").click()
    page.wait_for_url("**modelName=toy-small**")
    rows = page.locator(".compared tbody tr")
    assert {r.inner_text() for r in page.locator(".compared th[scope=row]").all()} == {
        "toy-small · cpu · decode",
        "toy-small · cpu · prefill",
    }
    assert rows.count() == 3
    page.context.close()
