"""Release notes (N2): what changed since the previous release, in the parts that readers look for."""

from __future__ import annotations

from dataclasses import dataclass

from headway.decide import images, mishaps, record
from headway.decide.candidates import CandidateRecord
from headway.decide.changed import changes_of
from headway.decide.notegroups import group_of, section_of
from headway.decide.notepeople import People, people_of
from headway.decide.noteperformance import Figures, figures_of
from headway.decide.performance import Standing
from headway.decide.replay import Change
from headway.model.commit import Commit, Line, Sha
from headway.model.entry import Entry, Kind
from headway.model.noted import Noted
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Train
from headway.policy.notes_tables import NoteGroup
from headway.policy.schema import Policy

SECTIONS: tuple[tuple[str, Text], ...] = (
    ("breaking", say("Breaking changes")),
    ("features", say("Features")),
    ("improvements", say("Improvements")),
    ("fixes", say("Fixes")),
    ("upcoming", say("Upcoming changes and deprecations")),
    ("performance", say("Performance")),
    ("waivers", say("Waivers")),
    ("history", say("On the way")),
    ("contributors", say("Contributors")),
    ("artifacts", say("Artifacts")),
)
OF_CHANGES = ("breaking", "features", "improvements", "fixes", "upcoming")


@dataclass(frozen=True, slots=True)
class Told:
    """A change in its section and group (a number of ``Notes.groups``; ``None``: in none)."""

    change: Change
    section: str
    group: int | None

    @property
    def title(self) -> str:
        return self.change.origin.title

    @property
    def pr(self) -> int | None:
        return self.change.origin.pr


@dataclass(frozen=True, slots=True)
class Notes:
    """What the notes of a release are made of.

    ``left_out`` are changes that are only counted, each with the policy's rule or the title of its group.
    """

    version: str
    previous: str | None
    told: tuple[Told, ...]
    left_out: tuple[tuple[Change, str], ...]
    groups: tuple[NoteGroup, ...]
    people: People
    waivers: tuple[tuple[int, str], ...]
    history: tuple[mishaps.Told, ...]
    figures: Figures | None
    artifacts: tuple[tuple[str, str], ...]

    @property
    def sections(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Section name to its lines as plain text, in the order of ``SECTIONS``; ``history`` only where it has any."""
        rows = {name: tuple(t.title for t in self.told if t.section == name) for name in OF_CHANGES}
        rows |= {
            "performance": self.figures.lines if self.figures else (),
            "waivers": tuple(words for _, words in self.waivers),
            "history": tuple(told.words() for told in self.history),
            "contributors": tuple(p.name for p in self.people.contributors),
            "artifacts": tuple(f"{file} {digest}" for file, digest in self.artifacts),
        }
        return tuple((name, rows[name]) for name, _ in SECTIONS if rows[name] or name != "history")


def notes_of(
    train: Train,
    line: Line,
    candidate: CandidateRecord | None,
    performance: Standing | None,
    snapshot: Snapshot,
    policy: Policy,
) -> Notes:
    """The notes of a train as it stands, before a person's edit."""
    noted = snapshot.noted.get(train.name, Noted())
    found = changes_of(train, line, snapshot, policy)
    told, left_out = [], list(found.left_out)
    for change in found.told:
        labels = noted.labels.get(change.origin.pr or 0, ())
        group = group_of(change, labels, policy.notes)
        if group is None or policy.notes.groups[group].listed:
            told.append(Told(change, section_of(change, labels, policy.notes), group))
        else:
            left_out.append((change, policy.notes.groups[group].title))
    figures = figures_of(train, performance, snapshot, policy)
    return Notes(
        train.name,
        str(train.previous) if train.previous else None,
        tuple(told),
        tuple(left_out),
        policy.notes.groups,
        people_of(found.told, noted, policy.notes),
        tuple((e.seq, _waiver(e, line, figures, snapshot)) for e in _mattering(train, line, figures, snapshot)),
        mishaps.mishaps(train.name, snapshot.entries),
        figures,
        artifact_lines(train, candidate, snapshot, policy),
    )


def artifact_lines(
    train: Train, candidate: CandidateRecord | None, snapshot: Snapshot, policy: Policy
) -> tuple[tuple[str, str], ...]:
    """What is published, each with its digest as ``algorithm:hex``: files, then images under their version tags."""
    if candidate is None:
        return ()
    kept = {i.name: i.digest for i in images.images_of(images.recorded(train, candidate, snapshot))}
    named = ((f"{t.name}:{t.final(train.name)}", kept[t.name]) for t in policy.images if t.name in kept)
    return (*((a.file, f"sha256:{a.sha256}") for a in candidate.final_files), *named)


def _mattering(train: Train, line: Line, figures: Figures | None, snapshot: Snapshot) -> tuple[Entry, ...]:
    """Waivers without which the release would be another: not of a change that never came (it may be a secret still),
    not of a cell that passed or whose waiver lapsed; of several of one person for one thing the newest."""
    found: dict[tuple[str, str, str], Entry] = {}
    counting = {w.entry.seq for w in figures.waivers} if figures else set()
    for e in record.of(snapshot.entries, Kind.WAIVED, train.name):
        what, commit = e.payload["what"], e.payload.get("commit")
        idle = figures is not None and what.startswith("cell:") and e.seq not in counting
        if (commit is None or _holds(line, commit, snapshot)) and not idle:
            key = (what, commit or "", record.person(e.actor))
            found.pop(key, None)
            found[key] = e
    return tuple(found.values())


def _holds(line: Line, commit: Sha, snapshot: Snapshot) -> bool:
    """Whether a change is on the branch, under its own name or as a copy."""
    names = ((c.sha, *c.trailers, *line.origins.get(c.sha, ())) for c in line.commits)
    there = {c.sha for c in line.commits}
    recorded = (a for a in record.applied(snapshot.entries, line.branch) if a.commit in there)
    return any(commit.startswith(some) for some in names) or any(a.origin == commit for a in recorded)


def _waiver(e: Entry, line: Line, figures: Figures | None, snapshot: Snapshot) -> str:
    change = f" {_title(e.payload['commit'], line, snapshot)}" if e.payload.get("commit") else ""
    bound = next((w.digest for w in figures.waivers if w.entry.seq == e.seq), "") if figures else ""
    evidence = f", evidence {bound[:12]}" if bound else ""
    words = f"{e.payload['reason']} ({e.actor}, until {e.payload['until']}{evidence})"
    return f"{e.payload['what']}{change}: {words}"


def _title(sha: Sha, line: Line, snapshot: Snapshot) -> str:
    """What a change says it is, once it is public: on the trunk or on the branch."""
    public: tuple[Commit, ...] = (*snapshot.trunk.commits, *line.commits)
    return next((c.title for c in public if c.sha == sha), sha[:12])
