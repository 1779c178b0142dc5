"""What each action would do to a ``World``: the tests' own model of the effects, to run whole trains in memory.

``effect`` changes the world and says what to write down; ``perform`` writes it down too. A tick that is killed between
the two is ``effect`` alone.
"""

from __future__ import annotations

import hashlib
from typing import Any

from worlds import METRIC, World, blocks, sha

from headway.decide.blocks import JobBlocks
from headway.decide.gates import judge
from headway.decide.numbers import numbers_of
from headway.decide.performance import design_of
from headway.effects.gating import checked
from headway.model.build import Artifact, PublishedFile
from headway.model.entry import Entry, Kind, digest_of
from headway.model.image import FoundImage
from headway.model.matrix import vanished
from headway.model.measurement import Comparison
from headway.model.pick import ChangeKind
from headway.model.snapshot import PrivateBranch
from headway.plan.actions import (
    Action,
    ApplyChanges,
    BuildCandidate,
    CheckCommit,
    CutBranch,
    MeasureCandidate,
    NameCulprit,
    OpenDebt,
    OpenWorkspace,
    PayDebt,
    PlannedChange,
    PrepareEmbargoed,
    ProbeCommit,
    Publish,
    RecordApplied,
    TagCandidate,
    TagFinal,
    TestCandidate,
)
from headway.plan.gate_actions import RecordCheck, RunGate
from headway.plan.image_actions import PublishImages, RecordImages
from headway.plan.mishap_actions import RecordCadence, RecordIncident, RecordWithdrawal
from headway.plan.planner import plan
from headway.plan.promotion_actions import RepackCandidate, StageCandidate
from headway.plan.trust_actions import DescribeCandidate, DraftRelease

Payload = dict[str, Any]


def perform(world: World, action: Action) -> Entry:
    kind, payload = effect(world, action)
    return world.note(kind, action.train, **payload)


def step(world: World, version: str = "0.7.1") -> Entry:
    """Do the one action of a train; there must be one."""
    action = world.train(version).action
    assert action is not None, list(world.waits(version))
    return perform(world, action)


def settle(world: World, limit: int = 200) -> list[Action]:
    """Tick until nothing but waits is left; the actions done."""
    done: list[Action] = []
    while actions := plan(world.snapshot(), world.policy).actions:
        for action in actions:
            perform(world, action)
            done.append(action)
        assert len(done) < limit, "the planner does not come to rest"
    return done


def release(world: World, version: str = "0.7.1") -> None:
    """Bring a train that is cut to its release: candidates, approval, its day."""
    settle(world)
    world.wait(hours=world.policy.candidate.quiet_hours)
    settle(world)
    planned = world.train(version)
    if planned.train.date > world.now.date():
        world.until(planned.train.date.isoformat())
    settle(world)
    world.approve(version)
    settle(world)
    assert planned.train.tag in world.tags


def effect(world: World, action: Action) -> tuple[Kind, Payload]:  # noqa: PLR0911, PLR0912 - one return for each action
    match action:
        case CheckCommit():
            return Kind.CHECKED, {"commit": action.commit, "ok": action.commit not in world.red, "log": "check.log"}
        case CutBranch():
            if action.branch not in world.branches:
                world.branch(action.branch, action.commit)
            return Kind.CUT, {"branch": action.branch, "commit": action.commit}
        case ApplyChanges():
            return Kind.APPLIED, _apply(world, action)
        case RecordApplied():
            rows = [_row(a.change, a.commit) for a in action.changes]
            merges = {"merges": list(action.merges)} if action.merges else {}
            return Kind.APPLIED, {**_applied(action.branch, action.before, action.after, rows), **merges}
        case PrepareEmbargoed():
            return Kind.PREPARED, _prepare(world, action)
        case OpenDebt():
            known = {"branch": action.branch, "commit": action.commit}
            return Kind.INDEBTED, {"request": action.request, "origin": action.origin, **known}
        case PayDebt():
            return Kind.PAID, {"request": action.request, "origin": action.origin, "trunk": action.trunk}
        case OpenWorkspace():
            return Kind.CONFLICTED, _conflict(world, action)
        case TagCandidate() | TagFinal():
            return _tag(world, action)
        case BuildCandidate():
            return Kind.BUILT, _build(world, action)
        case TestCandidate():
            ok = action.commit not in world.failing
            known = {"tag": action.tag, "commit": action.commit, "wheel": action.wheel.sha256}
            known |= {"files": [a.sha256 for a in action.files], "previous": list(action.previous or ())}
            rows = [{"name": "command", "ok": ok, "why": "" if ok else "1 failed"}]
            gone = vanished(action.previous or (), (a.file for a in action.files))
            rows += [{"name": "previous", "ok": not gone, "why": ", ".join(gone)}]
            rows += [{"name": n, "ok": False, "why": f"{n} says no"} for n in sorted(world.bad_files)]
            why = "; ".join(str(c["why"]) for c in rows if not c["ok"])
            return Kind.TESTED, {**known, "ok": not why, "why": why, "log": "test.log", "command": "", "checks": rows}
        case RecordImages():
            rows = [i.as_json() for i in action.images]
            return Kind.IMAGES, {"tag": action.tag, "commit": action.commit, "images": rows}
        case DescribeCandidate():
            rows = [_document(f, action.seq) for f in action.files if f.file.endswith(".whl")]
            return Kind.DESCRIBED, {"tag": action.tag, "commit": action.commit, "documents": rows}
        case DraftRelease():
            there = world.releases.get(action.tag)
            assert there is None or there == "draft", "a published release object is not drafted again"
            world.releases[action.tag] = "draft"
            rows = [a.as_json() for a in (*action.files, *action.documents)]
            known = {"tag": action.tag, "commit": action.commit, "title": action.tag, "assets": rows}
            return Kind.DRAFTED, {**known, "notes_sha256": digest_of(action.notes)}
        case StageCandidate():
            return Kind.STAGED, _stage(world, action)
        case RepackCandidate():
            return Kind.REPACKED, _repack(world, action)
        case RecordCheck():
            return Kind.GATED, checked(action)
        case RunGate():
            return Kind.GATED, _gate(world, action)
        case MeasureCandidate() | ProbeCommit():
            return _measure(world, action)
        case NameCulprit():
            named = {"subject": action.subject, "ratio": action.ratio, "confirmed": action.confirmed}
            return Kind.CULPRIT, {
                "tag": action.tag,
                "commit": action.commit,
                **named,
                "suspects": list(action.suspects),
                "posterior": [{"commit": c, "p": p} for c, p in action.posterior],
            }
        case Publish():
            return Kind.PUBLISHED, _publish(world, action)
        case PublishImages():
            return Kind.IMAGES_PUBLISHED, _publish_images(world, action)
        case RecordIncident():
            known = {"what": action.what, "tag": action.tag, "recorded": action.recorded, "now": action.now}
            return Kind.INCIDENT, known
        case RecordWithdrawal():
            return Kind.YANK_SEEN, {"yanked": action.yanked}
        case RecordCadence():
            return Kind.CADENCE, {"keys": list(action.keys)}


def _gate(world: World, action: RunGate) -> Payload:
    gate = next(g for g in world.policy.gates if g.name == action.gate)
    said = world.results.get(action.gate, True)
    value = None if isinstance(said, bool) else said
    why = judge(gate, said is not False, value, "it ended with status 1")
    known = {"gate": gate.name, "tag": action.tag, "commit": action.commit, "wheel": action.wheel.sha256}
    told = {"ok": why is None, "why": str(why or ""), "passed": said is not False, "value": value}
    return {**known, **told, "metric": gate.metric, "command": gate.command, "url": "", "log": "gate.log"}


def _apply(world: World, action: ApplyChanges) -> Payload:
    assert world.tip(action.branch) == action.tip, "compare-and-swap"
    rows = []
    for planned in action.changes:
        _same_tree(planned)
        change = planned.change
        origin = world.known(change.origin)
        if change.kind is ChangeKind.PICK:
            made = world.by_hand(origin, action.branch)
        else:
            assert change.undoes is not None
            subject = f'Revert "{world.known(change.undoes).subject}"'
            body = f"This reverts commit {change.undoes}."
            if not change.asked:
                body += f"\n\n(cherry picked from commit {origin.sha})"
            made = world.on_branch(subject, body, action.branch, origin.author)
        world.ours.add(made.sha)
        rows.append(_row(change, made.sha))
    return _applied(action.branch, action.tip, world.tip(action.branch), rows)


def _prepare(world: World, action: PrepareEmbargoed) -> Payload:
    for planned in action.changes:
        _same_tree(planned)
    there = world.private.get(action.branch)
    assert (there.tip if there else None) == action.before, "compare-and-swap"
    tip = sha("private", action.tip, *(c.change.origin for c in action.changes))
    world.private[action.branch] = PrivateBranch(
        tip, action.changes[-1].tree, action.tip, len(action.changes), strange=False
    )
    rows = [{"origin": c.change.origin, "request": c.change.request} for c in action.changes]
    return {"branch": action.branch, "private": action.private, "tip": action.tip, "commit": tip, "changes": rows}


def _conflict(world: World, action: OpenWorkspace) -> Payload:
    assert world.tip(action.branch) == action.tip
    taken = {e.payload["workspace"] for e in world.entries if e.kind is Kind.CONFLICTED}
    assert action.workspace not in taken, "a workspace is never moved"
    change = action.change
    made = {"workspace": action.workspace, "commit": sha("conflict", action.workspace), "why": ""}
    made |= {
        "branch": action.branch,
        "tip": action.tip,
        "base": sha("base", *action.before) if action.before else action.tip,
    }
    what = {"kind": str(change.kind), "origin": change.origin, "request": change.request, "undoes": change.undoes}
    found = {"paths": list(action.conflicts), "prerequisites": [], "unsolved": None}
    return {**made, **what, "subject": change.subject, **found}


def _same_tree(planned: PlannedChange) -> None:
    change = planned.change
    subject = change.undoes if change.kind is ChangeKind.REVERT else change.origin
    assert planned.tree == sha("tree", change.kind, subject)


def _row(change: Any, commit: str) -> Payload:
    known = {"kind": str(change.kind), "origin": change.origin, "commit": commit, "request": change.request}
    resolved = change.resolution.entry if change.resolution else None
    return {**known, "undoes": change.undoes, "subject": change.subject, "resolved": resolved}


def _applied(branch: str, before: str, after: str, rows: list[Payload]) -> Payload:
    return {"branch": branch, "before": before, "after": after, "changes": rows}


def _tag(world: World, action: TagCandidate | TagFinal) -> tuple[Kind, Payload]:
    there = world.tags.get(action.tag)
    assert there is None or there.commit == action.commit, "a tag never moves"
    if there is None:
        world.tag(action.tag, action.commit)
    if isinstance(action, TagFinal) and action.latest is not None:
        assert action.tag in world.releases, "shown before it was drafted"
        world.releases[action.tag] = "latest" if action.latest else "shown"
    if isinstance(action, TagCandidate):
        return Kind.TAGGED, {"tag": action.tag, "commit": action.commit}
    return Kind.RELEASED, {
        "tag": action.tag,
        "commit": action.commit,
        "notes_sha256": digest_of(action.notes),
        "notes": action.notes,
    }


def _build(world: World, action: BuildCandidate) -> Payload:
    ok = action.commit not in world.unbuildable
    names = [f"proj-{action.version}{tail}" for tail in world.built] if ok else []
    retries = sum(e.kind is Kind.RETRIED for e in world.entries)
    rows = [{"file": n, "sha256": _digest(n, action.commit, retries), "size": 100} for n in names]
    known = {"tag": action.tag, "commit": action.commit, "log": "build.log", "seconds": 1.0}
    return {**known, "ok": ok, "why": "" if ok else "exit status 1", "artifacts": rows}


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def slowness(world: World, commit: str) -> float:
    """The factor by which a commit is slower than an empty history: what it contains, and was not taken out of it."""
    home = next((b for b, commits in world.branches.items() if any(c.sha == commit for c in commits)), None)
    own = world.branches[home] if home else []
    upto = own[: [c.sha for c in own].index(commit) + 1] if home else []
    base = world.cuts[home] if home else commit
    trunk = world.trunk[: [c.sha for c in world.trunk].index(base) + 1]
    factor = 1.0
    for c in (*trunk, *upto):
        factor *= world.slow.get(c.sha, 1.0)
        for origin in c.trailers:
            factor *= world.slow.get(origin, 1.0)
    return factor


def _measure(world: World, action: MeasureCandidate | ProbeCommit) -> tuple[Kind, Payload]:
    known = {"tag": action.tag, "commit": action.commit, "baseline": action.baseline}
    known |= {"first": action.first, "last": action.last}
    probe = isinstance(action, ProbeCommit)
    jobs = [JobBlocks((action.cell,), tuple(range(action.first, action.last)))] if probe else action.jobs
    known |= {"jobs": [j.as_json() for j in jobs]}
    known |= {"confirms": action.confirms} if isinstance(action, ProbeCommit) else {}
    if probe and action.commit in world.unbuildable:
        return Kind.PROBED, {**known, "ok": False, "why": "it cannot be built"}
    have = world.samples.setdefault((action.commit, action.baseline), [])
    factor = slowness(world, action.commit) / slowness(world, action.baseline)
    done = {s.block for s in have}
    for b in range(action.first, action.last):
        if b not in done:
            ran = None if {action.commit, action.baseline} & set(world.crashing) else factor
            have += blocks(action.commit, action.baseline, b, b + 1, ran, action.metric if probe else METRIC)
    said = numbers_of(Comparison(action.commit, action.baseline, tuple(have)), jobs, design_of(world.policy.perf).keys)
    known |= {"numbers": [n.as_json() for n in said]}
    if probe:
        return Kind.PROBED, {**known, "ok": True, "why": ""}
    return Kind.MEASURED, {**known, "branch": action.branch, "digest": digest_of([s.value for s in have])}


def _stage(world: World, action: StageCandidate) -> Payload:
    assert action.prerelease is (world.policy.promotion.mode == "repack")
    files = [{"file": a.file, "sha256": a.sha256} for a in action.files]
    return {"tag": action.tag, "commit": action.commit, "index": "x", "files": files, "prerelease": action.prerelease}


def _repack(world: World, action: RepackCandidate) -> Payload:
    rows = [
        {
            "file": a.file.replace(action.of, action.train),
            "sha256": _digest("repacked", a.sha256),
            "size": a.size,
            "of": a.file,
            "of_sha256": a.sha256,
            "changed": ["METADATA", "RECORD"],
            "same": 3,
            "same_sha256": _digest("same", a.sha256),
        }
        for a in action.files
    ]
    ok = action.commit not in world.unrepackable
    known = {"tag": action.tag, "commit": action.commit, "ok": ok, "why": "" if ok else "signed", "remedy": ""}
    known |= {"candidate": [{"file": a.file, "sha256": a.sha256} for a in action.files], "of": action.of}
    known |= {"version": action.train, "version_files": list(world.policy.promotion.version_files), "log": "repack.log"}
    return {**known, "files": rows if ok else [], "seconds": 1.0}


def _publish(world: World, action: Publish) -> Payload:
    for a in action.files:
        there = world.index.get(a.file)
        assert there is None or there.sha256 == a.sha256, "nothing is published twice"
        world.index[a.file] = PublishedFile(a.file, action.train, a.sha256, False)
    files = [{"file": a.file, "sha256": a.sha256} for a in action.files]
    known = {"tag": action.tag, "commit": action.commit, "index": "index"}
    return {**known, "files": files, "evidence": action.evidence}


def _publish_images(world: World, action: PublishImages) -> Payload:
    rows = []
    for p in action.images:
        name, digest = p.image.name, p.image.digest
        there = world.images.get((name, p.tag))
        assert there is None or (isinstance(there, FoundImage) and there.digest == digest), "a released tag never moves"
        tags = [p.tag, *([p.latest] if p.latest else [])]
        for tag in tags:
            world.images[name, tag] = FoundImage(digest, p.image.media_type)
        rows.append({"name": name, "digest": digest, "platforms": list(p.image.platforms), "tags": tags})
    latest = [f"{p.image.name}:{p.latest}" for p in action.images if p.latest]
    return {"tag": action.tag, "commit": action.commit, "images": rows, "latest": latest, "greatest": action.greatest}


def _document(wheel: Artifact, seq: int) -> Payload:
    file = f"{wheel.file}.cdx.json"
    return {"file": file, "sha256": sha(file, wheel.sha256, seq), "size": 1, "what": "sbom", "about": [wheel.sha256]}
