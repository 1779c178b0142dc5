"""GitHub's published examples of webhooks and their schemas, as their npm packages have them: got once, kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from npmpackage import member_of

EXAMPLES = "@octokit/webhooks-examples@7.6.1"
SCHEMAS = "@octokit/webhooks-schemas@7.6.1"


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Event and payload of each. Skips the test when they cannot be had."""
    for event in _document(EXAMPLES, "package/api.github.com/index.json"):
        for payload in event["examples"]:
            yield event["name"], payload


def event_schema(event: str) -> dict[str, Any]:
    """The schema of an event's payloads. Skips the test when it cannot be had."""
    whole = _document(SCHEMAS, "package/schema.json")
    definitions = whole["definitions"]
    name = next(n for n in (f"{event}_event", f"{event}$event") if n in definitions)
    return {"$schema": whole["$schema"], "definitions": definitions, "$ref": f"#/definitions/{name}"}


@cache
def _document(package: str, member: str) -> Any:
    return json.loads(member_of(package, member).read_text("utf-8"))
