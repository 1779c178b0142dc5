"""A category against its evidence: regressions, severe problems, fixes of new features (P2–P4).

What is claimed and contradicts what is known refuses a request. What is simply not given makes it wait for a person,
or refuses it, as the policy says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from packaging.version import Version

from headway.decide import record
from headway.decide.claims import claims_of, path_of_test
from headway.decide.performance import comparison_of, describe, design_of
from headway.decide.trains import Release, releases
from headway.model.claimed import ClaimFacts
from headway.model.entry import Kind
from headway.model.pick import Category, Claims, PickRequest
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.model.verdict import Verdict
from headway.policy.schema import Policy
from headway.policy.scheme import base_of, parse_version, read_candidate_tag, read_final_tag
from headway.stats.gate import judge

_LINK = re.compile(
    r"https?://\S+|(?<!\w)(?:[\w.-]+/[\w.-]+)?#\d+\b|\b(?:issue|bug|pull|PR)\s*#?\d+\b|\bCVE-\d{4}-\d{4,}\b|\bGHSA(?:-[0-9a-z]{4}){3}\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What speaks against a request's evidence: ``wrong`` refuses it, ``doubts`` are for a person."""

    wrong: list[Reason] = field(default_factory=list)
    doubts: list[Reason] = field(default_factory=list)


def weigh(
    request: PickRequest, category: Category | None, known: ClaimFacts, train: Train, snapshot: Snapshot, policy: Policy
) -> Weighed:
    """The evidence of a request against its category."""
    claims = claims_of(request)
    match category:
        case Category.REGRESSION:
            return _Regression(claims, known, train, snapshot, policy).weighed()
        case Category.CRITICAL:
            return _critical(request, claims, policy)
        case Category.NEW_FEATURE_FIX:
            return _new_feature_fix(claims, known, train, snapshot, policy)
    return Weighed()


def _not_given(
    category: Category, text: Text, missing: list[str], remedy: Text, remedy_or_approval: Text, policy: Policy
) -> Weighed:
    """What is missing: for a person to look at, or refused (``review_without_evidence``)."""
    known = facts(category=category.value, missing=missing)
    if category.value in policy.picks.review_without_evidence:
        return Weighed([], [Reason(category.clause, "picks.no-evidence", text, known, remedy_or_approval)])
    return Weighed([Reason(category.clause, "picks.no-evidence", text, known, remedy)])


# P2 --------------------------------------------------------------------------------------------------------------


class _Regression:
    """A good and a bad release, a performance verdict, or a failing test."""

    def __init__(self, claims: Claims, known: ClaimFacts, train: Train, snapshot: Snapshot, policy: Policy) -> None:
        self._claims = claims
        self._known = known
        self._train = train
        self._snapshot = snapshot
        self._policy = policy
        self._releases = releases(snapshot.tags, policy)

    def weighed(self) -> Weighed:
        claims = self._claims
        wrong = [r for r in (self._unknown(), self._order(), self._perf(), self._test()) if r is not None]
        if (claims.good and claims.bad) or claims.perf or claims.test:
            old = self._old_good() if claims.good and claims.bad and not wrong else None
            return Weighed(wrong, [r for r in (old, self._undefined()) if r is not None])
        missing = self._missing()
        return Weighed([*wrong, *missing.wrong], missing.doubts)

    def _missing(self) -> Weighed:
        claims = self._claims
        half = [name for name in ("good", "bad") if not getattr(claims, name)] if claims.good or claims.bad else []
        text = say("nothing shows that it worked in the most recent release and fails now")
        if half:
            text = say("the evidence of a regression lacks one half: {missing}", missing=half)
        return _not_given(
            Category.REGRESSION,
            text,
            half or ["good and bad", "perf", "test"],
            say("add --good RELEASE and --bad RELEASE, or --perf CANDIDATE, or --test ID of a test that fails"),
            say(
                "add --good RELEASE and --bad RELEASE, or --perf CANDIDATE, or --test ID of a test that fails; "
                "or a release manager approves it: gate pick:ID"
            ),
            self._policy,
        )

    def _release(self, name: str, commit: str | None) -> Release | None:
        version = parse_version(name.removeprefix("v")) or read_final_tag(name, self._policy.versions)
        same = (r for r in self._releases if r.tag == name or r.version == version)
        return next(same, None) or next((r for r in self._releases if commit and r.commit == commit), None)

    def _unknown(self) -> Reason | None:
        asked = (("good", self._claims.good, self._known.good), ("bad", self._claims.bad, self._known.bad))
        names = [name for _, name, commit in asked if name and commit is None and self._release(name, None) is None]
        if not names:
            return None
        return Reason(
            "P2",
            "picks.unknown-release",
            say("there is no release, branch, tag or commit named {names}", names=names),
            facts(names=names, releases=[r.tag for r in self._releases[-5:]]),
            say("name releases as their tags do; git fetch --tags gets new ones"),
        )

    def _order(self) -> Reason | None:
        claims, known = self._claims, self._known
        if not (claims.good and claims.bad):
            return None
        good, bad = self._release(claims.good, known.good), self._bad_version()
        older = good is not None and bad is not None and bad <= good.version
        same = known.good is not None and known.good == known.bad
        if not (older or same or known.bad_in_good):
            return None
        return Reason(
            "P2",
            "picks.bad-not-after",
            say("{bad} is not after {good}: nothing regressed between them", bad=claims.bad, good=claims.good),
            facts(good=claims.good, bad=claims.bad, good_commit=known.good, bad_commit=known.bad),
            say("--good names the release in which it worked, --bad a later one, a candidate or a commit that fails"),
        )

    def _bad_version(self) -> Version | None:
        candidate = read_candidate_tag(self._claims.bad, self._policy.versions)
        if candidate is not None:
            return Version(f"{candidate.version}rc{candidate.number}") if candidate.version.post is None else None
        release = self._release(self._claims.bad, self._known.bad)
        return release.version if release else None

    def _old_good(self) -> Reason | None:
        """It regressed before the most recent release, or what is good is none at all: a person decides."""
        good = self._release(self._claims.good, self._known.good)
        floor = self._floor()
        if good is not None and (floor is None or good.version >= floor):
            return None
        if good is None:
            return Reason(
                "P2",
                "picks.good-no-release",
                say(
                    "{good} is no release: a regression is one against the most recent release", good=self._claims.good
                ),
                facts(good=self._claims.good, commit=self._known.good, previous=self._train.previous),
                say("name the release in which it worked; or a release manager approves it: gate pick:ID"),
            )
        return Reason(
            "P2",
            "picks.older-good",
            say(
                "it worked in {good}: did it regress before {previous}, the most recent release?",
                good=good.version,
                previous=self._train.previous,
            ),
            facts(good=good.version, bad=self._claims.bad, previous=self._train.previous),
            say(
                "name {previous} as --good if it works there; or a release manager approves it: gate pick:ID",
                previous=floor,
            ),
        )

    def _floor(self) -> Version | None:
        """The oldest release that counts as most recent: of the train's own base, the one that it was compared with."""
        names = self._policy.versions
        base = base_of(self._train.version, names)
        before = [r.version for r in self._releases if base_of(r.version, names) < base]
        return base_of(before[-1], names) if before else None

    def _perf(self) -> Reason | None:
        """The recorded verdict of a candidate must say so."""
        name = self._claims.perf
        if not name:
            return None
        candidate = read_candidate_tag(name, self._policy.versions)
        tag = self._snapshot.tag(name)
        if candidate is None or tag is None:
            return Reason(
                "P2",
                "picks.unknown-candidate",
                say("there is no candidate {tag}", tag=name),
                facts(tag=name, candidates=[t.name for t in self._snapshot.tags if self._is_candidate(t.name)][-5:]),
                say("name a candidate by its tag, such as v0.7.1-rc1"),
            )
        if record.last(self._snapshot.entries, Kind.CULPRIT, tag=name, commit=tag.commit) is not None:
            return None
        design, subject = design_of(self._policy.perf), tag.commit
        found = [
            judge(comparison_of(self._snapshot, subject, c.baseline), design)
            for c in self._snapshot.comparisons
            if c.subject == subject
        ]
        if any(v.verdict is Verdict.REGRESSED for v in found):
            return None
        return Reason(
            "P2",
            "picks.perf-not-regressed",
            say("the measurements of {tag} do not say that it regressed", tag=name),
            facts(
                tag=name,
                commit=subject,
                verdicts=[v.verdict.value for v in found] or ["missing"],
                cells=[f"{c.verdict.value}: {describe(c)}" for v in found for c in v.cells],
            ),
            say("see `headway perf compare`; show the regression in another way: --good and --bad, or --test"),
        )

    def _is_candidate(self, tag: str) -> bool:
        return read_candidate_tag(tag, self._policy.versions) is not None

    def _test(self) -> Reason | None:
        test = self._claims.test
        if not test or self._known.test_at:
            return None
        return Reason(
            "P2",
            "picks.unknown-test",
            say("neither the change nor the previous release has the test {test}", test=test),
            facts(test=test, path=path_of_test(test), previous=self._train.previous),
            say("name a test by the path of its file, such as tests/test_x.py::test_y"),
        )

    def _undefined(self) -> Reason | None:
        """The file is there and does not say the test's name: it may be inherited or generated, or a mistake."""
        names = self._known.test_undefined
        if not self._known.test_at or not names:
            return None
        test = self._claims.test
        return Reason(
            "P2",
            "picks.test-undefined",
            say("{path} defines no {names}", path=path_of_test(test), names=names),
            facts(test=test, names=names, looked_at=self._known.test_at),
            say("name the test as pytest does; where it is inherited or generated, a person approves it: gate pick:ID"),
        )


# P3 --------------------------------------------------------------------------------------------------------------


def symptom_of(request: PickRequest, policy: Policy) -> str:
    """The severe symptom: as claimed, else the policy's first that the reason speaks of; ``""``: none."""
    claimed = claims_of(request).symptom
    named = (name for name, pattern in policy.picks.symptoms.items() if re.search(pattern, request.reason))
    return claimed or next(named, "")


def _critical(request: PickRequest, claims: Claims, policy: Policy) -> Weighed:
    missing = [] if symptom_of(request, policy) else ["symptom"]
    if not any(_LINK.search(text) for text in request.evidence):
        missing.append("link")
    if not missing:
        return Weighed()
    return _not_given(
        Category.CRITICAL,
        say("the evidence of a severe problem lacks: {missing}", missing=missing),
        missing,
        *_critical_remedies(missing, [*policy.picks.symptoms]),
        policy,
    )


def _critical_remedies(missing: list[str], names: list[str]) -> tuple[Text, Text]:
    """What to add; and the same where a person may let it in without."""
    if missing == ["link"]:
        return (
            say("add --evidence with a link: a URL, #123 or CVE-2025-12345"),
            say(
                "add --evidence with a link: a URL, #123 or CVE-2025-12345; "
                "or a release manager approves it: gate pick:ID"
            ),
        )
    if missing == ["symptom"]:
        return (
            say("add --symptom with one of {names} or words for another severe one", names=names),
            say(
                "add --symptom with one of {names} or words for another severe one; "
                "or a release manager approves it: gate pick:ID",
                names=names,
            ),
        )
    return (
        say(
            "add --symptom with one of {names} or words for another severe one, and --evidence with a link", names=names
        ),
        say(
            "add --symptom with one of {names} or words for another severe one, and --evidence with a link; "
            "or a release manager approves it: gate pick:ID",
            names=names,
        ),
    )


# P4 --------------------------------------------------------------------------------------------------------------


def _new_feature_fix(claims: Claims, known: ClaimFacts, train: Train, snapshot: Snapshot, policy: Policy) -> Weighed:
    feature = known.feature
    remedy = say("add --feature with the pull request or the commit of the feature that it mends")
    if feature is None and not claims.feature:
        text = say("it does not say which feature it mends")
        either = say(
            "add --feature with the pull request or the commit of the feature that it mends; "
            "or a release manager approves it: gate pick:ID"
        )
        return _not_given(Category.NEW_FEATURE_FIX, text, ["feature"], remedy, either, policy)
    if feature is None:
        text = say("{feature} names no commit of the trunk", feature=claims.feature)
        return Weighed([Reason("P4", "picks.unknown-feature", text, facts(feature=claims.feature), remedy)])
    having = {v for tag in (*feature.releases, *feature.picked) if (v := read_final_tag(tag, policy.versions))}
    first = min((v for v in having if v < train.version), default=None)
    names = policy.versions
    if first is not None and train.previous is not None and base_of(first, names) == base_of(train.previous, names):
        return Weighed()
    previous = train.previous
    text = say(
        "{feature} is in no release yet: only what {previous} introduced is mended so",
        feature=feature.named,
        previous=previous,
    )
    if first is not None:
        text = say(
            "{feature} came with {release}, not with {previous}, the most recent release",
            feature=feature.named,
            release=first,
            previous=previous,
        )
    return Weighed(
        [
            Reason(
                "P4",
                "picks.feature-elsewhere",
                text,
                facts(
                    feature=feature.commit.sha,
                    subject=feature.commit.title,
                    introduced_by=first,
                    previous=train.previous,
                    releases=[r.tag for r in releases(snapshot.tags, policy) if r.version in having],
                ),
                say(
                    "request it as a regression or as critical, with the evidence of that category; "
                    "or leave it for the next train"
                ),
            )
        ]
    )
