"""What stands before the pages: names and origins, places to be led to, cookies, limits."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from starlette.requests import Request
from starlette.responses import Response

from headway.web.address import Address, is_loopback, safe_next
from headway.web.cookies import UnderWay, drop_session, keep_session, session_in, under_way
from headway.web.limits import _BUCKETS, Limits, TooMany, network

URL = Address("https://board.example.org:8443", "http://127.0.0.1:8787", local=False)
LOCAL = Address("", "http://127.0.0.1:8787")


@pytest.mark.parametrize(
    ("host", "url", "local"),
    [
        ("board.example.org:8443", True, False),
        ("Board.Example.org", True, False),
        ("127.0.0.1:8787", True, True),
        ("[::1]:8787", True, True),
        ("localhost", True, True),
        ("board.example.org.evil.example", False, False),
        ("evil.example", False, False),
        ("10.0.0.5:8787", False, False),
        ("", False, False),
        ("board.example.org@evil.example", False, False),
    ],
)
def test_the_names_that_are_answered_to(host: str, url: bool, local: bool) -> None:
    assert (URL.answers_to(host), LOCAL.answers_to(host)) == (url, local)


@pytest.mark.parametrize(
    ("origin", "host", "address", "own"),
    [
        ("https://board.example.org:8443", "127.0.0.1:8787", URL, True),
        ("https://board.example.org", "board.example.org:8443", URL, False),
        ("http://board.example.org:8443", "board.example.org:8443", URL, False),
        ("http://127.0.0.1:8787", "127.0.0.1:8787", URL, False),
        ("http://127.0.0.1:8787", "127.0.0.1:8787", LOCAL, True),
        ("http://localhost:8787", "localhost:8787", LOCAL, True),
        ("http://127.0.0.1:9999", "127.0.0.1:8787", LOCAL, False),
        ("http://evil.example", "evil.example", LOCAL, False),
        ("null", "127.0.0.1:8787", LOCAL, False),
        ("", "127.0.0.1:8787", LOCAL, False),
    ],
)
def test_forms_of_this_board_are_told_from_others(origin: str, host: str, address: Address, own: bool) -> None:
    assert address.sends(origin, host) is own


@pytest.mark.parametrize("path", ["/", "/trains/0.1.1?lang=zh", "/benchmark/llms?x=https://a.example/b", "/%2F/evil"])
def test_pages_of_the_board_are_led_to(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/\x00",
        "/login?next=/",
        "/logout",
        "evil",
        "/" + "x" * 5000,
    ],
)
def test_everything_else_leads_to_the_board(path: str) -> None:
    assert safe_next(path) == "/"


def asked(cookies: str = "") -> Request:
    headers = [(b"cookie", cookies.encode())] if cookies else []
    return Request({"type": "http", "headers": headers, "method": "GET", "path": "/", "query_string": b""})


@pytest.mark.parametrize(("address", "name", "secure"), [(URL, "__Host-headway", True), (LOCAL, "headway", False)])
def test_a_login_is_kept_where_scripts_other_sites_and_other_hosts_do_not_reach_it(
    address: Address, name: str, secure: bool
) -> None:
    response = Response()
    keep_session(response, address, "s" * 43, 12)
    kept = SimpleCookie(response.headers["set-cookie"])[name]
    assert (kept.value, kept["path"], kept["domain"], kept["max-age"]) == ("s" * 43, "/", "", "43200")
    assert (bool(kept["httponly"]), bool(kept["secure"]), kept["samesite"].lower()) == (True, secure, "lax")
    assert session_in(asked(f"{name}={'s' * 43}"), address) == "s" * 43
    other = "headway" if secure else "__Host-headway"
    assert session_in(asked(f"{other}={'s' * 43}"), address) == ""  # one that a neighbour could have set
    drop_session(response, address)
    assert "Max-Age=0" in response.headers.getlist("set-cookie")[-1]


def test_a_state_is_good_in_the_browser_that_began_the_login_and_leads_where_it_said() -> None:
    mine, others = UnderWay("a" * 43), UnderWay("b" * 43)
    state = mine.state("/trains/0.1.1?lang=zh")
    assert mine.leads_to(state) == "/trains/0.1.1?lang=zh"
    assert others.leads_to(state) is None
    swapped = f"{state.partition('.')[0]}.{others.state('//evil.example').partition('.')[2]}"
    for bad in (swapped, "", ".", "x", "é.é", f"{state}x", state.replace(".", "..")):
        assert mine.leads_to(bad) is None, bad
    assert mine.leads_to(mine.state("//evil.example")) == "/"
    assert len({mine.csrf, mine.verifier, mine.state("/")[:43], mine.nonce}) == 4
    assert under_way(asked("headway-login=short"), LOCAL) is None


def test_failures_are_counted_by_network_and_by_token_and_others_come_in_still() -> None:
    limits = Limits()
    for _ in range(30):
        limits.before_login("2001:db8::1", "")
        limits.failed_login("2001:db8::1", "")
    with pytest.raises(TooMany) as caught:
        limits.before_login("2001:db8::1", "")
    assert 1 <= caught.value.wait_s <= 300
    with pytest.raises(TooMany):
        limits.before_login("2001:db8::ffff", "")
    limits.before_login("2001:db8:1::1", "")
    for n in range(10):
        limits.failed_login(f"10.0.0.{n}", "0123456789ab")
    with pytest.raises(TooMany):
        limits.before_login("10.9.9.9", "0123456789ab")
    limits.before_login("10.9.9.9", "ba9876543210")
    assert network("10.0.0.1") == "10.0.0.1"


def test_memory_is_bounded_however_many_come() -> None:
    limits = Limits()
    for n in range(3 * _BUCKETS):
        limits.failed_login(f"2001:db8:{n:x}::1", "")
    assert len(limits._limiter.storage.events) <= _BUCKETS
    assert is_loopback("127.0.0.9")
