"""The inbox of a tick: commands in comments are carried out, each once, and what a milestone holds is asked for (P1).

Every entry that a comment brings about says so (``via``), and the comment's answer is an entry of its own, which the
outbox writes on the forge. Killed in between, a command is not carried out again: its entries are there. Nothing is
concluded from the forge's times but whether a comment was edited, and both of those are the forge's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from headway.app import ACTOR, Headway
from headway.chat import answers
from headway.chat.answers import Outcome, Said
from headway.chat.commands import Hold, ReleaseHold, Typed
from headway.chat.grammar import read_commands
from headway.commanding import Place, carry_out, change_of, onto_trunk, said_of, told, wants_pull
from headway.decide import mail
from headway.decide.chatrights import account, refusal, teams_named
from headway.decide.requests import requests
from headway.decide.trains import live_trains
from headway.errors import BudgetSpent, UnusableInput, WorldFailed
from headway.history.log import is_ancestor, trunk_tip
from headway.history.mirror import read_heads
from headway.history.repository import resolve_commit
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.hub import Comment, HubSeen, Person, Pull
from headway.model.markdown import sentence
from headway.model.pick import PickRequest
from headway.model.ports import Hub
from headway.model.snapshot import Snapshot
from headway.model.text import clean, say
from headway.model.train import Train
from headway.picking import request_pick
from headway.refusal import Refused

_LONGEST = 500  # characters of a command's line that the ledger keeps


def here_already(branch: str) -> None:
    """Every branch of the forge is here."""


def answer_mail(
    app: Headway, hub: Hub, seen: HubSeen, bring: Callable[[str], None] = here_already
) -> tuple[Entry, ...]:
    """Carry out what comments command, ask for what milestones hold, and record the answers: these are returned.

    ``bring`` fetches a branch of the project's own repository on the forge by its name. Where the world fails one
    comment it is left for the next tick and the others go on; then the first failure is raised. Where the tick's
    requests are spent the rest is left for the next.
    """
    if app.policy.forge.kind == "none" or seen.failed:
        return ()
    app.need_policy()
    inbox = _Inbox(app, hub, seen, bring)
    made: list[Entry] = []
    failed: list[WorldFailed | UnusableInput] = []
    for work in inbox.work():
        try:
            entry = work()
        except (WorldFailed, UnusableInput) as e:
            if isinstance(e, BudgetSpent):
                break
            failed.append(e)
        else:
            made += [entry] if entry is not None else []
    if failed:
        raise failed[0]
    return tuple(made)


def _commands(app: Headway, comment: Comment) -> tuple[Typed, ...]:
    if comment.by_app or comment.own or not comment.author:
        return ()
    return read_commands(comment.body, app.policy.talk.mention)


def _before(typed: tuple[Typed, ...], i: int) -> int | None:
    """Where a comment says the same before its command ``i``. A hold and its release undo each other: between them both
    are carried out anew."""
    for n in reversed(range(i)):
        if typed[n].command == typed[i].command:
            return n
        if isinstance(typed[n].command, Hold | ReleaseHold) and isinstance(typed[i].command, Hold | ReleaseHold):
            return None
    return None


def _asked_by(pull: Pull, person: str, said: Said) -> Said:
    """The answer to what nobody typed."""
    how = say(
        "the milestone {milestone} asked for it, in the name of {person}", milestone=pull.milestone, person=person
    )
    verdict, end, rest = said.text.partition("\n")
    return replace(said, text=f"{verdict}; {sentence(how)}{end}{rest}")


@dataclass(frozen=True, slots=True)
class _Inbox:
    app: Headway
    hub: Hub
    seen: HubSeen
    bring: Callable[[str], None]
    pulls: dict[int, Pull | None] = field(default_factory=dict)  # asked for in this tick: many comment on one issue

    def work(self) -> Iterable[Callable[[], Entry | None]]:
        """Each piece by itself: comments first, since what somebody asks for needs no milestone."""
        if self.app.policy.talk.commands:
            for comment in {c.id: c for c in self.seen.comments}.values():
                typed = _commands(self.app, comment)
                if typed:
                    yield lambda c=comment, t=typed: self._answer(c, t)  # type: ignore[misc]
        yield from self._milestones()

    def _record(self, about: str, number: int, by: str, said: tuple[tuple[str, Said], ...], comment: int = 0) -> Entry:
        made = [e for _, one in said for e in one.entries]
        payload = {
            "about": about,
            "comment": comment,
            "number": number,
            "by": by,
            "commands": [line[:_LONGEST] for line, _ in said if line],
            "outcomes": [one.outcome.value for _, one in said],
            "ok": all(one.outcome is not Outcome.NO for _, one in said),
            "entries": [e.digest for e in made],
            "text": answers.whole(said),
        }
        train = next((e.train for e in made if e.train), "")
        return self.app.recording(ACTOR).record(Kind.ANSWERED, train, payload)

    # Comments --------------------------------------------------------------------------------------------------

    def _answer(self, comment: Comment, typed: tuple[Typed, ...]) -> Entry | None:
        entries = self.app.sound_entries()
        about = mail.of_comment(comment.id)
        if about in mail.answered(entries):
            return None
        by = account(clean(comment.author))
        if comment.edited:
            done = (told(self.app, e) for e in mail.brought_about(entries, comment.id))
            said = (*(("", one) for one in done), ("", answers.edited()))
            return self._record(about, comment.number, by, said, comment.id)
        person = self.seen.people.get(comment.author) or self.hub.person(
            comment.author, teams_named(self.app.policy.talk)
        )
        every: list[tuple[str, Said]] = []
        for i, t in enumerate(typed):
            before = _before(typed, i)
            if before is not None:
                every.append((t.line, answers.repeated(every[before][1])))
                continue
            try:
                one = self._obey(comment, i, t, person, entries)
            except (WorldFailed, UnusableInput):
                self._hold(comment, typed, i, person, entries)
                raise
            if one is None:
                self._hold(comment, typed, i, person, entries)
                return None
            every.append((t.line, one))
        return self._record(about, comment.number, by, tuple(every), comment.id)

    def _hold(
        self, comment: Comment, typed: tuple[Typed, ...], done: int, person: Person, entries: tuple[Entry, ...]
    ) -> None:
        """What is behind a command that has to wait waits too, but for a hold: the trains go on in this tick."""
        for i, t in enumerate(typed[done + 1 :], done + 1):
            if isinstance(t.command, Hold) and _before(typed, i) is None:
                self._obey(comment, i, t, person, entries)

    def _pull(self, number: int) -> Pull | None:
        seen = self.seen.pull(number)
        if seen is None and number not in self.pulls:
            self.pulls[number] = self.hub.pull(number)
        return seen or self.pulls[number]

    def _obey(self, comment: Comment, i: int, typed: Typed, person: Person, entries: tuple[Entry, ...]) -> Said | None:
        """Carry one command out, unless its entries are there. ``None``: the trunk that is here is older than what it
        is about; the next tick has that."""
        done = mail.brought_about(entries, comment.id, i)
        if done:
            return told(self.app, done[-1])
        no = refusal(person, typed.command.role, self.app.policy.talk, typed.command.word)
        if no is not None:
            return answers.refused((no,))
        pull = self._pull(comment.number) if wants_pull(typed.command) else None
        if self._ahead(pull):
            return None
        place = Place(comment.number, pull, self.bring, self.hub)
        via = {"comment": str(comment.id), "command": str(i), "url": clean(comment.url)}
        return carry_out(replace(self.app, person=account(clean(comment.author)), via=via), typed.command, place)

    def _ahead(self, pull: Pull | None) -> bool:
        """Whether a pull request was merged on the trunk since that was fetched: the forge's trunk holds what it became
        and the one here does not. One that was forced off it is on neither."""
        if pull is None or pull.merged is None or not onto_trunk(self.app, pull) or self._on_trunk(pull.merged):
            return False
        self.bring(pull.base)
        there = read_heads(self.app.repo.git).get(pull.base)
        here = resolve_commit(self.app.repo, pull.merged) is not None
        return here and there is not None and is_ancestor(self.app.repo, pull.merged, there)

    def _on_trunk(self, commit: Sha) -> bool:
        repo = self.app.repo
        return resolve_commit(repo, commit) is not None and is_ancestor(repo, commit, trunk_tip(repo, self.app.trunk))

    # Milestones ------------------------------------------------------------------------------------------------

    def _milestones(self) -> Iterable[Callable[[], Entry | None]]:
        app, talk = self.app, self.app.policy.talk
        entries = app.sound_entries()
        asked = any((e.payload.get("via") or {}).get("milestone") for e in entries if e.kind is Kind.REQUESTED)
        if not talk.milestone or not (asked or any(p.milestone for p in self.seen.pulls)):
            return
        snapshot = app.observe()
        for train in live_trains(snapshot, app.policy):
            if snapshot.line(train.branch) is None:
                continue  # what is merged before the cut is in it
            name = mail.milestone_of(train, talk)
            for pull in sorted(self.seen.pulls, key=lambda p: p.number):
                if pull.milestone == name and pull.merged is not None and onto_trunk(self.app, pull):
                    yield lambda p=pull, t=train: self._ask(p, t, snapshot)  # type: ignore[misc]
            for number in mail.by_milestone(entries, train.name):
                yield lambda n=number, t=train, m=name: self._left(n, t, m)  # type: ignore[misc]

    def _ask(self, pull: Pull, train: Train, snapshot: Snapshot) -> Entry | None:
        """Request what a milestone holds and nobody asked for, once. Its author stands for it."""
        app, entries = self.app, self.app.sound_entries()
        about, by = mail.of_milestone(train.name, pull.number), account(clean(pull.author))
        if about in mail.answered(entries):
            return None
        mine = mail.by_milestone(entries, train.name).get(pull.number)
        if mine is not None:  # killed before it was told
            return self._record(about, pull.number, by, (("", _asked_by(pull, by, told(app, mine.says))),))
        line, merged = snapshot.line(train.branch), str(pull.merged)
        if line is None or resolve_commit(app.repo, merged) is None or is_ancestor(app.repo, merged, line.tip):
            return None  # not fetched yet; or the cut has it
        if any(mail.names(a, pull.number, merged) for a in requests(entries, train.name)):
            return None
        via = {"milestone": pull.milestone, "pull": str(pull.number), "url": clean(pull.url)}
        reason = f"in milestone {clean(pull.milestone)}"
        change = change_of(app, pull, self.hub)
        if isinstance(change, Refused):
            return self._record(about, pull.number, by, (("", _asked_by(pull, by, answers.refused(change.reasons))),))
        request = PickRequest(change, mail.category_of(pull, app.policy.talk), reason, ())
        try:
            said = _asked_by(
                pull, by, said_of(app, request_pick(replace(app, person=by, via=via), request, train.name))
            )
        except UnusableInput as e:
            said = answers.failed(e)
        return self._record(about, pull.number, by, (("", said),))

    def _left(self, number: int, train: Train, milestone: str) -> Entry | None:
        """Tell that a request stands whose pull request the milestone does not hold any more: it takes nothing back."""
        entries = self.app.sound_entries()
        about = mail.of_milestone(train.name, number, left=True)
        asked = mail.by_milestone(entries, train.name)[number]
        if not asked.open or about in mail.answered(entries):
            return None
        held = self.seen.milestones.get(milestone)
        if not held or number in held:  # it was not read; or there is no such milestone any more, which says nothing
            return None
        said = answers.answer(
            Outcome.OPEN,
            say("it left the milestone {milestone}; request {id} stands", milestone=milestone, id=asked.id),
            more=(say("take it back with `/withdraw {id}`, or a reviewer with `/reject {id} REASON…`", id=asked.id),),
        )
        return self._record(about, number, asked.entry.actor, (("", said),))
