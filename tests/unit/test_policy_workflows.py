"""The workflows that a policy gives, and the action: by GitHub's schemas and two linters, and what they may do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from worlds import policy

from headway.errors import UnusableInput
from headway.policy.loader import load_policy, preset_names
from headway.policy.schema import Policy
from headway.policy.workflow import passes
from headway.policy.workflows import branch_filters, workflow_files

ROOT = Path(__file__).parents[2]
ACTION = "octo/headway@" + "f" * 40
BIN = Path(sys.executable).parent
FULL = """
schema = 1
preset = "{preset}"
[project]
name = "toykit"
repository = "octo/toy"
[forge]
kind = "github"
[build]
by = "github"
[index]
upload_url = "https://upload.pypi.org/legacy/"
simple_url = "https://pypi.org/simple"
trusted_publishing = "required"
[[gates]]
name = "smoke"
check = "smoke / h100 \\"x\\" ${{{{ secrets.A }}}} `id` 'q'"
[[gates]]
name = "full"
check = "full"
"""


def full(preset: str = "generic") -> Policy:
    return load_policy(FULL.format(preset=preset), source="release.toml")


def flows(of: Policy) -> dict[str, Any]:
    """Workflows by file name, as YAML 1.1 reads them, where the key ``on`` is a boolean."""
    found = {f.path.rpartition("/")[2]: yaml.safe_load(f.text) for f in workflow_files(of, ACTION)}
    return {name: {"on": flow[True], **flow} for name, flow in found.items()}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Policy], Path]:
    def write(of: Policy) -> Path:
        for f in workflow_files(of, ACTION):
            path = tmp_path / f.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f.text, "utf-8")
        return tmp_path

    return write


def lint(*argv: str, cwd: Path = ROOT) -> None:
    done = subprocess.run([str(BIN / argv[0]), *argv[1:]], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Linters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", preset_names())
def test_the_workflows_pass_the_schema_and_both_linters(written: Callable[[Policy], Path], preset: str) -> None:
    where = written(full(preset))
    files = [str(p) for p in sorted((where / ".github" / "workflows").iterdir())]
    assert len(files) == 4
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)
    lint("actionlint", "-no-color", "-shellcheck=", "-pyflakes=", *files)
    lint("zizmor", "--offline", "--no-progress", "--persona=pedantic", str(where))


def test_the_action_passes_the_schema_and_the_linter_of_security() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")
    lint("zizmor", "--offline", "--no-progress", "--persona=pedantic", "action.yml")


@pytest.mark.parametrize(
    ("linter", "old", "new"),
    [
        ("check-jsonschema", "timeout-minutes:", "timeout-minuts:"),
        ("actionlint", "github.event.repository.default_branch", "github.event_nam"),
        ("zizmor", "          persist-credentials: false\n", ""),
        ("zizmor", "@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "@v5"),
        ("zizmor", " # zizmor: ignore[dangerous-triggers] no code and no text of it is run", ""),
        ("zizmor", "permissions: {}", "permissions: write-all"),
    ],
)
def test_the_linters_would_see_it(written: Callable[[Policy], Path], linter: str, old: str, new: str) -> None:
    path = written(full()) / ".github" / "workflows" / "headway.yml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    argv = {
        "check-jsonschema": ["--builtin-schema", "vendor.github-workflows"],
        "actionlint": ["-no-color"],
        "zizmor": ["--offline", "--no-progress", "--persona=pedantic"],
    }[linter]
    with pytest.raises(AssertionError):
        lint(linter, *argv, str(path))


# What they may do ------------------------------------------------------------------------------------------------


def steps(document: Any) -> list[dict[str, Any]]:
    found = document["runs"]["steps"] if "runs" in document else []
    return found + [s for job in document.get("jobs", {}).values() for s in job["steps"]]


def documents() -> list[Any]:
    return [yaml.safe_load((ROOT / "action.yml").read_text("utf-8")), *flows(full()).values()]


def test_no_expression_stands_in_a_shells_text() -> None:
    scripts = [s["run"] for d in documents() for s in steps(d) if "run" in s]
    assert len(scripts) > 6
    assert [s for s in scripts if "${{" in s] == []


def test_every_action_is_pinned_by_a_whole_commit() -> None:
    used = [s["uses"] for d in documents() for s in steps(d) if "uses" in s]
    assert len(used) > 6
    assert [u for u in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", u)] == []


def test_the_token_stands_in_no_file_and_no_argument() -> None:
    action = documents()[0]
    assert [s["run"] for s in steps(action) if "run" in s and "TOKEN" in s["run"]] == []
    assert "persist-credentials: true" not in "".join(f.text for f in workflow_files(full(), ACTION))


def test_permissions_are_those_that_the_policy_needs() -> None:
    def of(found: Policy) -> dict[str, str]:
        flow = flows(found)["headway.yml"]
        assert flow["permissions"] == {}
        return dict(flow["jobs"]["headway"]["permissions"])

    assert of(policy()) == {"contents": "write"}
    assert of(policy(forge={"read_checks": True})) == {"contents": "write", "checks": "read"}
    both = {"contents": "write", "issues": "write", "pull-requests": "write"}
    assert of(policy(forge={"kind": "github"}, talk={"check": ""})) == both
    assert of(full()) == {**both, "checks": "write", "actions": "write", "id-token": "write"}
    audit = flows(full())["headway-audit.yml"]
    assert audit["permissions"] == {}
    assert audit["jobs"]["audit"]["permissions"] == {"contents": "read"}


def test_nothing_of_a_fork_is_checked_out_where_there_is_a_token_to_write() -> None:
    for flow in flows(full()).values():
        assert "pull_request_target" not in flow["on"]
        assert "workflow_run" not in flow["on"]
    flow = flows(full())["headway.yml"]
    checkouts = [s for s in steps(flow) if s.get("uses", "").startswith("actions/checkout@")]
    assert [s["with"]["ref"] for s in checkouts] == ["${{ github.event.repository.default_branch }}"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in flow["jobs"]["headway"]["if"]
    assert "github.repository == 'octo/toy'" in flow["jobs"]["headway"]["if"]


@pytest.mark.parametrize("check", ["Headway", "Tick"])
def test_p1_no_job_is_taken_for_the_check_on_pull_requests(check: str) -> None:
    """The job is left out for a pull request of a fork, which GitHub counts as a success of a check of its name."""
    of = load_policy(FULL.format(preset="generic") + f'[talk]\ncheck = "{check}"\n', source="release.toml")
    names = {job["name"] for flow in flows(of).values() for job in flow["jobs"].values()}
    assert check not in names
    assert len(names) == 5


def test_one_run_at_a_time_works_on_the_ledger_and_none_is_broken_off() -> None:
    job = flows(full())["headway.yml"]["jobs"]["headway"]
    assert job["concurrency"] == {"group": "headway-state", "cancel-in-progress": False}


@pytest.mark.parametrize("preset", preset_names())
def test_b1_release_branches_pass_the_filters_and_the_trunk_does_not(preset: str) -> None:
    of = load_policy(None, source="x", preset=preset)
    filters = branch_filters(of.versions)
    assert [f for f in filters if passes(f, "main") or passes(f, "headway-state")] == []
    named = of.versions.branch.replace("{version}", "0.7.2").replace("{line}", "0.7")
    assert any(passes(f, named) for f in filters)
    on = flows(of)["headway-audit.yml"]["on"]
    assert on["push"]["branches"] == list(filters)


def test_b4_candidates_start_a_tick_and_the_validation_and_final_tags_do_not() -> None:
    for name in ("headway.yml", "validation.yml"):
        (found,) = flows(full())[name]["on"]["push"]["tags"]
        assert passes(found, "v0.7.2-rc1")
        assert not passes(found, "v0.7.2")


def test_b4_a_gates_job_has_the_name_of_its_check_and_fails_until_it_is_written() -> None:
    jobs = flows(full())["validation.yml"]["jobs"]
    assert [j["name"] for j in jobs.values()] == [
        "smoke / h100 \"x\" ${{ '${{' }} secrets.A }} `id` 'q'",
        "full",
    ]
    assert all(j["steps"][-1]["run"].endswith("exit 1\n") for j in jobs.values())


def test_files_that_the_policy_does_not_need_are_not_written() -> None:
    assert sorted(flows(policy())) == ["headway-audit.yml", "headway.yml"]


@pytest.mark.parametrize(
    "action", ["", "headway", "octo/headway", "octo/headway@a b", "octo/headway@v1\n  evil: x", "../x", "a/b@${{ x }}"]
)
def test_what_is_no_action_is_refused(action: str) -> None:
    with pytest.raises(UnusableInput) as e:
        workflow_files(full(), action)
    assert e.value.code == "workflow.action"


def test_a_mention_and_a_repository_are_strings_of_the_expression() -> None:
    found = flows(policy(talk={"mention": "it's') || true"}))["headway.yml"]["jobs"]["headway"]["if"]
    assert "'@it''s'') || true'" in found


def test_two_workflows_of_one_name_are_refused() -> None:
    of = load_policy(
        FULL.format(preset="generic") + '\n[build.github]\nworkflow = "headway.yml"\n', source="release.toml"
    )
    with pytest.raises(UnusableInput) as e:
        workflow_files(of, ACTION)
    assert e.value.code == "workflow.name"
