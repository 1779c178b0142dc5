"""WCAG 2.2 AA, as far as axe-core can tell: every page, in both languages, light and dark, wide and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import needs_chromium
from compareworld import CompareWorld
from webpages import PAGES, violations
from webserved import Served
from webworld import PERF, POLICY, World

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    world = World(tmp_path_factory.mktemp("axe"), POLICY + PERF).to_regressed()
    with Served(world.git.path, world.clock.now()) as served:
        yield served.url


def opened(browser: Any, width: int, scheme: str) -> Any:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
    )
    context.set_default_timeout(60_000)
    return context.new_page()


@pytest.mark.parametrize(
    ("width", "scheme", "lang"),
    [(1280, "light", "en"), (1280, "dark", "zh"), (390, "light", "zh"), (390, "dark", "en"), (2560, "dark", "en")],
)
def test_axe_finds_nothing_against_wcag(browser: Any, url: str, width: int, scheme: str, lang: str) -> None:
    page = opened(browser, width, scheme)
    found = {}
    for path in PAGES:
        page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={lang}")
        found[path] = violations(page)
    page.context.close()
    assert {p: v for p, v in found.items() if v} == {}


def test_axe_finds_nothing_in_the_list_of_keys_and_on_a_wall(browser: Any, url: str) -> None:
    page = opened(browser, 1280, "dark")
    page.goto(f"{url}?lang=en")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    assert violations(page) == []
    page.goto(f"{url}?lang=en&wall=1")
    assert violations(page) == []
    page.context.close()


@pytest.mark.parametrize(("width", "scheme", "lang"), [(1280, "light", "zh"), (390, "dark", "en")])
def test_axe_finds_nothing_in_a_comparison(browser: Any, tmp_path: Path, width: int, scheme: str, lang: str) -> None:
    world = CompareWorld(tmp_path).imported().nightly().hostile()
    page = opened(browser, width, scheme)
    with Served(world.git.path, world.clock.now()) as served:
        page.goto(served.url.rstrip("/") + world.link(lang=lang))
        page.eval_on_selector_all("details", "all => all.forEach((d) => { d.open = true; })")
        assert page.locator(".compared tbody tr").count() > 3
        assert violations(page) == []
    page.context.close()


def test_axe_is_really_asked(browser: Any, url: str) -> None:
    page = opened(browser, 1280, "light")
    page.goto(url)
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=/static/icon.svg>')")
    assert any(v.startswith("image-alt: ") for v in violations(page))
    page.context.close()
