"""Ledger entries: an append-only chain in which each carries the digest of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

GENESIS = "0" * 64


class Kind(StrEnum):
    """What an entry says happened. Payload fields stand behind each.

    Every payload also has ``policy``: the digest of the policy in force, or all of it where it is new to the ledger.
    ``via`` is in those of a person who did not use the command line: comment, url, command (its number in the comment);
    or milestone, pull, url.
    """

    CHECKED = "checked"  # commit, ok, log                       the policy's check on a trunk commit (B2)
    CUT_CHOSEN = "cut-chosen"  # commit                          a person chose the trunk commit to cut
    CUT = "cut"  # branch, commit
    REQUESTED = "pick-requested"  # ref, commit, commits, subject, category, reason, evidence, claims, verdict,
    # violations, branch, inputs
    AMENDED = "pick-amended"  # request: seq, and what pick-requested has, anew
    WITHDRAWN = "pick-withdrawn"  # request: seq, reason
    REJECTED = "pick-rejected"  # request: seq, reason                 a reviewer's no
    CONFLICTED = "conflict"  # branch, tip, base: the tip with what the request brings before it, kind, origin, request,
    # undoes, subject, workspace (""; git refused the branch: why), commit, paths, prerequisites, unsolved
    RESOLVED = "resolved"  # branch, tip: the conflict's base, kind, origin, request, undoes, subject, workspace,
    # commit, tree, paths
    REVERT_ASKED = "revert-asked"  # branch, commit, subject, reason, requests: closed by it  a commit to be taken out
    PREPARED = "embargo-prepared"  # branch, private, tip, commit, changes  a private branch until disclosure
    INDEBTED = "debt"  # request, branch, origin, commit               the trunk lacks a change that was released first
    PAID = "debt-paid"  # request, origin, trunk: the commit that has it now
    APPLIED = "applied"  # branch, before, after, changes:[{kind, origin, commit, request, undoes, subject, resolved}],
    # merges: commits that brought only such
    TAGGED = "tagged"  # tag, commit                             a candidate
    BUILD_STARTED = "build-started"  # tag, commit, builder, build: Headway's mark, run (null: not known yet), url
    BUILT = "built"  # tag, commit, ok, artifacts:[{file, sha256, size}], log, seconds, why; by a CI also run, url
    IMAGES = "images"  # tag, commit, images:[{name, reference, digest, media_type,
    # platforms, size}]  a candidate's container images, as registries have them (B4)
    DESCRIBED = "described"  # tag, commit, documents:[{file, sha256, size, what, about: digests of files}]   what tells
    # where a candidate's files come from: sbom, provenance
    STAGED = "staged"  # tag, commit, index, files:[{file, sha256}], prerelease: on the index itself   for testers
    REPACKED = "repacked"  # tag, commit, ok, why, remedy, candidate:[{file, sha256}], of: its version, version,
    # version_files, log, seconds, files:[{file, sha256, size, of, of_sha256, changed, same, same_sha256}]
    TESTED = "tested"  # tag, commit, ok, wheel, files: digests of all, command, log, seconds, why,
    # checks:[{name, ok (null: not run), why, said: of it}],
    # previous: files of the release before, with which the artifact matrix was compared,
    # installed:[{name, version, license, requires}] with the wheel
    GATED = "gated"  # gate, tag, commit, wheel, ok, why, passed: what the command or CI said, value, metric,
    # command | check, url, log, seconds, result_sha256   evidence that [[gates]] asks for
    MEASURED = "measured"  # tag, commit, baseline, branch, jobs:[{cells:[[model, hardware, test]], blocks: numbers}],
    # first, last: the lowest block and one more than the highest, digest,
    # numbers:[{cell, metric, digest: of all samples of it in these blocks}]   without jobs: those of all cells
    PROBED = "probed"  # tag, commit, baseline, jobs, first, last, digest, numbers: as of measured, ok, why,
    # confirms   one step of the culprit search
    CULPRIT = "culprit"  # tag, commit, subject, ratio, confirmed, suspects, posterior
    APPROVED = "approved"  # gate, commit, evidence, left_out: conflicting picks
    IMAGES_PUBLISHED = "images-published"  # tag, commit, images:[{name, digest, platforms, tags}],
    # latest: the tags that moved to it, greatest: the greatest released version
    NOTES_EDITED = "notes-edited"  # pieces:[[piece, name, text, made]], deleted: names   see decide/notedraft.py
    PUBLISHED = "published"  # tag, commit, files:[{file, sha256}], index, identity:{publishing, attested, why},
    # evidence: the digest that was decided on
    DRAFTED = "drafted"  # tag, commit, title, notes_sha256, assets:[{file, sha256, size}]     a release object, hidden
    RELEASED = "released"  # tag, commit, notes_sha256, notes: what the tag carries; signature: its format, signer;
    # latest
    PUBLISH_FAILED = "publish-failed"  # tag, commit, ok, why, index, files:[{file, sha256}], seen:[{file, sha256}]: the
    # other bytes that the index has under these names
    HELD = "held"  # reason
    HOLD_RELEASED = "hold-released"  # held: seq, by: who held, reason: why
    WAIVED = "waived"  # what: a clause or cell:NAME, reason, until, commit: of one change alone; of a cell also
    # evidence: digest of its numbers, seen:{commit, baseline, blocks, verdict, ratio}
    SLIPPED = "slipped"  # before, after, reason
    SKIPPED = "skipped"  # reason, date: the day that it had
    ABANDONED = "abandoned"  # reason, date: the day that it had
    ADOPTED = "adopted"  # commit, branch, origins, category, reason
    YANKED = "yanked"  # reason, files, successor, by_hand: a person does it on the index
    UNYANKED = "unyanked"  # reason, files, by_hand                offered again
    YANK_SEEN = "yank-seen"  # yanked: whether the index withholds it, as a person made it do
    RECUT = "recut"  # branch, commit, before: the branch until then, reason
    INCIDENT = "incident"  # what: tag-moved | tag-deleted | tag-restored, tag, recorded, now: null for none
    CADENCE = "cadence-changed"  # keys: of the policy's cadence that have another value
    WRITTEN = "written"  # what: pull | issue | comment | check, about, number, id, url, digest: of what it says, open;
    # of an open pull request also head, base, commit: what Headway pushed (""; the branch is somebody else's),
    # changes:[{kind, origin, undoes}], of one that is over approved: who approved it there; or what: branch of one that
    # is over, number, branch, commit, deleted   what Headway wrote on the forge
    ANSWERED = "answered"  # about: answer:COMMENT, or milestone:TRAIN:NUMBER where a milestone asked, comment,
    # number: of the issue or pull request, by, commands: as typed, outcomes: of each, ok, entries: the digests
    # of what it brought about, text: Markdown, what the answer says   commands in a comment, carried out or not
    RETRIED = "retried"  # tag, step
    LET_IN = "let-in"  # token: its id, name: who acts with it, role, scopes, ends (null: never)   a token of the board
    SHUT_OUT = "shut-out"  # token, name                                       a token of the board was revoked
    LOGIN_ENDED = "login-ended"  # name, began                              somebody else's on the board
    SIGNED = "signed"  # seq, head, format, signature, signer           of the ledger up to there


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. ``at`` is aware, in UTC; ``train`` a version (``0.7.1``) or ``""``; ``digest`` covers all the rest."""

    seq: int
    at: datetime
    actor: str
    kind: Kind
    train: str
    payload: Mapping[str, Any]
    prev: str
    digest: str

    def as_json(self) -> dict[str, Any]:
        return {
            **sealed_fields(self.seq, self.at, self.actor, self.kind, self.train, self.payload, self.prev),
            "digest": self.digest,
        }


def sealed_fields(
    seq: int, at: datetime, actor: str, kind: str, train: str, payload: Mapping[str, Any], prev: str
) -> dict[str, Any]:
    """The fields that a digest covers, as JSON values."""
    return {
        "seq": seq,
        "at": at.isoformat(),
        "actor": actor,
        "kind": str(kind),
        "train": train,
        "payload": dict(payload),
        "prev": prev,
    }


def canonical(value: object) -> str:
    """Canonical JSON: sorted keys, no spaces, UTF-8 kept."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: object) -> str:
    """SHA-256 (hex) of the canonical JSON."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def broken_links(entries: Iterable[Entry], after: Entry | None = None) -> tuple[str, ...]:
    """What is wrong with a chain, in words; empty when every digest and link holds from the first entry on, or behind
    ``after``, which is known to hold."""
    problems: list[str] = []
    prev, seq = (after.digest, after.seq) if after is not None else (GENESIS, 0)
    for e in entries:
        if e.seq != seq + 1:
            problems.append(f"entry {seq + 1} is missing: entry {e.seq} follows entry {seq}")
        if e.prev != prev:
            problems.append(
                f"entry {e.seq} does not continue the chain: it names {e.prev[:12]}, the one before is {prev[:12]}"
            )
        if digest_of(sealed_fields(e.seq, e.at, e.actor, e.kind, e.train, e.payload, e.prev)) != e.digest:
            problems.append(
                f"entry {e.seq} ({e.kind}) was altered: its content no longer has the digest {e.digest[:12]}"
            )
        prev, seq = e.digest, e.seq
    return tuple(problems)
