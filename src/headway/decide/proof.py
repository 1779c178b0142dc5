"""Promotion as proof: what was released is what was tested, and the ledger has every step (B4, B5, E7, G1, G3, G4)."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from packaging.version import Version

from headway.decide import branch, checks, gates, record
from headway.decide.candidates import CandidateRecord, records
from headway.decide.cellwaivers import CellWaiver, cell_key
from headway.decide.gates import GateState
from headway.decide.numbers import altered
from headway.decide.performance import Standing, standing
from headway.decide.reverts import needed
from headway.decide.trains import released_train
from headway.decide.waivers import waived
from headway.model.build import PublishedFile
from headway.model.commit import Line, Sha
from headway.model.entry import Entry, Kind, broken_links, canonical
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


def chain_problems(entries: tuple[Entry, ...]) -> tuple[Reason, ...]:
    """Altered, missing or added entries (G4)."""
    return tuple(_problem("G4", "ledger.chain", say("{problem}", problem=p), problem=p) for p in broken_links(entries))


def problems(
    version: Version, line: Line, snapshot: Snapshot, index: tuple[PublishedFile, ...], policy: Policy
) -> tuple[Reason, ...]:
    """All that speaks against ``version`` being exactly the candidate that was accepted; empty is the proof.

    ``line`` is its branch, up to the release or longer; ``index`` the files that the package index offers now.
    """
    name = str(version)
    chain = chain_problems(snapshot.entries)
    published = record.last(snapshot.entries, Kind.PUBLISHED, name)
    released = record.last(snapshot.entries, Kind.RELEASED, name)
    if published is None or released is None:
        missing = Reason(
            "N1",
            "verify.not-released",
            say("the ledger has no complete release of {version}", version=name),
            facts(version=name),
            say("only what Headway released can be proved; one that it has begun is ended by `headway tick`"),
        )
        return (*chain, missing)
    policy = _policy_then(published, snapshot, policy)
    train = released_train(version, snapshot, policy)
    return (
        *chain,
        *_tag(released, snapshot),
        *_bits(train, published, released, snapshot, index, policy),
        *_gates(train, line, published, snapshot, policy),
    )


def _tag(released: Entry, snapshot: Snapshot) -> list[Reason]:
    tag = snapshot.tag(released.payload["tag"])
    if tag is None or tag.commit != released.payload["commit"]:
        now = tag.commit if tag else None
        return [
            _problem(
                "V5",
                "verify.tag-moved",
                say("the final tag is not where it was put"),
                tag=released.payload["tag"],
                recorded=released.payload["commit"],
                now=now,
            )
        ]
    if not tag.annotated:
        return [_problem("B5", "verify.tag-plain", say("the final tag carries no notes"), tag=tag.name)]
    return []


def _bits(
    train: Train,
    published: Entry,
    released: Entry,
    snapshot: Snapshot,
    index: tuple[PublishedFile, ...],
    policy: Policy,
) -> list[Reason]:
    found: list[Reason] = []
    commit = released.payload["commit"]
    then = _then(published, snapshot)
    accepted = accepted_of(train, published, snapshot, policy)
    if accepted is None or accepted.facts.commit != commit or published.payload["commit"] != commit:
        found.append(
            _problem(
                "B5",
                "verify.other-commit",
                say("the final tag is not on the accepted candidate's commit"),
                final=commit,
                candidate=published.payload["tag"],
            )
        )
    if accepted is None or accepted.tested is None or checks.failed(train, accepted, then, policy, published.at):
        found.append(
            _problem(
                "B4",
                "verify.untested",
                say("the accepted candidate has no passed build and test"),
                candidate=published.payload["tag"],
            )
        )
        return found
    tested = {a.file: a.sha256 for a in accepted.final_files}
    sent = {f["file"]: f["sha256"] for f in published.payload["files"]}
    if tested != sent:
        found.append(
            _problem(
                "B4",
                "verify.other-files",
                say("the published files are not the candidate's files"),
                tested=sorted(tested.values()),
                published=sorted(sent.values()),
            )
        )
    made_of = {a.sha256 for a in accepted.artifacts} if accepted.repacked else set(sent.values())
    if accepted.tested and accepted.tested.payload["wheel"] not in made_of:
        found.append(
            _problem(
                "B4",
                "verify.other-wheel",
                say("the tested wheel was not published"),
                tested=accepted.tested.payload["wheel"],
            )
        )
    unmet = [e for e in policy.build.expect if not any(fnmatchcase(file, e) for file in sent)]
    if unmet:
        found.append(
            _problem(
                "B4",
                "verify.incomplete",
                say("no published file is what the policy expects: {patterns}", patterns=unmet),
                expected=policy.build.expect,
                published=sorted(sent),
            )
        )
    offered = {f.file: f.sha256 for f in index}
    for file, sha256 in sent.items():
        if offered.get(file) != sha256:
            found.append(
                _problem(
                    "N1",
                    "verify.index-differs",
                    say("the index does not offer {file} as it was published", file=file),
                    file=file,
                    published=sha256,
                    now=offered.get(file),
                )
            )
    builds = [
        e
        for e in record.of(snapshot.entries, Kind.BUILT)
        if e.seq > released.seq and e.payload["tag"] == released.payload["tag"]
    ]
    if builds:
        found.append(
            _problem(
                "B5", "verify.final-built", say("the final tag triggered a build"), entries=[e.seq for e in builds]
            )
        )
    return found


def _policy_then(published: Entry, snapshot: Snapshot, now: Policy) -> Policy:
    """The policy by which it was published: what is changed later does not change the proof."""
    kept = record.policy_of(snapshot.entries, published)
    return Policy.model_validate_json(canonical(kept)) if kept else now


def _gates(train: Train, line: Line, published: Entry, snapshot: Snapshot, policy: Policy) -> list[Reason]:
    """What had to be open when it was published, judged by the entries from before that."""
    then = _then(published, snapshot)
    commit = published.payload["commit"]
    strange = branch.unexplained(train, line, snapshot)
    if commit in {line.cut, *(c.sha for c in line.commits)}:
        line = line.upto(commit)
    found = [*_approvals(train, published, then, policy), *branch.altered(line, then)]
    found += [strange] if strange else []
    open_reverts = [
        f.revert.commit.sha
        for f in needed(train, line, snapshot)
        if f.revert.commit.committed <= published.at and not waived(then, train.name, "B6", policy, published.at)
    ]
    if open_reverts:
        found.append(
            _problem(
                "B6", "verify.reverts", say("trunk reverts from before the release are missing"), reverts=open_reverts
            )
        )
    accepted = accepted_of(train, published, snapshot, policy)
    if accepted is not None:
        perf = standing(train, accepted, then, policy, published.at)
        found += perf.blockers
        found += _evidence(train, published, then, policy)
        found += _measurements(train, accepted, perf, published, then, policy)
    return found


def accepted_of(train: Train, published: Entry, snapshot: Snapshot, policy: Policy) -> CandidateRecord | None:
    """The candidate that was published, by its tag."""
    return next((r for r in records(train, snapshot, policy) if r.facts.tag == published.payload["tag"]), None)


def waived_cells(version: Version, snapshot: Snapshot, policy: Policy) -> tuple[CellWaiver, ...]:
    """Waivers of single cells with which ``version`` was published (E7)."""
    published = record.last(snapshot.entries, Kind.PUBLISHED, str(version))
    if published is None:
        return ()
    policy = _policy_then(published, snapshot, policy)
    train = released_train(version, snapshot, policy)
    accepted = accepted_of(train, published, snapshot, policy)
    then = _then(published, snapshot)
    return standing(train, accepted, then, policy, published.at).waivers if accepted else ()


def _measurements(
    train: Train, accepted: CandidateRecord, perf: Standing, published: Entry, then: Snapshot, policy: Policy
) -> list[Reason]:
    """Evidence of the accepted commit itself: nothing is promoted on another commit's run (E1, E7)."""
    commit = accepted.facts.commit
    asked = perf.verdict is not None and not waived(then, train.name, "E7", policy, published.at)
    if asked and not perf.measured:
        runs = {e.payload["commit"]: e.payload["tag"] for e in record.of(then.entries, Kind.MEASURED, train.name)}
        runs.pop(commit, None)
        text = say("nothing was measured of the accepted commit")
        if runs:
            text = say("nothing was measured of the accepted commit, only of {others}", others=sorted(runs.values()))
        return [_problem("E1", "verify.unmeasured", text, commit=commit, measured=sorted(runs))]
    if perf.measure is not None:
        text = say("the comparison with the previous release is not complete")
        return [_problem("E7", "verify.unmeasured", text, commit=commit)]
    return _altered(train, commit, then)


def _altered(train: Train, commit: Sha, then: Snapshot) -> list[Reason]:
    """Counted blocks of which the store says other numbers now than when they were counted (E7, G4)."""
    baseline = train.previous_commit
    compared = next((c for c in then.comparisons if (c.subject, c.baseline) == (commit, baseline)), None)
    read = {s.metric for c in then.comparisons for s in c.samples}  # those of no policy any more are not looked at
    cells = {
        cell_key(cell, metric): e.seq
        for kind in (Kind.MEASURED, Kind.PROBED)
        for e in record.of(then.entries, kind)
        if (e.payload["commit"], e.payload["baseline"]) == (commit, baseline) and e.payload.get("ok", True)
        for cell, metric in altered(e.payload, compared)
        if metric in read
    }
    return [
        _problem(
            "E7",
            "verify.other-numbers",
            say("the store has other measurements of {cell} than those that were counted", cell=cell),
            cell=cell,
            entry=seq,
            commit=commit,
        )
        for cell, seq in sorted(cells.items())
    ]


def _then(published: Entry, snapshot: Snapshot) -> Snapshot:
    """What the ledger held when it was published."""
    return replace(snapshot, entries=tuple(e for e in snapshot.entries if e.seq < published.seq))


def _evidence(train: Train, published: Entry, then: Snapshot, policy: Policy) -> list[Reason]:
    """Gates of the policy then in force that this very candidate had neither passed nor been waived from (B4)."""
    accepted = accepted_of(train, published, then, policy)
    if accepted is None:
        return []
    rows = gates.gates_of(train, accepted, then, policy, published.at).rows
    return [
        _problem(
            "B4",
            "verify.gate-not-passed",
            say("gate {gate} was not passed before the release", gate=r.gate.name),
            gate=r.gate.name,
            state=r.state.value,
            commit=accepted.facts.commit,
        )
        for r in rows
        if r.gate.required and r.state not in {GateState.PASSED, GateState.WAIVED}
    ]


def _approvals(train: Train, published: Entry, then: Snapshot, policy: Policy) -> list[Reason]:
    """Gates that too few people had opened for this commit and one and the same evidence (G1)."""
    found = []
    for gate, rule in sorted(policy.approvals.items()):
        people: dict[str, set[str]] = {}
        for e in record.of(then.entries, Kind.APPROVED, train.name):
            counts = not rule.people or record.among(e.actor, rule.people)
            if e.payload["gate"] == gate and e.payload["commit"] == published.payload["commit"] and counts:
                people.setdefault(e.payload["evidence"], set()).add(record.person(e.actor))
        seen = published.payload.get("evidence")  # what was decided on; entries of before do not tell
        best = people.get(seen, set()) if seen else max(people.values(), key=len, default=set())
        if len(best) < rule.count:
            found.append(
                _problem(
                    "G1",
                    "verify.unapproved",
                    say("gate {gate} was not opened for this commit", gate=gate),
                    gate=gate,
                    wanted=rule.count,
                    approved_by=sorted(best),
                )
            )
    return found


def _problem(clause: str, code: str, text: Text, **known: object) -> Reason:
    remedy = say("find out who did it and when; `headway ledger export` holds the whole record")
    return Reason(clause, code, text, facts(**known), remedy)
