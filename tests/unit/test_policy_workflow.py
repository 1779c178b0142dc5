"""B4, B5: the workflow that a policy gives: candidates' tags start it, final tags do not."""

from __future__ import annotations

import re

import pytest
import yaml
from packaging.version import Version
from worlds import policy

from headway.errors import UnusableInput
from headway.policy.loader import load_policy, preset_names
from headway.policy.schema import Policy, Versions
from headway.policy.scheme import CandidateName, candidate_tag, final_tag
from headway.policy.workflow import passes, tag_filters, workflow_path, workflow_text

VERSIONS = ("0.5.10", "0.7.2", "0.7.2.post1", "0.10.1.1", "0.13.0", "1.0.0", "2.9.1", "12.0.34")


# "Filter pattern cheat sheet" and "Patterns to match branches and tags" of GitHub's workflow syntax
@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("feature/*", ["feature/my-branch", "feature/your-branch"], ["feature/mona/the/octocat", "feature"]),
        ("feature/**", ["feature/beta-a/my-branch", "feature/mona/the/octocat"], ["features/x"]),
        ("main", ["main"], ["main2", "xmain"]),
        ("releases/mona-the-octocat", ["releases/mona-the-octocat"], ["releases/mona"]),
        ("*", ["main", "releases"], ["all/the/branches"]),
        ("**", ["all/the/branches", "every/tag"], []),
        ("*feature", ["mona-feature", "feature", "ver-10-feature"], ["feature-1"]),
        ("v2*", ["v2", "v2.0", "v2.9"], ["v1.2", "rc-v2"]),
        ("v[12].[0-9]+.[0-9]+", ["v1.10.1", "v2.0.0"], ["v3.0.0", "v1.10", "v1x10x1", "v1.10.1-rc1"]),
        ("Octo*", ["Octocat"], ["octocat"]),
        ("*.jsx?", ["page.js", "page.jsx"], ["page.jsxx"]),
        ("[CB]at", ["Cat", "Bat"], ["Rat"]),
        ("[1-2]00", ["100", "200"], ["300"]),
        (r"v1\+a", ["v1+a"], ["v11a", "v1a"]),
    ],
)
def test_a_filter_is_read_as_github_documents_it(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [n for n in yes if not passes(pattern, n)] == []
    assert [n for n in no if passes(pattern, n)] == []


def flow(of: Policy) -> dict[object, object]:
    """The workflow as YAML 1.1 reads it, where the key ``on`` is a boolean."""
    found = yaml.safe_load(workflow_text(of))
    return {"on": found[True], **found}


@pytest.mark.parametrize("preset", preset_names())
def test_b5_candidates_start_it_and_final_tags_do_not(preset: str) -> None:
    of = load_policy(None, source="x", preset=preset)
    filters = flow(of)["on"]["push"]["tags"]  # type: ignore[index]
    for text in VERSIONS:
        version = Version(text)
        candidates = [candidate_tag(CandidateName(version, n), of.versions) for n in (0, 1, 10)]
        assert [t for t in candidates if not any(passes(f, t) for f in filters)] == []
        assert not any(passes(f, final_tag(version, of.versions)) for f in filters)
    assert not any(passes(f, "v0.7.2-1") for f in filters)  # the other spelling of a post release


@pytest.mark.parametrize(
    ("final", "candidate", "yes", "no"),
    [
        ("{version}", "{version}rc{n}", ["1.2.3rc1"], ["1.2.3", "1.2.3.post1"]),
        ("release-{version}", "release-{version}-rc{n}", ["release-1.2-rc3"], ["release-1.2"]),
        ("v{version}", "rc{n}/v{version}", ["rc1/v1.2.3"], ["v1.2.3"]),
        ("v{version}", "v{version}+rc{n}", ["v1.2.3+rc1"], ["v1.2.3", "v1.2.3rc1"]),
    ],
)
def test_b5_other_names_of_tags(final: str, candidate: str, yes: list[str], no: list[str]) -> None:
    (found,) = tag_filters(Versions(final_tag=final, candidate_tag=candidate))
    assert [t for t in yes if not passes(found, t)] == []
    assert [t for t in no if passes(found, t)] == []


@pytest.mark.parametrize("candidate", ["v{version}.{n}", "v{version}{n}", "v{version}t{n}"])
def test_b5_names_that_no_filter_can_tell_apart_are_refused(candidate: str) -> None:
    with pytest.raises(UnusableInput) as e:
        tag_filters(Versions(final_tag="v{version}", candidate_tag=candidate))
    assert e.value.code == "workflow.tags"
    assert e.value.clause == "B5"


def test_b4_a_dispatched_workflow_is_started_by_no_tag() -> None:
    on = flow(policy(build={"github": {"trigger": "dispatch"}}))["on"]
    assert set(on) == {"workflow_dispatch"}  # type: ignore[call-overload]


def test_its_inputs_are_those_that_the_policy_sends() -> None:
    found = policy()
    on = flow(found)["on"]
    assert set(on["workflow_dispatch"]["inputs"]) == set(found.build.github.inputs)  # type: ignore[index]
    assert workflow_path(found) == ".github/workflows/build.yml"
    assert re.findall(r"@[A-Z]+@", workflow_text(found)) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[build]\nby = "github"\n', "project.repository"),
        ('[build.github]\nworkflow = "a/b.yml"\n', "build.github.workflow"),
        ('[build.github]\nremote = "--upload-pack=x"\n', "build.github.remote"),
        ('[build.github]\nremote = "https://me:secret@x.example/r.git"\n', "build.github.remote"),
        ('[build.github.inputs]\nx = "{nothing}"\n', "build.github.inputs.x"),
        ('[forge]\napi_url = "https://me:secret@x.example"\n', "forge.api_url"),
        ('[forge]\napi_url = "api.github.com"\n', "forge.api_url"),
    ],
)
def test_values_that_cannot_work_are_refused(text: str, where: str) -> None:
    with pytest.raises(UnusableInput) as e:
        load_policy(text, source="release.toml")
    told = str(dict(e.value.facts)["errors"])
    assert where in told
    assert "secret" not in told


@pytest.mark.parametrize("remote", ["origin", "git@github.com:a/b.git", "ssh://git@x/a/b.git", "https://x/a/b.git"])
def test_remotes_without_credentials_are_taken(remote: str) -> None:
    found = load_policy(f'[build.github]\nremote = "{remote}"\n', source="release.toml")
    assert found.build.github.remote == remote
