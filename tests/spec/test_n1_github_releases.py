"""N1, B5: release objects on GitHub, against its published description: draft first, read back, shown last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from githubfake import NAME, OWNER, TOKEN, FakeGitHub, serving
from gitmaker import GitMaker
from pkgmaker import as_files, sdist, wheel

from headway.effects.forge_github import GitHubForge
from headway.errors import WorldFailed
from headway.github.client import GitHub
from headway.model.build import Artifact
from headway.model.ports import Forge

Assets = tuple[tuple[Path, Artifact], ...]
NOTES = "# 1.0\n\nWhat is new: `x` & <y>.\n"


class Killed(BaseException):
    """The process is gone: nothing after the line runs."""


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    with serving(made.path) as fake:
        yield fake


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return as_files(wheel(tmp_path / "w", "1.0"), sdist(tmp_path / "w", "1.0"))


def forge_of(fake: FakeGitHub, die_at: str = "") -> Forge:
    def step(name: str) -> None:
        if name == die_at:
            raise Killed(name)

    return GitHubForge(GitHub(fake.api, f"{OWNER}/{NAME}", "GITHUB_TOKEN", TOKEN), step)


def tip(fake: FakeGitHub) -> str:
    return fake.git("rev-parse", "main")


def draft(fake: FakeGitHub, assets: Assets, notes: str = NOTES, die_at: str = "") -> None:
    forge = forge_of(fake, die_at)
    made = forge.draft_release("v1.0", tip(fake), "v1.0", notes, assets, prerelease=False)
    assert made == forge.release("v1.0")
    assert (made.draft, made.latest, made.notes, made.commit) == (True, False, notes, tip(fake))
    assert made.assets == tuple(sorted((a for _, a in assets), key=lambda a: a.file))


def uploads(fake: FakeGitHub) -> int:
    return sum(1 for method, path in fake.asked if method == "POST" and path.endswith("/assets"))


def test_N1_a_draft_is_whole_and_shown_only_when_it_is_published(fake: FakeGitHub, assets: Assets) -> None:
    forge = forge_of(fake)
    assert forge.release("v1.0") is None
    draft(fake, assets)
    assert not fake.refs("refs/tags"), "a draft makes no tag"
    fake.git("tag", "-a", "-m", "notes", "v1.0", "main")
    shown = forge.publish_release("v1.0", latest=True)
    assert (shown.draft, shown.latest) == (False, True)
    # Again, as after a kill: nothing is done twice.
    before = [m for m, _ in fake.asked if m != "GET"]
    assert forge.publish_release("v1.0", latest=True) == shown
    assert forge.draft_release("v1.0", tip(fake), "v1.0", NOTES, assets, prerelease=False) == shown
    assert [m for m, _ in fake.asked if m != "GET"] == before
    assert len(fake.releases.rows) == 1


def test_N1_what_is_there_is_not_sent_again_and_strays_go(fake: FakeGitHub, assets: Assets) -> None:
    draft(fake, assets)
    assert uploads(fake) == len(assets)
    draft(fake, assets)
    assert uploads(fake) == len(assets)
    draft(fake, assets[:1], "# other\n")
    assert uploads(fake) == len(assets)


@pytest.mark.parametrize("at", ["draft:v1.0", 0, 1])
def test_N1_a_draft_that_was_killed_is_finished(fake: FakeGitHub, assets: Assets, at: str | int) -> None:
    with pytest.raises(Killed):
        draft(fake, assets, die_at=at if isinstance(at, str) else f"asset:{assets[at][1].file}")
    draft(fake, assets)
    assert (len(fake.releases.rows), uploads(fake)) == (1, len(assets))


def test_N1_half_an_upload_is_removed_and_sent_again(fake: FakeGitHub, assets: Assets) -> None:
    with pytest.raises(Killed):
        draft(fake, assets, die_at="draft:v1.0")
    (release,) = fake.releases.rows
    fake.releases.begin_upload(release, assets[0][1].file)
    draft(fake, assets)


def test_N1_other_bytes_of_the_same_name_are_replaced(fake: FakeGitHub, assets: Assets) -> None:
    draft(fake, assets)
    (release,) = fake.releases.rows.values()
    release.assets[0].data = release.assets[0].data[:-1] + b"!"
    draft(fake, assets)


@pytest.mark.parametrize("fault", ["cut", "drop", 502])
def test_N1_an_answer_that_is_lost_makes_nothing_twice(fake: FakeGitHub, assets: Assets, fault: str | int) -> None:
    """The draft is made and its answer lost; then an upload's."""
    fake.fault("POST", r"/releases$", fault)
    with pytest.raises(WorldFailed):
        draft(fake, assets)
    fake.fault("POST", r"/assets$", fault)
    with pytest.raises(WorldFailed):
        draft(fake, assets)
    draft(fake, assets)
    assert len(fake.releases.rows) == 1


def test_N1_where_github_tells_no_digest_the_bytes_are_read(
    fake: FakeGitHub, assets: Assets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an older GitHub Enterprise: ``digest`` is nullable."""
    told = fake.releases.asset_row
    monkeypatch.setattr(fake.releases, "asset_row", lambda r, a: {**told(r, a), "digest": None})
    draft(fake, assets)
    (release,) = fake.releases.rows.values()
    release.assets[0].data = release.assets[0].data[:-1] + b"!"
    draft(fake, assets)


def test_N1_a_second_draft_that_a_stale_list_brought_about_goes(fake: FakeGitHub, assets: Assets) -> None:
    with pytest.raises(Killed):
        draft(fake, assets, die_at="draft:v1.0")
    (first,) = fake.releases.rows.values()
    fake.releases.rows[first.id + 1000] = replace(first, id=first.id + 1000, assets=[])
    fake.releases.rows[1] = replace(first, id=1, tag="v0.9", assets=[])
    draft(fake, assets)
    assert sorted(fake.releases.rows) == [1, first.id]


@pytest.mark.parametrize("other", ["notes", "assets"])
def test_N1_what_is_published_is_not_changed(fake: FakeGitHub, assets: Assets, other: str) -> None:
    draft(fake, assets)
    fake.git("tag", "v1.0", "main")
    forge_of(fake).publish_release("v1.0", latest=False)
    writes = [m for m, _ in fake.asked if m != "GET"]
    notes, files = ("# other\n", assets) if other == "notes" else (NOTES, assets[:1])
    with pytest.raises(WorldFailed) as caught:
        draft(fake, files, notes)
    assert (caught.value.code, caught.value.clause) == ("forge.published", "N1")
    assert [m for m, _ in fake.asked if m != "GET"] == writes


def test_N1_a_draft_that_somebody_removed_is_told(fake: FakeGitHub) -> None:
    with pytest.raises(WorldFailed) as caught:
        forge_of(fake).publish_release("v1.0", latest=True)
    assert caught.value.code == "forge.no-draft"


def test_N1_a_file_that_github_would_not_take_is_told_before(fake: FakeGitHub, assets: Assets) -> None:
    huge = tuple((p, Artifact(a.file, a.sha256, 2**31)) for p, a in assets[:1])
    with pytest.raises(WorldFailed) as caught:
        draft(fake, huge)
    assert caught.value.code == "forge.too-large"
    assert not fake.asked


def long_notes(sections: int) -> str:
    """Some 10,000 characters a section."""
    rows = [f"- a change of the toy project, number {n:04}: ✓\n" for n in range(200)]
    return "# 1.0\n\n" + "".join(f"## Part {n}\n\n{''.join(rows)}\n" for n in range(sections))


def test_N1_notes_longer_than_github_takes_say_where_the_whole_is(fake: FakeGitHub, assets: Assets) -> None:
    forge, notes = forge_of(fake), long_notes(20)
    assert len(notes) > 125_000
    made = forge.draft_release("v1.0", tip(fake), "v1.0", notes, assets, prerelease=False)
    kept, _, ending = made.notes.partition("\n\n---\n\n")
    assert notes.startswith(kept), "the beginning, as it is"
    assert notes[len(kept) :].lstrip().startswith("## Part"), "whole sections"
    assert 60_000 < len(made.notes) <= 125_000
    assert "`RELEASE-NOTES.md`" in ending
    assert "`v1.0`" in ending
    (release,) = fake.releases.rows.values()
    whole = next(a for a in release.assets if a.name == "RELEASE-NOTES.md")
    assert whole.data.decode() == notes
    # Again, and after it is shown: it is what was written.
    writes = [m for m, _ in fake.asked if m != "GET"]
    assert forge.draft_release("v1.0", tip(fake), "v1.0", notes, assets, prerelease=False) == made
    assert [m for m, _ in fake.asked if m != "GET"] == writes
    fake.git("tag", "v1.0", "main")
    shown = forge.publish_release("v1.0", latest=True)
    assert forge.draft_release("v1.0", tip(fake), "v1.0", notes, assets, prerelease=False) == shown
    with pytest.raises(WorldFailed) as caught:
        forge.draft_release("v1.0", tip(fake), "v1.0", f"{notes}more\n", assets, prerelease=False)
    assert caught.value.code == "forge.published", "other words in what is not shown are other notes"


def test_N1_notes_that_became_short_again_leave_no_file_of_the_whole(fake: FakeGitHub, assets: Assets) -> None:
    forge_of(fake).draft_release("v1.0", tip(fake), "v1.0", long_notes(20), assets, prerelease=False)
    draft(fake, assets, long_notes(2))


@pytest.mark.parametrize(
    "notes",
    [
        "x" * 200_000,
        "# 1.0\n\n```\n" + "code\n" * 40_000 + "```\n",
        "# 1.0\n\n" + "word " * 20_000 + "\n```\n" + "code\n" * 30_000 + "```\n",
        "# 1.0\n\n## Heading\n\n" + "- row\n" * 40_000,
    ],
    ids=["a line", "code", "code at the cut", "a section"],
)
def test_N1_notes_of_any_shape_are_cut_to_what_github_takes(fake: FakeGitHub, notes: str) -> None:
    made = forge_of(fake).draft_release("v1.0", tip(fake), "v1.0", notes, (), prerelease=False)
    assert len(made.notes) <= 125_000
    assert made.notes.count("```") % 2 == 0
    assert made.notes.count("`RELEASE-NOTES.md`") == 1
    assert [a.file for a in made.assets] == ["RELEASE-NOTES.md"]
