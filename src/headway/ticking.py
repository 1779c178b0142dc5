"""A whole tick: follow the remote, hear what people said, do what the plan says, write what there is to say.

All of it under the line's lock. Where the project has no forge, it is what is done of trains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from headway.acting import Done, telling
from headway.app import Headway
from headway.decide.trains import live_trains
from headway.effects.pulls import fetch_heads
from headway.errors import BudgetSpent, RateLimited, UnusableInput, WorldFailed
from headway.forges import forge_of
from headway.hearing import have_heard, learn_labels
from headway.inbox import answer_mail
from headway.model.entry import Entry
from headway.model.forgeport import Asking
from headway.model.hub import HubSeen
from headway.model.ports import Hub
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.outside import talk
from headway.plan.hub_actions import HubAction, OpenPull, ProposeChanges
from headway.plan.trainplan import Plan
from headway.upstream import bring

Failure = WorldFailed | UnusableInput


@dataclass(frozen=True, slots=True)
class Ticked:
    """What was ``done`` of trains and on the forge, the ``answered`` commands and milestones, what is waited for."""

    done: tuple[Done, ...]
    waits: tuple[Reason, ...]
    answered: tuple[Entry, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.done or self.answered)


def tick(app: Headway, version: str | None = None, *, settle: bool = False) -> Ticked:
    """Once, or until nothing but waits is left. ``version``: of this train alone; what people said is heard all the
    same. One tick at a time (``LockHeld``).

    Where the world fails one train or one answer, the others go on; then the first failure is raised. Nothing is done
    while the remote or the forge cannot be reached (``remote.unreachable``, ``hub.unread``; ``hub.limited``: it asks to
    come back later), and nothing of trains while comments are left over to the next tick: somebody may have said that
    a train is to be held.
    """
    app.need_policy()
    hub, forge = app.hub, forge_of(app.policy)
    if hub is None or forge is None:
        done, waits = app.tick(version, settle=settle)
        return Ticked(done, waits)
    if (why := forge.unsigned()) is not None:
        raise why
    did: list[Done] = []
    answered: list[Entry] = []
    with app.exclusively(), forge.asking(app.paths.answers, app.policy.forge.budget, app.clock) as asking:
        while True:
            once = _once(app.followed(), hub, asking, version)
            did += once.done
            answered += once.answered
            if not settle or not once.anything:
                return Ticked(tuple(did), once.waits, tuple(answered))


def look(app: Headway) -> tuple[Plan, str]:
    """What the next tick would do, as far as it can be told without following; and why the forge could not be asked
    (``""``: it could, or there is none). Writes nothing."""
    hub, forge = app.hub, forge_of(app.policy)
    if hub is None or forge is None:
        return app.plan(), ""
    if (why := forge.unsigned()) is not None:
        return app.plan(), str(why)
    with forge.asking(None, app.policy.forge.budget, app.clock) as asking:
        heard, seen = _heard(app, hub, asking)
        return heard.plan(), seen.failed


def _once(app: Headway, hub: Hub, asking: Asking, version: str | None) -> Ticked:
    app, seen = _heard(app, hub, asking)
    if seen.failed:
        raise (RateLimited if seen.limited else WorldFailed)(
            "hub.limited" if seen.limited else "hub.unread",
            say("what people say on the forge cannot be read: {why}", why=seen.failed),
            facts=facts(repository=app.policy.project.repository, why=seen.failed),
            remedy=say(
                "nothing was done, since it may say that a train is to be held; see `headway doctor`, tick again"
            ),
        )
    remote = app.remote
    assert remote is not None, "a project with a forge has one"  # noqa: S101
    fetch_heads(app.repo, remote, seen.pulls)
    failed: list[Failure] = []
    answered: tuple[Entry, ...] = ()
    done: tuple[Done, ...] = ()
    waits: tuple[Reason, ...] = ()
    with _noting(failed):
        answered = answer_mail(app, hub, seen, partial(bring, app.repo, remote))
    with _noting(failed):
        have_heard(app, seen)
    if seen.unheard or asking.used_up:  # then commands may be left over, too
        app.progress.say(say("nothing is done of trains before all that people said is heard: the next tick goes on"))
    else:
        with _noting(failed):
            done, waits = app.act(version)
    wrote = _write(app, hub, version, failed)
    if failed:
        raise failed[0]
    if seen.whole:
        learn_labels(app, hub)
    return Ticked((*done, *wrote), waits, answered)


def _heard(app: Headway, hub: Hub, asking: Asking) -> tuple[Headway, HubSeen]:
    """The project with what people say of it on the forge."""
    snapshot = app.observe()
    with asking.sparing():
        read = talk(hub, live_trains(snapshot, app.policy), snapshot, app.policy, app.paths.heard)
    seen = read.hub or HubSeen()
    return replace(app, hub_seen=seen), seen


def _write(app: Headway, hub: Hub, version: str | None, failed: list[Failure]) -> tuple[Done, ...]:
    """The outbox. What is left over when the tick's requests are spent is written by the next.

    Pull requests are opened before all else, so that what is written then links them.
    """
    wrote: list[Done] = []
    planned = app.plan()
    with app.performing(hub) as performer:

        def write(kinds: Callable[[HubAction], bool]) -> bool:
            """Whether there are requests left."""
            for action in _of(version, planned):
                try:
                    if kinds(action):
                        wrote.append(Done(action, performer.perform(action)))
                except (WorldFailed, UnusableInput) as e:
                    if isinstance(e, BudgetSpent):
                        app.progress.say(e.message)
                        return False
                    failed.append(e)
            return True

        more = write(_opens)
        if more:
            planned = app.plan() if wrote else planned
            write(lambda a: not _opens(a))
    if failed:
        failed[0] = telling(failed, wrote)
    return tuple(wrote)


def _opens(action: HubAction) -> bool:
    return isinstance(action, OpenPull | ProposeChanges)


def _of(version: str | None, planned: Plan) -> tuple[HubAction, ...]:
    """What is to be written of one train and of none, or of all."""
    name = None if version is None else version.removeprefix("v")
    return tuple(a for a in planned.hub if name is None or a.train in {"", name})


@contextmanager
def _noting(failed: list[Failure]) -> Iterator[None]:
    """A failure that does not keep the rest of the tick from being done."""
    try:
        yield
    except (WorldFailed, UnusableInput) as e:
        failed.append(e)
