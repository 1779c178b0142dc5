"""B4: each candidate is tested: its files' checks, which of them block, what vanished, and what a person lets pass."""

from __future__ import annotations

import pytest
from packaging.version import Version
from worldeffects import release, settle
from worlds import RC1, VERSION, World, cut, fact, policy

from headway.decide.checks import let_pass
from headway.decide.proof import problems
from headway.model.entry import Kind
from headway.model.train import Stage
from headway.plan import actions
from headway.plan.actions import BuildCandidate

LINUX, WINDOWS = "-cp311-cp311-manylinux_2_28_x86_64.whl", "-cp311-cp311-win_amd64.whl"
NEXT = "0.7.2"


def after(built: tuple[str, ...], now: tuple[str, ...], rules: object = None) -> World:
    """0.7.1 was released with ``built``, and the first candidate of 0.7.2 is built as ``now``."""
    world = cut(rules or policy())  # type: ignore[arg-type]
    world.built, world.host = built, ("cp311-cp311-manylinux_2_28_x86_64", "py3-none-any")
    release(world)
    world.built = now
    world.commit("[Core] More")
    world.until("2025-02-18")
    settle(world)
    return world


def test_B4_a_wheel_that_vanished_since_the_last_release_blocks() -> None:
    """Each candidate is tested: the files of the release before are there again."""
    world = after((LINUX, WINDOWS, ".tar.gz"), (LINUX, ".tar.gz"))
    wait = world.waits(NEXT)["candidate.vanished"]
    assert wait.clause == "B4"
    assert fact(wait, "previous") == VERSION
    assert fact(wait, "vanished") == ("cp311-cp311-win_amd64",)
    assert fact(wait, "files") == (f"proj-0.7.1{WINDOWS}",)
    assert "check:previous" in str(wait.remedy)
    assert world.train(NEXT).stage is Stage.CANDIDATE
    assert world.train(NEXT).evidence is None
    world.waive("check:previous", train=NEXT)
    settle(world)
    assert world.waits(NEXT).keys() == {"promotion.unapproved", "promotion.too-early"}
    assert world.train(NEXT).evidence is not None


def test_B4_the_same_matrix_is_no_reason_to_wait() -> None:
    """Each candidate is tested; a wheel for an older C library serves those of the newer one."""
    world = after((LINUX, ".tar.gz"), ("-cp311-cp311-manylinux_2_17_x86_64.whl", ".tar.gz"))
    world.host = ("cp311-cp311-manylinux_2_17_x86_64",)
    settle(world)
    assert "candidate.vanished" not in world.waits(NEXT)
    assert world.train(NEXT).evidence is not None


@pytest.mark.parametrize("name", ["size", "twine", "wheel-contents", "auditwheel"])
def test_B4_a_check_of_files_blocks_until_it_is_waived(name: str) -> None:
    """Each candidate is tested."""
    world = cut()
    world.bad_files = {name}
    settle(world)
    wait = world.waits()["candidate.check-failed"]
    assert (wait.clause, fact(wait, "check"), fact(wait, "tag")) == ("B4", name, RC1)
    assert f"waive 0.7.1 check:{name}" in str(wait.remedy)
    world.waive("check:other")
    assert "candidate.check-failed" in world.waits()
    (tested,) = [e for e in world.entries if e.kind is Kind.TESTED]
    assert not let_pass(tested, world.snapshot(), world.policy)
    world.waive(f"check:{name}")
    assert let_pass(tested, world.snapshot(), world.policy)
    settle(world)
    assert "candidate.check-failed" not in world.waits()
    assert world.train().evidence is not None


def test_B4_which_checks_block_is_policy_data() -> None:
    """Each candidate is tested; a check that the policy does not let block is told in the entry only."""
    world = cut(policy(test={"blocking": ("install", "command")}))
    world.bad_files = {"wheel-contents"}
    settle(world)
    assert world.train().evidence is not None
    assert {c.name: c.ok for c in world.train().candidates[-1].checks}["wheel-contents"] is False


def test_B4_a_failed_test_is_not_waived_like_a_check_of_files() -> None:
    """Each candidate is tested: what the test itself says is mended, or done again."""
    world = cut()
    world.failing.add(world.tip())
    settle(world)
    world.waive("check:command")
    assert "candidate.test-failed" in world.waits()
    (tested,) = [e for e in world.entries if e.kind is Kind.TESTED]
    assert not let_pass(tested, world.snapshot(), world.policy)


def test_B4_a_waiver_of_a_check_is_one_of_its_clause() -> None:
    """What the policy does not let be waived is not waived: a check is waived under B4."""
    world = cut(policy(waivers={"clauses": ("C1", "E7")}))
    world.bad_files = {"twine"}
    settle(world)
    world.waive("check:twine")
    assert "candidate.check-failed" in world.waits()


def test_B4_the_wheel_that_fits_this_host_is_tested() -> None:
    """Each candidate is tested: of several wheels the one that this host installs."""
    world = cut()
    world.built, world.host = (WINDOWS, LINUX, ".tar.gz"), ("cp311-cp311-manylinux_2_28_x86_64",)
    done = settle(world)
    (tested,) = [a for a in done if isinstance(a, actions.TestCandidate)]
    assert tested.wheel.file == f"proj-0.7.1{LINUX}"
    assert [a.file for a in tested.files] == [f"proj-0.7.1{t}" for t in world.built]


def test_B4_where_no_wheel_fits_nothing_is_called_tested() -> None:
    """Each candidate is tested, where it can be; it is said where it cannot."""
    world = cut()
    world.built, world.host = (WINDOWS, ".tar.gz"), ("cp311-cp311-manylinux_2_28_x86_64",)
    assert [a.kind for a in settle(world)] == ["tag-candidate", "build"]
    wait = world.waits()["candidate.no-wheel-here"]
    assert (wait.clause, fact(wait, "wheels")) == ("B4", (f"proj-0.7.1{WINDOWS}",))
    assert "cp311-cp311-manylinux_2_28_x86_64" in str(wait.remedy)
    world.host = ("cp311-cp311-win_amd64",)
    settle(world)
    assert world.train().evidence is not None
    world.host = ("cp311-cp311-manylinux_2_28_x86_64",)  # tested elsewhere is tested
    assert world.train().evidence is not None


def test_B4_a_test_counts_for_all_the_files_it_looked_at() -> None:
    """Each candidate is built and tested: another sdist is tested again, though the wheel is the same."""
    world = cut()
    settle(world)
    built = next(e for e in world.entries if e.kind is Kind.BUILT).payload
    rows = [dict(a) for a in built["artifacts"]]
    rows[1]["sha256"] = "f" * 64
    world.note(Kind.BUILT, **{**built, "artifacts": rows})
    assert isinstance(world.train().action, actions.TestCandidate)


def test_B4_the_proof_asks_for_the_checks_too() -> None:
    """What was released had passed its test, or a person had waived what it had not, before the release."""
    for early in (True, False):
        world = cut()
        world.bad_files = {"twine"}
        settle(world)
        world.waive("check:twine")
        release(world)
        if not early:
            late = [e for e in world.entries if e.kind is Kind.WAIVED]
            world.reseal([*(e for e in world.entries if e not in late), *late])
        snapshot = world.snapshot()
        line = world.line()
        codes = {p.code for p in problems(Version(VERSION), line, snapshot, snapshot.index, world.policy)}
        assert ("verify.untested" in codes) is not early


def test_B4_a_retried_build_is_built_under_the_same_tag() -> None:
    """A build may be done again; its test then too."""
    world = cut()
    world.bad_files = {"twine"}
    settle(world)
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="build")
    assert isinstance(world.train().action, BuildCandidate)
    world.bad_files = set()
    settle(world)
    assert "candidate.check-failed" not in world.waits()
