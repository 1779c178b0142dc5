"""Chinese pages are Chinese: what is left in Latin letters are names, what is typed, and words of people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
from boardkit import Desk
from webpages import PAGES
from webworld import PERF, POLICY, World

from headway.model.text import clean

# Each with its reason.
ALLOWED = (
    r"\b((cell|gate|check):[\w/.-]+|owner/name)",  # forms of what is typed
    r"https?://\S+|file:///\S+",  # addresses
    r"\b[0-9a-f]{7,64}\b",  # commits and digests
    r"\breleases/v\S+",  # branches
    r"\btoy-[\w.-]+\.(whl|tar\.gz|json)\b|\bsha256:",  # files
    r"\bv?\d+(\.\d+)+(\.post\d+)?(-rc\d+)?\b|\brc\d+\b",  # versions and their tags
    r"\b[NVCBPEG]\d\b|\bpick:(\d+|ID)\b",  # clauses and gates of picks
    r"\btoy(-small)?\b|\b(cpu|decode|prefill|median_t[tp][fo]t_ms|output_throughput)\b",  # what is measured
    r"\b(Headway|headway|Rosa|Ada|Bo|M\ufffdllory)\b",  # who acts
    r"\bgo\b|\bmain\b",  # the gate's and the trunk's name
    r"\b(UTC|PEP|RC|CI|API|SHA|bug|Linux|wheel|GitHub)\b",  # one word in both languages
    r"\b(tick|twine|auditwheel|pip install[^<]*)",  # programs and commands
    r"--[a-z]+|/nothing\b",  # typed
    r"\btest\.command\b|\[?\bboard\]? ?\.?(admins|managers|requesters|viewers)\b|\brelease\.toml\b",  # of the policy
    r"\b(wrong-results|compatibility|crash|deadlock|memory-leak)\b",  # --symptom
    r"\b(English|Enter|Esc)\b",  # the other language, keys
    r"\bfalse\b",  # as policy files have it
)
SAID_BY_PEOPLE = ("subject", "reason", "evidence", "ref", "claims")
UNREAD = {"script", "style", "code", "pre", "kbd"}  # programs, and what is typed
EMPTY = {"meta", "link", "input", "br", "img", "hr", "wbr", "use", "path", "rect", "line", "circle"}
ATTRIBUTES = {"title", "aria-label", "placeholder", "alt"}


class _Words(HTMLParser):
    """What a person reads or hears of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self._inside.append(tag)
        self.found += [v for k, v in attrs if k in ATTRIBUTES and v]

    def handle_endtag(self, tag: str) -> None:
        while tag in self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not UNREAD.intersection(self._inside):
            self.found.append(data)


def english(page: str, others: list[str]) -> list[str]:
    """Latin words on a page that nothing allows, with what stands around them."""
    words = _Words()
    words.feed(page)
    found = []
    for text in words.found:
        left = " ".join(text.split())
        for said in others:
            left = left.replace(said, " ")
        for pattern in ALLOWED:
            left = re.sub(pattern, " ", left)
        if re.search(r"[A-Za-z]{2,}", left):
            found.append(f"{left.strip()}  <-  {' '.join(text.split())[:200]}")
    return found


def _typed(payload: Mapping[str, Any]) -> Iterator[str]:
    for name in SAID_BY_PEOPLE:
        told = payload.get(name) or ()
        yield from told.values() if isinstance(told, dict) else (told,) if isinstance(told, str) else told


def _said(world: World) -> list[str]:
    """The words of people in a world, the longest first: they may stand in others of them."""
    titles = world.git.run("log", "--all", "--format=%s").splitlines()
    typed = [w for e in world.app().entries() for w in _typed(e.payload)]
    words = {clean(" ".join(w.split())) for w in (*titles, *typed)}
    return sorted((w for w in words if len(w) > 3 and not re.fullmatch(r"[\d.]+", w)), key=len, reverse=True)


@pytest.fixture(scope="module")
def regressed(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A train that was found slower, with hostile words in it."""
    return Desk(World(tmp_path_factory.mktemp("regressed"), POLICY + PERF).to_regressed())


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Two live trains, and one that departed."""
    return Desk(World(tmp_path_factory.mktemp("busy")).to_busy())


def _left(desk: Desk, *paths: str) -> dict[str, list[str]]:
    others = _said(desk.world)
    found = {}
    for path in paths:
        page = desk.http.get(f"/{path}{'&' if '?' in path else '?'}lang=zh").text
        assert not page or 'lang="zh-Hans"' in page  # a login that is none leads back
        found[path] = english(page, others)
    return {path: left for path, left in found.items() if left}


def test_no_page_has_english_words_of_ours(regressed: Desk) -> None:
    # Notes are the project's document, shown as they will be published.
    assert _left(regressed, *(p for p in PAGES if not p.startswith("notes/"))) == {}


def test_no_page_of_two_live_trains_has(busy: Desk) -> None:
    assert _left(busy, "", "trains/0.1.1", "trains/0.1.2", "trains/0.1.1.post1", "ledger", "metrics", "audit") == {}


def test_no_form_of_an_act_has(regressed: Desk) -> None:
    page = regressed.page("/trains/0.1.1?lang=zh")
    forms = {f.replace("&amp;", "&") for f in re.findall(r'href="/(trains/0\.1\.1/\w+\?[^"]*)"', page)}
    assert len(forms) > 5
    assert _left(regressed, *sorted(forms)) == {}


def test_no_refusal_has(regressed: Desk) -> None:
    page = regressed.refused(422, "/trains/0.1.1/slip?lang=zh", to="2025-01-01", reason="0.1.1")
    assert "事实" in page
    assert english(page, _said(regressed.world)) == []


def test_the_search_finds_an_english_word_of_ours() -> None:
    page = '<p>请求拣选 #5（docs）：<bdi>asked by users</bdi></p><dt title="approved_by">批准人</dt><code>docs</code>'
    assert [f.split("  <-  ")[0] for f in english(page, ["asked by users"])] == ["请求拣选 #5（docs）：", "approved_by"]
