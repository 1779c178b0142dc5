"""The ledger as a story: one row for each entry, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headway.decide.gates import number
from headway.lang import tr
from headway.model.entry import Entry, Kind
from headway.model.pick import Category, ChangeKind
from headway.model.text import Text, say
from headway.views.entrywords import check_text
from headway.views.hubwords import WRITTEN
from headway.views.logins import LOGINS
from headway.views.mishaps import MISHAPS
from headway.views.staging import pip_command
from headway.views.words import short

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One entry. ``train`` is ``""`` for what concerns all; ``clause`` the policy's clause behind it, when one is."""

    seq: int
    at: datetime
    actor: str
    kind: Kind
    train: str
    words: Text
    clause: str | None

    def as_json(self) -> dict[str, object]:
        return {
            "seq": self.seq,
            "at": self.at.isoformat(),
            "actor": self.actor,
            "kind": self.kind.value,
            "train": self.train,
            "words": str(self.words),
            "clause": self.clause,
        }


def timeline(entries: Iterable[Entry], train: str | None = None) -> tuple[TimelineRow, ...]:
    """Oldest first. With ``train`` (a version) only its entries, and those that concern all trains."""
    return tuple(
        _row(e) for e in entries if train is None or e.train == train or (not e.train and e.kind not in _OF_THE_DOOR)
    )


_OF_THE_DOOR = frozenset({Kind.LET_IN, Kind.SHUT_OUT, Kind.LOGIN_ENDED})
"""Of whom the board lets in: no train's story."""


def words_of(entry: Entry, lang: str) -> str:
    """An entry's sentence in a language."""
    return tr(_row(entry).words, lang)


def _row(e: Entry) -> TimelineRow:
    words, clause = _SENTENCES[e.kind]
    return TimelineRow(e.seq, e.at, e.actor, e.kind, e.train, words(e.train, e.payload), clause(e.payload))


def _checked(train: str, p: Payload) -> Text:
    if p.get("ok"):
        return say("trunk commit {commit} passed the policy's check", commit=short(p.get("commit")))
    return say("trunk commit {commit} failed the policy's check", commit=short(p.get("commit")))


def _cut_chosen(train: str, p: Payload) -> Text:
    if p.get("commit"):
        return say("chose trunk commit {commit} for the cut of {train}", commit=short(p["commit"]), train=train)
    return say("asked for the cut of {train}", train=train)


def _cut(train: str, p: Payload) -> Text:
    return say("cut {branch} from trunk commit {commit}", branch=p.get("branch"), commit=short(p.get("commit")))


def _requested(train: str, p: Payload) -> Text:
    known = {"ref": p.get("ref"), "category": p.get("category") or None, "reason": p.get("reason")}
    if p.get("verdict") == "refused":
        clauses = sorted({str(v.get("clause")) for v in p.get("violations", ())})
        return say("asked to pick {ref} ({category}): {reason} – refused by {clauses}", **known, clauses=clauses)
    if p.get("verdict") == "accepted":
        return say("asked to pick {ref} ({category}): {reason} – accepted", **known)
    return say("asked to pick {ref} ({category}): {reason} – needs a review", **known)


def _amended(train: str, p: Payload) -> Text:
    known = {"id": p.get("request"), "reason": p.get("reason"), "evidence": p.get("evidence", ())}
    verdict = p.get("verdict")
    if verdict == "refused":
        return say("amended request {id}: {reason} {evidence} – refused", **known)
    if verdict == "accepted":
        return say("amended request {id}: {reason} {evidence} – accepted", **known)
    return say("amended request {id}: {reason} {evidence} – needs a review", **known)


def _withdrawn(train: str, p: Payload) -> Text:
    return say("withdrew request {id}: {reason}", id=p.get("request"), reason=p.get("reason"))


def _rejected(train: str, p: Payload) -> Text:
    return say("rejected request {id}: {reason}", id=p.get("request"), reason=p.get("reason"))


def _conflicted(train: str, p: Payload) -> Text:
    return say(
        "{subject} conflicts on {branch}: {paths}; to be resolved on {workspace}",
        subject=p.get("subject") or short(p.get("origin")),
        branch=p.get("branch"),
        paths=p.get("paths", ()),
        workspace=p.get("workspace") or None,
    )


def _resolved(train: str, p: Payload) -> Text:
    return say(
        "resolved the conflict of {subject} with {branch}",
        subject=p.get("subject") or short(p.get("origin")),
        branch=p.get("branch"),
    )


def _revert_asked(train: str, p: Payload) -> Text:
    known = {"commit": short(p.get("commit")), "branch": p.get("branch"), "reason": p.get("reason")}
    if p.get("requests"):
        return say(
            "asked to revert {commit} on {branch}: {reason}; this closes {requests}", **known, requests=p["requests"]
        )
    return say("asked to revert {commit} on {branch}: {reason}", **known)


def _prepared(train: str, p: Payload) -> Text:
    return say(
        "{count} embargoed picks for {branch} are on the private branch {private}",
        count=len(p.get("changes", ())),
        branch=p.get("branch"),
        private=p.get("private"),
    )


def _indebted(train: str, p: Payload) -> Text:
    return say("the trunk lacks {origin}, which {branch} has", origin=short(p.get("origin")), branch=p.get("branch"))


def _paid(train: str, p: Payload) -> Text:
    return say("the trunk has {origin} now, in {trunk}", origin=short(p.get("origin")), trunk=short(p.get("trunk")))


def _signed(train: str, p: Payload) -> Text:
    return say("signed the ledger up to entry {seq}: {signer}", seq=p.get("seq"), signer=p.get("signer"))


def _change(c: Payload) -> Text:
    words = c.get("subject") or short(c.get("origin"))
    if c.get("kind") == "revert" and c.get("origin") == c.get("undoes"):
        return say("{subject}", subject=f'Revert "{words}"')
    return say("{subject} ({kind})", subject=words, kind=c.get("kind"))


def _applied(train: str, p: Payload) -> Text:
    changes = [_change(c) for c in p.get("changes", ())]
    people = list(dict.fromkeys(str(c["by"]) for c in p.get("changes", ()) if c.get("by")))
    if not changes and p.get("merges"):
        merges = [short(m) for m in p["merges"]]
        return say("found merged into {branch}: {merges}", branch=p.get("branch"), merges=merges)
    if people:
        return say(
            "found on {branch}, put there by {people}: {changes}",
            branch=p.get("branch"),
            people=people,
            changes=changes,
        )
    return say("applied to {branch}: {changes}", branch=p.get("branch"), changes=changes)


def _tagged(train: str, p: Payload) -> Text:
    return say("tagged {commit} as candidate {tag}", commit=short(p.get("commit")), tag=p.get("tag"))


def _build_started(train: str, p: Payload) -> Text:
    if p.get("url"):
        return say("gave {tag} to {builder} to build: {url}", tag=p.get("tag"), builder=p.get("builder"), url=p["url"])
    return say("gave {tag} to {builder} to build", tag=p.get("tag"), builder=p.get("builder"))


def _built(train: str, p: Payload) -> Text:
    if p.get("ok"):
        files = [a.get("file") for a in p.get("artifacts", ())]
        return say("built {tag} in {seconds} s: {files}", tag=p.get("tag"), seconds=p.get("seconds"), files=files)
    return say("the build of {tag} failed: {why}", tag=p.get("tag"), why=p.get("why"))


_CHECK_MARKS = {True: "✓", False: "✗", None: "–"}


def _tested(train: str, p: Payload) -> Text:
    checks = [
        say("{check} {mark}", check=check_text(c["name"]), mark=_CHECK_MARKS[c["ok"]]) for c in p.get("checks", ())
    ]
    known = {"tag": p.get("tag"), "seconds": p.get("seconds"), "why": p.get("why")}
    if p.get("ok"):
        if checks:
            return say("the test of {tag} passed in {seconds} s: {checks}", **known, checks=checks)
        return say("the test of {tag} passed in {seconds} s", **known)
    if checks:
        return say("the test of {tag} failed: {why} ({checks})", **known, checks=checks)
    return say("the test of {tag} failed: {why}", **known)


def _gated(train: str, p: Payload) -> Text:
    known = {"gate": p.get("gate"), "tag": p.get("tag")}
    if p.get("url"):
        known["url"] = p["url"]
        if not p.get("ok"):
            return say("reported that gate {gate} of {tag} failed: {why} ({url})", **known, why=p.get("why"))
        if p.get("value") is None:
            return say("reported that {tag} passed gate {gate} ({url})", **known)
        return say("reported that {tag} passed gate {gate}: {value} ({url})", **known, value=number(p["value"]))
    if not p.get("ok"):
        return say("gate {gate} of {tag} failed: {why}", **known, why=p.get("why"))
    if p.get("value") is None:
        return say("{tag} passed gate {gate} in {seconds} s", **known, seconds=p.get("seconds"))
    return say("{tag} passed gate {gate}: {value}", **known, value=number(p["value"]))


def _images(train: str, p: Payload) -> Text:
    rows = [f"{i.get('name')}@{str(i.get('digest'))[:19]}" for i in p.get("images", ())]
    return say("the images of {tag} are {images}", tag=p.get("tag"), images=rows)


def _described(train: str, p: Payload) -> Text:
    files = [d.get("file") for d in p.get("documents", ())]
    return say("wrote what tells where {tag} comes from: {files}", tag=p.get("tag"), files=files)


def _staged(train: str, p: Payload) -> Text:
    if p.get("prerelease"):
        return say("published {tag} as a pre-release: {command}", tag=p.get("tag"), command=pip_command(p))
    return say("offered {tag} to testers: {command}", tag=p.get("tag"), command=pip_command(p))


def _repacked(train: str, p: Payload) -> Text:
    if not p.get("ok"):
        return say("{tag} cannot be re-packed as {train}: {why}", tag=p.get("tag"), train=train, why=p.get("why"))
    return say(
        "re-packed {tag} as {train}: {changed} of {count} members changed, all others are the same bytes",
        tag=p.get("tag"),
        train=train,
        changed=sum(len(f.get("changed", ())) for f in p.get("files", ())),
        count=sum(len(f.get("changed", ())) + int(f.get("same", 0)) for f in p.get("files", ())),
    )


def _publish_failed(train: str, p: Payload) -> Text:
    files = [f.get("file") for f in p.get("seen", ())]
    return say(
        "{index} has other files of {train} than were tested: {files}", index=p.get("index"), train=train, files=files
    )


def _measured(train: str, p: Payload) -> Text:
    first, last = _blocks(p)
    return say(
        "measured {tag} against {baseline}: blocks {first} to {last}",
        tag=p.get("tag"),
        baseline=short(p.get("baseline")),
        first=first,
        last=last,
    )


def _probed(train: str, p: Payload) -> Text:
    if p.get("ok") and p.get("confirms"):
        return say(
            "compared the suspected {commit} with {before}, the one before it that can be measured",
            commit=short(p.get("baseline")),
            before=short(p.get("commit")),
        )
    if p.get("ok"):
        return say("built and measured {commit} in search of the culprit", commit=short(p.get("commit")))
    return say(
        "{commit} could not be built in search of the culprit: {why}", commit=short(p.get("commit")), why=p.get("why")
    )


def _culprit(train: str, p: Payload) -> Text:
    known = {"commit": short(p.get("commit")), "subject": p.get("subject"), "tag": p.get("tag")}
    if p.get("confirmed"):
        return say("{commit} made {tag} slower: {subject}", **known)
    suspects = p.get("suspects") or ()
    if len(suspects) > 1:
        return say(
            "one of {count} commits made {tag} slower: {commits}",
            count=len(suspects),
            tag=p.get("tag"),
            commits=[short(c) for c in suspects],
        )
    return say("{commit} is suspected of having made {tag} slower: {subject}", **known)


def _approved(train: str, p: Payload) -> Text:
    return say("approved gate {gate} for commit {commit}", gate=p.get("gate"), commit=short(p.get("commit")))


def _published(train: str, p: Payload) -> Text:
    files = [f.get("file") for f in p.get("files", ())]
    why = [str(w) for w in p.get("identity", {}).get("why", ())]
    if why:
        return say(
            "published {train} on {index}: {files} ({why})", train=train, index=p.get("index"), files=files, why=why
        )
    return say("published {train} on {index}: {files}", train=train, index=p.get("index"), files=files)


def _images_published(train: str, p: Payload) -> Text:
    names = [f"{i.get('name')}:{t}" for i in p.get("images", ()) for t in i.get("tags", ())]
    if p.get("latest") or p.get("greatest") in {None, train}:
        return say("released the images of {train}: {names}", train=train, names=names)
    return say(
        "released the images of {train}: {names}; the latest is {greatest}",
        train=train,
        names=names,
        greatest=p.get("greatest"),
    )


def _notes_edited(train: str, p: Payload) -> Text:
    words = [row for row in p.get("pieces", ()) if row[2] is not None]
    return say(
        "edited the notes of {train} (changed: {count}, deleted: {deleted})",
        train=train,
        count=len(words),
        deleted=len(p.get("deleted", ())),
    )


def _drafted(train: str, p: Payload) -> Text:
    return say("drafted the release {tag} with {count} files", tag=p.get("tag"), count=len(p.get("assets", ())))


def _released(train: str, p: Payload) -> Text:
    return say(
        "released {train}: {tag} with its notes is on {commit}",
        train=train,
        tag=p.get("tag"),
        commit=short(p.get("commit")),
    )


def _held(train: str, p: Payload) -> Text:
    if train:
        return say("held {train}: {reason}", train=train, reason=p.get("reason"))
    return say("held all trains: {reason}", reason=p.get("reason"))


def _hold_released(train: str, p: Payload) -> Text:
    known = {"person": p.get("by"), "reason": p.get("reason")}
    if not known["person"]:
        return say("released the hold of entry {held}", held=p.get("held"))
    if train:
        return say("released the hold of {train} by {person}: {reason}", train=train, **known)
    return say("released the hold of all trains by {person}: {reason}", **known)


def _waived(train: str, p: Payload) -> Text:
    if p.get("commit"):
        return say(
            "waived {what} of {commit} for {train} until {until}: {reason}",
            what=p.get("what"),
            commit=short(p.get("commit")),
            train=train,
            until=p.get("until"),
            reason=p.get("reason"),
        )
    return say(
        "waived {what} for {train} until {until}: {reason}",
        what=p.get("what"),
        train=train,
        until=p.get("until"),
        reason=p.get("reason"),
    )


def _slipped(train: str, p: Payload) -> Text:
    return say(
        "moved {train} from {before} to {after}: {reason}",
        train=train,
        before=p.get("before"),
        after=p.get("after"),
        reason=p.get("reason"),
    )


def _adopted(train: str, p: Payload) -> Text:
    return say(
        "explained {commit} as {category}: {reason}",
        commit=short(p.get("commit")),
        category=p.get("category"),
        reason=p.get("reason"),
    )


def _retried(train: str, p: Payload) -> Text:
    return say("asked for the {step} of {tag} again", step=p.get("step"), tag=p.get("tag"))


def _blocks(p: Payload) -> tuple[int, int]:
    """Block numbers as people count them: from 1, the last included."""
    return int(p.get("first", 0)) + 1, int(p.get("last", 0))


def _clause_of_request(p: Payload) -> str | None:
    """The first clause that speaks against a request, else that of its category."""
    found = [str(v["clause"]) for v in p.get("violations", ()) if v.get("clause")]
    if found:
        return found[0]
    return Category(p["category"]).clause if p.get("category") in set(Category) else "P1"


def _clause_of_approval(p: Payload) -> str | None:
    return "P1" if str(p.get("gate", "")).startswith("pick:") else "G1"


def _clause_of_changes(p: Payload) -> str | None:
    return "B6" if any(c.get("kind") == ChangeKind.REVERT for c in p.get("changes", ())) else "P1"


def _clause_of_change(p: Payload) -> str | None:
    return "B6" if p.get("kind") == ChangeKind.REVERT else "P1"


def _clause_of_waiver(p: Payload) -> str | None:
    kind, colon, _ = str(p.get("what", "")).partition(":")
    return {"cell": "E7", "gate": "B4", "check": "B4"}.get(kind) if colon else kind or None


def _is(clause: str | None) -> Callable[[Payload], str | None]:
    return lambda _: clause


_SENTENCES: Mapping[Kind, tuple[Callable[[str, Payload], Text], Callable[[Payload], str | None]]] = {
    Kind.CHECKED: (_checked, _is("B2")),
    Kind.CUT_CHOSEN: (_cut_chosen, _is("B2")),
    Kind.CUT: (_cut, _is("B1")),
    Kind.REQUESTED: (_requested, _clause_of_request),
    Kind.AMENDED: (_amended, _clause_of_request),
    Kind.WITHDRAWN: (_withdrawn, _is("P1")),
    Kind.REJECTED: (_rejected, _is("P1")),
    Kind.CONFLICTED: (_conflicted, _clause_of_change),
    Kind.RESOLVED: (_resolved, _clause_of_change),
    Kind.REVERT_ASKED: (_revert_asked, _is("G3")),
    Kind.PREPARED: (_prepared, _is("P8")),
    Kind.INDEBTED: (_indebted, _is("P8")),
    Kind.PAID: (_paid, _is("P8")),
    Kind.APPLIED: (_applied, _clause_of_changes),
    Kind.TAGGED: (_tagged, _is("B4")),
    Kind.BUILD_STARTED: (_build_started, _is("B4")),
    Kind.BUILT: (_built, _is("B4")),
    Kind.TESTED: (_tested, _is("B4")),
    Kind.IMAGES: (_images, _is("B4")),
    Kind.DESCRIBED: (_described, _is("N1")),
    Kind.STAGED: (_staged, _is("B4")),
    Kind.REPACKED: (_repacked, _is("B5")),
    Kind.GATED: (_gated, _is("B4")),
    Kind.MEASURED: (_measured, _is("E5")),
    Kind.PROBED: (_probed, _is("E7")),
    Kind.CULPRIT: (_culprit, _is("E7")),
    Kind.APPROVED: (_approved, _clause_of_approval),
    Kind.PUBLISHED: (_published, _is("N1")),
    Kind.IMAGES_PUBLISHED: (_images_published, _is("N1")),
    Kind.NOTES_EDITED: (_notes_edited, _is("N2")),
    Kind.DRAFTED: (_drafted, _is("N1")),
    Kind.PUBLISH_FAILED: (_publish_failed, _is("N1")),
    Kind.RELEASED: (_released, _is("B5")),
    Kind.HELD: (_held, _is("G2")),
    Kind.HOLD_RELEASED: (_hold_released, _is("G2")),
    Kind.WAIVED: (_waived, _clause_of_waiver),
    Kind.SLIPPED: (_slipped, _is("C4")),
    Kind.ADOPTED: (_adopted, _is("G3")),
    Kind.RETRIED: (_retried, _is("B4")),
    Kind.SIGNED: (_signed, _is("G4")),
    **{kind: (words, _is(clause)) for kind, (words, clause) in {**MISHAPS, **LOGINS}.items()},
    **WRITTEN,
}
