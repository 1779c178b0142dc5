"""Release notes (N2): what changed since the previous release, in the parts that readers look for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.decide.performance import Standing, describe
from headway.model.commit import Commit, Line, Sha
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


def changed(train: Train, line: Line, snapshot: Snapshot) -> tuple[Commit, ...]:
    """Changes of this release, once each: trunk commits since the previous release, and what the branch added.

    A pick stands for its origin; what was reverted, on the trunk before the cut or on the branch, is gone with its
    revert.
    """
    own = line.commits
    in_cut = snapshot.trunk_since(train.previous_commit, line.cut)
    at = next((i for i, c in enumerate(own) if c.sha == train.previous_commit), None)
    if train.post:
        in_cut = ()
        own = own if at is None else own[at + 1 :]
    gone = _undone(in_cut, own, line, snapshot)
    return tuple(c for c in (*in_cut, *own) if c.sha not in gone)


def _undone(in_cut: tuple[Commit, ...], own: tuple[Commit, ...], line: Line, snapshot: Snapshot) -> set[Sha]:
    gone: set[Sha] = set()
    inside = {c.sha for c in in_cut}
    for r in snapshot.reverts:
        if r.commit.sha in inside and r.commit.sha not in gone:
            gone |= {r.commit.sha, *r.targets}
    for c in own:
        targets = {x.sha for x in (*in_cut, *own) for named in c.reverted if x.sha.startswith(named)}
        if c.reverted and targets:
            gone |= {c.sha, *targets}
    return gone


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
    for c in changed(train, line, snapshot):
        parts[_section(c, policy)].append(c.subject)
        people.setdefault(c.author)
        for name in re.findall(r"^Co-authored-by:\s*([^<\n]+?)\s*<", c.body, re.MULTILINE):
            people.setdefault(name)
    parts["contributors"] = sorted(people, key=str.casefold)
    for e in record.of(snapshot.entries, Kind.WAIVED, train.name):
        parts["waivers"].append(f"{e.payload['what']}: {e.payload['reason']} ({e.actor}, until {e.payload['until']})")
    if performance and performance.verdict:
        parts["performance"] = [f"{c.verdict.value}: {describe(c)}" for c in performance.verdict.cells]
    if candidate:
        parts["artifacts"] = [f"{a.file} sha256:{a.sha256}" for a in candidate.artifacts]
    return Notes(
        train.name,
        str(train.previous) if train.previous else None,
        tuple((name, tuple(parts[name])) for name, _ in SECTIONS),
    )


def _section(c: Commit, policy: Policy) -> str:
    text = f"{c.subject}\n{c.body}"
    if _any(policy.notes.breaking, text):
        return "breaking"
    if _any(policy.notes.upcoming, text):
        return "upcoming"
    if _any(policy.notes.features, c.subject):
        return "features"
    return "fixes" if _any(policy.notes.fixes, c.subject) else "improvements"


def _any(patterns: Iterable[str], text: str) -> bool:
    return any(re.search(p, text) for p in patterns)


_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!])")


def escape(text: str) -> str:
    """A line of somebody else's words as Markdown that shows them and does nothing."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split())).replace("@", "@\u200b")


def markdown(notes: Notes, titles: dict[str, str] | None = None) -> str:
    """Notes as Markdown; empty parts are left out. ``titles`` replaces the English section titles."""
    since = f" (since {notes.previous})" if notes.previous else ""
    lines = [f"# {notes.version}{since}", ""]
    for name, title in SECTIONS:
        rows = dict(notes.sections)[name]
        if rows:
            lines += [f"## {(titles or {}).get(name, str(title))}", "", *(f"- {escape(r)}" for r in rows), ""]
    return "\n".join(lines)
