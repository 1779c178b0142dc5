"""GitHub's published OpenAPI description, as its npm package has it: got once, trimmed to the paths that are asked."""

from __future__ import annotations

import copy
import hashlib
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
from openapi_core import Config, OpenAPI
from openapi_core.testing.requests import MockRequest
from openapi_core.testing.responses import MockResponse

HOST = "https://api.github.com"
PACKAGE = "@octokit/openapi@23.0.2"
_CACHE = Path(__file__).parents[1] / ".cache" / PACKAGE.strip("@").replace("/", "-")
_REPO = "/repos/{owner}/{repo}"
_ISSUE, _PULL, _RELEASE = f"{_REPO}/issues/{{issue_number}}", f"{_REPO}/pulls/{{pull_number}}", f"{_REPO}/releases"
_ACTIONS = f"{_REPO}/actions"
PATHS: dict[str, str | tuple[str, ...]] = {
    "/app": "get",
    "/app/installations": "get",
    "/app/installations/{installation_id}/access_tokens": "post",
    "/orgs/{org}/teams/{team_slug}/memberships/{username}": "get",
    "/rate_limit": "get",
    "/user": "get",
    _REPO: "get",
    f"{_ACTIONS}/artifacts/{{artifact_id}}/{{archive_format}}": "get",
    f"{_ACTIONS}/runs/{{run_id}}": "get",
    f"{_ACTIONS}/runs/{{run_id}}/artifacts": "get",
    f"{_ACTIONS}/runs/{{run_id}}/jobs": "get",
    f"{_ACTIONS}/runs/{{run_id}}/logs": "get",
    f"{_ACTIONS}/workflows/{{workflow_id}}": "get",
    f"{_ACTIONS}/workflows/{{workflow_id}}/dispatches": "post",
    f"{_ACTIONS}/workflows/{{workflow_id}}/runs": "get",
    f"{_REPO}/branches": "get",
    f"{_REPO}/branches/{{branch}}": "get",
    f"{_REPO}/branches/{{branch}}/protection": "get",
    f"{_REPO}/check-runs": "post",
    f"{_REPO}/check-runs/{{check_run_id}}": ("get", "patch"),
    f"{_REPO}/collaborators/{{username}}/permission": "get",
    f"{_REPO}/commits/{{commit_sha}}/pulls": "get",
    f"{_REPO}/commits/{{ref}}/check-runs": "get",
    f"{_REPO}/commits/{{ref}}/status": "get",
    f"{_REPO}/commits/{{ref}}/statuses": "get",
    f"{_REPO}/git/ref/{{ref}}": "get",
    f"{_REPO}/installation": "get",
    f"{_REPO}/issues": ("get", "post"),
    f"{_REPO}/issues/comments": "get",
    f"{_REPO}/issues/comments/{{comment_id}}": ("get", "patch", "delete"),
    _ISSUE: ("get", "patch"),
    f"{_ISSUE}/comments": ("get", "post"),
    f"{_ISSUE}/labels": ("get", "post"),
    f"{_REPO}/labels": "get",
    f"{_REPO}/milestones": ("get", "post"),
    f"{_REPO}/pulls": ("get", "post"),
    _PULL: ("get", "patch"),
    f"{_PULL}/commits": "get",
    f"{_PULL}/files": "get",
    f"{_PULL}/merge": ("get", "put"),
    f"{_PULL}/reviews": ("get", "post"),
    _RELEASE: ("get", "post"),
    f"{_RELEASE}/assets/{{asset_id}}": ("get", "patch", "delete"),
    f"{_RELEASE}/latest": "get",
    f"{_RELEASE}/tags/{{tag}}": "get",
    f"{_RELEASE}/{{release_id}}": ("get", "patch", "delete"),
    f"{_RELEASE}/{{release_id}}/assets": ("get", "post"),
    f"{_REPO}/rules/branches/{{branch}}": "get",
    f"{_REPO}/rulesets": "get",
    f"{_REPO}/statuses/{{sha}}": "post",
}


class Description:
    """Says what is wrong with a request or an answer, by the description. ``template`` is the path as described."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._examples = document["components"]["examples"]
        self._api = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))

    def example(self, name: str) -> Any:
        """A whole object as the description shows it, to be changed."""
        return copy.deepcopy(self._examples[name]["value"])

    def request(
        self, template: str, method: str, path: str, query: dict[str, str], body: bytes, kind: str = ""
    ) -> str | None:
        operation = self._document["paths"][template][method.lower()]
        asked = _request(_host(operation), method, path, query, body, kind)
        return _wrong(lambda: self._api.validate_request(asked)) or self._strange(operation, query, body)

    def response(
        self,
        template: str,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes,
        status: int,
        headers: dict[str, str],
        data: bytes,
        kind: str = "",
    ) -> str | None:
        host = _host(self._document["paths"][template][method.lower()])
        answer = MockResponse(data, status_code=status, headers=headers, content_type=headers.get("Content-Type", ""))
        asked = _request(host, method, path, query, body, kind)
        return _wrong(lambda: self._api.validate_response(asked, answer))

    def _strange(self, operation: dict[str, Any], query: dict[str, str], body: bytes) -> str | None:
        """GitHub lets fields pass that it does not know; here they are wrong, as somebody meant something by them."""
        named = {self._at(p)["name"] for p in operation.get("parameters", ()) if self._at(p)["in"] == "query"}
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        known = self._fields(content.get("schema", {}))
        said = set(json.loads(body)) if body and known else set()
        strange = sorted(set(query) - named) + sorted(said - known)
        return f"not described: {strange}" if strange else None

    def _at(self, value: dict[str, Any]) -> dict[str, Any]:
        found: Any = self._document
        for step in value["$ref"].split("/")[1:] if "$ref" in value else ():
            found = found[step]
        return found if "$ref" in value else value

    def _fields(self, schema: dict[str, Any]) -> set[str]:
        whole = self._at(schema)
        more = [self._fields(s) for k in ("oneOf", "anyOf", "allOf") for s in whole.get(k, ())]
        return set(whole.get("properties", ())).union(*more)


def _host(operation: dict[str, Any]) -> str:
    return str(operation["servers"][0]["url"]) if "servers" in operation else HOST


def _request(host: str, method: str, path: str, query: dict[str, str], body: bytes, kind: str) -> MockRequest:
    sent = kind or ("application/json" if body else "")
    return MockRequest(host, method.lower(), path, args=query, data=body or None, content_type=sent)


def _wrong(check: Any) -> str | None:
    try:
        check()
    except Exception as e:  # noqa: BLE001 - whatever the library finds is told
        return f"{e!r} {e.__cause__!r} {getattr(e.__cause__, 'schema_errors', '')}"
    return None


@cache
def description() -> Description:
    """The trimmed description. Skips the test when it cannot be had."""
    asked = hashlib.sha256(json.dumps([PATHS, 3]).encode()).hexdigest()[:12]
    kept = _CACHE / f"trimmed-{asked}.json"
    if not kept.is_file():
        whole = json.loads(_whole())
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as folder:  # several processes may do it at once
            partial = Path(folder) / kept.name
            partial.write_text(json.dumps(_trimmed(whole)), "utf-8")
            partial.replace(kept)
    return Description(json.loads(kept.read_text("utf-8")))


def _whole() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is missing, so GitHub's description ({PACKAGE}) cannot be had")
    with tempfile.TemporaryDirectory() as folder:
        argv = [npm, "pack", PACKAGE, "--silent", "--pack-destination", folder]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder)
        found = sorted(Path(folder).glob("*.tgz"))
        if done.returncode or not found:
            pytest.skip(f"GitHub's description ({PACKAGE}) cannot be had: {done.stderr.strip()[-300:]}")
        with tarfile.open(found[0]) as t:
            member = t.extractfile("package/generated/api.github.com.json")
            assert member is not None
            return member.read()


def _trimmed(whole: dict[str, Any]) -> dict[str, Any]:
    """The operations that are asked, and all that they refer to."""
    paths = {p: {m: whole["paths"][p][m] for m in ([ms] if isinstance(ms, str) else ms)} for p, ms in PATHS.items()}
    for name in ("pull-request", "pull-request-simple"):  # it says so in words only: the fork may be gone
        head = whole["components"]["schemas"][name]["properties"]["head"]["properties"]
        head["repo"] = {**whole["components"]["schemas"]["repository"], "nullable": True}
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
