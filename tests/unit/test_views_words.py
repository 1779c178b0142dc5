"""Sentences: every action and every kind of entry has one, with its values; nothing in them is obeyed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from headway.decide.blocks import JobBlocks
from headway.model.build import Artifact, FinishedRun
from headway.model.entry import GENESIS, Entry, Kind
from headway.model.hub import Outcome
from headway.model.image import CandidateImage
from headway.model.measurement import Cell
from headway.model.pick import ChangeKind, PendingChange
from headway.model.text import clean
from headway.plan import actions as a
from headway.plan import hub_actions as h
from headway.plan.build_actions import StartBuild
from headway.plan.image_actions import PromotedImage
from headway.plan.trust_actions import DescribeCandidate, DraftRelease
from headway.views.timeline import timeline, words_of
from headway.views.words import action_text

SHA, OTHER = "a1b2c3d4e5f6" + "0" * 28, "f" * 40
WHEEL = Artifact("toy-0.1.1-py3-none-any.whl", "0" * 64, 1)
CELL = Cell("toy", "cpu", "decode")
BLOCKS = JobBlocks((CELL,), (3, 4, 5))
IMAGE = CandidateImage("r.example/toy", "rc1", f"sha256:{'0' * 64}", "application/x", ("linux/amd64",), 1)


def change(subject: str, kind: ChangeKind = ChangeKind.PICK) -> PendingChange:
    return PendingChange(kind, SHA, 5, None, subject)


ACTIONS: list[tuple[a.Action, str]] = [
    (a.CheckCommit("0.1.1", SHA), "run the policy's check on trunk commit a1b2c3d4e5f6"),
    (a.CutBranch("0.1.1", "releases/v0.1.1", SHA), "cut releases/v0.1.1 from trunk commit a1b2c3d4e5f6"),
    (
        a.ApplyChanges("0.1.1", "rel", SHA, (a.PlannedChange(change("Fix (#4)"), OTHER),)),
        "apply to rel: Fix (#4)",
    ),
    (
        a.ApplyChanges("0.1.1", "rel", SHA, tuple(a.PlannedChange(change(s), OTHER) for s in "ABCDE")),
        "apply to rel: A, B, C and 2 more",
    ),
    (a.RecordApplied("0.1.1", "rel", SHA, OTHER, ()), "write down what is on rel already"),
    (
        a.OpenWorkspace("0.1.1", "rel", SHA, "conflict/rel/a1b2", change("Fix (#4)"), ("a.py",)),
        "put the conflict of Fix (#4) with rel on conflict/rel/a1b2, for a person to resolve",
    ),
    (
        a.PrepareEmbargoed("0.1.1", "rel", "embargo/rel", None, SHA, (a.PlannedChange(change("Fix (#4)"), OTHER),)),
        "put 1 embargoed picks on the private branch embargo/rel",
    ),
    (a.OpenDebt("0.1.1", "rel", 5, SHA, OTHER), "write down that the trunk lacks a1b2c3d4e5f6"),
    (a.PayDebt("0.1.1", 5, SHA, OTHER), "write down that the trunk has a1b2c3d4e5f6 now, in ffffffffffff"),
    (a.TagCandidate("0.1.1", "v0.1.1-rc1", SHA), "tag a1b2c3d4e5f6 as candidate v0.1.1-rc1"),
    (a.BuildCandidate("0.1.1", "v0.1.1-rc1", SHA, "0.1.1"), "build v0.1.1-rc1 as version 0.1.1"),
    (
        a.BuildCandidate("0.1.1", "v0.1.1-rc1", SHA, "0.1.1", run=FinishedRun(7, "https://ci/7", 60.0, "")),
        "take the build of v0.1.1-rc1 from https://ci/7",
    ),
    (
        StartBuild("0.1.1", "v0.1.1-rc1", SHA, "0.1.1", "headway-v0.1.1-rc1-1", False, ()),
        "bring v0.1.1-rc1 to the CI, which builds it as version 0.1.1",
    ),
    (
        StartBuild("0.1.1", "v0.1.1-rc1", SHA, "0.1.1", "headway-v0.1.1-rc1-2", True, (7,)),
        "dispatch the CI build of v0.1.1-rc1 as version 0.1.1",
    ),
    (
        a.StageCandidate("0.1.1", "v0.1.1-rc1", SHA, (WHEEL,), False),
        "offer v0.1.1-rc1 to testers in an index of its own",
    ),
    (
        a.StageCandidate("0.1.1", "v0.1.1-rc1", SHA, (WHEEL,), True),
        "publish v0.1.1-rc1 on the index as a pre-release, for testers",
    ),
    (
        a.RepackCandidate("0.1.1", "v0.1.1-rc1", SHA, (WHEEL,), "0.1.1rc1"),
        "re-pack v0.1.1-rc1 as 0.1.1, prove it and try it",
    ),
    (
        a.TestCandidate("0.1.1", "v0.1.1-rc1", SHA, "0.1.1", WHEEL, (WHEEL,), "0.1.0", None),
        "test toy-0.1.1-py3-none-any.whl of v0.1.1-rc1 in a fresh environment",
    ),
    (
        a.RecordCheck("0.1.1", "smoke", "gpu / smoke", "", "v0.1.1-rc1", SHA, WHEEL.sha256, "success", "https://ci/1"),
        "write down what gpu / smoke said of v0.1.1-rc1: success",
    ),
    (
        a.RunGate("0.1.1", "accuracy", "v0.1.1-rc1", SHA, "0.1.1", WHEEL),
        "run gate accuracy on toy-0.1.1-py3-none-any.whl of v0.1.1-rc1",
    ),
    (
        a.MeasureCandidate("0.1.1", "v0.1.1-rc1", SHA, "rel", OTHER, "0.1.0", WHEEL, (BLOCKS,)),
        "measure v0.1.1-rc1 against 0.1.0, blocks 4 to 6",
    ),
    (
        a.ProbeCommit("0.1.1", "v0.1.1-rc1", SHA, "0.1.1", OTHER, "0.1.0", CELL, "median_tpot_ms", 0, 2),
        "build and measure a1b2c3d4e5f6 to find what made v0.1.1-rc1 slower",
    ),
    (
        a.ProbeCommit("0.1.1", "v0.1.1-rc1", OTHER, "0.1.0", SHA, "0.1.1", CELL, "median_tpot_ms", 0, 3, True),
        "compare a1b2c3d4e5f6, suspected of having made v0.1.1-rc1 slower, with ffffffffffff, the one before it that "
        "can be measured",
    ),
    (
        a.NameCulprit("0.1.1", "v0.1.1-rc1", SHA, "Slow", 1.3, True, (SHA,), ((SHA, 0.99),)),
        "name a1b2c3d4e5f6 as the commit that made v0.1.1-rc1 slower",
    ),
    (
        a.NameCulprit("0.1.1", "v0.1.1-rc1", SHA, "Slow", 1.3, False, (OTHER, SHA), ((OTHER, 0.5), (SHA, 0.5))),
        "name 2 commits, one of which made v0.1.1-rc1 slower",
    ),
    (
        a.NameCulprit("0.1.1", "v0.1.1-rc1", SHA, "Slow", 1.3, False, (SHA,), ((SHA, 0.96),)),
        "name a1b2c3d4e5f6 as suspected of having made v0.1.1-rc1 slower",
    ),
    (
        DescribeCandidate("0.1.1", "v0.1.1-rc1", SHA, (WHEEL,), WHEEL.sha256, (), "", "", 4, OTHER),
        "write the bills of materials and the provenance of v0.1.1-rc1",
    ),
    (
        DraftRelease("0.1.1", "v0.1.1", SHA, "v0.1.1-rc1", "notes", (WHEEL,), ()),
        "draft the release v0.1.1 with its notes, files and documents",
    ),
    (a.Publish("0.1.1", "v0.1.1-rc1", SHA, (WHEEL,)), "publish the very files of v0.1.1-rc1 as 0.1.1"),
    (
        a.RecordImages("0.1.1", "v0.1.1-rc1", SHA, (IMAGE,)),
        "write down the images of v0.1.1-rc1: r.example/toy:rc1",
    ),
    (
        a.PublishImages("0.1.1", "v0.1.1-rc1", SHA, (PromotedImage(IMAGE, "v0.1.1", "latest"),), "0.1.1"),
        "release the very images of v0.1.1-rc1 as r.example/toy:v0.1.1",
    ),
    (a.Publish("0.1.1", "v0.1.1-rc1", SHA, (WHEEL,), True), "publish the re-packed files of v0.1.1-rc1 as 0.1.1"),
    (a.TagFinal("0.1.1", "v0.1.1", SHA, "notes"), "put the final tag v0.1.1 with its notes on a1b2c3d4e5f6"),
    (
        a.RecordIncident("0.1.1", "tag-moved", "v0.1.1", "9" * 40, SHA),
        "write down that the tag v0.1.1 was moved to a1b2c3d4e5f6",
    ),
    (
        a.RecordIncident("0.1.1", "tag-deleted", "v0.1.1", SHA, None),
        "write down that the tag v0.1.1 was deleted",
    ),
    (
        a.RecordIncident("0.1.1", "tag-restored", "v0.1.1", SHA, SHA),
        "write down that the tag v0.1.1 was put back",
    ),
    (a.RecordWithdrawal("0.1.1", True), "write down how the index offers 0.1.1 now"),
    (a.RecordCadence("", ("blackout",)), "write down that the cadence of the policy changed: blackout"),
]


BRANCHED = ("rel", SHA, None)
HUB_ACTIONS: list[tuple[h.HubAction, str]] = [
    (
        h.OpenPull("0.1.1", "conflict:0.1.1:3", "conflict/rel/a", "rel", SHA, None, "Conflict: Fix", "", draft=True),
        "open a draft pull request onto rel: Conflict: Fix",
    ),
    (
        h.OpenPull("0.1.1", "pull:0.1.1:3", "pick/rel/a", "rel", SHA, None, "Fix", "", draft=False),
        "open a pull request onto rel: Fix",
    ),
    (
        h.ProposeChanges("0.1.1", "pull:0.1.1:3", "pick/rel/a", *BRANCHED, (), "Fix", ""),
        "open a pull request onto rel: Fix",
    ),
    (h.ClosePull("0.1.1", "pull:0.1.1:3", 7, "It is over."), "close pull request #7: It is over."),
    (h.ClosePull("0.1.1", "pull:0.1.1:3", 7, ""), "write down that pull request #7 is over"),
    (
        h.DeleteBranch("0.1.1", "branch:pull:0.1.1:3", "pick/rel/a", SHA, 7),
        "delete the branch pick/rel/a of pull request #7, which is over",
    ),
    (h.WriteIssue("0.1.1", "tracker:0.1.1", 0, "Release", "", open=True), "bring the issue of 0.1.1 up to date"),
    (h.WriteIssue("0.1.1", "tracker:0.1.1", 7, "Release", "", open=False), "close the issue of 0.1.1"),
    (h.WriteComment("0.1.1", "milestone:0.1.1:7", 7, 0, ""), "answer on #7"),
    (
        h.WriteComment("0.1.1", "answer:5", 7, 0, "", "@ann", ("/pick it", "/hold v0.1.1 " + "x" * 90), ("no", "yes")),
        f"answer @ann on #7 that not all was done: /pick it, /hold v0.1.1 {'x' * 66}…",
    ),
    (
        h.WriteComment("0.1.1", "answer:5", 7, 0, "", "@ann", ("/pick it",), ("no",)),
        "answer @ann on #7 that it was not done: /pick it",
    ),
    (
        h.WriteComment("0.1.1", "answer:5", 7, 0, "", "@ann", ("/1", "/2", "/3", "/4"), ("yes", "yes", "yes", "open")),
        "answer @ann on #7 that somebody has to look at it: /1, /2, /3, …",
    ),
    (
        h.WriteComment("0.1.1", "answer:5", 7, 0, "", "@ann", ("/status",), ("yes",)),
        "answer @ann on #7 that it was done: /status",
    ),
    (
        h.WriteComment("0.1.1", "answer:5", 7, 12, "", "@ann", ("/status",), ("yes",)),
        "bring the answer to @ann on #7 up to date: /status",
    ),
    (
        h.WriteCheck("0.1.1", f"check:{SHA}", 7, SHA, "Headway", Outcome.REFUSED, "", "", "", ""),
        "say in the check of #7 what it would bring: refused",
    ),
]


@pytest.mark.parametrize(("action", "words"), HUB_ACTIONS)
def test_what_is_written_on_a_forge_in_a_sentence(action: h.HubAction, words: str) -> None:
    assert str(action_text(action)) == words


def test_no_action_on_a_forge_is_left_out() -> None:
    assert {type(x) for x, _ in HUB_ACTIONS} == set(get_args(h.HubAction))


@pytest.mark.parametrize(("action", "words"), ACTIONS, ids=[type(x).__name__ for x, _ in ACTIONS])
def test_an_action_in_a_sentence(action: a.Action, words: str) -> None:
    assert str(action_text(action)) == words


def test_no_action_is_left_out() -> None:
    assert {type(x) for x, _ in ACTIONS} == set(get_args(a.Action))


RC = {"tag": "v0.1.1-rc1", "commit": SHA}
GATED = {**RC, "gate": "suite", "url": ""}
ENTRIES: list[tuple[Kind, dict[str, Any], str, str | None]] = [
    (Kind.CHECKED, {"commit": SHA, "ok": True}, "trunk commit a1b2c3d4e5f6 passed the policy's check", "B2"),
    (Kind.CHECKED, {"commit": SHA, "ok": False}, "trunk commit a1b2c3d4e5f6 failed the policy's check", "B2"),
    (Kind.CUT_CHOSEN, {"commit": SHA}, "chose trunk commit a1b2c3d4e5f6 for the cut of 0.1.1", "B2"),
    (Kind.CUT_CHOSEN, {"commit": ""}, "asked for the cut of 0.1.1", "B2"),
    (Kind.CUT, {"branch": "rel", "commit": SHA}, "cut rel from trunk commit a1b2c3d4e5f6", "B1"),
    (
        Kind.REQUESTED,
        {
            "ref": "#6",
            "category": "critical",
            "reason": "wanted",
            "verdict": "refused",
            "violations": [{"clause": "P7"}],
        },
        "asked to pick #6 (critical): wanted – refused by P7",
        "P7",
    ),
    (
        Kind.REQUESTED,
        {"ref": "#6", "category": "", "reason": "", "verdict": "refused", "violations": []},
        "asked to pick #6 (-):  – refused by ",
        "P1",
    ),
    (
        Kind.REQUESTED,
        {"ref": "#4", "category": "regression", "reason": "broke", "verdict": "accepted", "violations": []},
        "asked to pick #4 (regression): broke – accepted",
        "P2",
    ),
    (
        Kind.REQUESTED,
        {"ref": "#4", "category": "critical", "reason": "broke", "verdict": "needs-review", "violations": []},
        "asked to pick #4 (critical): broke – needs a review",
        "P3",
    ),
    (
        Kind.APPLIED,
        {"branch": "rel", "changes": [{"kind": "pick", "subject": "Fix (#4)"}]},
        "applied to rel: Fix (#4) (pick)",
        "P1",
    ),
    (
        Kind.APPLIED,
        {"branch": "rel", "changes": [{"kind": "revert", "subject": "", "origin": SHA}]},
        "applied to rel: a1b2c3d4e5f6 (revert)",
        "B6",
    ),
    (
        Kind.AMENDED,
        {"request": 5, "reason": "more", "evidence": ["x.log"], "category": "critical", "verdict": "accepted"},
        "amended request 5: more x.log – accepted",
        "P3",
    ),
    (
        Kind.AMENDED,
        {"request": 5, "reason": "more", "verdict": "refused", "violations": [{"clause": "P8"}]},
        "amended request 5: more  – refused",
        "P8",
    ),
    (
        Kind.NOTES_EDITED,
        {"pieces": [["line", "a", "Better words", "made"], ["line", "b", None, "made"]], "deleted": ["c", "d"]},
        "edited the notes of 0.1.1 (changed: 1, deleted: 2)",
        "N2",
    ),
    (Kind.WITHDRAWN, {"request": 5, "reason": "moot"}, "withdrew request 5: moot", "P1"),
    (Kind.REJECTED, {"request": 5, "reason": "too late"}, "rejected request 5: too late", "P1"),
    (
        Kind.CONFLICTED,
        {"subject": "Fix (#4)", "branch": "rel", "paths": ["a.py"], "workspace": "conflict/rel/a1b2", "kind": "pick"},
        "Fix (#4) conflicts on rel: a.py; to be resolved on conflict/rel/a1b2",
        "P1",
    ),
    (
        Kind.CONFLICTED,
        {"subject": "", "origin": SHA, "branch": "rel", "paths": ["a.py"], "workspace": "w", "kind": "revert"},
        "a1b2c3d4e5f6 conflicts on rel: a.py; to be resolved on w",
        "B6",
    ),
    (
        Kind.RESOLVED,
        {"subject": "Fix (#4)", "branch": "rel", "kind": "pick"},
        "resolved the conflict of Fix (#4) with rel",
        "P1",
    ),
    (
        Kind.REVERT_ASKED,
        {"commit": SHA, "branch": "rel", "reason": "wrong"},
        "asked to revert a1b2c3d4e5f6 on rel: wrong",
        "G3",
    ),
    (
        Kind.REVERT_ASKED,
        {"commit": SHA, "branch": "rel", "reason": "wrong", "requests": [5]},
        "asked to revert a1b2c3d4e5f6 on rel: wrong; this closes 5",
        "G3",
    ),
    (
        Kind.PREPARED,
        {"branch": "rel", "private": "embargo/rel", "changes": [{}]},
        "1 embargoed picks for rel are on the private branch embargo/rel",
        "P8",
    ),
    (Kind.INDEBTED, {"origin": SHA, "branch": "rel"}, "the trunk lacks a1b2c3d4e5f6, which rel has", "P8"),
    (Kind.PAID, {"origin": SHA, "trunk": OTHER}, "the trunk has a1b2c3d4e5f6 now, in ffffffffffff", "P8"),
    (Kind.SIGNED, {"seq": 9, "signer": "Rosa"}, "signed the ledger up to entry 9: Rosa", "G4"),
    (
        Kind.LET_IN,
        {"token": "0a1b", "name": "@zoe", "role": "viewer", "scopes": ["read"], "ends": "2025-02-26T09:00:00+00:00"},
        "made token 0a1b of the board for @zoe (viewer: read), until 2025-02-26",
        "G4",
    ),
    (
        Kind.LET_IN,
        {"token": "0a1b", "name": "bot", "role": "viewer", "scopes": ["metrics"], "ends": None},
        "made token 0a1b of the board for bot (viewer: metrics), without an end",
        "G4",
    ),
    (
        Kind.SHUT_OUT,
        {"token": "0a1b", "name": "@zoe"},
        "revoked token 0a1b of the board, which was for @zoe",
        "G4",
    ),
    (Kind.LOGIN_ENDED, {"name": "@zoe", "began": "2025-01-27T09:00:00+00:00"}, "ended the login of @zoe", "G4"),
    (Kind.TAGGED, RC, "tagged a1b2c3d4e5f6 as candidate v0.1.1-rc1", "B4"),
    (
        Kind.BUILD_STARTED,
        {**RC, "builder": "github", "url": "https://ci/7"},
        "gave v0.1.1-rc1 to github to build: https://ci/7",
        "B4",
    ),
    (Kind.BUILD_STARTED, {**RC, "builder": "github", "url": ""}, "gave v0.1.1-rc1 to github to build", "B4"),
    (
        Kind.BUILT,
        {**RC, "ok": True, "seconds": 2.5, "artifacts": [{"file": "x.whl"}]},
        "built v0.1.1-rc1 in 2.5 s: x.whl",
        "B4",
    ),
    (Kind.BUILT, {**RC, "ok": False, "why": "no wheel"}, "the build of v0.1.1-rc1 failed: no wheel", "B4"),
    (Kind.TESTED, {**RC, "ok": True, "seconds": 1.0}, "the test of v0.1.1-rc1 passed in 1.0 s", "B4"),
    (Kind.TESTED, {**RC, "ok": False, "why": "exit 1"}, "the test of v0.1.1-rc1 failed: exit 1", "B4"),
    (
        Kind.STAGED,
        {
            **RC,
            "index": "file:///s/simple/",
            "files": [{"file": "toy.tar.gz"}, {"file": "my_toy-0.1.1-py3-none-any.whl"}],
        },
        "offered v0.1.1-rc1 to testers: pip install --extra-index-url file:///s/simple/ my-toy==0.1.1",
        "B4",
    ),
    (
        Kind.STAGED,
        {**RC, "index": "https://i.example/", "files": [{"file": "toy-0.1.1rc1.tar.gz"}], "prerelease": True},
        "published v0.1.1-rc1 as a pre-release: pip install --extra-index-url https://i.example/ toy==0.1.1rc1",
        "B4",
    ),
    (
        Kind.REPACKED,
        {**RC, "ok": True, "files": [{"changed": ["a", "b"], "same": 5}, {"changed": ["c"], "same": 1}]},
        "re-packed v0.1.1-rc1 as 0.1.1: 3 of 9 members changed, all others are the same bytes",
        "B5",
    ),
    (Kind.REPACKED, {**RC, "ok": False, "why": "signed"}, "v0.1.1-rc1 cannot be re-packed as 0.1.1: signed", "B5"),
    (
        Kind.PUBLISH_FAILED,
        {**RC, "index": "https://i.example/", "seen": [{"file": "toy-0.1.1.tar.gz", "sha256": "ff"}]},
        "https://i.example/ has other files of 0.1.1 than were tested: toy-0.1.1.tar.gz",
        "N1",
    ),
    (
        Kind.TESTED,
        {
            **RC,
            "ok": False,
            "why": "exit 1",
            "checks": [
                {"name": "twine", "ok": True, "why": ""},
                {"name": "auditwheel", "ok": None, "why": "not run"},
                {"name": "command", "ok": False, "why": "exit 1"},
            ],
        },
        "the test of v0.1.1-rc1 failed: exit 1 (twine ✓, auditwheel –, command ✗)",
        "B4",
    ),
    (
        Kind.TESTED,
        {**RC, "ok": True, "seconds": 1.0, "checks": [{"name": "twine", "ok": True, "why": ""}]},
        "the test of v0.1.1-rc1 passed in 1.0 s: twine ✓",
        "B4",
    ),
    (Kind.GATED, {**GATED, "ok": True, "value": None, "seconds": 2.5}, "v0.1.1-rc1 passed gate suite in 2.5 s", "B4"),
    (Kind.GATED, {**GATED, "ok": True, "value": 0.51234567}, "v0.1.1-rc1 passed gate suite: 0.512346", "B4"),
    (Kind.GATED, {**GATED, "ok": False, "why": "exit 1"}, "gate suite of v0.1.1-rc1 failed: exit 1", "B4"),
    (
        Kind.GATED,
        {**GATED, "ok": True, "value": None, "url": "https://ci/1"},
        "reported that v0.1.1-rc1 passed gate suite (https://ci/1)",
        "B4",
    ),
    (
        Kind.GATED,
        {**GATED, "ok": True, "value": 2.0, "url": "https://ci/1"},
        "reported that v0.1.1-rc1 passed gate suite: 2 (https://ci/1)",
        "B4",
    ),
    (
        Kind.GATED,
        {**GATED, "ok": False, "why": "it failed", "url": "https://ci/1"},
        "reported that gate suite of v0.1.1-rc1 failed: it failed (https://ci/1)",
        "B4",
    ),
    (
        Kind.MEASURED,
        {**RC, "baseline": OTHER, "first": 0, "last": 3},
        "measured v0.1.1-rc1 against ffffffffffff: blocks 1 to 3",
        "E5",
    ),
    (
        Kind.PROBED,
        {**RC, "commit": OTHER, "baseline": SHA, "ok": True, "confirms": True},
        "compared the suspected a1b2c3d4e5f6 with ffffffffffff, the one before it that can be measured",
        "E7",
    ),
    (Kind.PROBED, {**RC, "ok": True}, "built and measured a1b2c3d4e5f6 in search of the culprit", "E7"),
    (
        Kind.PROBED,
        {**RC, "ok": False, "why": "gone"},
        "a1b2c3d4e5f6 could not be built in search of the culprit: gone",
        "E7",
    ),
    (Kind.CULPRIT, {**RC, "subject": "Slow", "confirmed": True}, "a1b2c3d4e5f6 made v0.1.1-rc1 slower: Slow", "E7"),
    (
        Kind.CULPRIT,
        {**RC, "subject": "Slow", "confirmed": False},
        "a1b2c3d4e5f6 is suspected of having made v0.1.1-rc1 slower: Slow",
        "E7",
    ),
    (
        Kind.CULPRIT,
        {**RC, "subject": "Slow", "confirmed": False, "suspects": [SHA, SHA]},
        "one of 2 commits made v0.1.1-rc1 slower: a1b2c3d4e5f6, a1b2c3d4e5f6",
        "E7",
    ),
    (Kind.APPROVED, {"gate": "go", "commit": SHA}, "approved gate go for commit a1b2c3d4e5f6", "G1"),
    (Kind.APPROVED, {"gate": "pick:5", "commit": SHA}, "approved gate pick:5 for commit a1b2c3d4e5f6", "P1"),
    (Kind.PUBLISHED, {"index": "/i", "files": [{"file": "x.whl"}]}, "published 0.1.1 on /i: x.whl", "N1"),
    (
        Kind.IMAGES,
        {**RC, "images": [{"name": "r.example/toy", "digest": f"sha256:{'0' * 64}"}]},
        "the images of v0.1.1-rc1 are r.example/toy@sha256:000000000000",
        "B4",
    ),
    (
        Kind.IMAGES_PUBLISHED,
        {"images": [{"name": "r.example/toy", "tags": ["v0.1.1", "latest"]}], "latest": ["x"], "greatest": "0.1.1"},
        "released the images of 0.1.1: r.example/toy:v0.1.1, r.example/toy:latest",
        "N1",
    ),
    (
        Kind.IMAGES_PUBLISHED,
        {"images": [{"name": "r.example/toy", "tags": ["v0.1.1"]}], "latest": [], "greatest": "0.2.0"},
        "released the images of 0.1.1: r.example/toy:v0.1.1; the latest is 0.2.0",
        "N1",
    ),
    (
        Kind.PUBLISHED,
        {"index": "/i", "files": [{"file": "x.whl"}], "identity": {"why": ["uploaded without attestations: none"]}},
        "published 0.1.1 on /i: x.whl (uploaded without attestations: none)",
        "N1",
    ),
    (
        Kind.DESCRIBED,
        {**RC, "documents": [{"file": "x.json"}]},
        "wrote what tells where v0.1.1-rc1 comes from: x.json",
        "N1",
    ),
    (Kind.DRAFTED, {"tag": "v0.1.1", "assets": [{}, {}]}, "drafted the release v0.1.1 with 2 files", "N1"),
    (Kind.RELEASED, {"tag": "v0.1.1", "commit": SHA}, "released 0.1.1: v0.1.1 with its notes is on a1b2c3d4e5f6", "B5"),
    (Kind.HELD, {"reason": "outage"}, "held 0.1.1: outage", "G2"),
    (Kind.HOLD_RELEASED, {"held": 7}, "released the hold of entry 7", "G2"),
    (
        Kind.HOLD_RELEASED,
        {"held": 7, "by": "ann", "reason": "no host"},
        "released the hold of 0.1.1 by ann: no host",
        "G2",
    ),
    (
        Kind.WAIVED,
        {"what": "E2", "until": "2025-02-01", "reason": "no MI300x"},
        "waived E2 for 0.1.1 until 2025-02-01: no MI300x",
        "E2",
    ),
    (
        Kind.WAIVED,
        {"what": "cell:a/b/c/d", "until": "2025-02-01", "reason": "known"},
        "waived cell:a/b/c/d for 0.1.1 until 2025-02-01: known",
        "E7",
    ),
    (
        Kind.SLIPPED,
        {"before": "2025-01-29", "after": "2025-01-31", "reason": "snow"},
        "moved 0.1.1 from 2025-01-29 to 2025-01-31: snow",
        "C4",
    ),
    (Kind.SKIPPED, {"reason": "quiet"}, "skipped 0.1.1: quiet", "C4"),
    (Kind.ABANDONED, {"reason": "broken"}, "gave 0.1.1 up: broken", None),
    (
        Kind.ADOPTED,
        {"commit": SHA, "category": "docs", "reason": "by hand"},
        "explained a1b2c3d4e5f6 as docs: by hand",
        "G3",
    ),
    (Kind.YANKED, {"reason": "wrong results", "files": []}, "withdrew 0.1.1 from the index: wrong results", "N1"),
    (
        Kind.YANKED,
        {"reason": "wrong results", "files": [], "successor": "0.1.2"},
        "withdrew 0.1.1 from the index: wrong results; use 0.1.2",
        "N1",
    ),
    (Kind.UNYANKED, {"reason": "a mistake", "files": []}, "offered 0.1.1 on the index again: a mistake", "N1"),
    (Kind.YANK_SEEN, {"yanked": True}, "the index withholds 0.1.1 now", "N1"),
    (Kind.YANK_SEEN, {"yanked": False}, "the index offers 0.1.1 again", "N1"),
    (
        Kind.RECUT,
        {"branch": "releases/v0.1.1-r2", "commit": SHA, "before": "releases/v0.1.1", "reason": "a bad merge"},
        "cut 0.1.1 again, as releases/v0.1.1-r2, from a1b2c3d4e5f6: a bad merge",
        "B1",
    ),
    (
        Kind.INCIDENT,
        {"what": "tag-moved", "tag": "v0.1.1", "recorded": SHA, "now": "9" * 40},
        "incident: the tag v0.1.1 was moved from a1b2c3d4e5f6 to 999999999999",
        "V5",
    ),
    (
        Kind.INCIDENT,
        {"what": "tag-deleted", "tag": "v0.1.1", "recorded": SHA, "now": None},
        "incident: the tag v0.1.1 on a1b2c3d4e5f6 was deleted",
        "V5",
    ),
    (
        Kind.INCIDENT,
        {"what": "tag-restored", "tag": "v0.1.1", "recorded": SHA, "now": SHA},
        "the tag v0.1.1 was put back on a1b2c3d4e5f6",
        "V5",
    ),
    (Kind.CADENCE, {"keys": ["blackout"]}, "the cadence of the policy is another one: blackout", "C4"),
    (Kind.RETRIED, {"tag": "v0.1.1-rc1", "step": "build"}, "asked for the build of v0.1.1-rc1 again", "B4"),
    (
        Kind.APPLIED,
        {"branch": "rel", "before": SHA, "after": OTHER, "changes": [], "merges": [OTHER]},
        "found merged into rel: ffffffffffff",
        "P1",
    ),
    (
        Kind.WRITTEN,
        {"what": "pull", "number": 7, "url": "https://f/7", "open": True},
        "brought pull request #7 up to date: https://f/7",
        "P8",
    ),
    (
        Kind.WRITTEN,
        {"what": "pull", "number": 7, "url": "https://f/7", "open": False},
        "pull request #7 is over: https://f/7",
        "P8",
    ),
    (
        Kind.WRITTEN,
        {"what": "issue", "number": 7, "url": "https://f/7", "open": True},
        "brought the issue of 0.1.1 up to date: https://f/7",
        None,
    ),
    (
        Kind.WRITTEN,
        {"what": "issue", "number": 7, "url": "https://f/7", "open": False},
        "closed the issue of 0.1.1: https://f/7",
        None,
    ),
    (
        Kind.WRITTEN,
        {"what": "check", "number": 7, "url": "https://f/7", "open": True},
        "said in the check of #7 what it would bring: https://f/7",
        "P1",
    ),
    (
        Kind.WRITTEN,
        {"what": "comment", "number": 7, "url": "https://f/7", "open": True},
        "answered on #7: https://f/7",
        None,
    ),
    (
        Kind.ANSWERED,
        {"number": 7, "by": "ann", "commands": ["/pick", "/hold"], "ok": True},
        "did what ann asked for on #7: /pick, /hold",
        "P1",
    ),
    (
        Kind.ANSWERED,
        {"number": 7, "by": "ann", "commands": ["/pick"], "ok": False},
        "did nothing of what ann asked for on #7: /pick",
        "P1",
    ),
    (
        Kind.ANSWERED,
        {"number": 7, "by": "ann", "commands": ["/pick", "/hold"], "ok": False, "outcomes": ["no", "yes"]},
        "did not do all that ann asked for on #7: /pick, /hold",
        "P1",
    ),
    (
        Kind.ANSWERED,
        {"number": 7, "by": "ann", "commands": ["/pick"], "ok": True, "outcomes": ["open"]},
        "ann asked on #7 for what somebody has to look at: /pick",
        "P1",
    ),
    (
        Kind.ANSWERED,
        {"about": "answer:5", "number": 7, "by": "ann", "commands": [], "ok": False, "outcomes": ["no"]},
        "ann edited a comment on #7, which commands nothing then",
        "P1",
    ),
    *(
        (
            Kind.ANSWERED,
            {"about": "milestone:0.1.1:7", "number": 7, "by": "ann", "commands": [], "outcomes": [outcome]},
            f"its milestone asked for #7 in the name of ann: {words}",
            "P1",
        )
        for outcome, words in (("yes", "let in"), ("open", "somebody has to look at it"), ("no", "refused"))
    ),
    (
        Kind.ANSWERED,
        {"about": "milestone-left:0.1.1:7", "number": 7, "by": "ann", "commands": [], "outcomes": ["open"]},
        "#7 left its milestone, and what was asked for stands",
        "P1",
    ),
]


def entry(kind: Kind, payload: dict[str, Any], train: str = "0.1.1", seq: int = 1) -> Entry:
    return Entry(seq, datetime(2025, 1, 27, tzinfo=UTC), "Rosa", kind, train, payload, GENESIS, GENESIS)


@pytest.mark.parametrize(("kind", "payload", "words", "clause"), ENTRIES)
def test_an_entry_in_a_sentence(kind: Kind, payload: dict[str, Any], words: str, clause: str | None) -> None:
    (row,) = timeline([entry(kind, payload)])
    assert (str(row.words), row.clause, row.actor, row.train) == (words, clause, "Rosa", "0.1.1")
    assert words_of(entry(kind, payload), "en") == words


def test_no_kind_is_left_out() -> None:
    assert {k for k, *_ in ENTRIES} == set(Kind)


@pytest.mark.parametrize("kind", list(Kind))
def test_an_entry_that_lacks_everything_is_still_told(kind: Kind) -> None:
    (row,) = timeline([entry(kind, {})])
    assert str(row.words)
    assert row.as_json()["kind"] == kind.value


def test_a_trains_story_has_what_concerns_all_trains_too() -> None:
    held = entry(Kind.HELD, {"reason": "outage"}, train="", seq=2)
    rows = timeline([entry(Kind.CUT, {}), held, entry(Kind.CUT, {}, train="0.1.2", seq=3)], "0.1.1")
    assert [r.seq for r in rows] == [1, 2]
    assert str(rows[1].words) == "held all trains: outage"


def test_words_are_shown_and_not_obeyed() -> None:
    assert clean("a\x1b[31mb\u202ec\ud800d\x00") == "a\ufffd[31mb\ufffdc\ufffdd\ufffd"
    assert clean("说明\n\té 👩‍💻") == "说明\n\té 👩‍💻"
