"""N2 on real repositories: each change once, whichever way it came; who made it; nothing guessed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from gitmaker import GitMaker, git_env
from packaging.version import Version
from trainkit import CUT, PERSON, open_at

from headway.app import Headway
from headway.history import people
from headway.history.kept import Kept
from headway.noting import Report, notes_for, read_labels

POLICY = 'schema = 1\npreset = "generic"\n'
OLD, NEW = "0.1.1", "0.1.2"
BRANCH, NEXT = f"releases/v{OLD}", f"releases/v{NEW}"


class Repo(GitMaker):
    """A trunk with v0.1.0; each commit touches a file of its own."""

    def __init__(self, path: Path, policy: str = "") -> None:
        super().__init__(path, bare=True)
        self.change("Begin (#1)", files={"release.toml": POLICY + policy})
        self.tag("v0.1.0", message="v0.1.0")

    def change(
        self, subject: str, *, branch: str | None = None, files: dict[str, str | None] | None = None, **how: str
    ) -> str:
        name = "".join(c for c in subject if c.isalnum())
        return self.commit(subject, files or {f"{name}.txt": f"{subject}\n"}, branch=branch, **how)

    def cut(self, branch: str, at: str = "main") -> None:
        self.branch(branch, at)

    def app(self) -> Headway:
        return open_at(self.path, CUT)

    def report(self, version: str = OLD) -> Report:
        return notes_for(self.app(), Version(version))

    def told(self, version: str = OLD) -> list[str]:
        return [t.title for t in self.report(version).notes.told]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.mark.parametrize("trailer", [True, False], ids=["trailer", "by-content"])
@pytest.mark.parametrize("there", [True, False], ids=["branch", "branch-deleted"])
def test_N2_a_pick_of_the_previous_release_is_not_told_again(repo: Repo, trailer: bool, there: bool) -> None:
    """It is on the trunk after the cut of the release that had it first."""
    repo.change("In the cut (#2)")
    repo.cut(BRANCH)
    picked, other = repo.change("fix: picked (#3)"), repo.change("fix: left (#4)")
    repo.pick(picked, BRANCH, x=trailer)
    assert repo.told() == ["In the cut (#2)", "fix: picked (#3)"]
    repo.tag(f"v{OLD}", BRANCH, message="out")
    if not there:
        repo.run("branch", "-D", BRANCH)
    repo.cut(NEXT)
    assert repo.told(NEW) == ["fix: left (#4)"]
    repo.tag(f"v{NEW}", NEXT, message="out")
    assert repo.told(NEW) == ["fix: left (#4)"], "looking back says the same"
    assert other == repo.report(NEW).notes.told[0].change.origin.sha


def test_N2_a_pick_that_the_previous_release_took_back_is_new_when_it_comes(repo: Repo) -> None:
    """What users never had is a change."""
    repo.cut(BRANCH)
    picked = repo.change("feat: picked (#2)")
    there = repo.pick(picked, BRANCH)
    repo.revert(there, on_branch=BRANCH)
    repo.pick(repo.change("fix: else (#3)"), BRANCH)
    assert repo.told() == ["fix: else (#3)"]
    repo.tag(f"v{OLD}", BRANCH, message="out")
    repo.cut(NEXT)
    assert repo.told(NEW) == ["feat: picked (#2)"]


def test_N2_a_pick_of_both_branches_is_told_in_the_first(repo: Repo) -> None:
    """The next release was cut before the change, and picked it too."""
    repo.cut(BRANCH)
    repo.change("In the next cut (#2)")
    repo.cut(NEXT)
    picked = repo.change("fix: in both (#3)")
    repo.pick(picked, BRANCH)
    repo.tag(f"v{OLD}", BRANCH, message="out")
    repo.pick(picked, NEXT)
    assert repo.told(NEW) == ["In the next cut (#2)"]


def test_N2_a_batch_tells_each_of_its_origins_once(repo: Repo) -> None:
    """One commit of the branch that names several; one of them was picked by itself before."""
    repo.cut(BRANCH)
    shas = [repo.change(f"fix: number {n} (#{n})") for n in (2, 3, 4)]
    repo.pick(shas[0], BRANCH)
    trailers = "\n".join(f"(cherry picked from commit {sha})" for sha in shas)
    files: dict[str, str | None] = {f"fixnumber{n}{n}.txt": f"fix: number {n} (#{n})\n" for n in (3, 4)}
    repo.commit("Pick them all (#9)", files, body=trailers, branch=BRANCH)
    assert repo.told() == [f"fix: number {n} (#{n})" for n in (2, 3, 4)]
    rows = {t.pr: t.change for t in repo.report().notes.told}
    assert rows[3].commit.sha == rows[4].commit.sha == repo.tip(BRANCH)
    assert rows[3].origin.sha == shas[1]
    repo.revert(repo.tip(BRANCH), on_branch=BRANCH)
    assert repo.told() == ["fix: number 2 (#2)"], "taken out, it takes all of its own with it"


def test_N2_what_was_reverted_is_gone_and_what_was_relanded_is_told_once(repo: Repo) -> None:
    """The last word counts, on the trunk and on the branch."""
    gone, back = repo.change("feat: gone (#2)"), repo.change("feat: back (#3)")
    repo.revert(gone)
    repo.revert(repo.revert(back))
    repo.cut(BRANCH)
    assert repo.told() == ["feat: back (#3)"]
    repo.revert(back, on_branch=BRANCH)
    assert repo.told() == []


def test_N2_a_revert_of_what_users_have_stands_where_the_policy_says(tmp_path: Path) -> None:
    """A feature that goes away is not told as a feature."""
    repo = Repo(tmp_path / "repo", '[notes]\nreverts = "breaking"\n')
    feature = repo.change("feat: colours (#2)")
    repo.tag(f"v{OLD}", "main", message="out")
    repo.revert(feature)
    repo.cut(NEXT)
    (told,) = repo.report(NEW).notes.told
    assert (told.section, told.title) == ("breaking", 'Revert "feat: colours (#2)"')


def test_N2_in_place_of_a_merge_stands_what_it_brought(repo: Repo) -> None:
    """A merge's own subject says nothing; a forge's names its pull request; what an earlier release had is no news."""
    main = repo.tip("main")
    for name in ("stable", "topic", "pr"):
        repo.branch(name, main)
    repo.change("fix: on stable", branch="stable")
    repo.tag(f"v{OLD}", "stable", message="out")
    repo.change("fix: later on stable", branch="stable")
    repo.change("feat: of the topic", branch="topic")
    repo.commit("Merge branch 'main' into topic", {}, branch="topic", merge="main")
    repo.change("wip", branch="pr")
    repo.change("feat: straight (#2)")
    repo.commit("Merge branch 'stable'", {}, merge="stable")
    repo.commit("Merge branch 'topic'", {}, merge="topic")
    repo.commit("Merge pull request #3 from ann/pr", {}, body="feat: of the request", merge="pr")
    repo.cut(NEXT)
    assert repo.told(NEW) == [
        "feat: straight (#2)",
        "fix: later on stable",
        "feat: of the topic",
        "feat: of the request (#3)",
    ]
    left = [c.origin.subject for c, _ in repo.report(NEW).notes.left_out]
    assert left == ["Merge branch 'stable'", "Merge branch 'main' into topic", "Merge branch 'topic'"]
    assert "Not listed: 3 " in repo.report(NEW).markdown()


@pytest.mark.parametrize("trailer", [True, False], ids=["trailer", "by-content"])
def test_N2_a_pick_that_people_merged_is_told_in_the_words_of_its_origin(repo: Repo, trailer: bool) -> None:
    """The merge names the pull request onto the branch; the change is the trunk's."""
    repo.cut(BRANCH)
    shas = [repo.change(f"fix: number {n} (#{n})") for n in (2, 3)]
    repo.branch("pick", BRANCH)
    for sha in shas:
        repo.pick(sha, "pick", x=trailer)
    title = "fix: number 2 (#2) and 1 more"
    files: dict[str, str | None] = {f"fixnumber{n}{n}.txt": f"fix: number {n} (#{n})\n" for n in (2, 3)}
    merge = repo.commit("Merge pull request #60 from a/pick", files, branch=BRANCH, merge="pick", body=title)
    assert repo.told() == ["fix: number 2 (#2)", "fix: number 3 (#3)"]
    assert "- fix: number 2 (#2)\n" in repo.report().markdown()
    assert "Merge pull request" not in repo.report().markdown()
    assert {t.change.commit.sha for t in repo.report().notes.told} == {merge}
    assert [t.change.origin.sha for t in repo.report().notes.told] == shas
    repo._replay("revert", "--no-edit", "-m", "1", merge, branch=BRANCH)
    assert repo.told() == [], "taken out, it takes all of its own with it"


def test_N2_first_contributions(repo: Repo) -> None:
    """By e-mail or name, co-authors too, with the mailmap; a bot is nobody; a picker has a part in it."""
    mailmap = (
        "Ada Lovelace <ada@example.org> <countess@example.org>\nNew Name <new@example.org> Old Name <new@example.org>\n"
    )
    repo.change("Before (#2)", body="Co-authored-by: Helper <123+helper@users.noreply.example.org>")
    repo.commit("Name people (#3)", {".mailmap": mailmap})
    repo.tag(f"v{OLD}", "main", message="out")
    repo.change("fix: by a known one (#4)", author="Countess <countess@example.org>")
    repo.change("fix: by a co-author of before (#5)", author="helper-now <helper@users.noreply.example.org>")
    repo.change("fix: by somebody new (#6)", author="Old Name <new@example.org>")
    repo.change("fix: again (#7)", author="Old Name <new@example.org>", body="Co-authored-by: Second <s@example.org>")
    repo.change("fix: by a robot (#8)", author="dependabot[bot] <1+dependabot[bot]@users.noreply.example.org>")
    repo.change("fix: other address, same person (#9)", author="Ada <ada@elsewhere.example.org>")
    repo.cut(NEXT)
    picked = repo.change("fix: picked (#10)", author="Third <third@example.org>")
    there = repo.pick(picked, NEXT)
    picker = "Picker <p@example.org>"
    amended = repo.run(
        "commit-tree", f"{there}^{{tree}}", "-p", f"{there}^", "-m", repo.run("log", "-1", "--format=%B", there)
    )
    assert amended
    repo.run("update-ref", f"refs/heads/{NEXT}", amended)
    found = repo.report(NEW).notes.people
    names = [p.name for p in found.contributors]
    assert names == ["Ada", "Ada Lovelace", "helper-now", "Keeper", "New Name", "Second", "Third"]
    assert picker.split(maxsplit=1)[0] not in names
    assert found.first_time is not None
    assert [(f.person.name, f.change.origin.pr) for f in found.first_time] == [
        ("New Name", 6),
        ("Second", 7),
        ("Third", 10),
        ("Keeper", 10),
    ]
    text = repo.report(NEW).markdown()
    assert "### First contributions\n\n- New Name: fix: by somebody new (#6)\n" in text
    assert "Contributors: 7, 4 of them for the first time." in text


def test_N2_a_shallow_clone_says_that_it_cannot_tell_who_is_new(repo: Repo, tmp_path: Path) -> None:
    """Told rather than guessed: its history ends somewhere."""
    for n in range(2, 6):
        repo.change(f"fix: {n} (#{n})", author=f"P{n} <p{n}@example.org>")
    repo.tag(f"v{OLD}", "main", message="out")
    repo.change("fix: by an old hand (#6)", author="P2 <p2@example.org>")
    repo.cut(NEXT)
    repo.tag(f"v{NEW}", NEXT, message="out")
    clone = tmp_path / "clone"
    args = ("clone", "--quiet", "--bare", "--depth=3", "--no-single-branch", repo.path.as_uri(), str(clone))
    subprocess.run(["git", *args], check=True, env=git_env())
    report = notes_for(open_at(clone, CUT, person=PERSON), Version(NEW))
    assert [t.title for t in report.notes.told] == ["fix: by an old hand (#6)"]
    assert report.notes.people.first_time is None
    assert "for the first time" not in report.markdown()
    whole = repo.report(NEW).notes.people.first_time
    assert whole == (), "the whole history knows better"


def test_N2_who_was_there_is_kept_between_runs_and_a_spoilt_cache_is_no_matter(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 000 commits are read once."""
    repo.change("fix: a (#2)", author="New <new@example.org>")
    repo.cut(BRANCH)
    kept = Kept(tmp_path / "kept.sqlite")
    app = repo.app()
    previous, tip = repo.tip("v0.1.0"), repo.tip(BRANCH)
    first = people.read_noted(app.repo, previous, tip, kept)
    asked: list[tuple[str, ...]] = []
    run = app.repo.git.run

    def counted(*args: str, **how: bytes | None) -> str:
        asked.append(args)
        return run(*args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(app.repo.git, "run", counted)
    assert people.read_noted(app.repo, previous, tip, kept) == first
    assert not [a for a in asked if previous in a and "log" in a], "the history before is not read again"
    kept.put(people._KIND, {f"{previous} ": b'{"not": "a list"}'})
    assert people.read_noted(app.repo, previous, tip, kept) == first
    assert [a for a in asked if previous in a and "log" in a]


def test_N2_labels_from_a_file_decide_section_and_group(tmp_path: Path) -> None:
    """A forge knows them; a file can say them too."""
    rules = '[[notes.groups]]\ntitle = "Speed"\nlabels = ["perf*"]\n'
    repo = Repo(tmp_path / "repo", rules)
    repo.change("feat: one (#2)")
    repo.change("Two (#3)")
    repo.cut(BRANCH)
    file = tmp_path / "labels"
    for text in (json.dumps({"2": ["bug"], "3": ["Performance"]}), "pr,labels\n#2,bug\n3, Performance \n\n"):
        file.write_text(text)
        told = notes_for(repo.app(), Version(OLD), labels=read_labels(file)).notes.told
        assert [(t.pr, t.section, t.group) for t in told] == [(2, "fixes", None), (3, "improvements", 0)]


def test_N2_a_release_from_a_branch_that_was_merged_back_is_where_the_next_notes_begin(repo: Repo) -> None:
    """Its tag is no commit of the trunk itself: what both held before they parted is not told again."""
    repo.change("In the first (#2)")
    repo.tag("v0.1.1", message="v0.1.1")
    repo.change("Before they parted (#3)")
    repo.branch("stable", "main")
    repo.change("Only on stable (#4)", branch="stable")
    repo.tag("v0.1.2", at="stable", message="v0.1.2")
    repo.change("Meanwhile on the trunk (#5)")
    merged = repo.run("merge-tree", "--write-tree", "main", "stable").splitlines()[0]
    tip = repo.run("commit-tree", merged, "-p", "main", "-p", "stable", "-m", "Merge branch 'stable'")
    repo.run("update-ref", "refs/heads/main", tip)
    repo.change("After it (#6)")
    wanted = ["Meanwhile on the trunk (#5)", "After it (#6)"]
    assert repo.told("0.1.3") == wanted
    repo.cut("releases/v0.1.3")
    assert repo.told("0.1.3") == wanted
    repo.tag("v0.1.3", at="releases/v0.1.3", message="v0.1.3")
    assert repo.told("0.1.3") == wanted
