"""Release notes (N2): what changed since the previous release, in the parts that readers look for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from packaging.version import Version

from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.decide.performance import Standing, describe
from headway.decide.trains import branch_for
from headway.model.commit import Commit, Line, Revert, Sha, standing
from headway.model.entry import Kind
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Train
from headway.policy.schema import Policy

SECTIONS: tuple[tuple[str, Text], ...] = (
    ("breaking", say("Breaking changes")),
    ("features", say("Features")),
    ("improvements", say("Improvements")),
    ("fixes", say("Fixes")),
    ("upcoming", say("Upcoming changes and deprecations")),
    ("performance", say("Performance")),
    ("waivers", say("Waivers")),
    ("contributors", say("Contributors")),
    ("artifacts", say("Artifacts")),
)


@dataclass(frozen=True, slots=True)
class Notes:
    """Section name to its lines, in the order of ``SECTIONS``."""

    version: str
    previous: str | None
    sections: tuple[tuple[str, tuple[str, ...]], ...]


def changed(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[Commit, ...]:
    """Changes of this release, once each: trunk commits since the previous release, and what the branch added.

    A pick stands for its origin, also in the release after it; what was reverted, on the trunk before the cut or on
    the branch, is gone with its revert, but a revert of what users have is a change.
    """
    shas = [c.sha for c in line.commits]
    at = shas.index(train.previous_commit) + 1 if train.previous_commit in shas else 0
    own = line.commits[at:]
    in_cut = () if train.post else snapshot.trunk_since(train.previous_commit, line.cut)
    before = _shipped(train, snapshot, policy)
    named = {c.sha: _origin(c, snapshot) for c in own}
    inside = {c.sha for c in in_cut} - before | set(named.values())
    gone: set[Sha] = set()
    for r in standing(_reverts(inside, named, line, snapshot)):
        within = inside.intersection(r.targets)
        gone |= within
        if r.targets and within.issuperset(r.targets):
            gone.add(r.commit.sha)
    return tuple(c for c in (*in_cut, *own) if named.get(c.sha, c.sha) in inside - gone)


def _origin(c: Commit, snapshot: Snapshot) -> Sha:
    """The trunk commit that a branch commit says it is a copy of, or itself."""
    for named in c.trailers:
        return next((t.sha for t in snapshot.trunk.commits if t.sha.startswith(named)), named)
    return c.sha


def _shipped(train: Train, snapshot: Snapshot, policy: Policy) -> frozenset[Sha]:
    """Trunk commits that the previous release had by picks: they are later on the trunk than its cut."""
    if train.previous is None or train.previous_commit is None:
        return frozenset()
    branch = branch_for(train.previous, snapshot.entries, policy)
    there = snapshot.line(branch)
    written = there.upto(train.previous_commit).commits if there else ()
    recorded = (a for a in record.applied(snapshot.entries, branch) if Version(a.entry.train) <= train.previous)
    return frozenset({*(_origin(c, snapshot) for c in written), *(a.origin for a in recorded)})


def _reverts(inside: set[Sha], named: Mapping[Sha, Sha], line: Line, snapshot: Snapshot) -> tuple[Revert, ...]:
    """The reverts of this release, trunk's first, with branch commits under the names of their origins."""
    trunk = (r for r in snapshot.reverts if r.commit.sha in inside - set(named.values()))
    own = (
        replace(
            r,
            commit=replace(r.commit, sha=named[r.commit.sha]),
            targets=tuple(named.get(t, t) for t in r.targets),
        )
        for r in line.reverts
        if r.commit.sha in named
    )
    return (*trunk, *own)


def _holds(line: Line, commit: Sha | None) -> bool:
    return commit is None or any(commit.startswith((c.sha, *c.trailers)) for c in line.commits)


def notes_of(
    train: Train,
    line: Line,
    candidate: CandidateRecord | None,
    performance: Standing | None,
    snapshot: Snapshot,
    policy: Policy,
) -> Notes:
    """The notes of a train as it stands."""
    parts: dict[str, list[str]] = {name: [] for name, _ in SECTIONS}
    people: dict[str, None] = {}
    for c in changed(train, line, snapshot, policy):
        parts[_section(c, policy)].append(c.title)
        people.setdefault(c.author)
        for name in re.findall(r"^Co-authored-by:\s*([^<\n]+?)\s*<", c.body, re.MULTILINE):
            people.setdefault(name)
    parts["contributors"] = sorted(people, key=str.casefold)
    for e in record.of(snapshot.entries, Kind.WAIVED, train.name):
        if e.payload["what"] == "P8" and not _holds(line, e.payload.get("commit")):
            continue  # a fix that is not in it may be a secret still
        change = f" {_title(e.payload['commit'], line, snapshot)}" if e.payload.get("commit") else ""
        words = f"{e.payload['reason']} ({e.actor}, until {e.payload['until']})"
        parts["waivers"].append(f"{e.payload['what']}{change}: {words}")
    if performance and performance.verdict:
        parts["performance"] = [f"{c.verdict.value}: {describe(c)}" for c in performance.verdict.cells]
    if candidate:
        parts["artifacts"] = [f"{a.file} sha256:{a.sha256}" for a in candidate.artifacts]
    return Notes(
        train.name,
        str(train.previous) if train.previous else None,
        tuple((name, tuple(parts[name])) for name, _ in SECTIONS),
    )


def _title(sha: Sha, line: Line, snapshot: Snapshot) -> str:
    """What a change says it is, once it is public: on the trunk or on the branch."""
    public = (c for c in (*snapshot.trunk.commits, *line.commits) if c.sha == sha)
    return next((c.title for c in public), sha[:12])


def _section(c: Commit, policy: Policy) -> str:
    text = f"{c.title}\n{c.body}"
    if _any(policy.notes.breaking, text):
        return "breaking"
    if _any(policy.notes.upcoming, text):
        return "upcoming"
    if _any(policy.notes.features, c.title):
        return "features"
    return "fixes" if _any(policy.notes.fixes, c.title) else "improvements"


def _any(patterns: Iterable[str], text: str) -> bool:
    return any(re.search(p, text) for p in patterns)


_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~&])")
_BLOCK = re.compile(r"^([-+=]|\d+(?=[.)]))")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def escape(text: str) -> str:
    """A line of somebody else's words as Markdown that shows them and does nothing: no markup, no mention, no control
    character, nothing that turns the direction of writing."""
    plain = "".join(c for c in " ".join(text.split()) if c.isprintable() or (ord(c) > 0x9F and c not in _TURNING))
    shown = _MARKUP.sub(r"\\\1", plain).replace("@", "@\u200b").replace("://", ":\u200b//")
    block = _BLOCK.match(shown)
    if block is None:
        return shown
    return f"\\{shown}" if not block[1].isdigit() else f"{block[1]}\\{shown[block.end() :]}"


def markdown(notes: Notes, titles: dict[str, str] | None = None) -> str:
    """Notes as Markdown; empty parts are left out. ``titles`` replaces the English section titles."""
    since = f" (since {notes.previous})" if notes.previous else ""
    lines = [f"# {notes.version}{since}", ""]
    for name, title in SECTIONS:
        rows = dict(notes.sections)[name]
        if rows:
            lines += [f"## {(titles or {}).get(name, str(title))}", "", *(f"- {escape(r)}" for r in rows), ""]
    return "\n".join(lines)
