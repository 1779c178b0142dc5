"""What pull requests of Headway's own say, and why they are closed. Words of others stand in them inert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from headway.decide import record
from headway.decide.pickstates import COMES_TO_NOTHING, ON_BRANCH, PICK_STATES, PickState, State
from headway.decide.pulls import PickPull
from headway.decide.requests import Asked
from headway.model.commit import Commit, pr_of
from headway.model.entry import Entry, Kind
from headway.model.markdown import code, marked, title, within
from headway.model.pick import Category, ChangeKind, PendingChange
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.schema import Policy

PATHS = 50  # conflicting paths that are listed


def title_of(changes: tuple[PendingChange, ...]) -> str:
    """What the squashed commit will be called."""
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return title(_subject(changes[0]), 230) + more


def _subject(change: PendingChange) -> str:
    words = change.subject or change.origin[:12]
    return f'Revert "{words}"' if change.asked else words


def pick_body(p: PickPull, train: Train, branch: str, asked: Asked | None) -> str:
    """For people who review it; the last lines are what a squash needs to say, as ``git cherry-pick -x`` does."""
    rows = [_what(p, train, branch, asked), ""]
    for c in p.changes:
        rows.append(f"- {c.origin} {_named(c.subject)}")
    rows += [
        "",
        "Merge it in whichever way this repository allows: a merge, a squash and a rebase are all recognised. When "
        f"{code(branch)} moves, Headway makes this branch anew, unless somebody else has pushed to it.",
        "",
        *_trailers(p.changes),
    ]
    return marked(p.about, "\n".join(rows))


def _named(subject: str) -> str:
    """A change after its commit, which stands there whole and is no code: a forge makes a short link of it, as of the
    pull request's number."""
    number = pr_of(subject)
    if number is None:
        return within(subject, 200)
    return f"{within(subject.removesuffix(f'(#{number})').rstrip(), 200)} (#{number})"


def _what(p: PickPull, train: Train, branch: str, asked: Asked | None) -> str:
    onto = f"onto {code(branch)} for {within(train.name)}"
    if asked is None:
        by = "A person asked for it (G3)." if p.changes[0].asked else "The trunk took it back (B6)."
        return f"A revert {onto}. {by}"
    word = str(asked.payload.get("category") or "")
    clause = f", {Category(word).clause}" if word in set(Category) else ""
    people = ", ".join(within(name) for name in dict.fromkeys(e.actor for e in asked.counted))
    told = [f"Request {asked.id} {onto} ({within(word)}{clause}), asked by {within(asked.entry.actor)}"]
    told += [f"approved by {people}"] if people else []
    return f"{', '.join(told)}: {within(str(asked.payload.get('reason') or ''), 500)}"


def _trailers(changes: Iterable[PendingChange]) -> Iterator[str]:
    for c in changes:
        if c.kind is ChangeKind.REVERT:
            yield f"This reverts commit {c.undoes}."
        if not c.asked:
            yield f"(cherry picked from commit {c.origin})"


def conflict_title(e: Entry) -> str:
    return title(f"Conflict: {e.payload['subject'] or e.payload['origin'][:12]}", 240)


def conflict_body(e: Entry, train: Train, trunk: Sequence[Commit], policy: Policy) -> str:
    """What conflicts, and the commands that end it. ``trunk``: its commits, as far as they are known."""
    p = e.payload
    revert = p["kind"] == ChangeKind.REVERT
    key = p["undoes"][:12] if revert else str(p["request"])
    what = f"The revert of {p['undoes']}" if revert else f"Request {p['request']}"
    rows = [
        f"{what} for {within(train.name)} conflicts on {code(p['branch'])}: {within(p['subject'] or '', 200)}",
        "",
        *(f"- {code(path)}" for path in p["paths"][:PATHS]),
        *([f"- … and {len(p['paths']) - PATHS} more"] if len(p["paths"]) > PATHS else []),
        "",
        "This branch has the conflict with git's markers. Do not merge it as it is:",
        "",
        f"1. edit the files until no marker is left, and push to {code(p['workspace'])};",
        f"2. record it: {'`/resolve` in a comment here' if policy.talk.commands else f'`headway pick resolve {key}`'};",
        "3. somebody else compares it with its origin and approves it.",
        "",
        "Then Headway closes this pull request, and the change goes on as any other.",
    ]
    if p["prerequisites"]:
        rows += ["", "It would apply cleanly after these, which can be requested instead:", ""]
        titles = {c.sha: c.title for c in trunk}
        rows += [f"- {sha} {_named(titles.get(sha, ''))}".rstrip() for sha in p["prerequisites"]]
    return marked(f"conflict:{e.train}:{e.seq}", "\n".join(rows))


def request_over(number: int, known: tuple[State, ...], *, conflict: bool = False) -> str:
    """Why nothing comes of a request's pull request; empty while something may."""
    found = next((s for s in known if s[0].id == number), None)
    if found is None:
        return f"Request {number} is not there any more."
    asked, name, _ = found
    if name is PickState.CONFLICT and not conflict:
        return f"Request {number} conflicts on its branch by now; it goes on when the conflict is resolved."
    if name not in ON_BRANCH | COMES_TO_NOTHING:
        return ""
    placed = ", ".join(code(sha[:12]) for sha in (asked.placed or {}).values())
    if placed:
        return f"Request {number} is on the branch: {placed}."
    return f"Request {number}: {PICK_STATES[name]}."


def not_needed(branch: str) -> str:
    return f"{code(branch)} does not need this revert any more."


def conflicting() -> str:
    return "It conflicts on its branch by now; it goes on when the conflict is resolved."


def pushed() -> str:
    return "By its policy of today the project pushes picks to its release branches, without pull requests."


def other_branch(branch: str) -> str:
    return f"The release goes on on {code(branch)}."


def resolved(e: Entry) -> str:
    return f"The conflict was resolved by {within(e.actor)}; the change goes on as any other."


def moved_on(e: Entry) -> str:
    workspace = e.payload["workspace"]
    return f"It conflicts otherwise by now{f': see {code(workspace)}' if workspace else ''}."


def ended(train: str, snapshot: Snapshot) -> str:
    """How a train ended; empty while that is not known."""
    if record.last(snapshot.entries, Kind.RELEASED, train) is not None:
        return f"{within(train)} is released."
    return f"{within(train)} was given up." if train in record.given_up(snapshot.entries) else ""
