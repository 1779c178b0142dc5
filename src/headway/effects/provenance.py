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


def provenance(action: DescribeCandidate, policy: Policy) -> str:
    """The statement as JSON. Subjects are all files of the build; ``externalParameters`` all that could have been
    chosen otherwise: repository, tag, version, command and environment; the by-product is the ledger's head when it
    was written, so that who keeps the statement can tell a ledger that was written anew."""
    version = action.train
    source = policy.project.repository or policy.project.name
    told = {name: value.replace("{version}", version) for name, value in sorted(policy.build.env.items())}
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
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "repository": policy.project.repository,
                    "tag": action.tag,
                    "version": version,
                    "command": policy.build.command,
                    "environment": told,
                },
                "resolvedDependencies": [commit],
            },
            "runDetails": {
                "builder": {"id": policy.documents.builder, "version": {"headway": __version__}},
                "metadata": {
                    "invocationId": f"{action.tag}@{action.commit}",
                    "startedOn": action.started,
                    "finishedOn": action.finished,
                },
                "byproducts": [head],
            },
        },
    }
    return json.dumps(statement, indent=2, ensure_ascii=False) + "\n"


def subjects_of(content: bytes) -> Mapping[str, str] | None:
    """File names and SHA-256 of a statement's subjects; ``None`` when it is no such statement."""
    try:
        found = json.loads(content)
        if found["_type"] != STATEMENT or found["predicateType"] != PREDICATE:
            return None
        return {str(s["name"]): str(s["digest"]["sha256"]) for s in found["subject"]}
    except (ValueError, KeyError, TypeError):
        return None
