"""P2–P4, P7: the category of a pick against what is given as evidence, and against what the change brings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from worlds import BRANCH, MEASURING, World, blocks, change_facts, cut, fact, known_claims, shown, whole

from headway.decide.claims import claims_of
from headway.decide.picks import GateAnswer, gate
from headway.model.claimed import ClaimFacts, FeatureFacts
from headway.model.commit import Commit
from headway.model.entry import Kind
from headway.model.pick import Claims, FeatureSigns, PickRequest, PickVerdict
from headway.model.reason import Reason

LINK = "https://example.org/issues/7"


def ask(
    world: World,
    fix: Commit,
    category: str,
    claims: Claims = Claims(),  # noqa: B008 - a frozen value
    known: ClaimFacts = ClaimFacts(),  # noqa: B008
    *,
    reason: str = "why",
    evidence: tuple[str, ...] = (LINK,),
    signs: FeatureSigns = FeatureSigns(),  # noqa: B008
    paths: tuple[str, ...] = ("src/a.py",),
) -> GateAnswer:
    request = PickRequest("#7", category, reason, evidence, claims)
    change = replace(change_facts(fix, paths), signs=signs)
    return gate(request, (change,), world.train().train, world.line(), world.snapshot(), world.policy, known)


def only(reasons: tuple[Reason, ...], code: str) -> Reason:
    assert [r.code for r in reasons] == [code]
    return whole(reasons[0])


def accepted(answer: GateAnswer) -> bool:
    assert (answer.violations, answer.reviews) == ((), ()), answer
    return answer.verdict is PickVerdict.ACCEPTED


# P2: a regression against the most recent release ------------------------------------------------------------------


def test_P2_the_good_and_the_bad_release_show_a_regression(world: World, fix: Commit) -> None:
    """P2 fixes a regression against the most recent release."""
    known = known_claims(world)
    assert accepted(ask(world, fix, "regression", Claims(good="0.7.0", bad="main"), known))
    assert accepted(ask(world, fix, "regression", known=known, evidence=("good=v0.7.0", "bad: main")))


@pytest.mark.parametrize("half", ["good", "bad"])
def test_P2_one_half_is_not_enough(world: World, fix: Commit, half: str) -> None:
    """What is simply missing waits for a person."""
    answer = ask(world, fix, "regression", Claims(**{half: "0.7.0"}), known_claims(world))
    assert answer.verdict is PickVerdict.NEEDS_REVIEW
    reason = only(answer.reviews, "picks.no-evidence")
    assert (reason.clause, fact(reason, "missing")) == ("P2", ({"good": "bad", "bad": "good"}[half],))


def test_P2_an_unknown_release_is_refused(world: World, fix: Commit) -> None:
    """Evidence that contradicts what is known is none."""
    known = replace(known_claims(world), good=None)
    answer = ask(world, fix, "regression", Claims(good="0.6.9", bad="main"), known)
    reason = only(answer.violations, "picks.unknown-release")
    assert (reason.clause, fact(reason, "names"), answer.verdict) == ("P2", ("0.6.9",), PickVerdict.REFUSED)


def test_P2_what_failed_before_it_worked_is_no_regression(world: World, fix: Commit) -> None:
    known = replace(known_claims(world), bad_in_good=True)
    reason = only(
        ask(world, fix, "regression", Claims(good="0.7.0", bad="main~9"), known).violations, "picks.bad-not-after"
    )
    assert reason.clause == "P2"
    same = ask(world, fix, "regression", Claims(good="0.7.0", bad="0.7.0"), known_claims(world))
    only(same.violations, "picks.bad-not-after")


def test_P2_an_older_good_release_is_for_a_person_to_judge(world: World, fix: Commit) -> None:
    """Against the *most recent* release: what broke before it is not its regression."""
    old = world.tag("v0.6.0", world.trunk[0].sha)
    known = replace(known_claims(world), good=old.commit)
    answer = ask(world, fix, "regression", Claims(good="0.6.0", bad="main"), known)
    reason = only(answer.reviews, "picks.older-good")
    assert (reason.clause, str(fact(reason, "previous"))) == ("P2", "0.7.0")


def test_P2_a_failing_test_is_named_by_its_file(world: World, fix: Commit) -> None:
    """A failing test id that passes on the previous release: that the file exists is checked, the rest is stated."""
    there = ClaimFacts(test_at=("origin",))
    assert accepted(ask(world, fix, "regression", Claims(test="tests/test_a.py::test_b"), there))
    assert accepted(ask(world, fix, "regression", known=there, evidence=("tests/test_a.py::test_b",)))
    answer = ask(world, fix, "regression", Claims(test="tests/test_none.py::test_b"))
    assert only(answer.violations, "picks.unknown-test").clause == "P2"


def test_P2_a_test_that_its_file_does_not_define_is_for_a_person(world: World, fix: Commit) -> None:
    """It may be inherited or generated; it may be a mistake too."""
    there = ClaimFacts(test_at=("origin",), test_undefined=("test_b",))
    answer = ask(world, fix, "regression", Claims(test="tests/test_a.py::test_b"), there)
    assert fact(only(answer.reviews, "picks.test-undefined"), "names") == ("test_b",)


def test_P2_what_is_wrong_and_what_is_missing_are_told_together(world: World, fix: Commit) -> None:
    """The gate answers at once with all that speaks against a request."""
    known = replace(known_claims(world), good=None)
    answer = ask(world, fix, "regression", Claims(good="0.6.9"), known)
    assert [r.code for r in (*answer.violations, *answer.reviews)] == ["picks.unknown-release", "picks.no-evidence"]


@pytest.mark.parametrize(("factor", "shows"), [(1.3, True), (1.0, False)])
def test_P2_a_performance_verdict_must_say_so(factor: float, shows: bool) -> None:
    """Or a perf verdict: the recorded measurements of that candidate decide, not the request."""
    world = cut(MEASURING)
    fix = world.commit("[Bugfix] Mend decode")
    rc, base = world.tag("v0.7.1-rc1", world.tip()), world.tags["v0.7.0"].commit
    world.samples[rc.commit, base] = blocks(rc.commit, base, 0, 8, factor)
    known = {"tag": rc.name, "commit": rc.commit, "baseline": base, "branch": BRANCH}
    world.note(Kind.MEASURED, first=0, last=8, digest="", **known)
    answer = ask(world, fix, "regression", Claims(perf="v0.7.1-rc1"))
    if shows:
        assert accepted(answer)
    else:
        reason = only(answer.violations, "picks.perf-not-regressed")
        assert (reason.clause, fact(reason, "commit")) == ("P2", rc.commit)
        assert fact(reason, "verdicts") == ("pass",)


def test_P2_an_unknown_candidate_is_refused(world: World, fix: Commit) -> None:
    assert (
        only(ask(world, fix, "regression", Claims(perf="v0.9.9-rc1")).violations, "picks.unknown-candidate").clause
        == "P2"
    )


# P3: severe problems ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    [
        "gives wrong results for FP8",
        "breaks backwards compatibility of the API",
        "the server crashes on an empty prompt",
        "requests hang: a deadlock in the scheduler",
        "memory of the worker leaks",
    ],
)
def test_P3_the_named_symptoms_are_found_in_the_reason(world: World, fix: Commit, reason: str) -> None:
    """Silent incorrectness, backwards compatibility, crashes, deadlocks, large memory leaks."""
    assert accepted(ask(world, fix, "critical", reason=reason))


def test_P3_another_severe_symptom_in_words(world: World, fix: Commit) -> None:
    assert accepted(ask(world, fix, "critical", Claims(symptom="burns the cooler"), reason="why"))


@pytest.mark.parametrize(
    ("claims", "evidence", "missing"),
    [
        (Claims(), (LINK,), ("symptom",)),
        (Claims(symptom="crash"), (), ("link",)),
        (Claims(symptom="crash"), ("it is so",), ("link",)),
        (Claims(), (), ("symptom", "link")),
    ],
)
def test_P3_needs_a_symptom_and_a_link(
    world: World, fix: Commit, claims: Claims, evidence: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    answer = ask(world, fix, "critical", claims, evidence=evidence)
    reason = only(answer.reviews, "picks.no-evidence")
    assert (reason.clause, fact(reason, "missing")) == ("P3", missing)


# P4: fixes of new features --------------------------------------------------------------------------------------------


def test_P4_names_the_feature_that_the_most_recent_release_introduced(world: World, fix: Commit) -> None:
    feature = FeatureFacts("#1", world.trunk[0], ("v0.7.0",), ())
    assert accepted(ask(world, fix, "new-feature-fix", Claims(feature="#1"), ClaimFacts(feature=feature)))
    picked = replace(feature, releases=(), picked=("v0.7.0",))
    assert accepted(ask(world, fix, "new-feature-fix", Claims(feature="#1"), ClaimFacts(feature=picked)))


@pytest.mark.parametrize("releases", [(), ("v0.6.0", "v0.7.0")])
def test_P4_a_feature_of_another_release_is_refused(world: World, fix: Commit, releases: tuple[str, ...]) -> None:
    """Inside previous-release..cut of the *most recent* release: neither older nor newer."""
    world.tag("v0.6.0", world.trunk[0].sha)
    feature = FeatureFacts("#1", world.trunk[0], releases, ())
    answer = ask(world, fix, "new-feature-fix", Claims(feature="#1"), ClaimFacts(feature=feature))
    reason = only(answer.violations, "picks.feature-elsewhere")
    assert (reason.clause, str(fact(reason, "previous"))) == ("P4", "0.7.0")


def test_P4_without_a_feature_it_is_refused(world: World, fix: Commit) -> None:
    """It must name the feature commit."""
    only(ask(world, fix, "new-feature-fix").violations, "picks.no-evidence")
    only(ask(world, fix, "new-feature-fix", Claims(feature="#99")).violations, "picks.unknown-feature")


# P7: feature work -----------------------------------------------------------------------------------------------------

SIGNS = [
    ("picks.new-api", FeatureSigns(names=("src/a.py:shiny",)), "names"),
    ("picks.new-files", FeatureSigns(files=("src/shiny.py",)), "names"),
    ("picks.new-options", FeatureSigns(options=("src/a.py:--shiny",)), "names"),
    ("picks.too-large", FeatureSigns(lines=501), "lines"),
]


@pytest.mark.parametrize(("code", "signs", "name"), SIGNS, ids=[s[0] for s in SIGNS])
@pytest.mark.parametrize("category", ["regression", "critical", "new-feature-fix"])
def test_P7_is_seen_by_more_than_its_title(
    world: World, fix: Commit, category: str, code: str, signs: FeatureSigns, name: str
) -> None:
    """Each a stated fact with an appeal."""
    request = shown(world, category)
    answer = ask(world, fix, category, request.claims, known_claims(world), signs=signs)
    reason = only(answer.violations, code)
    assert (reason.clause, fact(reason, "commit")) == ("P7", fix.sha)
    assert fact(reason, name)
    assert f"headway waive 0.7.1 P7 --commit {fix.sha[:12]}" in str(reason.remedy)


def test_P7_the_limit_of_lines_is_the_policys(world: World, fix: Commit) -> None:
    assert accepted(ask(world, fix, "critical", Claims(symptom="crash"), signs=FeatureSigns(lines=500)))


def test_P7_documentation_and_release_files_are_looked_at_by_title_only(world: World, fix: Commit) -> None:
    signs = FeatureSigns(files=("docs/a.py",), lines=900)
    assert accepted(ask(world, fix, "docs", signs=signs, paths=("docs/a.md",)))


def test_P7_a_waiver_of_the_commit_lets_it_in_and_stays_visible(world: World, fix: Commit) -> None:
    """A waiver names a person, reason and expiry."""
    waiver = world.waive("P7", commit=fix)
    signs = FeatureSigns(files=("src/shiny.py",))
    answer = ask(world, fix, "critical", Claims(symptom="crash"), signs=signs)
    assert accepted(answer)
    assert [(r.code, e.seq) for r, e in answer.waived] == [("picks.new-files", waiver.seq)]


def test_P7_a_waiver_of_another_commit_or_of_yesterday_does_not(world: World, fix: Commit) -> None:
    world.waive("P7", commit=world.trunk[0])
    world.waive("P7", until=date(2025, 2, 2), commit=fix)
    answer = ask(world, fix, "critical", Claims(symptom="crash"), signs=FeatureSigns(files=("src/shiny.py",)))
    only(answer.violations, "picks.new-files")


def test_P7_a_waiver_of_the_whole_train_leaves_each_pick_to_a_person(world: World, fix: Commit) -> None:
    world.waive("P7")
    answer = ask(world, fix, "critical", Claims(symptom="crash"), signs=FeatureSigns(files=("src/shiny.py",)))
    assert answer.verdict is PickVerdict.NEEDS_REVIEW
    only(answer.reviews, "picks.new-files")


# What evidence says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("good=0.7.0", Claims(good="0.7.0")),
        (" Bad: v0.7.1-rc1 ", Claims(bad="v0.7.1-rc1")),
        ("perf:v0.7.1-rc1", Claims(perf="v0.7.1-rc1")),
        ("test=tests/a.py::b", Claims(test="tests/a.py::b")),
        ("tests/models/test_a.py::test_b[x y]", Claims(test="tests/models/test_a.py::test_b[x y]")),
        ("test://host/page", Claims()),
        (LINK, Claims()),
        ("src/a.py", Claims()),
        ("feature: #12", Claims(feature="#12")),
    ],
)
def test_what_a_piece_of_evidence_claims(text: str, claims: Claims) -> None:
    """P2–P4: a request may say in evidence what the flags say, so that a comment can carry it."""
    assert claims_of(PickRequest("#1", "regression", "why", (text,))) == claims


def test_a_flag_wins_over_evidence() -> None:
    """P2: and of two pieces of evidence the first."""
    request = PickRequest("#1", "regression", "why", ("good=1", "good=2", "bad=3"), Claims(bad="4"))
    assert claims_of(request) == Claims(good="1", bad="4")
