"""When what is let in (P1), and how long a change stays on the trunk first (P8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from headway.model.commit import Commit, Sha
from headway.model.pick import Category
from headway.model.reason import Reason
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.schema import Phase, Policy


@dataclass(frozen=True, slots=True)
class InForce:
    """The phase of a day; ``since`` is the day on which it began, ``None`` for the one that begins with the cut."""

    phase: Phase
    since: date | None


def phase_of(train: Train, day: date, policy: Policy) -> InForce | None:
    """The phase in force; ``None`` when everything is let in.

    A post release has no time between cut and release that would want protection (B3): it knows no phases.
    """
    found = None
    for phase in () if train.post else policy.picks.phases:
        since = None if phase.days_before is None else train.date - timedelta(days=phase.days_before)
        if since is None or day >= since:
            found = InForce(phase, since)
    return found


def phase_words(train: Train, day: date, policy: Policy) -> Text | None:
    """The phase of a day and the one after it, as people say it; ``None`` when everything is let in."""
    now = phase_of(train, day, policy)
    if now is None:
        return None
    begins = ((train.date - timedelta(days=p.days_before), p) for p in policy.picks.phases if p.days_before is not None)
    then = min((row for row in begins if row[0] > day), key=lambda row: row[0], default=None)
    if then is None:
        return say("picks: {phase}", phase=now.phase.name)
    return say("picks: {phase}, from {day} on {then}", phase=now.phase.name, day=then[0], then=then[1].name)


def phase_reason(category: Category, commit: Sha | None, train: Train, day: date, policy: Policy) -> Reason | None:
    """Why a category is not let in today."""
    now = phase_of(train, day, policy)
    if now is None or category.value in now.phase.categories:
        return None
    text = say("{version} is {phase}: {category} is not let in", version=train.name, **_named(now, category))
    if now.since is not None:
        text = say(
            "{version} is {phase} since {since}: {category} is not let in",
            version=train.name,
            since=now.since,
            **_named(now, category),
        )
    return Reason(
        "P1",
        "picks.phase",
        text,
        facts(
            phase=now.phase.name,
            since=now.since,
            allowed=now.phase.categories,
            category=category.value,
            release=train.date,
            commit=commit,
        ),
        say(
            "leave it for the next train; or a person lets it in: "
            "`headway waive {version} P1 --commit {commit} --reason … --until DATE`",
            version=train.name,
            commit=(commit or "SHA")[:12],
        ),
    )


def _named(now: InForce, category: Category) -> dict[str, str]:
    return {"phase": now.phase.name, "category": category.value}


def soaking(commit: Commit, now: datetime, policy: Policy) -> datetime | None:
    """Until when a trunk commit is left alone, or ``None`` when it has been there long enough (P8)."""
    until = commit.committed + timedelta(hours=policy.picks.soak_hours)
    return until if policy.picks.soak_hours and now < until else None


def soaking_reason(commit: Commit, train: Train, now: datetime, policy: Policy) -> Reason | None:
    """What a change waits for that has not been on the trunk long enough."""
    until = soaking(commit, now, policy)
    if until is None:
        return None
    return Reason(
        "P8",
        "picks.soaking",
        say("{subject} is applied when it has been on the trunk until {until}", subject=commit.title, until=until),
        facts(commit=commit.sha, until=until, soak_hours=policy.picks.soak_hours),
        say(
            "wait; or a person ends it: `headway waive {version} P8 --commit {commit} --reason … --until DATE`",
            version=train.name,
            commit=commit.sha[:12],
        ),
    )
