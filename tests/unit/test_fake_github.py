"""The GitHub of the tests does as GitHub's description says; what does not fit is found."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from githubfake import APP_ID, INSTALLATION, NAME, OWNER, TOKEN, FakeGitHub, app_key, serving
from githubgit import git_url
from gitmaker import GitMaker

REPO = f"/repos/{OWNER}/{NAME}"


@pytest.fixture
def made(tmp_path: Path) -> GitMaker:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n", "b": "1\n"})
    made.branch("release/1.0", "main")
    return made


@pytest.fixture
def fake(made: GitMaker) -> Iterator[FakeGitHub]:
    made.branch("fix", "main")
    made.commit("Fix a", {"a": "2\n"}, branch="fix")
    with serving(made.path) as fake:
        fake.person("ada", "maintain", "toy/release")
        fake.person("mallory")
        yield fake


def call(
    fake: FakeGitHub, method: str, path: str, body: Any = None, token: str = TOKEN, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    head = {"X-GitHub-Api-Version": "2022-11-28", **{k.replace("_", "-"): v for k, v in headers.items()}}
    head |= {"Authorization": f"Bearer {token}"} if token else {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    url = path if path.startswith("http") else fake.api + path
    asked = urllib.request.Request(url, data, head, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 - loopback
            raw = answer.read()
            return answer.status, json.loads(raw) if raw else None, dict(answer.headers)
    except urllib.error.HTTPError as e:
        raw = e.read()
        return e.code, json.loads(raw) if raw else None, dict(e.headers)


def test_issues_comments_labels_and_milestones(fake: FakeGitHub) -> None:
    status, issue, _ = call(fake, "POST", f"{REPO}/issues", {"title": "Release v1", "body": "x", "labels": ["rc"]})
    assert (status, issue["number"], [x["name"] for x in issue["labels"]]) == (201, 1, ["rc"])
    status, stone, _ = call(fake, "POST", f"{REPO}/milestones", {"title": "v1 cherry picks"})
    assert status == 201
    status, issue, _ = call(fake, "PATCH", f"{REPO}/issues/1", {"milestone": stone["number"], "state": "closed"})
    assert (status, issue["milestone"]["title"], issue["state"]) == (200, "v1 cherry picks", "closed")
    for query, found in (
        ("", []),
        ("?state=all", [1]),
        ("?state=closed&milestone=1&labels=rc&creator=headway-bot", [1]),
        ("?state=all&since=2031-01-01T00:00:00Z", []),
    ):
        assert [i["number"] for i in call(fake, "GET", f"{REPO}/issues{query}")[1]] == found
    note = call(fake, "POST", f"{REPO}/issues/1/comments", {"body": "hello"})[1]
    said = fake.talk.comment("mallory", 1, "/approve")
    status, edited, _ = call(fake, "PATCH", f"{REPO}/issues/comments/{note['id']}", {"body": "hello again"})
    assert (status, edited["body"]) == (200, "hello again")
    assert edited["updated_at"] > edited["created_at"]
    found = call(fake, "GET", f"{REPO}/issues/comments?sort=updated&direction=asc&since=2025-01-01T00:00:00Z")[1]
    assert [(c["id"], c["user"]["login"]) for c in found] == [(said.id, "mallory"), (note["id"], "headway-bot")]
    assert [m["title"] for m in call(fake, "GET", f"{REPO}/milestones")[1]] == ["v1 cherry picks"]
    assert call(fake, "GET", f"{REPO}/issues/7")[0] == 404


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_a_pull_request_lives_as_on_github(fake: FakeGitHub, made: GitMaker, how: str) -> None:
    asked = {"title": "Fix", "body": "b", "head": "fix", "base": "main", "draft": False}
    status, pull, _ = call(fake, "POST", f"{REPO}/pulls", asked)
    assert (status, pull["head"]["sha"], pull["head"]["repo"]["full_name"]) == (201, made.tip("fix"), "toy/kit")
    assert (pull["mergeable"], pull["commits"], pull["changed_files"]) == (True, 1, 1)
    assert call(fake, "POST", f"{REPO}/pulls", asked)[0] == 422
    assert made.run("rev-parse", "refs/pull/1/head") == made.tip("fix")
    tip = made.commit("More", {"a": "3\n"}, branch="fix")
    assert [p["head"]["sha"] for p in call(fake, "GET", f"{REPO}/pulls?head=toy:fix&base=main")[1]] == [tip]
    assert made.run("rev-parse", "refs/pull/1/head") == tip
    assert [f["filename"] for f in call(fake, "GET", f"{REPO}/pulls/1/files")[1]] == ["a"]
    assert len(call(fake, "GET", f"{REPO}/pulls/1/commits")[1]) == 2
    fake.pulls.review("ada", 1, "APPROVED")
    (review,) = call(fake, "GET", f"{REPO}/pulls/1/reviews")[1]
    assert (review["state"], review["commit_id"]) == ("APPROVED", tip)
    base = made.tip("main")
    assert call(fake, "PUT", f"{REPO}/pulls/1/merge", {"merge_method": how, "sha": base})[0] == 409
    status, merged, _ = call(fake, "PUT", f"{REPO}/pulls/1/merge", {"merge_method": how})
    assert (status, merged["sha"]) == (200, made.tip("main"))
    assert made.run("show", "main:a") == "3"
    count = {"merge": 3, "squash": 1, "rebase": 2}[how]
    assert int(made.run("rev-list", "--count", f"{base}..main")) == count
    pull = call(fake, "GET", f"{REPO}/pulls/1")[1]
    assert (pull["merged"], pull["merge_commit_sha"], pull["state"]) == (True, made.tip("main"), "closed")
    assert [p["number"] for p in call(fake, "GET", f"{REPO}/commits/{made.tip('main')}/pulls")[1]] == [1]


def test_a_pull_request_that_was_pushed_onto_its_base_is_merged_and_one_without_branch_is_closed(
    fake: FakeGitHub, made: GitMaker
) -> None:
    fake.pulls.open("ada", "fix", "main", "Fix")
    made.branch("gone", "fix")
    fake.pulls.open("ada", "gone", "release/1.0", "Gone")
    made.branch("main", "fix")
    made.run("branch", "-D", "gone")
    assert call(fake, "GET", f"{REPO}/pulls/1")[1]["merged"] is True
    assert call(fake, "GET", f"{REPO}/pulls/2")[1]["state"] == "closed"


def test_a_pull_request_from_a_fork_that_is_gone_has_no_repository(fake: FakeGitHub, made: GitMaker) -> None:
    fake.pulls.open("mallory", fake.fork("mallory", "evil", made.tip("fix")), "main", "Mine")
    pull = call(fake, "GET", f"{REPO}/pulls/1")[1]
    assert (pull["head"]["repo"]["full_name"], pull["head"]["repo"]["fork"]) == ("mallory/kit", True)
    fake.pulls.gone.add("mallory")
    assert call(fake, "GET", f"{REPO}/pulls/1")[1]["head"]["repo"] is None


def test_checks_are_an_apps_and_statuses_anybodys(fake: FakeGitHub, made: GitMaker) -> None:
    sha = made.tip("main")
    asked = {"name": "Headway", "head_sha": sha, "conclusion": "failure", "output": {"title": "t", "summary": "s"}}
    assert call(fake, "POST", f"{REPO}/check-runs", asked)[0] == 403
    fake.as_app()
    status, check, _ = call(fake, "POST", f"{REPO}/check-runs", asked)
    assert (status, check["conclusion"], check["status"], check["output"]["title"]) == (
        201,
        "failure",
        "completed",
        "t",
    )
    assert call(fake, "PATCH", f"{REPO}/check-runs/{check['id']}", {"conclusion": "success"})[0] == 200
    found = call(fake, "GET", f"{REPO}/commits/{sha}/check-runs?check_name=Headway")[1]
    assert [c["conclusion"] for c in found["check_runs"]] == ["success"]
    for state in ("pending", "success"):
        assert call(fake, "POST", f"{REPO}/statuses/{sha}", {"state": state, "context": "ci"})[0] == 201
    assert call(fake, "GET", f"{REPO}/commits/main/status")[1]["state"] == "success"
    assert len(call(fake, "GET", f"{REPO}/commits/{sha}/statuses")[1]) == 2


def test_a_release_is_a_draft_first_and_its_files_are_taken_by_another_host(fake: FakeGitHub, made: GitMaker) -> None:
    made.tag("v1.0", "main", message="v1.0")
    asked = {"tag_name": "v1.0", "name": "v1.0", "body": "notes", "draft": True}
    status, release, _ = call(fake, "POST", f"{REPO}/releases", asked)
    assert (status, release["draft"], release["published_at"]) == (201, True, None)
    assert call(fake, "GET", f"{REPO}/releases/tags/v1.0")[0] == 404
    assert [r["id"] for r in call(fake, "GET", f"{REPO}/releases")[1]] == [release["id"]]
    assert call(fake, "GET", f"{REPO}/releases", token="")[1] == []
    place = release["upload_url"].partition("{")[0] + "?name=kit.whl"
    status, asset, _ = call(fake, "POST", place, b"wheel", Content_Type="application/zip")
    assert (status, asset["size"], asset["content_type"]) == (201, 5, "application/zip")
    assert asset["digest"].startswith("sha256:")
    assert call(fake, "POST", place, b"wheel", Content_Type="application/zip")[0] == 422
    assert call(fake, "PATCH", f"{REPO}/releases/{release['id']}", {"draft": False, "make_latest": "true"})[0] == 200
    assert call(fake, "GET", f"{REPO}/releases/tags/v1.0")[1]["assets"][0]["name"] == "kit.whl"
    assert call(fake, "GET", f"{REPO}/releases/latest")[1]["tag_name"] == "v1.0"
    assert call(fake, "POST", f"{REPO}/releases", {**asked, "draft": False})[0] == 422
    broken = fake.releases.begin_upload(release["id"], "half.whl")
    states = {a["name"]: a["state"] for a in call(fake, "GET", f"{REPO}/releases/{release['id']}/assets")[1]}
    assert states == {"kit.whl": "uploaded", "half.whl": "open"}
    assert call(fake, "DELETE", f"{REPO}/releases/assets/{broken.id}")[0] == 204
    with urllib.request.urlopen(asset["browser_download_url"]) as got:  # noqa: S310 - loopback
        assert got.read() == b"wheel"


def test_people_branches_and_guards(fake: FakeGitHub) -> None:
    assert call(fake, "GET", f"{REPO}/collaborators/ada/permission")[1]["role_name"] == "maintain"
    assert call(fake, "GET", f"{REPO}/collaborators/mallory/permission")[1]["permission"] == "read"
    assert call(fake, "GET", f"{REPO}/collaborators/nobody/permission")[0] == 404
    assert call(fake, "GET", "/orgs/toy/teams/release/memberships/ada")[1]["state"] == "active"
    assert call(fake, "GET", "/orgs/toy/teams/release/memberships/mallory")[0] == 404
    assert call(fake, "GET", "/user")[1]["login"] == "headway-bot"
    assert call(fake, "GET", f"{REPO}/branches/release/1.0")[1]["name"] == "release/1.0"
    assert call(fake, "GET", f"{REPO}/branches/release%2F1.0/protection")[0] == 404
    fake.people.protect("release/1.0")
    fake.people.rule("main", "pull_request")
    guard = call(fake, "GET", f"{REPO}/branches/release/1.0/protection")[1]
    assert guard["allow_force_pushes"] == {"enabled": False}
    assert "required_pull_request_reviews" in guard
    assert [b["name"] for b in call(fake, "GET", f"{REPO}/branches?protected=true")[1]] == ["release/1.0"]
    assert [r["type"] for r in call(fake, "GET", f"{REPO}/rules/branches/main")[1]] == ["pull_request"]
    assert len(call(fake, "GET", f"{REPO}/rulesets")[1]) == 1
    assert call(fake, "GET", f"{REPO}/git/ref/heads/release/1.0")[1]["ref"] == "refs/heads/release/1.0"
    assert call(fake, "GET", REPO)[1]["default_branch"] == "main"
    assert call(fake, "GET", "/rate_limit")[0] == 200


def test_an_app_signs_its_requests_and_gets_tokens(fake: FakeGitHub) -> None:
    def signed(**claims: Any) -> str:
        now = int(time.time())
        return jwt.encode({"iat": now - 60, "exp": now + 300, "iss": str(APP_ID), **claims}, app_key(), "RS256")

    assert call(fake, "GET", "/app", token=signed())[1]["id"] == APP_ID
    for wrong in ({"iss": "1"}, {"exp": 1}, {"exp": int(time.time()) + 4000}, {"iat": int(time.time()) + 600}):
        assert call(fake, "GET", "/app", token=signed(**wrong))[0] == 401, wrong
    assert call(fake, "GET", "/app", token=TOKEN)[0] == 401
    assert call(fake, "GET", f"{REPO}/installation", token=signed())[1]["id"] == INSTALLATION
    fake.people.permissions["checks"] = "none"
    place = f"/app/installations/{INSTALLATION}/access_tokens"
    status, given, _ = call(fake, "POST", place, token=signed())
    assert (status, given["permissions"]["issues"]) == (201, "write")
    assert call(fake, "GET", f"{REPO}/issues", token=given["token"])[0] == 200
    status, _, head = call(fake, "GET", f"{REPO}/commits/main/check-runs", token=given["token"])
    assert (status, head["X-Accepted-GitHub-Permissions"]) == (403, "checks=read")


def test_rights_pages_etags_limits_and_faults(fake: FakeGitHub) -> None:
    assert call(fake, "GET", f"{REPO}/issues", token="bad")[0] == 401
    assert call(fake, "POST", f"{REPO}/issues", {"title": "x"}, token="")[0] == 401
    fake.may["push"] = False
    assert call(fake, "POST", f"{REPO}/releases", {"tag_name": "v1"})[0] == 403
    for i in range(5):
        fake.talk.open_issue("ada", f"issue {i}")
    _, rows, head = call(fake, "GET", f"{REPO}/issues?per_page=2&page=2")
    assert [r["title"] for r in rows] == ["issue 2", "issue 1"]
    for rel, page in (("first", 1), ("prev", 1), ("next", 3), ("last", 3)):
        assert f'per_page=2&page={page}>; rel="{rel}"' in head["Link"]
    used = int(head["X-RateLimit-Used"])
    assert call(fake, "GET", f"{REPO}/issues?per_page=2&page=2", If_None_Match=head["ETag"])[0] == 304
    _, _, head = call(fake, "GET", f"{REPO}/issues")
    assert int(head["X-RateLimit-Used"]) == used + 1
    fake.fault("POST", "/issues$", "cut")
    with pytest.raises(OSError, match=r"."):
        call(fake, "POST", f"{REPO}/issues", {"title": "made, and no answer"})
    fake.fault("POST", "/issues$", "drop")
    with pytest.raises(OSError, match=r"."):
        call(fake, "POST", f"{REPO}/issues", {"title": "not made"})
    fake.fault("POST", "/issues$", 502)
    assert call(fake, "POST", f"{REPO}/issues", {"title": "not made"})[0] == 502
    assert [i["title"] for i in fake.issues][5:] == ["made, and no answer"]
    fake.skew = timedelta(hours=2)
    assert call(fake, "GET", f"{REPO}/issues/1")[1]["created_at"] == "2025-01-27T12:00:01Z"


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", f"{REPO}/issues", {"title": "x", "boddy": "y"}, "boddy"),
        ("POST", f"{REPO}/issues", {"body": "y"}, "title"),
        ("GET", f"{REPO}/issues?lables=x", None, "lables"),
        ("PATCH", f"{REPO}/issues/1", {"state": "merged"}, "merged"),
        ("GET", f"{REPO}/unheard-of", None, "nothing here answers"),
    ],
)
def test_what_does_not_fit_the_description_is_found(
    fake: FakeGitHub, method: str, path: str, body: Any, said: str
) -> None:
    assert call(fake, method, path, body)[0] in {400, 404}
    assert any(said in v for v in fake.violations)
    fake.violations.clear()


def test_an_answer_that_does_not_fit_is_found(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.talk.open_issue("ada", "x")
    monkeypatch.setattr(fake, "stamp", lambda _: 7)
    call(fake, "GET", f"{REPO}/issues/1")
    assert any("answer to GET" in v for v in fake.violations)
    fake.violations.clear()


def test_git_is_let_in_by_the_token(fake: FakeGitHub, made: GitMaker, tmp_path: Path) -> None:
    other = GitMaker(tmp_path / "other")
    other.run("fetch", "-q", git_url(fake), "main")
    other.run("reset", "-q", "--hard", "FETCH_HEAD")
    tip = other.commit("Pushed", {"c": "1\n"})
    with pytest.raises(AssertionError, match=r"could not read Username|terminal prompts disabled"):
        other.run("-c", "core.askPass=", "-c", "credential.helper=", "push", "-q", git_url(fake), "main")
    place = git_url(fake).replace("://", f"://x-access-token:{TOKEN}@")
    fake.faults.always["GIT git-receive-pack"] = "cut"
    with pytest.raises(AssertionError, match="git push"):
        other.run("push", "-q", place, "main")
    assert made.tip("main") == tip
    fake.faults.always.clear()
    other.run("push", "-q", place, "main:more")
    fake.may["push"] = False
    with pytest.raises(AssertionError, match="Authentication failed"):
        other.run("push", "-q", place, "main:again")
