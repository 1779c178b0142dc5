"""Pages that are open while the world changes: they renew themselves, and nobody loses what they do meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from chromium import needs_chromium
from webserved import Served
from webworld import World

from headway import controls

pytestmark = needs_chromium
FOUND = "() => document.activeElement.closest('[data-row]')?.id ?? ''"


def opened(browser: Any, **settings: Any) -> Any:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", **settings)
    context.set_default_timeout(120_000)
    return context.new_page()


def listening(page: Any) -> None:
    page.wait_for_selector("body[data-live]")


def test_two_pages_renew_themselves_again_and_again_and_complain_of_nothing(browser: Any, tmp_path: Path) -> None:
    world = World(tmp_path)
    said: list[str] = []
    with Served(world.git.path, world.clock.now()) as served:
        first, second = opened(browser), opened(browser)
        for page in (first, second):
            page.on("console", lambda m: said.append(m.text))
            page.on("pageerror", lambda e: said.append(str(e)))
        first.goto(f"{served.url}?lang=en")
        second.goto(f"{served.url}ledger?lang=en")
        listening(first)
        listening(second)
        command = [
            sys.executable,
            "-m",
            "headway",
            "--repo",
            str(world.git.path),
            "--now",
            world.clock.now().isoformat(),
        ]
        subprocess.run(
            [*command, "--as", "Rosa", "hold", "0.1.1", "--reason", "outage"], check=True, capture_output=True
        )
        first.wait_for_selector(".turn.stopped")
        second.wait_for_selector("#entry-1")
        controls.release_hold(world.app(), "0.1.1")
        first.wait_for_selector(".turn.stopped", state="detached")
        second.wait_for_selector("#entry-2")
    assert said == []
    first.context.close()
    second.context.close()


def test_a_lost_server_is_said_and_what_it_missed_is_shown_when_it_is_back(browser: Any, tmp_path: Path) -> None:
    world = World(tmp_path)
    page = opened(browser)
    with Served(world.git.path, world.clock.now()) as served:
        port = served.url.rstrip("/").rpartition(":")[2]
        page.goto(f"{served.url}?lang=en")
        listening(page)
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
        page.wait_for_selector(".stale", state="visible")
        controls.hold(world.app(), "0.1.1", "outage")
    with Served(world.git.path, world.clock.now(), port=port):
        page.wait_for_selector(".turn.stopped")
        page.wait_for_selector(".stale", state="hidden")
    page.context.close()


def test_a_world_that_cannot_be_read_is_said_by_the_open_page_which_recovers(browser: Any, tmp_path: Path) -> None:
    world = World(tmp_path)
    page = opened(browser)
    with Served(world.git.path, world.clock.now()) as served:
        page.goto(f"{served.url}?lang=en")
        listening(page)
        good = world.git.run("show", "main:release.toml")
        world.git.commit("Break it", {"release.toml": "schema = 1\n[cadense]\n"})
        page.wait_for_selector(".trouble")
        assert "cadense" in page.locator("main").inner_text()
        world.git.commit("Mend it", {"release.toml": good})
        page.wait_for_selector(".turn")
    page.context.close()


def test_what_is_typed_opened_and_in_focus_stays(browser: Any, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.at("01-27T09").settle()
    page = opened(browser)
    with Served(world.git.path, world.clock.now()) as served:
        page.goto(f"{served.url}ledger?lang=en")
        listening(page)
        page.locator("input[name=who]").fill("Ro")
        page.locator("select[name=kind]").select_option("cut")
        page.locator("input[name=who]").focus()
        controls.hold(world.app(), "0.1.1", "outage")
        page.wait_for_selector(f"#entry-{len(world.app().entries())}")
        assert page.locator("input[name=who]").input_value() == "Ro"
        assert page.locator("select[name=kind]").input_value() == "cut"
        assert page.evaluate("document.activeElement.name") == "who"
        page.goto(f"{served.url}policy?lang=en")
        listening(page)
        details = page.locator("details:not([open])").first
        place = details.evaluate("e => e.closest('[id]').id")
        details.locator("summary").click()
        seen = page.locator("#live").get_attribute("data-revision")
        controls.release_hold(world.app(), "0.1.1")
        page.wait_for_selector(f"#live:not([data-revision='{seen}'])")
        assert page.locator(f"#{place} details").get_attribute("open") is not None
    page.context.close()


def test_keys_move_open_search_and_explain_but_not_while_somebody_types(browser: Any, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.at("01-27T09").settle()
    page = opened(browser)
    with Served(world.git.path, world.clock.now()) as served:
        page.goto(f"{served.url}ledger?lang=en")
        newest = len(world.app().entries())
        page.keyboard.press("j")
        assert page.evaluate(FOUND) == f"entry-{newest}"
        page.keyboard.press("j")
        assert page.evaluate(FOUND) == f"entry-{newest - 1}"
        page.keyboard.press("k")
        assert page.evaluate(FOUND) == f"entry-{newest}"
        assert page.evaluate("document.activeElement.matches(':focus-visible')")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.name") == "who"
        page.keyboard.type("j?gb/")
        assert page.locator("input[name=who]").input_value() == "j?gb/"
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        assert page.locator("#keys").is_visible()
        page.keyboard.press("Escape")
        assert not page.locator("#keys").is_visible()
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.wait_for_url(f"{served.url}?lang=en")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/trains/0.1.1?lang=en")
        page.goto(f"{served.url}?lang=en")
        page.keyboard.press("/")
        page.keyboard.type("v0.1.1")
        page.keyboard.press("Enter")
        page.wait_for_url("**/trains/0.1.1?lang=en")
    page.context.close()


def test_chosen_colours_stay_chosen(browser: Any, tmp_path: Path) -> None:
    world = World(tmp_path)
    page = opened(browser, color_scheme="light")
    with Served(world.git.path, world.clock.now()) as served:
        page.goto(f"{served.url}?lang=en")
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_role("button", name="dark").click()
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert dark != light
        page.goto(f"{served.url}policy?lang=en")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
        assert page.get_by_role("button", name="dark").get_attribute("aria-pressed") == "true"
        page.get_by_role("button", name="as the system").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light
    page.context.close()
