"""One command of a comment, carried out by the same use cases as on the command line, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headway import controls, dropping, picking, resolving, reviewing
from headway.app import Headway
from headway.chat import answers
from headway.chat.answers import Outcome, Said
from headway.chat.commands import (
    Abandon,
    Adopt,
    Approve,
    Command,
    Cut,
    Drop,
    Help,
    Hold,
    Pick,
    Reject,
    ReleaseHold,
    Resolve,
    Slip,
    Status,
    Waive,
    Withdraw,
    Wrong,
)
from headway.decide import mail, record
from headway.decide.promotion import hold_wait
from headway.decide.queue import queue
from headway.decide.requests import Asked, requests
from headway.decide.revertreview import GATE
from headway.decide.trains import live_trains
from headway.errors import UnusableInput, not_found
from headway.history.changes import trunk_commit
from headway.history.log import read_commits
from headway.history.rebased import Rebased, rebased
from headway.history.repository import resolve_commit
from headway.model.commit import number_in
from headway.model.entry import Entry, Kind
from headway.model.hub import Pull
from headway.model.pick import Category, PickRequest, PickVerdict
from headway.model.ports import Hub
from headway.model.reason import Reason
from headway.model.text import Text, say
from headway.model.train import Train
from headway.plan.trainplan import pick_train
from headway.policy.scheme import parse_version
from headway.refusal import Refused, no
from headway.views.timeline import timeline
from headway.views.words import action_text

_OURS = frozenset({"repo", "policy", "ledger"})
"""What is unusable here is no fault of a comment, and nobody's business who reads its answer."""
_SHOWN = 12
"""Digits of a commit that people are shown, and type."""
_OUTCOMES = {
    PickVerdict.ACCEPTED: Outcome.YES,
    PickVerdict.NEEDS_REVIEW: Outcome.OPEN,
    PickVerdict.REFUSED: Outcome.NO,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command stands: issue or pull request ``number``; ``pull`` is ``None`` for an issue, and for a command
    that it says nothing of. ``bring`` fetches a branch of the project's own repository, by its name."""

    number: int
    pull: Pull | None
    bring: Callable[[str], None]
    hub: Hub


def wants_pull(command: Command) -> bool:
    """Whether the pull request on which a command stands says something of it."""
    match command:
        case Pick() | Resolve():
            return True
        case Approve():
            return not command.gate
        case Reject() | Withdraw():
            return command.id is None
    return False


def carry_out(app: Headway, command: Command, place: Place) -> Said:  # noqa: PLR0911, PLR0912 - one for each command
    """In the name of ``app.person``, whose right to it was looked at. What cannot be used in a command is answered.

    Raises ``WorldFailed`` and ``BrokenInvariant`` as the use cases do, and ``UnusableInput`` for the repository, policy
    or ledger here: then nothing is said.
    """
    try:
        match command:
            case Pick():
                return _pick(app, command, place)
            case Approve():
                return _told(app, _approve(app, command, place))
            case Reject():
                return _told(app, reviewing.reject(app, _id(app, command.id, place), command.reason))
            case Withdraw():
                return _told(app, reviewing.withdraw(app, _id(app, command.id, place), command.reason))
            case Hold():
                return _told(app, controls.hold(app, _version(app, command.line), command.reason))
            case ReleaseHold():
                return _told(app, controls.release_hold(app, _version(app, command.line)))
            case Waive():
                return _told(app, _waive(app, command))
            case Cut():
                return _told(app, controls.choose_cut(app, _version(app, command.line), command.at or None))
            case Slip():
                return _told(app, controls.slip(app, _version(app, command.line), command.to, command.reason))
            case Abandon():
                return _told(app, controls.abandon(app, _version(app, command.line), command.reason))
            case Adopt():
                return _told(app, _adopt(app, command))
            case Drop():
                return _told(app, dropping.drop(app, command.commit, command.reason))
            case Resolve():
                return _told(app, _resolve(app, place))
            case Status():
                return _status(app, command.line)
            case Help():
                return answers.help_text(app.policy.talk.mention)
            case Wrong():
                return answers.misread(command, app.policy.talk.mention, _next_train(app))
    except UnusableInput as e:
        if e.code.partition(".")[0] in _OURS:
            raise
        return answers.failed(e)


def told(app: Headway, entry: Entry) -> Said:
    """What is said of an entry that a command wrote, also when the one who wrote it was killed before saying it."""
    if entry.kind in {Kind.REQUESTED, Kind.AMENDED}:
        why = tuple(Reason.kept(v) for v in entry.payload["violations"])
        return _answered(app, entry, PickVerdict(entry.payload["verdict"]), why)
    return answers.answer(Outcome.YES, timeline((entry,))[0].words, _waits(app, entry), (entry,), _then(app, entry))


def _told(app: Headway, result: Entry | Refused) -> Said:
    return answers.refused(mail.public(result.reasons)) if isinstance(result, Refused) else told(app, result)


# Picks -----------------------------------------------------------------------------------------------------------


def _pick(app: Headway, command: Pick, place: Place) -> Said:
    ref = _named(app, command.ref, place) if command.ref else _meant(app, command, place)
    if isinstance(ref, Refused):
        return answers.refused(ref.reasons)
    if not ref:
        return answers.refused(
            no(
                "P1",
                "pick.no-change",
                say("#{number} is no pull request, so nothing says which change is meant", number=place.number),
                say(
                    "name it after the release: `/pick {line} #123 {category} …`",
                    line=command.line,
                    category=command.category.value,
                ),
                number=place.number,
            ).reasons
        )
    mine = _mine(app, command.line, ref)
    asked: picking.Requested | Refused
    if mine is not None:
        asked = picking.amend_pick(
            app,
            mine.id,
            category=command.category.value,
            reason=command.reason,
            evidence=tuple(e for e in command.evidence if e not in mine.payload["evidence"]),
            claims=command.claims,
        )
    else:
        request = PickRequest(ref, command.category.value, command.reason, command.evidence, command.claims)
        asked = picking.request_pick(app, request, command.line)
    if isinstance(asked, Refused):
        return answers.refused(mail.public(asked.reasons))
    return said_of(app, asked)


def said_of(app: Headway, asked: picking.Requested) -> Said:
    """The gate's answer."""
    return _answered(app, asked.entry, asked.answer.verdict, (*asked.answer.violations, *asked.answer.reviews))


def change_of(app: Headway, pull: Pull | None, hub: Hub) -> str | Refused:
    """How a pull request is named in a request: by its number, or, where the trunk's commit does not tell that, by what
    it became: a commit, or, rebased, the range of its commits. ``""`` for none. Raises ``WorldFailed``."""
    if pull is None:
        return ""
    ref, merged = f"#{pull.number}", pull.merged
    if merged is None or trunk_commit(app.repo, ref, app.trunk) is not None:
        return ref
    if resolve_commit(app.repo, merged) is None:
        return _off_trunk(app, pull)
    found = rebased(app.repo, merged, hub.commits(pull.number))
    if found is None:
        return merged
    named = f"{found.before[:_SHOWN]}..{merged[:_SHOWN]}"
    return named if found.whole else _not_told(app, pull, found, named)


def onto_trunk(app: Headway, pull: Pull) -> bool:
    """Whether it is a pull request onto the trunk."""
    return app.trunk == pull.base or app.trunk.endswith(f"/{pull.base}")


def _off_trunk(app: Headway, pull: Pull) -> Refused:
    known = {"number": pull.number, "trunk": app.trunk, "branch": pull.base}
    text = say("#{number} was merged, and {trunk} does not hold it any more", **known)
    remedy = say("merge it on the trunk anew, and ask for that")
    if not onto_trunk(app, pull):
        text = say("#{number} was merged on {branch}, and {trunk} does not hold it", **known)
        remedy = say("merge the same on the trunk, and ask for that pull request")
    return no("P8", "pick.off-trunk", text, remedy, number=pull.number, commit=pull.merged)


def _not_told(app: Headway, pull: Pull, found: Rebased, named: str) -> Refused:
    return no(
        "P8",
        "pick.rebased",
        say(
            "#{number} was rebased, and which commits of {trunk} are its {count} cannot be told",
            number=pull.number,
            trunk=app.trunk,
            count=found.count,
        ),
        say(
            "name them after the release, as a range such as {named} (after its first end, up to its last)", named=named
        ),
        number=pull.number,
        commit=pull.merged,
    )


def _named(app: Headway, ref: str, place: Place) -> str | Refused:
    """What somebody named: a pull request that the trunk does not tell is looked up."""
    named = number_in(ref, app.policy.project.repository)
    if named is None or not named[1] or trunk_commit(app.repo, f"#{named[0]}", app.trunk) is not None:
        return ref
    pull = place.pull if place.pull is not None and place.pull.number == named[0] else place.hub.pull(named[0])
    here = pull is not None and pull.merged is not None and resolve_commit(app.repo, pull.merged) is not None
    return change_of(app, pull, place.hub) if here else ref


def _meant(app: Headway, command: Pick, place: Place) -> str | Refused:
    """The change that a command leaves out: the pull request that it stands on; of release-branch work that waits on
    its branch, the commit that it holds (P6). A fork's head may be another one than its reader saw: it is named."""
    pull = place.pull
    line = app.observe().line(pull.base) if pull is not None and pull.open and pull.merged is None else None
    if pull is None or line is None or command.category is not Category.RELEASE_BRANCH:
        return change_of(app, pull, place.hub)
    repository = app.policy.project.repository
    ours = bool(repository) and pull.head_repository.casefold() == repository.casefold()
    if ours and resolve_commit(app.repo, pull.head_sha) is None:
        place.bring(pull.head)
    here = resolve_commit(app.repo, pull.head_sha) is not None
    held = [c.sha for c in read_commits(app.repo, (pull.head_sha, f"^{line.tip}"))] if here else []
    if ours and held == [pull.head_sha]:
        return pull.head_sha
    known = {"number": pull.number, "line": command.line, "sha": pull.head_sha}
    text = say("the commit of #{number} is to be named: more may come to its branch", number=pull.number)
    remedy = say("look at it, then `/pick {line} {sha} release-branch REASON…`", **known)
    if here and len(held) != 1:
        text = say("#{number} holds {count} commits, and a request is for one", number=pull.number, count=len(held))
        remedy = say("make one commit of them; or name each: `/pick {line} SHA release-branch REASON…`", **known)
    elif not here:
        text = say("the head of #{number} is not here yet", number=pull.number)
        remedy = say("`/pick {line} {sha} release-branch REASON…` when its check has come", **known)
    return no("P6", "pick.head", text, remedy, commit=pull.head_sha, branch=pull.base)


def _mine(app: Headway, line: str, ref: str) -> Asked | None:
    """One's own request for the same change on the same line, while something can come of it."""
    named = number_in(ref)
    commit = app.commit_of(ref.rpartition("..")[2])  # of a range its newest
    found = mail.requests_about(app.sound_entries(), named[0] if named else 0, commit)
    return next(
        (a for a in reversed(found) if a.open and record.among(app.person, (a.entry.actor,)) and _on(line, a)),
        None,
    )


def _answered(app: Headway, entry: Entry, verdict: PickVerdict, why: tuple[Reason, ...]) -> Said:
    number = entry.payload.get("request", entry.seq)
    head = say("request {id} for {branch}: {verdict}", id=number, branch=entry.payload["branch"], verdict=verdict.value)
    accepted = verdict is PickVerdict.ACCEPTED
    waits = _waits(app, entry) if accepted else ()
    review = (_to_review(number),) if verdict is PickVerdict.NEEDS_REVIEW else ()
    more = (_next(app, entry),) if accepted and not waits else ()
    about = (entry.train, str(entry.payload.get("category") or ""), number)
    return answers.answer(_OUTCOMES[verdict], head, mail.public((*why, *waits)), (entry,), (*more, *review), about)


def _next(app: Headway, entry: Entry) -> Text:
    if app.policy.talk.picks == "pull-request":
        return say("it comes as a pull request onto {branch}, which people merge", branch=entry.payload["branch"])
    return say("the next tick puts it on the branch")


def _to_review(number: int) -> Text:
    return say("a reviewer lets it in with `/approve pick:{id}`, or says no with `/reject {id} REASON…`", id=number)


def _waits(app: Headway, entry: Entry) -> tuple[Reason, ...]:
    """What the request, or the train, that an entry is about waits for now."""
    number = _request_of(entry)
    if number is None and entry.kind is not Kind.HOLD_RELEASED:
        return ()
    snapshot = app.observe()
    train = next((t for t in live_trains(snapshot, app.policy) if t.name == entry.train), None)
    if train is None:
        return ()
    if entry.kind is Kind.HOLD_RELEASED:  # another one may be in force
        held = hold_wait(train, snapshot)
        return (held,) if held is not None else ()
    found = next((s for s in queue(train, snapshot, app.policy) if s.asked.id == number), None)
    waits = mail.public(found.waits) if found is not None else ()
    if not waits and record.last(app.entries(), Kind.CONFLICTED, entry.train, request=number) is not None:
        planned = app.train(entry.train).waits
        return mail.public(tuple(w for w in planned if dict(w.facts).get("request") == number))
    return waits


def _request_of(entry: Entry) -> int | None:
    if entry.kind is Kind.REQUESTED:
        return entry.seq
    if entry.kind is Kind.APPROVED:
        gate = str(entry.payload["gate"])
        return int(gate.removeprefix("pick:")) if gate.startswith("pick:") else None
    return entry.payload.get("request") if entry.kind in {Kind.AMENDED, Kind.RESOLVED} else None


def _then(app: Headway, entry: Entry) -> tuple[Text, ...]:
    if entry.kind is Kind.WAIVED:
        again = reviewing.refused_requests(app, entry)
        return tuple(say("request {id} was refused by it: its requester repeats `/pick`", id=a.id) for a in again)
    if entry.kind is Kind.CUT_CHOSEN:
        return (say("the tick cuts it when it comes to the trains"),)
    if entry.kind is Kind.REVERT_ASKED:
        return (_next(app, entry),)
    if entry.kind is Kind.SLIPPED:
        live = [t.name for t in live_trains(app.observe(), app.policy)]
        text = say("{version} is not under way yet: the live trains are {names}", version=entry.train, names=live)
        return () if entry.train in live else (text,)
    left = entry.payload.get("left_out", ())
    return tuple(say("left out, since it conflicts: request {request} {subject}", **row) for row in left)


# What people say of them -----------------------------------------------------------------------------------------


def _approve(app: Headway, command: Approve, place: Place) -> Entry | Refused:
    gate = command.gate or _gate_here(app, command.line, place)
    if gate.startswith("pick:"):
        asked = reviewing.asked_for(app, int(gate.removeprefix("pick:")))
        other = command.line and not _on(command.line, asked)
        return _of_another(asked) if other else reviewing.approve_pick(app, asked.entry.train, gate)
    if gate.startswith(GATE):
        return reviewing.approve_revert(app, gate)
    if not command.line:
        raise UnusableInput(
            "approve.no-release",
            say("gate {gate} is a release's: none is named", gate=gate),
            remedy=say("`/approve VERSION {gate}`", gate=gate),
            clause="G1",
        )
    return controls.approve(app, _version(app, command.line), gate)


def _on(line: str, asked: Asked) -> bool:
    """Whether a request is for the release, or the branch, that somebody names."""
    version = parse_version(line.removeprefix("v"))
    return line == asked.payload["branch"] or (version is not None and version == parse_version(asked.entry.train))


def _of_another(asked: Asked) -> Refused:
    return no(
        "P1",
        "approve.other-release",
        say("request {id} is for {version}", id=asked.id, version=asked.entry.train),
        say("`/approve v{version} pick:{id}`", version=asked.entry.train, id=asked.id),
        request=asked.id,
        version=asked.entry.train,
    )


def _gate_here(app: Headway, line: str, place: Place) -> str:
    """The gate that a pull request is about: a revert's resolution, or a request; on an issue that is about neither,
    such as a train's tracker, the release's own, where the policy has no more than one."""
    entries = app.sound_entries()
    undone = mail.undone_by_pull(entries, place.number)
    alone = line and place.pull is None and not mail.requests_about(entries, place.number, None)
    if alone and len(app.policy.approvals) == 1:
        return next(iter(app.policy.approvals))
    return f"{GATE}{undone[:12]}" if undone else f"pick:{_id(app, None, place, line)}"


def _id(app: Headway, number: int | None, place: Place, line: str = "") -> int:
    """The request that is named, or that the pull request is about."""
    if number is not None:
        return number
    merged = (place.pull.merged or place.pull.head_sha) if place.pull is not None else None
    found = mail.requests_about(app.sound_entries(), place.number, merged)
    there = [a for a in found if not line or _on(line, a)]
    if len(there) == 1:
        return there[0].id
    if there:
        told = [f"{a.id} ({a.entry.train})" for a in there]
        raise UnusableInput(
            "pick.several",
            say("#{number} has several requests: {ids}", number=place.number, ids=told),
            remedy=say("name one by its number: pick:ID, or the release"),
        )
    raise not_found("request", f"#{place.number}", say("name it by its number, or ask for it first: `/pick`"))


def _resolve(app: Headway, place: Place) -> Entry | Refused:
    entries = app.sound_entries()
    conflict = mail.conflict_at(entries, place.number)
    if place.pull is None or conflict is None:
        raise UnusableInput(
            "resolve.no-conflict-here",
            say("#{number} is no pull request of a conflict", number=place.number),
            remedy=say("push the resolution to the branch of Headway's draft, and write `/resolve` there"),
            clause="P8",
        )
    head = place.pull.head_sha
    if resolve_commit(app.repo, head) is None:
        place.bring(place.pull.head)
    request, undone = _asked_now(entries, conflict), conflict.payload["undoes"]
    made = resolving.resolve_revert(app, undone, head) if request is None else resolving.resolve(app, request, head)
    return made if isinstance(made, Refused) else made.entry


def _asked_now(entries: tuple[Entry, ...], conflict: Entry) -> int | None:
    """The request whose conflict it is: where the one that met it first is over, the newest that asks for the same."""
    first: int | None = conflict.payload["request"]
    going = [a.id for a in requests(entries, conflict.train) if a.open and conflict.payload["origin"] in a.commits]
    return first if first is None or first in going or not going else going[-1]


# Trains ----------------------------------------------------------------------------------------------------------


def _waive(app: Headway, command: Waive) -> Entry | Refused:
    version = _version(app, command.line)
    return controls.waive(app, version, command.what, command.reason, command.until, command.change or None)


def _adopt(app: Headway, command: Adopt) -> Entry | Refused:
    made = picking.adopt(app, (command.commit,), command.category.value, command.reason)
    return made if isinstance(made, Refused) else made[0]


def _version(app: Headway, line: str) -> str:
    """A version as it is, or that of the live train whose branch is named."""
    if "/" not in line:
        return line
    trains = live_trains(app.observe(), app.policy)
    return next((t.name for t in reversed(trains) if t.branch == line), line)


def _status(app: Headway, line: str) -> Said:
    trains = app.plan().trains
    wanted = trains if not line else (pick_train(trains, _version(app, line)),)
    return answers.status(wanted, action_text)


def _next_train(app: Headway) -> Train | None:
    """The one that somebody most likely means: the first that is cut, else the next."""
    snapshot = app.observe()
    trains = live_trains(snapshot, app.policy)
    return next((t for t in trains if snapshot.line(t.branch) is not None), next(iter(trains), None))
