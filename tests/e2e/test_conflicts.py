"""Conflicts and their workspaces with real git: one pick conflicts, the others go on; a person resolves, another
approves, and what is applied says so (issue 4: "Never resolve silently, never ``-X theirs``")."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from trainkit import BRANCH, CUT, PICKS, Project, ask, grow_trunk, kinds, make_project, only, open_at, settle

from headway import controls, picking
from headway.app import Headway
from headway.auditing import look
from headway.model.entry import Entry, Kind, broken_links
from headway.model.pick import Claims, PickRequest
from headway.model.reason import Reason
from headway.model.text import facts_json
from headway.refusal import Refused
from headway.resolving import Resolved, resolve, resolve_revert, shown, shown_revert
from headway.views.acts import Verb, train_acts

TICKER = Path(__file__).parent.parent / "ticker.py"
LATER = PICKS + timedelta(hours=3)
RESOLVED = "def parse(text):\n    return text.split() or []\n"


@dataclass
class Conflicted:
    """A branch onto which #5 (docs) applies and #7 does not: it mends what #6, a feature, brought."""

    project: Project
    request: int

    @property
    def path(self) -> Path:
        return self.project.path

    @property
    def workspace(self) -> str:
        return f"conflict/{BRANCH}/{self.project.shas['on-feature'][:12]}"

    def app(self, at: datetime = PICKS, person: str = "Rosa") -> Headway:
        return open_at(self.path, at, person=person)

    def commit(self, files: dict[str, str | None], subject: str = "Resolve") -> str:
        return self.project.made.commit(subject, files, branch=self.workspace, when=PICKS)

    def wait(self, code: str, at: datetime = PICKS) -> Reason:
        return next(w for w in self.app(at).train("0.1.1").waits if w.code == code)


def critical(app: Headway, ref: str) -> Entry:
    request = PickRequest(ref, "critical", "it crashes", ("https://example.org/crash",), Claims(symptom="crash"))
    return picking.request_pick(app, request).entry


def approve_pick(app: Headway, request: int) -> None:
    given = controls.approve(app, "0.1.1", f"pick:{request}")
    assert isinstance(given, Entry), given


@pytest.fixture
def conflicted(tmp_path: Path) -> Conflicted:
    project = make_project(tmp_path / "toy.git")
    settle(open_at(project.path, CUT))
    grow_trunk(project)
    app = open_at(project.path, PICKS)
    ask(app, "#5", "docs")
    return Conflicted(project, critical(app, "#7").seq)


def refused(app: Headway, request: int, rev: str | None = None) -> dict[str, Reason]:
    answer = resolve(app, request, rev)
    assert isinstance(answer, Refused), answer
    assert all(r.clause and r.facts and str(r.remedy) for r in answer.reasons)
    return {r.code: r for r in answer.reasons}


def resolved(app: Headway, request: int, rev: str | None = None) -> Resolved:
    answer = resolve(app, request, rev)
    assert isinstance(answer, Resolved), answer
    return answer


def test_a_conflict_never_blocks_the_rest(conflicted: Conflicted) -> None:
    """The other pick is applied and gets its candidate; the conflict is on a branch of its own, with the markers, the
    commands to finish and the prerequisites that would make it clean."""
    git, shas = conflicted.project.git, conflicted.project.shas
    done, _ = settle(conflicted.app())
    assert done == ["apply", "open-workspace", "tag-candidate", "build", "test", "stage"]
    tip = git("rev-parse", BRANCH)
    assert "[Doc] How to install (#5)" in git("log", "--format=%s", BRANCH)
    assert git("rev-parse", "v0.1.1-rc2^{commit}") == tip

    assert git("rev-parse", f"{conflicted.workspace}^") == tip
    text = git("show", f"{conflicted.workspace}:toykit/parse.py").splitlines()
    assert text[0] == f"<<<<<<< {BRANCH}"
    assert text[-1] == f">>>>>>> {shas['on-feature'][:12]} ([Bugfix] Colours of nothing (#7))"
    message = git("show", "-s", "--format=%B", conflicted.workspace)
    for words in (
        f"git switch {conflicted.workspace}",
        "git commit -a",
        f"headway pick resolve {conflicted.request}",
        f"{shas['feature'][:12]} [Feature] Colours (#6)",
        f"(cherry picked from commit {shas['on-feature']})",
    ):
        assert words in message
    entry = only(conflicted.app(), Kind.CONFLICTED, "0.1.1")
    assert entry.payload["prerequisites"] == [shas["feature"]]
    assert (entry.payload["commit"], entry.actor) == (git("rev-parse", conflicted.workspace), "headway")
    wait = conflicted.wait("picks.conflict")
    assert f"`git switch {conflicted.workspace}`" in str(wait.remedy)
    assert f"`headway pick resolve {conflicted.request}`" in str(wait.remedy)
    assert shas["feature"][:12] in str(wait.remedy)
    assert settle(conflicted.app())[0] == []


def test_a_conflict_offers_nobody_a_waiver_that_would_change_nothing(conflicted: Conflicted) -> None:
    settle(conflicted.app())
    app = conflicted.app()
    waits = app.train("0.1.1")
    assert "P8" in {w.clause for w in waits.waits if w.code == "picks.conflict"}
    assert "P8" in app.policy.waivers.clauses
    assert "P8" not in {a.of for a in train_acts(waits, app.policy, app.entries()) if a.verb is Verb.WAIVE}


def test_what_is_no_resolution_is_refused_and_writes_nothing(conflicted: Conflicted) -> None:
    """Markers left, nothing changed, paths of something else, not made on the workspace: each with its remedy."""
    settle(conflicted.app())
    before = kinds(conflicted.app())
    assert set(refused(conflicted.app(), conflicted.request)) == {"resolve.unchanged"}
    markers = conflicted.project.git("show", f"{conflicted.workspace}:toykit/parse.py")
    conflicted.commit({"toykit/parse.py": markers.replace("<<<<<<<", "<<<<<<< mine") + "\n"})
    found = refused(conflicted.app(), conflicted.request)
    assert set(found) == {"resolve.markers"}
    assert facts_json(found["resolve.markers"].facts)["paths"] == ["toykit/parse.py"]
    conflicted.commit({"toykit/parse.py": RESOLVED, "toykit/count.py": "def count(xs):\n    return 0\n"})
    found = refused(conflicted.app(), conflicted.request)
    assert set(found) == {"resolve.other-paths"}
    assert facts_json(found["resolve.other-paths"].facts)["paths"] == ["toykit/count.py"]
    assert set(refused(conflicted.app(), conflicted.request, BRANCH)) == {"resolve.elsewhere"}
    base = conflicted.project.git("show", f"{BRANCH}:toykit/parse.py") + "\n"
    count = conflicted.project.git("show", f"{BRANCH}:toykit/count.py") + "\n"
    conflicted.commit({"toykit/parse.py": base, "toykit/count.py": count})
    assert set(refused(conflicted.app(), conflicted.request)) == {"resolve.empty"}
    docs = next(e.seq for e in conflicted.app().entries() if e.payload.get("category") == "docs")
    assert set(refused(conflicted.app(), docs)) == {"pick.applied"}
    assert kinds(conflicted.app()) == before
    assert conflicted.project.ref("refs/headway/resolutions") is None


def test_a_resolution_is_recorded_compared_approved_by_another_and_applied_with_its_trailer(
    conflicted: Conflicted,
) -> None:
    """The person's resolution is recorded as such and diffed against the origin for the reviewers."""
    git, shas = conflicted.project.git, conflicted.project.shas
    settle(conflicted.app())
    commit = conflicted.commit({"toykit/parse.py": RESOLVED})
    answer = resolved(conflicted.app(person="Rosa"), conflicted.request)
    assert (answer.entry.actor, answer.needs.approvals, answer.conflicts) == ("Rosa", 1, ())
    p = answer.entry.payload
    assert (p["commit"], p["tree"], p["tip"]) == (
        commit,
        git("rev-parse", f"{commit}^{{tree}}"),
        git("rev-parse", BRANCH),
    )
    assert git("for-each-ref", "--format=%(objectname)", "refs/headway/resolutions") == commit
    assert set(refused(conflicted.app(), conflicted.request)) == {"resolve.known"}

    page = shown(conflicted.app(), conflicted.request)
    (_, difference) = page.differences[0]
    assert page.row.state == "needs-review"
    assert difference is not None
    assert "+    return text.split() or []" in difference
    assert settle(conflicted.app())[0] == []
    own = controls.approve(conflicted.app(person="Rosa"), "0.1.1", f"pick:{conflicted.request}")
    assert isinstance(own, Refused)
    assert [r.code for r in own.reasons] == ["approve.own-resolution"]
    approve_pick(conflicted.app(person="Sam"), conflicted.request)
    assert settle(conflicted.app())[0][:2] == ["apply", "tag-candidate"]

    body = git("show", "-s", "--format=%B", BRANCH)
    assert body.splitlines()[-2:] == [f"(cherry picked from commit {shas['on-feature']})", "Resolved-by: Rosa"]
    assert git("show", f"{BRANCH}:toykit/parse.py") + "\n" == RESOLVED
    (row,) = [
        c for e in conflicted.app().entries() if e.kind is Kind.APPLIED for c in e.payload["changes"] if c["resolved"]
    ]
    assert (row["resolved"], row["commit"]) == (answer.entry.seq, git("rev-parse", BRANCH))
    assert shown(conflicted.app(), conflicted.request).row.state == "applied"
    assert broken_links(conflicted.app().entries()) == ()


def apply_resolution(conflicted: Conflicted, at: datetime = PICKS) -> list[str]:
    """Resolved by one person, approved by another; what the next ticks do."""
    conflicted.commit({"toykit/parse.py": RESOLVED})
    resolved(conflicted.app(at), conflicted.request)
    approve_pick(conflicted.app(at, person="Sam"), conflicted.request)
    return settle(conflicted.app(at))[0]


def test_the_audit_explains_what_was_resolved(conflicted: Conflicted) -> None:
    """It holds another content than its origin, and its line of ``-x`` and the ledger say what it is."""
    settle(conflicted.app())
    apply_resolution(conflicted)
    tip = conflicted.project.git("rev-parse", BRANCH)
    looked = look(conflicted.app(), BRANCH)
    row = next(r for r in looked.audit.commits if r.commit.sha == tip)
    assert row.identity.origins == (conflicted.project.shas["on-feature"],)
    assert not [w for w in conflicted.app().train("0.1.1").waits if w.code == "branch.unexplained"]


def test_ticks_that_are_killed_between_the_steps_leave_one_workspace(conflicted: Conflicted, tmp_path: Path) -> None:
    """Killed before, between making the branch and writing it down, and after: the same branch, one entry."""
    killed = run_ticks(conflicted.path, tmp_path / "stops")
    steps = (tmp_path / "stops").read_text().splitlines()
    assert killed == len(steps)
    assert {s.split(":")[0] for s in steps if conflicted.workspace in s} == {
        "before",
        "workspace",
        "unrecorded",
        "after",
    }
    entry = only(conflicted.app(), Kind.CONFLICTED, "0.1.1")
    refs = conflicted.project.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads/conflict")
    assert refs == f"{conflicted.workspace} {entry.payload['commit']}"
    assert entry.payload["base"] == entry.payload["tip"] == conflicted.project.git("rev-parse", BRANCH)
    assert broken_links(conflicted.app().entries()) == ()


def test_a_person_who_is_faster_than_the_record_keeps_what_they_did(conflicted: Conflicted) -> None:
    """Killed before it was written down; a person works on the branch already: it is found, not made anew."""

    def stop(name: str) -> None:
        if name.startswith("unrecorded:open-workspace"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_at(conflicted.path, PICKS, stop).tick(settle=True)
    laid = conflicted.project.git("rev-parse", conflicted.workspace)
    mine = conflicted.commit({"toykit/parse.py": RESOLVED})
    settle(conflicted.app(LATER))
    entry = only(conflicted.app(), Kind.CONFLICTED, "0.1.1")
    assert (entry.payload["commit"], entry.payload["workspace"]) == (laid, conflicted.workspace)
    assert conflicted.project.git("rev-parse", conflicted.workspace) == mine
    assert resolved(conflicted.app(), conflicted.request).entry.payload["commit"] == mine


def test_a_branch_of_that_name_that_is_somebody_elses_is_left_alone(conflicted: Conflicted) -> None:
    project = conflicted.project
    theirs = project.commit("theirs", "Mine (#20)", {"mine.txt": "mine\n"}, branch=conflicted.workspace)
    settle(conflicted.app())
    entry = only(conflicted.app(), Kind.CONFLICTED, "0.1.1")
    assert entry.payload["workspace"] == f"{conflicted.workspace}-2"
    assert project.git("rev-parse", conflicted.workspace) == theirs
    assert project.git("rev-parse", entry.payload["workspace"]) == entry.payload["commit"]


def test_a_hook_that_refuses_the_workspace_does_not_stop_the_train(conflicted: Conflicted) -> None:
    """What git said is a fact, and the person is told the way without a workspace."""
    hook = conflicted.path / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\n"
        '[ "$1" = prepared ] || exit 0\n'
        "! grep -q refs/heads/conflict/ || { echo no workspaces here >&2; exit 1; }\n"
    )
    hook.chmod(0o755)
    assert settle(conflicted.app())[0] == ["apply", "open-workspace", "tag-candidate", "build", "test", "stage"]
    wait = conflicted.wait("picks.conflict")
    assert "git cherry-pick -x" in str(wait.remedy)
    assert facts_json(wait.facts)["workspace"] is None
    assert facts_json(wait.facts)["refused"]
    hook.unlink()
    ask(conflicted.app(), conflicted.project.shas["ci"], "release-branch")
    assert "open-workspace" in settle(conflicted.app())[0], "tried again when the branch has moved"


def test_a_resolution_is_merged_into_the_branch_as_it_is_when_it_is_approved(conflicted: Conflicted) -> None:
    """The branch moves on after it was made: another pick comes between, and both are there."""
    settle(conflicted.app())
    conflicted.commit({"toykit/parse.py": RESOLVED})
    resolved(conflicted.app(), conflicted.request)
    critical(conflicted.app(), "#4")
    assert "apply" in settle(conflicted.app())[0]
    approve_pick(conflicted.app(person="Sam"), conflicted.request)
    assert "apply" in settle(conflicted.app())[0]
    git = conflicted.project.git
    assert git("show", f"{BRANCH}:toykit/parse.py") + "\n" == RESOLVED
    assert "return len(xs)\n" in git("show", f"{BRANCH}:toykit/count.py") + "\n"
    assert git("diff", "--name-only", f"{BRANCH}^", BRANCH) == "toykit/parse.py"


def test_a_resolution_that_conflicts_with_what_came_meanwhile_says_so_and_is_not_applied(
    conflicted: Conflicted,
) -> None:
    """A new workspace holds it and the branch's new state; the old one keeps the person's commit."""
    project = conflicted.project
    settle(conflicted.app())
    mine = conflicted.commit({"toykit/parse.py": RESOLVED})
    resolved(conflicted.app(), conflicted.request)
    project.commit(
        "hand", "Split at commas", {"toykit/parse.py": "def parse(text):\n    return text.split(',')\n"}, branch=BRANCH
    )
    tip = project.git("rev-parse", BRANCH)
    approve_pick(conflicted.app(person="Sam"), conflicted.request)
    wait = conflicted.wait("picks.conflict")
    assert "the resolution of request" in str(wait.text)
    assert "apply" not in settle(conflicted.app())[0]
    assert project.git("rev-parse", BRANCH) == tip
    assert project.git("rev-parse", conflicted.workspace) == mine
    second = f"{conflicted.workspace}-2"
    text = project.git("show", f"{second}:toykit/parse.py")
    assert "split(',')" in text
    assert "or []" in text
    assert text.count("<<<<<<<") == 1
    both = "def parse(text):\n    return text.split(',') or []\n"
    project.made.commit("Both", {"toykit/parse.py": both}, branch=second)
    resolved(conflicted.app(), conflicted.request)
    assert "picks.needs-review" in {w.code for w in conflicted.app().train("0.1.1").waits}, "it is another resolution"
    approve_pick(conflicted.app(person="Sam"), conflicted.request)
    assert "apply" in settle(conflicted.app())[0]
    assert project.git("show", f"{BRANCH}:toykit/parse.py") + "\n" == both


def test_a_resolution_that_the_branch_outran_is_told_at_once(conflicted: Conflicted) -> None:
    settle(conflicted.app())
    conflicted.commit({"toykit/parse.py": RESOLVED})
    split = "def parse(text):\n    return text.split(',')\n"
    conflicted.project.commit("hand", "Split at commas", {"toykit/parse.py": split}, branch=BRANCH)
    assert resolved(conflicted.app(), conflicted.request).conflicts == ("toykit/parse.py",)


def run_ticks(path: Path, stops: Path) -> int:
    """Ticks until only waits are left, killed at each step once; how often."""
    args = [sys.executable, str(TICKER), str(path), PICKS.isoformat(), str(stops)]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


COUNT = "def count(xs):\n    return len([x for x in xs if x is not None]) - 1\n"


def test_a_revert_that_conflicts_is_resolved_on_its_workspace_and_applied_when_approved(tmp_path: Path) -> None:
    """B6: the trunk undid what the branch built upon; the same way as a pick, and the final waits for it."""
    project = make_project(tmp_path / "toy.git")
    project.commit("fast", "[Core] Count faster (#3)", {"toykit/count.py": "def count(xs):\n    return len(xs) - 2\n"})
    settle(open_at(project.path, CUT))
    project.commit("none", "[Bugfix] Count what is there (#4)", {"toykit/count.py": COUNT}, when=CUT)
    app = open_at(project.path, PICKS)
    ask(app, "#4", "regression")
    settle(app)
    fast = project.shas["fast"]
    revert = project.commit(
        "undo",
        'Revert "[Core] Count faster (#3)" (#9)',
        {"toykit/count.py": COUNT.replace("- 1", "- 0")},
        body=f"This reverts commit {fast}.",
        when=CUT,
    )
    done, waits = settle(open_at(project.path, LATER))
    assert done[0] == "open-workspace"
    (wait,) = [w for w in waits if w.code == "reverts.conflict"]
    workspace = str(facts_json(wait.facts)["workspace"])
    assert project.git("show", f"{workspace}:toykit/count.py").splitlines()[1] == f"<<<<<<< {BRANCH}"
    assert f"headway pick resolve {fast[:12]}" in project.git("show", "-s", "--format=%B", workspace)

    app = open_at(project.path, LATER)
    assert isinstance(resolve_revert(app, fast[:12], None), Refused)
    project.made.commit("Without it", {"toykit/count.py": COUNT.replace(" - 1", "")}, branch=workspace, when=LATER)
    found = resolve_revert(app, fast[:12], None)
    assert isinstance(found, Resolved)
    assert (found.needs.approvals, found.needs.but) == (1, ("Rosa",))
    assert isinstance(controls.approve(app, "0.1.1", f"revert:{fast[:12]}"), Refused)
    assert "if x is not None" in str(shown_revert(app, fast[:12]).difference)
    given = controls.approve(open_at(project.path, LATER, person="Bo"), "0.1.1", f"revert:{fast[:12]}")
    assert isinstance(given, Entry)
    done, waits = settle(open_at(project.path, LATER))
    assert done[0] == "apply"
    assert not [w for w in waits if w.clause == "B6"]
    message = project.git("log", "-1", "--format=%B", BRANCH)
    assert f"(cherry picked from commit {revert})" in message
    assert "Resolved-by: Rosa" in message
    assert project.git("show", f"{BRANCH}:toykit/count.py") == COUNT.replace(" - 1", "").strip()
    assert broken_links(app.entries()) == ()
