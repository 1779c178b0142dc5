"""The benchmark workflow that the policy names (E1, E3, E5): which it is, what it is asked, how often, by whom."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from headway.errors import UnusableInput
from headway.model.text import facts, say
from headway.policy.perf_tables import Perf, PerfCell

_NAMED = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)[ :@]+(?:\.github/workflows/)?(?P<file>[\w.-]+\.ya?ml)")


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow file of a repository (``owner/name``)."""

    repository: str
    file: str

    def __str__(self) -> str:
        return f"{self.repository} {self.file}"


@dataclass(frozen=True, slots=True)
class Request:
    """An access request as it would be sent. ``marker`` is in the body: by it one that was sent is found again."""

    title: str
    body: str
    marker: str


def workflow_of(perf: Perf) -> Workflow:
    """The policy's workflow. Raises ``UnusableInput`` (``perf.no-workflow``) when it names none that can be read."""
    found = _NAMED.fullmatch(perf.workflow.strip())
    if found is None:
        raise UnusableInput(
            "perf.no-workflow",
            say("the policy names no benchmark workflow that can be dispatched"),
            clause="E3",
            facts=facts(workflow=perf.workflow or None),
            remedy=say('set perf.workflow in release.toml, such as "owner/name vllm-benchmark.yml"'),
        )
    return Workflow(found["repository"], found["file"])


def runner_words(perf: Perf) -> dict[str, str]:
    """Hardware to the word of the workflow's input ``runners``, of each hardware that has one (E2, E5)."""
    return {f.hardware: f.runners for f in perf.fleet if f.runners}


def model_name(cell: PerfCell) -> str:
    """The model as the workflow's configuration names it, or ``""`` when the policy does not say: ``--model`` of the
    cell's own arguments, else its model when that is such a name (``owner/model``)."""
    for arguments in (cell.serve, cell.client):
        try:
            words = shlex.split(arguments)
        except ValueError:
            continue
        for i, word in enumerate(words):
            if word.startswith("--model="):
                return word.partition("=")[2]
            if word == "--model" and i + 1 < len(words):
                return words[i + 1]
    return cell.model if "/" in cell.model else ""


def dispatches(perf: Perf) -> tuple[int, int]:
    """How many runs one comparison asks for, at least and at most: two for each block of each model and hardware."""
    jobs = len({(c.model, c.hardware) for c in perf.cells}) or len(perf.models) * len(perf.hardware) or 1
    return 2 * jobs * perf.looks[0], 2 * jobs * perf.looks[-1]


def access_request(perf: Perf, project: str, person: str) -> Request:
    """What would be asked of the workflow's owners (E3). Raises as ``workflow_of`` does."""
    flow, words = workflow_of(perf), runner_words(perf)
    runners = ",".join(sorted(set(words.values())))
    least, most = dispatches(perf)
    marker = f"<!-- headway-access {project or '-'} {flow.file} -->"
    missing = [h for h in perf.hardware if h not in words]
    lines = [
        f"{person or 'A release manager'} asks for access to run the workflow `{flow.file}` of `{flow.repository}`,",
        f"to validate the performance of releases of `{project or 'our project'}` before they go out.",
        "",
        "**What is asked for:** write access to this repository, or a fine-grained token with *Actions: read and",
        "write* on it alone. Nothing is pushed: the workflow is dispatched, its runs and artifacts are read.",
        "",
        "**Why:** clause E3 of our release policy (end-to-end performance validation before every release: ask for",
        "write access to the repository, so that the workflow can be run).",
        "",
        "**Inputs of a run:**",
        "",
        "- `vllm_branch`: the release branch, such as `releases/v0.9.2`",
        "- `vllm_commit`: the commit of the release candidate, or of the release before it",
        f"- `runners`: {f'`{runners}`' if runners else 'the hardware below'}",
        f"- `models`: {', '.join(perf.models) or 'those of the cells below'}",
        "",
        f"**Hardware:** {', '.join(perf.hardware) or '-'}"
        + (f" (no runner word in our policy yet: {', '.join(missing)})" if missing and runners else ""),
        "",
        f"**How much:** {least} to {most} runs for a release, one at a time: a run waits until no other dispatched run",
        "is under way, because the workflow's concurrency group would cancel it.",
        "",
        marker,
        "",
    ]
    title = f"Access to run {flow.file} for release validation of {project or 'our project'}"
    return Request(title, "\n".join(lines), marker)
