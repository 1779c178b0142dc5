"""Looking back and ahead: proof and calendar as use cases. Read-only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from headway.app import Headway
from headway.decide import imageproof, proof, record
from headway.decide.calendar import CalendarRow, release_calendar
from headway.decide.candidates import CandidateRecord, records
from headway.decide.cellwaivers import CellWaiver
from headway.decide.mishaps import Revision, revision, with_mishaps
from headway.decide.trains import released_train
from headway.errors import UnusableInput, not_found
from headway.history.log import read_commits
from headway.history.tagsignature import tag_signature
from headway.model.commit import Line
from headway.model.entry import Entry, Kind, digest_of
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policyfile import NO_POLICY
from headway.rechecking import recheck
from headway.trust import trust
from headway.views.figures import Figures, figures, trunk_reverts


@dataclass(frozen=True, slots=True)
class Released:
    """A published release as it can be looked at again: ``line`` ends at the release's commit."""

    train: Train
    line: Line
    snapshot: Snapshot
    candidates: tuple[CandidateRecord, ...]


def look_back(app: Headway, version: Version) -> Released:
    """A release that has its final tag: at the commit that the ledger names, also when the tag was moved.

    Raises ``UnusableInput`` when it has none.
    """
    release = next((r for r in app.releases() if r.version == version), None)
    if release is None:
        raise not_found("release", str(version), say("see `headway status`"))
    kept = record.last(app.entries(), Kind.RELEASED, str(version))
    release = replace(release, commit=kept.payload["commit"]) if kept else release
    snapshot = app.observe(also=release)
    train = released_train(version, snapshot, app.policy)
    line = snapshot.line(release.commit)
    if line is None:
        raise not_found("commit", release.commit, say("fetch the repository's history"))
    return Released(train, replace(line, branch=train.branch), snapshot, records(train, snapshot, app.policy))


@dataclass(frozen=True, slots=True)
class Verified:
    """All that speaks against a release, the cells that people had waived when it was published (E7), and what could
    not be checked here."""

    problems: tuple[Reason, ...]
    waived: tuple[CellWaiver, ...] = ()
    unchecked: tuple[Reason, ...] = ()


def verify_release(app: Headway, version: Version, allowed: Path | None = None) -> Verified:
    """Whether a release is exactly what was accepted; no problems are the proof (B5, G4).

    ``allowed`` is a list of allowed signers, for the final tag's signature.
    """
    if not any(r.version == version for r in app.releases()):
        kept = record.last(app.entries(), Kind.RELEASED, str(version))
        if kept is not None:
            return Verified((*proof.chain_problems(app.entries()), _tag_gone(kept)))
        text = say("{version} has no final tag", version=version)
        remedy = say("a release is complete when its final tag stands")
        known = facts(version=version)
        return Verified((*proof.chain_problems(app.entries()), Reason("B5", "verify.no-tag", text, known, remedy)))
    back = look_back(app, version)
    published = record.last(back.snapshot.entries, Kind.PUBLISHED, str(version))
    first = published.payload["files"][0]["file"] if published else ""
    found = proof.problems(version, back.line, back.snapshot, app.published(first.partition("-")[0]), app.policy)
    told = trust(app, str(version), allowed)
    again, apart = recheck(app, version, back.snapshot.entries)
    problems = (*found, *again, *_images(app, back), *_other_notes(app, back), *told.problems)
    return Verified(problems, proof.waived_cells(version, back.snapshot, app.policy), (*told.unchecked, *apart))


def _images(app: Headway, back: Released) -> tuple[Reason, ...]:
    """The images that the registries have now are those that were accepted. Raises ``WorldFailed``."""
    from headway.sources.images import read_image

    asked = imageproof.queries(back.train.version, back.snapshot.entries, app.policy)
    found = {(q.name, q.reference): read_image(q) for q in asked}
    return imageproof.problems(back.train.version, back.snapshot, found, app.policy)


def _tag_gone(kept: Entry) -> Reason:
    tag, commit = kept.payload["tag"], kept.payload["commit"]
    return Reason(
        "V5",
        "verify.tag-gone",
        say("the final tag {tag} is gone", tag=tag),
        facts(tag=tag, commit=commit),
        say("fetch it from a clone that has it; it belongs on {commit}", commit=commit),
    )


def _other_notes(app: Headway, back: Released) -> tuple[Reason, ...]:
    """The final tag was made again with other notes (B5)."""
    kept = record.last(back.snapshot.entries, Kind.RELEASED, back.train.name)
    carried = tag_signature(app.repo, back.train.tag)
    if kept is None or carried is None or digest_of(carried.text) == kept.payload["notes_sha256"]:
        return ()
    return (
        Reason(
            "B5",
            "verify.other-notes",
            say("the final tag {tag} carries other notes than it was made with", tag=back.train.tag),
            facts(tag=back.train.tag, recorded=kept.payload["notes_sha256"]),
            say("find out who made it again, and when"),
        ),
    )


def newest_release(app: Headway) -> Version:
    """The newest version that Headway published. Raises ``UnusableInput`` when there is none."""
    done = [Version(e.train) for e in record.of(app.entries(), Kind.PUBLISHED)]
    if not done:
        raise UnusableInput(
            "release.none",
            say("Headway has released nothing here yet"),
            remedy=say("name a version or a ledger file, or release something"),
        )
    return max(done)


def calendar_of(app: Headway, year: int) -> tuple[CalendarRow, ...]:
    """The year's releases as planned, slipped, skipped and done (C3, C4)."""
    entries = app.entries()
    own = app.policy_source == NO_POLICY or app.policy_source.startswith("preset ")
    released = {} if own else {str(r.version): r.day for r in app.releases()}
    gone = record.given_up(entries)
    rows = release_calendar(app.policy, year, app.clock.now(), record.slips(entries), gone, released)
    return with_mishaps(rows, year, entries, app.policy, released)


def calendar_revision(app: Headway) -> Revision:
    """The sequence number of events in a subscriber's calendar, and when they changed last."""
    return revision(app.entries(), app.policy, [str(r.version) for r in app.releases()])


def figures_of(app: Headway, version: str | None) -> tuple[Figures, ...]:
    """How long picks and reverts took, by train. Raises ``UnusableInput`` for a version that the ledger knows nothing
    of."""
    entries = app.sound_entries()
    shas = trunk_reverts(entries)
    # One that was collected as garbage is left out, not asked for again and again.
    known = read_commits(app.repo, ("--no-walk=unsorted", "--ignore-missing"), stdin=shas) if shas else ()
    found = figures(entries, {c.sha: c.committed for c in known})
    if version is None:
        return found
    wanted = tuple(f for f in found if f.train == version.removeprefix("v"))
    if not wanted:
        raise not_found(
            "train", version, say("there are figures of {names}", names=[f.train for f in found if f.train])
        )
    return wanted
