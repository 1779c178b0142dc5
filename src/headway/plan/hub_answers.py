"""The answer to each command in a comment: one comment, edited when what was asked for has come further (P1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headway.decide import record
from headway.decide.onforge import on_forge
from headway.decide.outbox import Outbox, same_text
from headway.decide.pickstates import ON_BRANCH, PICK_STATES, PickState, State, past_states, states
from headway.model.entry import Entry, Kind
from headway.model.markdown import code, marked, sentence, within
from headway.model.snapshot import Snapshot
from headway.plan.hub_actions import WriteComment, digest_of_action
from headway.plan.trainplan import TrainPlan
from headway.policy.schema import Policy

_ASKED = frozenset({Kind.REQUESTED, Kind.AMENDED})


def answers(
    trains: tuple[TrainPlan, ...], outbox: Outbox, snapshot: Snapshot, policy: Policy
) -> Iterator[WriteComment]:
    """In the order in which the commands were given."""
    given = tuple({e.payload["about"]: e for e in record.of(snapshot.entries, Kind.ANSWERED)}.values())
    if not given:
        return
    by_digest = {e.digest: e for e in snapshot.entries if e.kind in _ASKED}
    now = _states(trains, {e.train for e in by_digest.values()}, snapshot, policy)
    for e in given:
        about, number = e.payload["about"], int(e.payload["number"])
        told = _news(e, by_digest, now, outbox, snapshot.entries, commands=policy.talk.commands)
        body = marked(about, "\n\n".join([e.payload["text"], *told]))
        p = e.payload
        asked = (str(p.get("by") or ""), tuple(p.get("commands", ())), tuple(p.get("outcomes", ())))
        action = WriteComment(e.train, about, number, outbox.id(about), body, *asked)
        there = outbox.hub.bodies.get(action.id) if action.id else None
        if outbox.due(about, digest_of_action(action), changed=there is not None and not same_text(there, body)):
            yield action


def _states(trains: tuple[TrainPlan, ...], asked: set[str], snapshot: Snapshot, policy: Policy) -> Mapping[int, State]:
    live = {t.train.name: t.train for t in trains}
    found = (
        states(live[name], snapshot, policy) if name in live else past_states(name, snapshot) for name in sorted(asked)
    )
    return {state[0].id: state for some in found for state in some}


def _news(
    answer: Entry,
    by_digest: Mapping[str, Entry],
    now: Mapping[int, State],
    outbox: Outbox,
    entries: record.Entries,
    *,
    commands: bool,
) -> Iterator[str]:
    """How each request that the command made or changed stands."""
    made = (by_digest[d] for d in answer.payload["entries"] if d in by_digest)
    ids = dict.fromkeys(int(e.payload["request"]) if e.kind is Kind.AMENDED else e.seq for e in made)
    for number in ids:
        if number in now:
            yield news(now[number], outbox, outbox.draft(number, entries), commands=commands)


def news(state: State, outbox: Outbox, draft: int, *, commands: bool) -> str:
    """A request's state on one line, with what it waits for. ``draft``: the pull request of its conflict, or 0."""
    asked, name, waits = state
    pull = outbox.number(f"pull:{asked.entry.train}:{asked.id}")
    words = [f"Request {asked.id} for {within(asked.entry.train)} is now: **{PICK_STATES[name]}**"]
    placed = asked.placed or {}
    if name in ON_BRANCH:
        words += [f"as {', '.join(code(sha[:12]) for sha in placed.values())}"]
    elif pull and name is PickState.PENDING:
        words += [f"in #{pull}"]
    elif draft and name is PickState.CONFLICT:
        words += [f"in #{draft}, a draft that shows what conflicts"]
    line, category = asked.entry.train, str(asked.payload.get("category") or "")
    told = (on_forge(w, commands=commands, line=line, category=category) for w in waits)
    why = [f"\n- **{w.clause}** {sentence(w.text, 300)}\n  → {sentence(w.remedy, 300)}" for w in told]
    return " ".join(words) + "." + "".join(why)
