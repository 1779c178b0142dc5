"""Security fixes that cannot be on the trunk first (P8): two people let one in until the day of its disclosure."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

from headway.decide.trains import today
from headway.decide.waivers import embargo_waivers
from headway.model.commit import Commit, Sha
from headway.model.entry import Entry
from headway.model.pick import Category, ChangeFacts
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy

HIDDEN = "(embargoed)"


def embargo_day(text: str) -> date | None:
    """The day of disclosure as a request gives it, or ``None`` for what is no day."""
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None


def embargo_form(
    embargo: str, category: Category | None, changes: tuple[ChangeFacts, ...], snapshot: Snapshot, policy: Policy
) -> tuple[Reason, ...]:
    """What is wrong with an embargo by itself."""
    if not embargo:
        return ()
    found = []
    day, now = embargo_day(embargo), today(policy, snapshot.now)
    if day is None or day < now:
        found.append(
            Reason(
                "P8",
                "picks.embargo-day",
                say("{day} is no day of disclosure that is still to come", day=embargo),
                facts(embargo=embargo, today=now),
                say("give --embargo an ISO date of today or later; what is disclosed is merged on the trunk first"),
            )
        )
    if category is not Category.CRITICAL:
        found.append(
            Reason(
                "P8",
                "picks.embargo-category",
                say("only a critical fix may stay under embargo"),
                facts(embargo=embargo, category=category.value if category else None),
                say("request it as critical, or merge it on the trunk first and leave out --embargo"),
            )
        )
    public = [c.commit.sha for c in changes if c.commit is not None and c.on_trunk]
    if public:
        found.append(
            Reason(
                "P8",
                "picks.embargo-public",
                say("it is on the trunk, where everybody sees it: {commits}", commits=[s[:12] for s in public]),
                facts(embargo=embargo, commits=public),
                say("leave out --embargo"),
            )
        )
    return tuple(found)


def embargoed(
    embargo: str, commit: Commit, train: Train, snapshot: Snapshot, policy: Policy
) -> tuple[Reason, tuple[Entry, ...], bool]:
    """What an embargoed commit waits for instead of the trunk, the waivers that it has, and whether they suffice."""
    given = embargo_waivers(snapshot.entries, train.name, commit.sha, policy, snapshot.now)
    need = policy.embargo.count
    reason = Reason(
        "P8",
        "picks.embargo",
        say(
            "it is under embargo until {day}, not on the trunk: {given} of {count} people have waived that",
            day=embargo,
            given=len(given),
            count=need,
        ),
        facts(
            commit=commit.sha, embargo=embargo, by=[e.actor for e in given], count=need, people=policy.embargo.people
        ),
        say(
            "{count} different people waive it: `headway waive {version} P8 --commit {commit} --reason … --until DATE`",
            count=need,
            version=train.name,
            commit=commit.sha[:12],
        ),
    )
    return reason, given, len(given) >= need


def missing_waivers(train: str, commit: Sha, snapshot: Snapshot, policy: Policy) -> int:
    """How many more people have to waive P8 for this very commit; 0 when there are enough."""
    return max(0, policy.embargo.count - len(embargo_waivers(snapshot.entries, train, commit, policy, snapshot.now)))


def private(embargo: str, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the day of disclosure (ISO 8601) is still to come."""
    return bool(embargo) and today(policy, snapshot.now) < date.fromisoformat(embargo)


def private_branch(branch: str, policy: Policy) -> str:
    """Where embargoed picks of a release branch wait."""
    return policy.embargo.branch.replace("{branch}", branch)
