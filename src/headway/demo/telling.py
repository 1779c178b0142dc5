"""What the narrator says of each action, and when the story is no longer the story."""

from __future__ import annotations

from headway.acting import Done
from headway.app import Headway
from headway.decide.performance import describe
from headway.demo.narrator import Narrator
from headway.errors import BrokenInvariant
from headway.model.text import say
from headway.plan.actions import (
    ApplyChanges,
    BuildCandidate,
    CutBranch,
    MeasureCandidate,
    NameCulprit,
    ProbeCommit,
    Publish,
    TagCandidate,
    TagFinal,
    TestCandidate,
)
from headway.plan.promotion_actions import StageCandidate
from headway.plan.trainplan import TrainPlan
from headway.plan.trust_actions import DescribeCandidate, DraftRelease
from headway.views.staging import pip_command


def expect(holds: bool, what: str) -> None:
    """Raises ``BrokenInvariant`` when the story did not come out as it must."""
    if not holds:
        raise BrokenInvariant(
            "demo.story",
            say("the story went wrong: expected that {what}", what=what),
            remedy=say("run it again on a quieter machine with --keep DIR, and look at the ledger there"),
        )


def told(app: Headway, tell: Narrator, d: Done) -> None:  # noqa: PLR0912 - one case for each action
    """One action of a tick, in words. Raises ``BrokenInvariant`` when a build or test failed."""
    payload = d.entry.payload
    match d.action:
        case CutBranch(branch=branch, commit=commit):
            tell.headway(
                say("cut {branch} on {commit} by compare-and-swap (B1, B2)", branch=branch, commit=commit[:12])
            )
        case ApplyChanges():
            on_trunk = {x.sha for x in app.observe().trunk.commits}
            for c in payload["changes"]:
                clause = "B6" if c["kind"] == "revert" else "P8" if c["origin"] in on_trunk else "P6"
                tell.headway(
                    say(
                        "{kind} {origin} → {commit} ({clause}): {subject}",
                        kind=tell.word(c["kind"]),
                        origin=c["origin"][:12],
                        commit=c["commit"][:12],
                        clause=clause,
                        subject=c["subject"],
                    )
                )
        case TagCandidate(tag=tag, commit=commit):
            tell.headway(say("tag {tag} on {commit}; its push starts the build (B4)", tag=tag, commit=commit[:12]))
        case BuildCandidate():
            for a in payload["artifacts"]:
                tell.headway(say("built {file} sha256 {digest}", file=a["file"], digest=a["sha256"][:16]))
            expect(payload["ok"], f"the build is good: {payload['why']}")
        case TestCandidate(tag=tag):
            tell.headway(say("tested {tag} in a fresh environment: passed", tag=tag))
            expect(payload["ok"], f"the test passes: {payload['why']}")
        case StageCandidate(tag=tag):
            tell.headway(say("testers get {tag} by: {command}", tag=tag, command=pip_command(payload)))
        case MeasureCandidate(train=train, tag=tag):
            _verdict(app.train(train), tell, tag)
        case ProbeCommit(commit=before, baseline=suspect, confirms=True):
            words = say(
                "compared {commit} with {before} before it on fresh blocks", commit=suspect[:12], before=before[:12]
            )
            tell.headway(words)
        case ProbeCommit(commit=commit):
            tell.headway(say("probed {commit} between the good and the bad end", commit=commit[:12]))
        case NameCulprit(commit=commit, subject=subject, confirmed=confirmed):
            words = say(
                "culprit {commit}, confirmed against its parent: {subject}", commit=commit[:12], subject=subject
            )
            doubt = say("culprit {commit}, not confirmed: {subject}", commit=commit[:12], subject=subject)
            tell.headway(words if confirmed else doubt)
        case Publish():
            for f in payload["files"]:
                tell.headway(say("published the tested bytes of {file} (N1)", file=f["file"]))
        case DescribeCandidate():
            for f in payload["documents"]:
                tell.headway(say("wrote {file} (N1)", file=f["file"]))
        case DraftRelease(tag=tag):
            tell.headway(say("drafted the release {tag} with {count} files", tag=tag, count=len(payload["assets"])))
        case TagFinal(tag=tag, commit=commit):
            tell.headway(
                say("final tag {tag} with its notes on {commit}; it builds nothing (B5)", tag=tag, commit=commit[:12])
            )
        case _:
            tell.headway(say("{kind} {target}", kind=d.action.kind, target=d.action.target))


def _verdict(planned: TrainPlan, tell: Narrator, tag: str) -> None:
    verdict = planned.performance.verdict if planned.performance else None
    for c in verdict.cells if verdict else ():
        tell.headway(
            say(
                "{tag} {cell}, {blocks} blocks: {verdict} (E7)",
                tag=tag,
                cell=describe(c),
                blocks=c.blocks,
                verdict=tell.word(c.verdict.value),
            )
        )
