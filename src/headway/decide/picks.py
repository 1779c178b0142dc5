"""The gate of cherry-picks (P1–P8, V4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headway.decide import record
from headway.model.commit import Commit, Line
from headway.model.entry import Entry, Kind
from headway.model.pick import Category, ChangeFacts, PickRequest, PickVerdict
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.paths import matches
from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """``violations`` refuse; ``reviews`` are what a person has to look at; both empty means accepted."""

    verdict: PickVerdict
    violations: tuple[Reason, ...]
    reviews: tuple[Reason, ...]


def gate(
    request: PickRequest,
    known: ChangeFacts,
    train: Train,
    line: Line | None,
    entries: tuple[Entry, ...],
    policy: Policy,
) -> GateAnswer:
    """All that speaks against a request, at once."""
    try:
        category = Category(request.category)
    except ValueError:
        category = None
    found = [
        *_form(request, category, train, policy),
        *_origin(request, known, category),
        *_content(known, category, policy),
        *_state(request, known, train, line, entries),
    ]
    reviews = [] if found else list(_reviews(request, category, policy))
    if found:
        return GateAnswer(PickVerdict.REFUSED, tuple(found), ())
    return GateAnswer(PickVerdict.NEEDS_REVIEW if reviews else PickVerdict.ACCEPTED, (), tuple(reviews))


def _form(request: PickRequest, category: Category | None, train: Train, policy: Policy) -> list[Reason]:
    found = []
    names = [c.value for c in Category]
    if category is None:
        found.append(
            Reason(
                "P1",
                "picks.no-category" if not request.category else "picks.unknown-category",
                say("a pick names exactly one category")
                if not request.category
                else say("{category} is not a category: a pick names exactly one", category=request.category),
                facts(category=request.category or None, categories=names),
                say("add --category with one of {names}", names=names),
            )
        )
    elif train.post and category.value not in policy.post.categories:
        found.append(
            Reason(
                "V4",
                "picks.not-in-post",
                say("{version} is a post release: it holds fixes only", version=train.name),
                facts(category=category.value, allowed=policy.post.categories),
                say("leave it for the next patch release"),
            )
        )
    if not request.reason.strip():
        found.append(
            Reason(
                "P1",
                "picks.no-reason",
                say("a pick states its reason"),
                facts(),
                say("add --reason with what it mends"),
            )
        )
    return found


def _origin(request: PickRequest, known: ChangeFacts, category: Category | None) -> list[Reason]:
    if category is Category.RELEASE_BRANCH:
        if known.commit is None:
            return [
                Reason(
                    "P6",
                    "picks.no-commit",
                    say("no commit stands behind {ref}", ref=request.ref),
                    facts(ref=request.ref),
                    say("name the commit of the release-branch change by its SHA"),
                )
            ]
        return []
    if known.commit is None or not known.on_trunk:
        return [
            Reason(
                "P8",
                "picks.no-origin",
                say("{ref} is not merged on the trunk", ref=request.ref),
                facts(ref=request.ref, commit=known.commit.sha if known.commit else None, on_trunk=False),
                say("merge it on the trunk first, then request it again"),
            )
        ]
    if known.reverted_by is not None:
        return [
            Reason(
                "P8",
                "picks.reverted-on-trunk",
                say("{ref} was reverted on the trunk by {sha}", ref=request.ref, sha=known.reverted_by[:12]),
                facts(ref=request.ref, commit=known.commit.sha, reverted_by=known.reverted_by),
                say("reland it on the trunk first, and request the reland"),
            )
        ]
    return []


def feature_sign(commit: Commit, policy: Policy) -> str | None:
    """The pattern by which a title looks like feature work (P7), or ``None``."""
    return next((p for p in policy.picks.feature_titles if re.search(p, commit.title)), None)


def _content(known: ChangeFacts, category: Category | None, policy: Policy) -> list[Reason]:
    found: list[Reason] = []
    if known.commit is None:
        return found
    sign = feature_sign(known.commit, policy)
    if sign is not None:
        found.append(
            Reason(
                "P7",
                "picks.feature",
                say("no feature work is picked: {subject}", subject=known.commit.title),
                facts(subject=known.commit.title, pattern=sign, commit=known.commit.sha),
                say("leave it for the next train; a fix inside it can be merged on the trunk by itself and requested"),
            )
        )
    for wanted, clause, patterns, what in (
        (Category.DOCS, "P5", policy.picks.docs_paths, "documentation"),
        (Category.RELEASE_BRANCH, "P6", policy.picks.branch_paths, "release-branch files"),
    ):
        others = [p for p in known.paths if not matches(p, patterns)]
        if category is wanted and others:
            found.append(
                Reason(
                    clause,
                    "picks.other-paths",
                    say("it touches more than {what}: {paths}", what=what, paths=others),
                    facts(paths=others, allowed=patterns),
                    say("request it under the category of what it mends, or split it on the trunk"),
                )
            )
    return found


def _state(
    request: PickRequest, known: ChangeFacts, train: Train, line: Line | None, entries: tuple[Entry, ...]
) -> list[Reason]:
    if line is None:
        return [
            Reason(
                "P1",
                "picks.before-cut",
                say("{version} is not cut yet: what is on the trunk then is in it", version=train.name),
                facts(version=train.name, branch=train.branch),
                say("merge it on the trunk; picks begin with the cut"),
            )
        ]
    if known.commit is None:
        return []
    if known.on_branch is not None:
        return [
            Reason(
                "P1",
                "picks.already-there",
                say("{branch} holds it already", branch=line.branch),
                facts(branch=line.branch, commit=known.commit.sha, as_=known.on_branch),
                say("nothing to do"),
            )
        ]
    for e in record.of(entries, Kind.REQUESTED, train.name):
        open_ = e.payload["commit"] == known.commit.sha and not record.answered(entries, line.branch, e)
        if open_ and not _outdone(e, request, entries):
            return [
                Reason(
                    "P1",
                    "picks.requested-already",
                    say("request {id} asks for the same commit", id=e.seq),
                    facts(id=e.seq, by=e.actor, verdict=e.payload["verdict"]),
                    say("see `headway pick list`"),
                )
            ]
    return []


def _outdone(earlier: Entry, request: PickRequest, entries: tuple[Entry, ...]) -> bool:
    """Whether an earlier request does not stand in the way: refused, or waiting for the evidence that comes now."""
    verdict = earlier.payload["verdict"]
    lacks_evidence = verdict == PickVerdict.NEEDS_REVIEW and earlier.seq not in reviewed(entries, earlier.train)
    return verdict == PickVerdict.REFUSED or (lacks_evidence and bool(request.evidence))


def reviewed(entries: tuple[Entry, ...], train: str) -> frozenset[int]:
    """Numbers of the requests that a person looked at and let in (gate ``pick:ID``)."""
    gates = (e.payload["gate"] for e in record.of(entries, Kind.APPROVED, train))
    return frozenset(int(g.removeprefix("pick:")) for g in gates if g.startswith("pick:"))


def _reviews(request: PickRequest, category: Category | None, policy: Policy) -> list[Reason]:
    if category is None or category.value not in policy.picks.review_without_evidence or request.evidence:
        return []
    return [
        Reason(
            category.clause,
            "picks.no-evidence",
            say("no evidence was given for {category}", category=category.value),
            facts(category=category.value),
            say("add --evidence with a link or a failing test; or a release manager approves it: gate pick:ID"),
        )
    ]
