"""A whole train, end to end: its end state in full, and every way to tamper with it found."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from gitmaker import git_env
from trainkit import (
    BRANCH,
    CUT,
    FIX,
    GO,
    PERSON,
    PICKS,
    POST,
    Project,
    approve,
    ask,
    careful_settle,
    grow_trunk,
    make_project,
    only,
    open_at,
    settle,
    tree_digest,
    verify,
)

from headway.acting import Done
from headway.app import Headway
from headway.effects.build import artifact_of
from headway.model.entry import Kind, broken_links, digest_of
from headway.model.reason import Reason
from headway.model.text import facts_json
from headway.picking import Requested
from headway.plan.actions import ApplyChanges
from headway.simple import parse_html

RC1, RC2, FINAL = "v0.1.1-rc1", "v0.1.1-rc2", "v0.1.1"
POST_RC, POST_FINAL = "v0.1.1.post1-rc1", "v0.1.1.post1"


@dataclass
class Ride:
    """A finished train, and what was seen on the way."""

    project: Project
    asked: dict[str, Requested] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    tips: list[str] = field(default_factory=list)
    conflict: Reason | None = None
    approved: tuple[Reason, ...] = ()
    lapsed: tuple[Reason, ...] = ()
    own: tuple[str, str] = ("", "")

    @property
    def path(self) -> Path:
        return self.project.path

    def now(self, at: datetime = POST) -> Headway:
        return open_at(self.path, at)


def whole_ride(project: Project, news: Callable[[], object], own: Callable[[], str]) -> Ride:
    """Cut, picks, rc1, approval, one more pick, rc2, approval, release, post release.

    ``news`` brings what is new to the repository that Headway is given; ``own`` is the digest of what is the user's.
    """
    path, ride = project.path, Ride(project)
    before = own()

    def ticked(at: datetime) -> tuple[Reason, ...]:
        done, waits = careful_settle(open_at(path, at), lambda: tree_digest(path))
        ride.done += done
        ride.tips.append(project.git("rev-parse", BRANCH))
        return waits

    done, _ = open_at(path, CUT).tick()
    ride.done += done
    ride.tips.append(project.git("rev-parse", BRANCH))
    grow_trunk(project)
    news()
    app = open_at(path, PICKS)
    for name, ref, category in (
        ("docs", "#5", "docs"),
        ("fix", "#4", "regression"),
        ("feature", "#6", "new-feature-fix"),
        ("unmerged", project.shas["unmerged"], "critical"),
        ("on-feature", "#7", "new-feature-fix"),
        ("no-category", "#7", ""),
    ):
        ride.asked[name] = ask(app, ref, category, "https://example.org/why")
    waits = ticked(PICKS)
    ride.conflict = next((w for w in waits if w.code == "picks.conflict"), None)
    approve(open_at(path, PICKS), "0.1.1")
    ride.approved = open_at(path, PICKS).train("0.1.1").waits
    ride.asked["ci"] = ask(open_at(path, PICKS), project.shas["ci"], "release-branch")
    ride.lapsed = ticked(PICKS)
    approve(open_at(path, GO), "0.1.1")
    ticked(GO)

    project.commit("again", "[Bugfix] Count nothing (#9)", {"toykit/count.py": FIX + "\n\nNOTHING = 0\n"})
    news()
    ride.asked["post-docs"] = ask(open_at(path, POST), "#5", "docs")
    ride.asked["post"] = ask(open_at(path, POST), "#9", "critical", "https://example.org/crash")
    ticked(POST)
    approve(open_at(path, POST), "0.1.1.post1")
    ticked(POST)
    ride.own = (before, own())
    return ride


def bare_ride(folder: Path) -> Ride:
    """On a bare repository that others push to, with a real back-end."""
    project = make_project(folder / "toy.git", own_backend=False)
    config = [folder / "toy.git" / name for name in ("HEAD", "config", "description")]
    return whole_ride(project, lambda: None, lambda: digest_of([p.read_text() for p in config]))


def clone_ride(folder: Path) -> Ride:
    """In a clone whose work tree and index are in the middle of something."""
    upstream = make_project(folder / "upstream", bare=False)
    clone = folder / "clone"
    upstream.git("clone", "--quiet", str(upstream.path), str(clone))
    project = Project(upstream.made, clone, upstream.shas)
    project.git("checkout", "--quiet", "-b", "mine")
    (clone / "toykit" / "count.py").write_text("half = 'done'\n")
    project.git("add", "toykit/count.py")
    (clone / "toykit" / "count.py").write_text("half = 'done' and changed again\n")
    (clone / "toykit" / "table.py").unlink()
    (clone / "untracked.txt").write_text("keep me\n")
    git = clone / ".git"

    def own() -> str:
        files = [git / name for name in ("HEAD", "config", "index", "refs/heads/mine")]
        return digest_of([artifact_of(p).sha256 for p in files]) + tree_digest(clone, without=(".git",))

    return whole_ride(project, lambda: project.git("fetch", "--quiet"), own)


@pytest.fixture(scope="module", params=["bare", "clone"])
def ride(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ride:
    return {"bare": bare_ride, "clone": clone_ride}[request.param](tmp_path_factory.mktemp(request.param))


def commits_of(project: Project, range_: str) -> list[str]:
    return project.git("rev-list", "--reverse", "--topo-order", range_).splitlines()


def said(project: Project, form: str, sha: str) -> str:
    return project.git("log", "-1", f"--format={form}", sha)


def test_the_gate_refuses_with_its_clauses_and_lets_the_rest_in(ride: Ride) -> None:
    """P1, P7, P8, V4."""
    answers = {name: (str(a.answer.verdict), [v.clause for v in a.answer.violations]) for name, a in ride.asked.items()}
    assert answers == {
        "docs": ("accepted", []),
        "fix": ("accepted", []),
        "feature": ("refused", ["P7"]),
        "unmerged": ("refused", ["P8"]),
        "on-feature": ("accepted", []),
        "no-category": ("refused", ["P1", "P1"]),
        "ci": ("accepted", []),
        "post-docs": ("refused", ["V4", "P1"]),
        "post": ("accepted", []),
    }


def test_a_conflict_is_told_with_its_paths_and_blocks_only_itself(ride: Ride) -> None:
    """P8."""
    assert ride.conflict is not None
    known = facts_json(ride.conflict.facts)
    assert (ride.conflict.clause, known["conflicts"]) == ("P8", ["toykit/parse.py"])
    assert known["request"] == ride.asked["on-feature"].entry.seq
    assert not any(
        c.change.request == known["request"]
        for d in ride.done
        if isinstance(d.action, ApplyChanges)
        for c in d.action.changes
    )


def test_picks_and_the_trunk_revert_are_applied_in_trunk_order_with_their_origins(ride: Ride) -> None:
    """B6, P8: ``-x`` lines; what is off the trunk (P6) comes after."""
    p, shas = ride.project, ride.project.shas
    line = commits_of(p, f"{shas['docs0']}..{BRANCH}")
    origins = [shas[n] for n in ("fix", "docs", "revert", "ci", "again")]
    assert [said(p, "%B", c).rstrip("\n").splitlines()[-1] for c in line] == [
        f"(cherry picked from commit {o})" for o in origins
    ]
    entries = [e for e in ride.now().entries() if e.kind is Kind.APPLIED]
    assert [c["commit"] for e in entries for c in e.payload["changes"]] == line
    assert [c["origin"] for e in entries for c in e.payload["changes"]] == origins
    assert [(e.payload["before"], e.payload["after"]) for e in entries] == [
        (shas["docs0"], line[2]),
        (line[2], line[3]),
        (line[3], line[4]),
    ]
    assert said(p, "%s", line[2]) == 'Revert "[Core] Faster table (#2)"'
    assert f"This reverts commit {shas['table']}." in said(p, "%b", line[2])
    assert p.git("rev-parse", f"{line[2]}:toykit/table.py") == p.git("rev-parse", "v0.1.0:toykit/table.py")


def test_authors_and_their_dates_are_kept_and_headway_commits(ride: Ride) -> None:
    p, shas = ride.project, ride.project.shas
    line = commits_of(p, f"{shas['docs0']}..{BRANCH}")
    for copy, origin in zip(line, ("fix", "docs", "revert", "ci", "again"), strict=True):
        assert said(p, "%an <%ae> %ad", copy) == said(p, "%an <%ae> %ad", shas[origin])
        assert said(p, "%cn <%ce>", copy) == "Headway <headway@localhost>"
    assert [said(p, "%ct", c) for c in line] == [str(int(t.timestamp())) for t in (PICKS, PICKS, PICKS, PICKS, POST)]
    assert said(p, "%B", line[0]).startswith(
        "[Bugfix] Count all of them (#4)\n\nThe last one was left out.\n\n"
        "Signed-off-by: Grace Łø <grace@example.org>\n(cherry picked"
    )


def test_the_branch_only_moved_forward(ride: Ride) -> None:
    assert len(set(ride.tips)) == 4  # cut, rc1's changes, rc2's, the post release's
    for old, new in zip(ride.tips, ride.tips[1:], strict=False):
        ride.project.git("merge-base", "--is-ancestor", old, new)


def test_candidates_are_annotated_tags_on_the_branch_and_the_release_is_the_last_of_them(ride: Ride) -> None:
    """B4, B5, B3."""
    p, line = ride.project, commits_of(ride.project, f"{ride.project.shas['docs0']}..{BRANCH}")
    on = {RC1: line[2], RC2: line[3], FINAL: line[3], POST_RC: line[4], POST_FINAL: line[4]}
    tags = {t: p.git("rev-parse", f"{t}^{{commit}}") for t in p.git("tag", "--list", "v0.1.1*").splitlines()}
    assert tags == on
    assert {p.git("cat-file", "-t", t) for t in on} == {"tag"}
    tagger = p.git("cat-file", "-p", RC1).splitlines()[3]
    assert tagger == f"tagger Headway <headway@localhost> {int(PICKS.timestamp())} +0000"
    assert p.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/releases") == BRANCH


def test_the_final_tag_carries_the_notes(ride: Ride) -> None:
    """B5, N2."""
    p = ride.project
    notes = p.git("cat-file", "tag", FINAL).partition("\n\n")[2] + "\n"
    assert notes.startswith("# 0.1.1 (since 0.1.0)\n")
    assert "- [Bugfix] Count all of them (#4)" in notes
    assert "Faster table" not in notes  # it was taken back
    wheel = next(a for a in only_built(ride, RC2)["artifacts"] if a["file"].endswith(".whl"))
    assert f"- `toykit-0.1.1-py3-none-any.whl` `sha256:{wheel['sha256']}`" in notes
    released = only(ride.now(), Kind.RELEASED, "0.1.1")
    assert released.payload["notes_sha256"] in {digest_of(notes), digest_of(notes.rstrip("\n"))}


def only_built(ride: Ride, tag: str) -> dict[str, object]:
    found = [e for e in ride.now().entries() if e.kind is Kind.BUILT and e.payload["tag"] == tag]
    assert len(found) == 1
    return dict(found[0].payload)


@pytest.mark.parametrize(("version", "tag"), [("0.1.1", RC2), ("0.1.1.post1", POST_RC)])
def test_the_published_bytes_are_the_tested_bytes_under_the_final_version(ride: Ride, version: str, tag: str) -> None:
    """B4, B5, N1."""
    app = ride.now()
    built = {a["file"]: a["sha256"] for a in only_built(ride, tag)["artifacts"]}
    names = {f"toykit-{version}-py3-none-any.whl", f"toykit-{version}.tar.gz"}
    assert set(built) == names
    published = {f["file"]: f["sha256"] for f in only(app, Kind.PUBLISHED, version).payload["files"]}
    files = app.index_folder / "files" / "toykit"
    assert published == built == {n: artifact_of(files / n).sha256 for n in names}
    tested = [e.payload for e in app.entries() if e.kind is Kind.TESTED and e.payload["tag"] == tag]
    assert [(t["ok"], t["wheel"]) for t in tested] == [(True, built[f"toykit-{version}-py3-none-any.whl"])]
    with zipfile.ZipFile(files / f"toykit-{version}-py3-none-any.whl") as z:
        metadata = z.read(f"toykit-{version}.dist-info/METADATA").decode()
        assert z.read("toykit/count.py").decode().startswith(FIX)
    assert f"\nVersion: {version}\n" in metadata
    page = parse_html((app.index_folder / "simple" / "toykit" / "index.html").read_text(encoding="utf-8"))
    assert {o.file: o.sha256 for o in page if o.file in names} == built


def test_final_tags_build_nothing(ride: Ride) -> None:
    """B5: one build for each candidate, none after a final tag but the next candidate's."""
    app = ride.now()
    assert [e.payload["tag"] for e in app.entries() if e.kind is Kind.BUILT] == [RC1, RC2, POST_RC]
    assert sorted(p.name for p in (app.repo.state / "artifacts").iterdir()) == sorted([RC1, RC2, POST_RC])
    released = only(app, Kind.RELEASED, "0.1.1").seq
    assert not any(e.kind is Kind.BUILT and e.seq > released and e.train == "0.1.1" for e in app.entries())


def test_a_pick_after_rc1_gives_rc2_and_the_approval_lapses(ride: Ride) -> None:
    """G1, B4."""
    assert "G1" not in {w.clause for w in ride.approved}
    (again,) = [w for w in ride.lapsed if w.clause == "G1"]
    known = facts_json(again.facts)
    assert known["lapsed"] == [PERSON]
    assert known["commit"] == ride.project.git("rev-parse", f"{RC2}^{{commit}}")
    approvals = [e.payload["commit"] for e in ride.now().entries() if e.kind is Kind.APPROVED and e.train == "0.1.1"]
    assert approvals == [ride.project.git("rev-parse", f"{t}^{{commit}}") for t in (RC1, RC2)]


def test_what_was_done_stands_in_the_ledger_in_order(ride: Ride) -> None:
    app = ride.now()
    by_headway = [str(e.kind) for e in app.entries() if e.actor == "headway"]
    candidate = ["applied", "tagged", "built", "tested", "staged"]
    first = ["applied", "conflict", "tagged", "built", "tested", "staged"]  # what conflicts keeps nothing else back
    assert by_headway == ["cut", *first, *candidate, "published", "released", *candidate, "published", "released"]
    assert [d.entry for d in ride.done] == [e for e in app.entries() if e.actor == "headway"]
    assert broken_links(app.entries()) == ()


def test_the_repository_is_sound_and_what_is_the_users_is_untouched(ride: Ride) -> None:
    fsck = subprocess.run(
        ["git", "fsck", "--strict", "--no-dangling", "--no-progress"],
        cwd=ride.path,
        env=git_env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (fsck.returncode, fsck.stdout, fsck.stderr) == (0, "", "")
    assert ride.own[0] == ride.own[1]
    left = [p.name for p in ride.now().repo.state.iterdir() if p.name.startswith("export-")]
    assert left == []


def test_nothing_is_left_to_do_but_wait_for_the_next_train(ride: Ride) -> None:
    """C1, B2."""
    planned = ride.now().plan()
    assert planned.actions == ()
    assert [(t.train.name, [w.code for w in t.waits]) for t in planned.trains] == [("0.1.2", ["cut.too-early"])]


def test_verify_finds_nothing_against_either_release(ride: Ride) -> None:
    """B4, B5, E7, G1, G3, G4."""
    assert verify(ride.now(), "0.1.1") == ()
    assert verify(ride.now(), "0.1.1.post1") == ()


@dataclass
class Copy:
    """A copy of a finished train, to be tampered with."""

    project: Project
    app: Headway

    @property
    def ledger(self) -> Path:
        return self.app.repo.state / "ledger.db"

    def codes(self, version: str = "0.1.1") -> list[str]:
        return [r.code for r in verify(open_at(self.project.path, POST), version)]


@pytest.fixture
def copy(ride: Ride, tmp_path: Path) -> Copy:
    path = tmp_path / "copy"
    shutil.copytree(ride.path, path, symlinks=True)
    return Copy(Project(ride.project.made, path, ride.project.shas), open_at(path, POST))


def test_verify_finds_a_moved_final_tag(copy: Copy) -> None:
    """V5."""
    copy.project.git("tag", "--force", "-m", "moved", FINAL, RC1)
    assert "verify.tag-moved" in copy.codes()


def test_verify_finds_a_final_tag_without_notes(copy: Copy) -> None:
    """B5."""
    copy.project.git("tag", "--force", FINAL, f"{RC2}^{{commit}}")
    assert copy.codes() == ["verify.tag-plain"]


def test_verify_finds_a_candidate_that_is_elsewhere(copy: Copy) -> None:
    """B5."""
    copy.project.git("tag", "--force", "-m", "moved", RC2, RC1)
    assert "verify.other-commit" in copy.codes()


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_verify_finds_other_bytes_on_the_index(copy: Copy, how: str) -> None:
    """N1."""
    wheel = copy.app.index_folder / "files" / "toykit" / "toykit-0.1.1-py3-none-any.whl"
    if how == "gone":
        wheel.unlink()
    else:
        with wheel.open("ab") as f:
            f.write(b"\0")
    assert copy.codes() == ["verify.index-differs"]
    assert copy.codes("0.1.1.post1") == []


def unguarded(copy: Copy, statement: str) -> None:
    """Run a statement on the ledger with its guards taken down and put up again, as a cheat would."""
    with closing(sqlite3.connect(copy.ledger)) as db, db:
        guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        assert len(guards) == 3
        for name, _ in guards:
            db.execute(f"DROP TRIGGER {name}")
        assert db.execute(statement).rowcount == 1
        for _, sql in guards:
            db.execute(sql)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET payload = replace(payload, '\"ok\":true', '\"ok\":false') WHERE kind = 'tested' AND seq = "
        "(SELECT min(seq) FROM entries WHERE kind = 'tested')",
        "UPDATE entries SET actor = 'Somebody else' WHERE seq = (SELECT max(seq) FROM entries WHERE kind = 'approved')",
        "UPDATE entries SET at = '2025-01-01T00:00:00+00:00' WHERE kind = 'cut'",
        "DELETE FROM entries WHERE kind = 'cut'",
    ],
    ids=["payload", "actor", "time", "deleted"],
)
def test_verify_finds_an_altered_ledger(copy: Copy, statement: str) -> None:
    """G4."""
    unguarded(copy, statement)
    assert "ledger.chain" in copy.codes()


def test_verify_finds_a_release_cut_off_the_end_of_the_ledger(copy: Copy) -> None:
    """N1: a ledger without its last entry is a sound chain, but no complete release."""
    unguarded(copy, "DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)")
    assert copy.codes("0.1.1.post1") == ["verify.not-released"]


def test_a_foreign_commit_behind_the_release_is_not_in_its_proof_but_stops_the_next_one(copy: Copy) -> None:
    """G3: what was released stays proven; the next post release waits for somebody to explain it."""
    tree = copy.project.git("rev-parse", f"{BRANCH}^{{tree}}")
    foreign = copy.project.git("commit-tree", tree, "-p", BRANCH, "-m", "By hand")
    copy.project.git("update-ref", f"refs/heads/{BRANCH}", foreign)
    assert copy.codes() == []
    _, waits = settle(open_at(copy.project.path, POST), "0.1.1.post2")
    assert "G3" in {w.clause for w in waits}
