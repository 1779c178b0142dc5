"""What two policies say otherwise."""

from __future__ import annotations

from headway.policy.differences import differences
from headway.policy.loader import load_policy, policy_digest
from headway.policy.schema import Policy

BASE = 'preset = "generic"\n[project]\nname = "toy"\n[cadence]\nanchor = 2025-01-15\nanchor_version = "0.1.0"\n'


def policy(more: str = "") -> Policy:
    return load_policy(BASE + more, source="release.toml")


def test_each_setting_is_named_by_its_dotted_key_with_both_values() -> None:
    before = policy('[waivers]\npeople = ["Rosa"]\n[approvals.go]\ncount = 2\n')
    after = policy('[waivers]\npeople = ["Bo"]\n[approvals.go]\ncount = 2\n[approvals.legal]\npeople = ["Ann"]\n')
    found = {key: (was, now) for key, was, now in differences(before, after)}
    assert found["waivers.people"] == (["Rosa"], ["Bo"])
    assert found["approvals.legal.people"] == (None, ["Ann"])
    assert all(key == "waivers.people" or key.startswith("approvals.legal.") for key in found)


def test_it_names_something_just_where_the_digests_differ() -> None:
    texts = (
        "",
        "# a remark\n",
        "[cadence.releases_per_month]\n2025 = [1,1,1,1,1,1,1,1,1,1,1,1]\n",
        "[perf]\nrequired = true\n",
    )
    made = [policy(t) for t in texts]
    for a in made:
        for b in made:
            assert bool(differences(a, b)) is (policy_digest(a) != policy_digest(b))
