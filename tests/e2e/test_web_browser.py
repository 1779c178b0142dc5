"""The pages in a real browser: nothing foreign runs, nothing overflows, changes appear by themselves."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from chromium import needs_chromium
from webpages import PAGES
from webserved import Served
from webworld import PERF, POLICY, World

from headway import controls

pytestmark = needs_chromium
# A person reads text on a background: WCAG's contrast of every text node with the nearest painted background.
CONTRAST = """() => {
  const rgb = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const behind = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c[3] > 0) layers.push(c);
      if (c[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !e.getClientRects().length || e.closest("svg, script")) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(e.className + ": " + walk.currentNode.textContent.trim());
  }
  return poor;
}"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("browser"), POLICY + PERF).to_regressed()


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    with Served(world.git.path, world.clock.now()) as served:
        yield served.url


def opened(browser: Any, width: int = 1280, scheme: str = "light", **settings: Any) -> Any:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **settings
    )
    return context.new_page()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_overflows_complains_or_is_hard_to_read(browser: Any, url: str, width: int, scheme: str) -> None:
    page = opened(browser, width, scheme)
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("dialog", lambda d: said.append(d.message))
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    for path in PAGES:
        page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang=en")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        assert page.evaluate(CONTRAST) == [], path
        assert "owned" not in page.title()
    assert [s for s in said if "404" not in s] == []
    assert all(a.startswith(url) for a in asked)
    page.context.close()


def test_it_is_seen_at_once_where_the_train_is(browser: Any, url: str) -> None:
    page = opened(browser)
    page.goto(f"{url}?lang=en")
    here = page.locator(".gate.here")
    assert here.count() == 1
    assert here.locator(".name").inner_text() == "performance"
    assert here.locator(".state").inner_text() == "blocked"
    assert here.locator(".marker").is_visible()
    shapes = {g.get_attribute("href") for g in page.locator(".gate .lamp use").all()}
    assert shapes == {"#lamp-ok", "#lamp-waiting", "#lamp-blocked", "#lamp-none"}
    page.context.close()


_IN_SIGHT = """(e) => { const r = e.getBoundingClientRect(), s = e.closest(".scroll").getBoundingClientRect();
  return r.width > 0 && r.left >= s.left - 1 && r.right <= Math.min(s.right, innerWidth) + 1; }"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_on_a_phone_the_verdict_is_seen_without_scrolling(browser: Any, url: str, lang: str) -> None:
    page = opened(browser, 390)
    page.goto(f"{url}trains/0.1.1?lang={lang}")
    verdicts = page.locator("#performance .cells tbody .tag")
    assert verdicts.count() == 3
    assert [v for v in verdicts.all() if not v.evaluate(_IN_SIGHT)] == []
    states = page.locator("#picks .picks tbody .tag")
    assert states.count() == 4
    assert [s for s in states.all() if not s.evaluate(_IN_SIGHT)] == []
    assert page.locator("#performance .scroll").first.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    assert page.get_by_role("cell").count() > 0  # it stays a table for who cannot see it
    values = page.locator("#performance .cells tbody tr").first.locator("[data-label]")
    shown = values.evaluate_all("(all) => all.map((e) => getComputedStyle(e, '::before').content)")
    assert shown == [f'"{v.get_attribute("data-label")}"' for v in values.all()]
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_goes_on_beyond_an_edge_is_seen_there(browser: Any, url: str, scheme: str) -> None:
    """A shadow at the edge beyond which there is more, and none at the end; its colours are looked at in a picture."""
    page = opened(browser, 390, scheme)
    page.goto(f"{url}calendar?lang=en")
    scroll = page.locator(".scroll").first
    assert scroll.evaluate("e => e.scrollWidth - e.clientWidth") > 0
    begin = _edges(page, scroll)
    scroll.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    page.wait_for_timeout(100)
    end = _edges(page, scroll)
    assert begin[0] == end[1]  # the card, where nothing goes on
    assert begin[1] != begin[0]
    assert end[0] != end[1]
    page.context.close()


def _edges(page: Any, scroll: Any) -> list[list[int]]:
    """The colours of the left and the right edge, at the height of a row's padding."""
    png = base64.b64encode(scroll.screenshot()).decode()
    return cast(
        "list[list[int]]",
        page.evaluate(
            """async (png) => { const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const canvas = new OffscreenCanvas(image.width, image.height), on = canvas.getContext("2d");
      on.drawImage(image, 0, 0);
      return [2, image.width - 3].map((x) => [...on.getImageData(x, 3, 1, 1).data]); }""",
            png,
        ),
    )


def test_from_the_board_to_a_clause_by_keyboard_alone(browser: Any, url: str) -> None:
    page = opened(browser)
    page.goto(f"{url}?lang=en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.locator(".waits a.clause").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/policy?lang=en#E7")
    assert page.locator("#E7").is_visible()
    page.context.close()


def test_chinese_is_asked_for_by_the_browser_and_left_by_a_link(browser: Any, url: str) -> None:
    page = opened(browser, locale="zh-CN")
    page.goto(url)
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/?lang=en")
    assert page.locator("h1").inner_text() == "Departures"
    page.context.close()


def test_without_scripts_the_page_reloads_itself(browser: Any, url: str) -> None:
    page = opened(browser, java_script_enabled=False)
    page.goto(url)
    assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "30"
    page.context.close()


def test_a_change_appears_by_itself_and_a_lost_server_is_said(browser: Any, tmp_path: Path) -> None:
    world = World(tmp_path)
    page = opened(browser)
    with Served(world.git.path, world.clock.now()) as served:
        page.goto(f"{served.url}?lang=en")
        assert page.locator(".turn").inner_text() == "waits for its day"
        controls.hold(world.app(), "0.1.1", "outage")
        page.wait_for_selector(".turn.stopped")
        assert "outage" in page.locator("main").inner_text()
        assert not page.locator(".stale").is_visible()
    page.wait_for_selector(".stale", state="visible")
    assert "outage" in page.locator("main").inner_text()
    page.context.close()


def test_what_covers_the_edges_of_a_table_has_the_ground_that_it_stands_on(browser: Any, tmp_path: Path) -> None:
    """The answer that something has changed stands on a ground of its own, and so does its table."""
    world = World(tmp_path)
    page = opened(browser)
    with Served(world.git.path, world.clock.now()) as served:
        page.goto(f"{served.url}trains/0.1.1/slip?lang=en")
        page.fill("main [name=to]", "2025-03-01")
        page.fill("main [name=reason]", "later")
        controls.slip(world.app(), "0.1.1", date(2025, 3, 3), "meanwhile")
        page.click("main form button[type=submit]")
        page.wait_for_selector(".declined .scroll")
        ground = page.evaluate("getComputedStyle(document.querySelector('.declined')).backgroundColor")
        assert ground in page.evaluate("getComputedStyle(document.querySelector('.declined .scroll')).backgroundImage")
    page.context.close()
