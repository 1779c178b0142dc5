"""Somebody before the board in a real browser: logs in, acts by its forms, and looks at pages at three widths."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.lang import tr
from headway.model.text import Text

WIDTHS = (390, 1280, 2560)
SLOW_MS = 60_000  # a tick builds and tests beside it
_SHOTS = os.environ.get("HEADWAY_SCREENSHOTS", "")
_LOCALES = {"en": "en-GB", "zh": "zh-CN"}
# What a policy of contents kept from running or from being loaded is an error of the page.
_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (e) =>
  console.error(`CSP: ${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile}`));"""
_TOO_WIDE = """() => [...document.querySelectorAll("body *")].filter((e) => !e.closest(".scroll, dialog:not([open])") &&
  e.getBoundingClientRect().right > innerWidth + 1).map((e) => `${e.localName}.${e.className}`).slice(0, 5)"""


@dataclass
class Person:
    """One browser of one person; ``said`` is what its console said that nobody expects."""

    url: str
    lang: str
    context: Any
    page: Any = None
    said: list[str] = field(default_factory=list)
    away: bool = False  # the server is away, which the browser complains of

    def word(self, text: Text) -> str:
        return tr(text, self.lang)

    def tab(self) -> Any:
        """One more page of the same browser."""
        page = self.context.new_page()
        page.on("console", lambda m: self._said(m.type, m.text))
        page.on("pageerror", lambda e: self.said.append(str(e)))
        page.on("response", lambda r: self.said.append(f"{r.status} {r.url}") if r.status >= 500 else None)
        return page

    def _said(self, kind: str, text: str) -> None:
        answered = re.match(r"Failed to load resource: .* status of 4\d\d ", text)  # refusals are looked at by the walk
        if kind in {"error", "warning"} and not answered and not self.away:
            self.said.append(text)

    def login(self, secret: str, path: str = "") -> None:
        """Come to a page, be led to the login, paste a token, and be led back."""
        self.page.goto(f"{self.url}{path}")
        self.page.locator("main a.button").click()
        self.page.locator("#token").fill(secret)
        self.page.locator("main form button").click()
        self.page.wait_for_url(f"{self.url}{path}")

    def open(self, act: str, page: Any = None) -> Any:
        """The form of an act, over the page that it is on: ``act`` is a part of the address it leads to; without ``of``
        it is that of the train itself."""
        page = page or self.page
        of = "" if "of=" in act else ':not([href*="of="])'
        links = page.locator(f'main a[data-act][href*="{act}"]{of}')
        links.first.wait_for(state="attached")
        link = next((x for x in links.all() if x.is_visible()), None)
        if link is None:
            link = links.first
            link.locator("xpath=ancestor::details[not(@open)]/summary").first.click()
        link.click()
        sheet = page.locator("dialog.sheet #act")
        sheet.wait_for()
        return sheet

    def send(self, sheet: Any, **given: str) -> None:
        for name, value in given.items():
            at = sheet.locator(f'[name="{name}"]')
            if at.evaluate("e => e.localName") == "select":
                at.select_option(value)
            else:
                at.fill(value)
        with sheet.page.expect_navigation():  # what the page told before goes with it
            sheet.locator("button[type=submit]").click()

    def act(self, act: str, page: Any = None, **given: str) -> str:
        """Fill an act's form in and send it; what the page then tells."""
        page = page or self.page
        self.send(self.open(act, page), **given)
        told = page.locator("#did")
        told.wait_for()
        text: str = told.inner_text()
        return text

    def refused(self, path: str, **given: str) -> int:
        """The status of a form that is sent without a button for it, with this person's own token against forgery."""
        csrf = self.page.locator('footer input[name="csrf"]').get_attribute("value")
        answer = self.context.request.post(f"{self.url}{path}", form={"csrf": csrf, **given}, max_redirects=0)
        status: int = answer.status
        return status

    def look(self, name: str, path: str | None = None, page: Any = None) -> Any:
        """A page at each width: it has one heading, and nothing is beside it."""
        page = page or self.page
        if path is not None:
            page.goto(f"{self.url}{path}")
            page.locator("main#live:not(:has(.reading))").wait_for()
        before = page.viewport_size
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": before["height"]})
            assert page.locator("main h1").count() == 1, name
            assert page.locator("main h1").inner_text().strip(), name
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (
                name,
                width,
                page.evaluate(_TOO_WIDE),
            )
            if _SHOTS:
                self._shot(page, f"{name}-{self.lang}-{width}.png")
        page.set_viewport_size(before)
        return page

    def _shot(self, page: Any, name: str) -> None:
        folder = Path(_SHOTS)
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / name, full_page=not page.locator("dialog[open]").count())


def person(browser: Any, url: str, lang: str) -> Person:
    """Somebody with a browser of their own, who has read nothing yet."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale=_LOCALES[lang], reduced_motion="reduce", color_scheme="light"
    )
    context.set_default_timeout(SLOW_MS)
    context.add_init_script(_VIOLATIONS)
    found = Person(url, lang, context)
    found.page = found.tab()
    return found


def stays(page: Any) -> None:
    """From here on the page is not loaded anew."""
    page.evaluate("window.stayed = true")


def stayed(page: Any) -> bool:
    found: bool = page.evaluate("window.stayed === true")
    return found
