"""GitHub's published OpenAPI description, as its npm package has it: got once, trimmed to the paths that are asked."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing.requests import MockRequest
from openapi_core.testing.responses import MockResponse

HOST = "https://api.github.com"
PACKAGE = "@octokit/openapi@23.0.2"
_CACHE = Path(__file__).parents[1] / ".cache" / PACKAGE.strip("@").replace("/", "-")
_REPO = "/repos/{owner}/{repo}"
PATHS: dict[str, str | tuple[str, ...]] = {
    _REPO: "get",
    f"{_REPO}/issues": ("get", "post"),
    f"{_REPO}/actions/workflows/{{workflow_id}}": "get",
    f"{_REPO}/actions/runs/{{run_id}}/jobs": "get",
    f"{_REPO}/actions/workflows/{{workflow_id}}/dispatches": "post",
    f"{_REPO}/actions/workflows/{{workflow_id}}/runs": "get",
    f"{_REPO}/actions/runs/{{run_id}}": "get",
    f"{_REPO}/actions/runs/{{run_id}}/artifacts": "get",
    f"{_REPO}/actions/runs/{{run_id}}/logs": "get",
    f"{_REPO}/actions/artifacts/{{artifact_id}}/{{archive_format}}": "get",
    f"{_REPO}/commits/{{ref}}/check-runs": "get",
}


class Description:
    """Says what is wrong with a request or an answer, by the description."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._examples = document["components"]["examples"]
        self._api = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))

    def example(self, name: str) -> Any:
        """A whole object as the description shows it, to be changed."""
        return copy.deepcopy(self._examples[name]["value"])

    def request(self, method: str, path: str, query: dict[str, str], body: bytes) -> str | None:
        return _wrong(lambda: self._api.validate_request(_request(method, path, query, body)))

    def response(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes,
        status: int,
        headers: dict[str, str],
        data: bytes,
    ) -> str | None:
        answer = MockResponse(data, status_code=status, headers=headers, content_type=headers.get("Content-Type", ""))
        return _wrong(lambda: self._api.validate_response(_request(method, path, query, body), answer))


def _request(method: str, path: str, query: dict[str, str], body: bytes) -> MockRequest:
    return MockRequest(
        HOST, method.lower(), path, args=query, data=body or None, content_type="application/json" if body else ""
    )


def _wrong(check: Any) -> str | None:
    try:
        check()
    except Exception as e:  # noqa: BLE001 - whatever the library finds is told
        return f"{e!r} {e.__cause__!r} {getattr(e.__cause__, 'schema_errors', '')}"
    return None


@cache
def description() -> Description:
    """The trimmed description. Skips the test when it cannot be had."""
    asked = hashlib.sha256(json.dumps(PATHS).encode()).hexdigest()[:12]
    kept = _CACHE / f"trimmed-{asked}.json"
    if not kept.is_file():
        whole = json.loads(_whole())
        _CACHE.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial")
        partial.write_text(json.dumps(_trimmed(whole)), "utf-8")
        partial.replace(kept)
    return Description(json.loads(kept.read_text("utf-8")))


def _whole() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is missing, so GitHub's description ({PACKAGE}) cannot be had")
    _CACHE.mkdir(parents=True, exist_ok=True)
    argv = [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(_CACHE)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=_CACHE)
    found = sorted(_CACHE.glob("*.tgz"))
    if done.returncode or not found:
        pytest.skip(f"GitHub's description ({PACKAGE}) cannot be had: {done.stderr.strip()[-300:]}")
    with tarfile.open(found[0]) as t:
        member = t.extractfile("package/generated/api.github.com.json")
        assert member is not None
        data = member.read()
    found[0].unlink()
    return data


def _trimmed(whole: dict[str, Any]) -> dict[str, Any]:
    """The operations that are asked, and all that they refer to."""
    paths = {p: {m: whole["paths"][p][m] for m in ([ms] if isinstance(ms, str) else ms)} for p, ms in PATHS.items()}
    kept: dict[str, dict[str, Any]] = {}
    todo = list(_references(paths))
    while todo:
        _, _, kind, name = todo.pop().split("/", 3)
        if name not in kept.setdefault(kind, {}):
            kept[kind][name] = whole["components"][kind][name]
            todo += _references(kept[kind][name])
    _null_where_nullable(kept)
    head = {k: whole[k] for k in ("openapi", "info", "servers")}
    return {**head, "paths": paths, "components": kept}


def _null_where_nullable(value: Any) -> None:
    """GitHub answers ``null`` where it says so beside an enum; OpenAPI 3.0.3 wants it among the values too."""
    if isinstance(value, dict):
        if value.get("nullable") is True and isinstance(value.get("enum"), list):
            value["enum"] = [*value["enum"], None]
        for v in value.values():
            _null_where_nullable(v)
    elif isinstance(value, list):
        for v in value:
            _null_where_nullable(v)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for v in value.values():
            yield from _references(v)
    elif isinstance(value, list):
        for v in value:
            yield from _references(v)
