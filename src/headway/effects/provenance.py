"""Where a candidate's files come from: an in-toto Statement v1 with SLSA provenance v1 (unsigned: the ledger is)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from headway import __version__
from headway.plan.trust_actions import DescribeCandidate
from headway.policy.schema import Policy

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:headway:build:v1"
CI_TYPE = "urn:headway:ci-build:v1"


def provenance(action: DescribeCandidate, policy: Policy) -> str:
    """The statement as JSON. Subjects are all files of the build; ``externalParameters`` all that could have been
    chosen otherwise: repository, tag, version, command and environment; the by-product is the ledger's head when it
    was written, so that who keeps the statement can tell a ledger that was written anew."""
    source = policy.project.repository or policy.project.name
    commit = {"digest": {"gitCommit": action.commit}, **({"name": source} if source else {})}
    head = {
        "name": "headway-ledger-head",
        "digest": {"sha256": action.head},
        "annotations": {"seq": action.seq},
    }
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": f.file, "digest": {"sha256": f.sha256}} for f in action.files],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": CI_TYPE if action.run else BUILD_TYPE,
                "externalParameters": {
                    "repository": policy.project.repository,
                    "tag": action.tag,
                    "version": action.train,
                    **_parameters(action, policy),
                },
                "resolvedDependencies": [commit, *_candidate(action)],
            },
            "runDetails": {
                "builder": {"id": _builder(action, policy), "version": {"headway": __version__}},
                "metadata": {
                    "invocationId": action.run or f"{action.tag}@{action.commit}",
                    "startedOn": action.started,
                    "finishedOn": action.finished,
                },
                "byproducts": [head],
            },
        },
    }
    return json.dumps(statement, indent=2, ensure_ascii=False) + "\n"


def _parameters(action: DescribeCandidate, policy: Policy) -> dict[str, object]:
    """What the build was told: the command and its variables, or the workflow that a CI ran."""
    if action.run:
        return {"workflow": policy.build.github.workflow}
    told = {n: v.replace("{version}", action.train) for n, v in sorted(policy.build.env.items())}
    return {"command": policy.build.command, "environment": told}


def _builder(action: DescribeCandidate, policy: Policy) -> str:
    """Who built it: the CI of a run by its address, unless the policy names a builder of its own."""
    own = policy.documents.builder
    ci = action.run.partition("/runs/")[0]
    return ci if ci and own == type(policy.documents).model_fields["builder"].default else own


def _candidate(action: DescribeCandidate) -> list[dict[str, object]]:
    """The tested files that re-packed ones were made from."""
    files = action.candidate if action.repacked else ()
    return [{"name": f.file, "digest": {"sha256": f.sha256}} for f in files]


def subjects_of(content: bytes) -> Mapping[str, str] | None:
    """File names and SHA-256 of a statement's subjects; ``None`` when it is no such statement."""
    try:
        found = json.loads(content)
        if found["_type"] != STATEMENT or found["predicateType"] != PREDICATE:
            return None
        return {str(s["name"]): str(s["digest"]["sha256"]) for s in found["subject"]}
    except (ValueError, KeyError, TypeError):
        return None
