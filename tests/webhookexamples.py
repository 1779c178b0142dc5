"""GitHub's published examples of webhooks and their schemas, as their npm packages have them: got once, kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = "@octokit/webhooks-examples@7.6.1"
SCHEMAS = "@octokit/webhooks-schemas@7.6.1"
_CACHE = Path(__file__).parents[1] / ".cache"


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
    kept = _CACHE / package.strip("@").replace("/", "-") / Path(member).name
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            partial = Path(folder) / "partial"
            partial.write_bytes(_packed(package, member, Path(folder)))
            partial.replace(kept)
    return json.loads(kept.read_text("utf-8"))


def _packed(package: str, member: str, folder: Path) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is missing, so GitHub's {package} cannot be had")
    argv = [npm, "pack", package, "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder)
    found = list(folder.glob("*.tgz"))
    if done.returncode or not found:
        pytest.skip(f"GitHub's {package} cannot be had: {done.stderr.strip()[-300:]}")
    with tarfile.open(found[0]) as t:
        file = t.extractfile(member)
        assert file is not None
        return file.read()
