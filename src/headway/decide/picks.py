"""The gate of cherry-picks as a whole (P1–P8, V4)."""

from __future__ import annotations

from dataclasses import dataclass

from headway.decide.claims import claims_of
from headway.decide.embargo import embargo_form, embargoed
from headway.decide.featurework import feature_work
from headway.decide.intheway import in_the_way, rejected_before
from headway.decide.phases import phase_reason, soaking_reason
from headway.decide.pickevidence import weigh
from headway.decide.trains import today
from headway.decide.waivers import waived, waiver_of
from headway.model.claimed import ClaimFacts
from headway.model.commit import Line, Sha
from headway.model.entry import Entry
from headway.model.pick import Category, ChangeFacts, PickRequest, PickVerdict
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.paths import matches
from headway.policy.schema import Policy

_OFF_TRUNK = "picks.no-origin"


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """``violations`` refuse; ``reviews`` are what a person has to look at, told at once also when it is refused; both
    empty means accepted.

    ``waits`` are what it waits for before it is applied; ``waived`` what would have spoken against it, each with the
    waiver that names its commit.
    """

    verdict: PickVerdict
    violations: tuple[Reason, ...]
    reviews: tuple[Reason, ...]
    waits: tuple[Reason, ...] = ()
    waived: tuple[tuple[Reason, Entry], ...] = ()


def gate(
    request: PickRequest,
    changes: tuple[ChangeFacts, ...],
    train: Train,
    line: Line | None,
    snapshot: Snapshot,
    policy: Policy,
    known: ClaimFacts,
    amended: int | None = None,
) -> GateAnswer:
    """All that speaks against a request, at once; ``changes`` are those that it names, oldest first.

    ``amended`` is the number of the request that this one states anew.
    """
    try:
        category = Category(request.category)
    except ValueError:
        category = None
    embargo = claims_of(request).embargo
    weighed = weigh(request, category, known, train, snapshot, policy)
    day = today(policy, snapshot.now)
    found = [
        *_form(request, category, train, policy),
        *embargo_form(embargo, category, changes, snapshot, policy),
        *(r for c in changes for r in _origin(c, category)),
        *(r for c in changes for r in _content(c, category, train, policy)),
        *in_the_way(request, changes, train, line, snapshot.entries, amended),
        *(r for c in changes if category and (r := phase_reason(category, _sha(c), train, day, policy))),
        *weighed.wrong,
    ]
    sifted = _Sifted(train, snapshot, policy)
    for reason in found:
        sifted.put(reason)
    for c in changes:
        if embargo and category is Category.CRITICAL and c.commit is not None and not c.on_trunk:
            sifted.under_embargo(embargo, c)
    waits = sifted.soaking(changes)
    reviews = (*sifted.reviews, *weighed.doubts, *rejected_before(changes, train, snapshot.entries))
    if sifted.violations:
        return GateAnswer(PickVerdict.REFUSED, tuple(sifted.violations), reviews, (), tuple(sifted.waived))
    verdict = PickVerdict.NEEDS_REVIEW if reviews else PickVerdict.ACCEPTED
    return GateAnswer(verdict, (), reviews, waits, tuple(sifted.waived))


def adoption(
    change: ChangeFacts,
    origins: tuple[Sha, ...],
    category: Category,
    train: Train,
    snapshot: Snapshot,
    policy: Policy,
) -> tuple[Reason, ...]:
    """What speaks against explaining a commit that is on the branch already: what it touches and brings (P5–P7).

    A waiver of feature work names it or one of its ``origins``, or was given for the whole train.
    """
    if change.commit is None:
        return ()
    names = (change.commit.sha, *origins)
    set_aside = waived(snapshot, train.name, "P7", policy) or any(
        waiver_of(snapshot, train.name, "P7", n, policy) for n in names
    )
    return tuple(r for r in _content(change, category, train, policy) if r.clause != "P7" or not set_aside)


class _Sifted:
    """What speaks against a request, after people's waivers.

    One that names the commit sets a reason aside (P7, and the phase of P1); one for the whole train leaves each pick to
    a person all the same.
    """

    def __init__(self, train: Train, snapshot: Snapshot, policy: Policy) -> None:
        self._train = train
        self._snapshot = snapshot
        self._policy = policy
        self.violations: list[Reason] = []
        self.reviews: list[Reason] = []
        self.waived: list[tuple[Reason, Entry]] = []

    def put(self, reason: Reason) -> None:
        if reason.clause != "P7" and reason.code != "picks.phase":
            self.violations.append(reason)
            return
        commit = dict(reason.facts)["commit"]
        waiver = self._waiver(reason.clause, str(commit)) if commit else None
        if waiver is not None:
            self.waived.append((reason, waiver))
        elif waived(self._snapshot, self._train.name, reason.clause, self._policy):
            self.reviews.append(reason)
        else:
            self.violations.append(reason)

    def under_embargo(self, embargo: str, change: ChangeFacts) -> None:
        """People's word instead of the trunk's, where the policy lets them give it."""
        if change.commit is None or "P8" not in self._policy.waivers.clauses:
            return
        sha = change.commit.sha
        self.violations = [v for v in self.violations if (v.code, dict(v.facts).get("commit")) != (_OFF_TRUNK, sha)]
        reason, given, enough = embargoed(embargo, change.commit, self._train, self._snapshot, self._policy)
        if enough:
            self.waived += [(reason, e) for e in given]
        else:
            self.reviews.append(reason)

    def soaking(self, changes: tuple[ChangeFacts, ...]) -> tuple[Reason, ...]:
        """What is too young on the trunk still (P8)."""
        found = []
        for c in changes:
            if c.commit is None or not c.on_trunk:
                continue
            reason = soaking_reason(c.commit, self._train, self._snapshot.now, self._policy)
            waiver = self._waiver("P8", c.commit.sha) if reason else None
            if reason and waiver:
                self.waived.append((reason, waiver))
            elif reason:
                found.append(reason)
        return tuple(found)

    def _waiver(self, clause: str, commit: Sha) -> Entry | None:
        return waiver_of(self._snapshot, self._train.name, clause, commit, self._policy)


def _sha(change: ChangeFacts) -> Sha | None:
    return change.commit.sha if change.commit else None


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


def _origin(known: ChangeFacts, category: Category | None) -> list[Reason]:
    if category is Category.RELEASE_BRANCH:
        if known.commit is None:
            return [
                Reason(
                    "P6",
                    "picks.no-commit",
                    say("no commit stands behind {ref}", ref=known.ref),
                    facts(ref=known.ref),
                    say("name the commit of the release-branch change by its SHA"),
                )
            ]
        return []
    if known.commit is None or not known.on_trunk:
        return [
            Reason(
                "P8",
                _OFF_TRUNK,
                say("{ref} is not merged on the trunk", ref=known.ref),
                facts(ref=known.ref, commit=known.commit.sha if known.commit else None, on_trunk=False),
                say("merge it on the trunk first, then request it again"),
            )
        ]
    if known.reverted_by is not None:
        return [
            Reason(
                "P8",
                "picks.reverted-on-trunk",
                say("{ref} was reverted on the trunk by {sha}", ref=known.ref, sha=known.reverted_by[:12]),
                facts(ref=known.ref, commit=known.commit.sha, reverted_by=known.reverted_by),
                say("reland it on the trunk first, and request the reland"),
            )
        ]
    return []


def _content(known: ChangeFacts, category: Category | None, train: Train, policy: Policy) -> list[Reason]:
    if known.commit is None:
        return []
    found = [*feature_work(known, category, train, policy)]
    for wanted, clause, patterns, what, key in (
        (Category.DOCS, "P5", policy.picks.docs_paths, "documentation", "picks.docs_paths"),
        (Category.RELEASE_BRANCH, "P6", policy.picks.branch_paths, "release-branch files", "picks.branch_paths"),
    ):
        others = [p for p in known.paths if not matches(p, patterns)]
        if category is wanted and others:
            found.append(
                Reason(
                    clause,
                    "picks.other-paths",
                    say("it touches more than {what}: {paths}", what=what, paths=others),
                    facts(paths=others, allowed=patterns, commit=known.commit.sha),
                    say(
                        "request it under the category of what it mends, or split it on the trunk; what such files "
                        "are is said by {key} of the policy",
                        key=key,
                    ),
                )
            )
    return found
