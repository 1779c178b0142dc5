"""The login and the page about people in a real browser: by keyboard, on a phone, in the dark, in two languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chromium import needs_chromium
from test_web_browser import CONTRAST, opened
from webserved import Served
from webworld import POLICY, World

from headway.boardlogin import MadeToken, add_token, doors, revoke_token
from headway.model.visitor import Role

pytestmark = needs_chromium
ENV = {"HEADWAY_OAUTH_CLIENT_ID": "an-id", "HEADWAY_OAUTH_CLIENT_SECRET": "a-word"}
LONG = "@" + "release-manager-" * 5


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, MadeToken]]:
    """The address of a board with many tokens and logins, and the token of its admin."""
    world = World(tmp_path_factory.mktemp("browser"), f'{POLICY}[board]\nmanagers = ["@rosa", "team:toy/release"]\n')
    admin = add_token(world.app(), "@root", Role.ADMIN)
    add_token(world.app(), "<script>document.title='owned'</script>", Role.VIEWER, ("read", "metrics"), 30)
    add_token(world.app(), "old", Role.VIEWER)
    revoke_token(world.app(), "old")
    for name in ("@rosa", LONG):
        doors(world.app()).begin(name, "", world.clock.now(), 12)
    with Served(world.git.path, world.clock.now(), env=ENV) as served:
        yield served.url, admin


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_from_a_page_to_the_login_and_back_by_keyboard_alone(
    browser: Any,
    place: tuple[str, MadeToken],
    width: int,
    scheme: str,
    lang: str,
) -> None:
    url, admin = place
    page = opened(browser, width, scheme)
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))

    def looks_right() -> None:
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.evaluate(CONTRAST) == []
        assert "owned" not in page.title()

    page.goto(f"{url}people?lang={lang}")
    looks_right()
    page.locator("main .button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#token")
    looks_right()
    assert page.evaluate("document.documentElement.lang") == ("zh-Hans" if lang == "zh" else "en")
    page.locator("#token").focus()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert page.locator("#token").get_attribute("aria-invalid") == "true"
    assert page.locator("#token").input_value() == ""
    looks_right()
    page.locator("#token").fill(admin.secret)
    page.keyboard.press("Enter")
    page.wait_for_selector("#logins")
    assert page.url == f"{url}people?lang={lang}"
    looks_right()
    assert page.locator("tr", has_text=LONG).get_by_role("button").count() == 1
    page.locator("footer form.inline button").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/login*")
    page.goto(f"{url}people?lang={lang}")
    assert page.locator("#logins").count() == 0
    assert [s for s in said if "401" not in s] == []
    page.context.close()
