"""The workflow files by which a project runs Headway on GitHub Actions with no server, made from its policy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import resources

from headway.errors import UnusableInput
from headway.model.text import facts, say
from headway.policy.forgekinds import GITHUB
from headway.policy.schema import Policy, Versions
from headway.policy.workflow import tag_filters, workflow_path, workflow_text

_FOLDER = ".github/workflows"
_ACTION = re.compile(r"(?:\./[\w./-]*|[\w.-]+/[\w.-]+(?:/[\w.-]+)*@[\w./-]+)")
_PLACE = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """``path`` in the repository, with slashes."""

    path: str
    text: str


def workflow_files(policy: Policy, action: str) -> tuple[WorkflowFile, ...]:
    """The tick, the audit of release branches; a build and the validation where the policy leaves them to a workflow.

    ``action`` is what ``uses:`` names: ``owner/name@ref``, or a folder of the repository (``./path``). Raises
    ``UnusableInput``: ``workflow.action``, ``workflow.name``, and ``workflow.tags`` as ``workflow_text`` does.
    """
    if not _ACTION.fullmatch(action):
        raise UnusableInput(
            "workflow.action",
            say("{action} is no action: it is written owner/name@ref, or ./folder", action=action),
            remedy=say("name where Headway's action is, best by the commit: `--action owner/name@SHA`"),
        )
    found = [
        WorkflowFile(f"{_FOLDER}/headway.yml", _tick(policy, action)),
        WorkflowFile(f"{_FOLDER}/headway-audit.yml", _audit(policy, action)),
    ]
    if policy.build.by == "github":
        found.append(WorkflowFile(workflow_path(policy), workflow_text(policy)))
    if any(g.check for g in policy.gates):
        found.append(WorkflowFile(f"{_FOLDER}/validation.yml", _validation(policy)))
    paths = [f.path for f in found]
    if len(set(paths)) != len(paths):
        raise UnusableInput(
            "workflow.name",
            say("two workflows would be {path}", path=workflow_path(policy)),
            facts=facts(paths=paths),
            remedy=say("give build.github.workflow another name"),
        )
    return tuple(found)


def branch_filters(names: Versions) -> tuple[str, ...]:
    """Filters of GitHub's that release branches pass, by all names that they have or had."""
    templates = (t for n in (names, *names.earlier) for t in (n.branch, *n.branch_also))
    literal = (re.sub(r"([*?+\[\]!\\])", r"\\\1", t) for t in templates)
    return tuple(dict.fromkeys(_PLACE.sub("[0-9]*", t) for t in literal))


def _tick(policy: Policy, action: str) -> str:
    name = policy.project.repository
    return _filled(
        "headway.yml",
        {
            "# @TAGS@": _listed(tag_filters(policy.versions)),
            "# @BRANCHES@": _listed(branch_filters(policy.versions)),
            "@REPOSITORY@": f"github.repository == {_expression(name)} &&"
            if name
            else "!github.event.repository.fork &&",
            "@MENTION@": _expression(f"@{policy.talk.mention}"),
            "# @PERMISSIONS@": "\n      ".join(_permissions(policy)),
            "@ACTION@": action,
            "@JOB@": "Tick" if policy.talk.check.strip().casefold() != "tick" else "Run",
        },
    )


def _audit(policy: Policy, action: str) -> str:
    return _filled("headway-audit.yml", {"# @BRANCHES@": _listed(branch_filters(policy.versions)), "@ACTION@": action})


def _validation(policy: Policy) -> str:
    jobs = []
    for n, gate in enumerate((g for g in policy.gates if g.check), 1):
        name = json.dumps(gate.check.replace("${{", "${{ '${{' }}"))  # a check's name, and no expression
        marks = {"@ID@": f"gate-{n}", "@CHECK@": name, "@MINUTES@": str(-(-gate.timeout_s // 60))}
        jobs.append(_filled("validation-job.yml", marks).rstrip("\n"))
    marks = {"# @TAGS@": _listed(tag_filters(policy.versions)), "  # @JOBS@": "\n\n".join(jobs)}
    return _filled("validation.yml", marks)


def _permissions(policy: Policy) -> tuple[str, ...]:
    """What a tick may do at most, with why."""
    found = ["contents: write # release branches, tags, the state"]
    if policy.forge.kind == GITHUB:
        found.append("issues: write # the tracker, answers to commands")
        found.append("pull-requests: write # picks, reverts, conflicts")
        if policy.talk.check or policy.forge.read_checks:
            found.append("checks: write # its answer on pull requests onto release branches")
    elif policy.forge.read_checks:
        found.append("checks: read # what gates said")
    if policy.build.by == "github" or policy.perf.runner == "github":
        found.append("actions: write # to dispatch workflows and read their artifacts")
    if policy.index.trusted_publishing != "no" or policy.index.attestations != "no":
        found.append("id-token: write # trusted publishing")
    return tuple(found)


def _listed(filters: tuple[str, ...]) -> str:
    return "\n      ".join(f"- '{f.replace(chr(39), chr(39) * 2)}'" for f in filters)


def _expression(text: str) -> str:
    """A string of an expression, in which a quote is written twice."""
    return f"'{text.replace(chr(39), chr(39) * 2)}'"


def _filled(name: str, marks: dict[str, str]) -> str:
    text = resources.files("headway").joinpath("templates", "github", name).read_text(encoding="utf-8")
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text
