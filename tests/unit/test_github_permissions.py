"""What doctor finds of who asks GitHub, and what the guide says of permissions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from githubfake import APP_ID, NAME, OWNER, TOKEN, FakeGitHub, app_key, serving
from githubgit import git_url
from gitmaker import GitMaker
from packaging.version import Version
from trainkit import open_at

from headway.doctor import examine
from headway.forgedoctor import place_of
from headway.github.permissions import NEEDS, wanted
from headway.github.session import TRIES
from headway.model.finding import Check
from headway.policy.loader import load_policy
from headway.policy.scheme import branch_of

NOW = datetime(2025, 1, 27, 10, 0, tzinfo=UTC)
GUIDE = Path(__file__).parents[2] / "docs/how-to/github-access.md"
TEAM = '\n[talk]\nreviewers = ["team:toy/release"]\n'


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    with serving(made.path) as fake:
        yield fake


@pytest.fixture
def project(tmp_path: Path, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> GitMaker:
    for name in ("GITHUB_TOKEN", "HEADWAY_APP_ID", "HEADWAY_APP_KEY"):
        monkeypatch.delenv(name, raising=False)
    made = GitMaker(tmp_path / "r")
    made.run("remote", "add", "origin", f"https://me:secret@127.0.0.1/{OWNER}/{NAME.upper()}.git")
    return use(made, fake)


def use(made: GitMaker, fake: FakeGitHub, forge: str = "", more: str = "") -> GitMaker:
    text = f'schema = 1\npreset = "generic"\n[project]\nrepository = "{OWNER}/{NAME}"\n'
    text += f'[forge]\nkind = "github"\napi_url = "{fake.api}"\n{forge}{more}'
    made.commit("Policy", {"release.toml": text})
    return made


def found(project: GitMaker, name: str) -> list[tuple[bool, str]]:
    return [(c.ok, str(c.words)) for c in checks(project) if c.name == name]


def checks(project: GitMaker) -> tuple[Check, ...]:
    return examine(open_at(project.path, NOW))


def lacking(project: GitMaker) -> set[str]:
    return {words.partition(" is missing")[0] for _, words in found(project, "permissions") if "is missing" in words}


def an_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_APP_ID", str(APP_ID))
    monkeypatch.setenv("HEADWAY_APP_KEY", app_key())


def test_without_a_forge_nothing_is_new_and_nothing_is_asked(project: GitMaker, fake: FakeGitHub) -> None:
    project.commit("None", {"release.toml": 'schema = 1\npreset = "generic"\n'})
    assert {c.name for c in checks(project)} & {"forge", "permissions", "remote"} == set()
    assert fake.asked == []


def test_without_a_token_it_says_what_to_set(project: GitMaker) -> None:
    ((ok, words),) = found(project, "forge")
    assert (ok, words) == (False, "there is no token for GitHub in GITHUB_TOKEN")
    assert "HEADWAY_APP_KEY" in str(next(c.remedy for c in checks(project) if c.name == "forge"))


def test_an_app_that_may_all(project: GitMaker, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    an_app(monkeypatch)
    fake.people.permissions["workflows"] = "write"
    assert found(project, "forge") == [(True, f"GitHub is asked by the App {APP_ID}, installed on {OWNER}/{NAME}")]
    assert found(project, "permissions") == [(True, "all 7 that are needed")]
    assert {p for m, p in fake.asked if m != "GET"} == {"/app/installations/8/access_tokens"}


@pytest.mark.parametrize(
    ("key", "level", "words", "ok"),
    [
        (
            "contents",
            "read",
            "Contents: write is missing: no branch is cut, nothing is picked, tagged or released",
            False,
        ),
        ("pull_requests", "none", "Pull requests: write is missing: no pull request is read or opened", False),
        (
            "checks",
            "read",
            "Checks: write is missing: the gate's answer is a commit status where that may be written",
            False,
        ),
        ("members", "none", "Members: read is missing: nobody is known to be in a team", False),
        ("administration", "none", "Administration: read is missing: a protected branch shows when a push", True),
    ],
)
def test_what_an_app_lacks_is_told_with_what_would_not_work(
    project: GitMaker, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, key: str, level: str, words: str, ok: bool
) -> None:
    an_app(monkeypatch)
    use(project, fake, more=TEAM)
    fake.people.permissions |= {"workflows": "write", key: level}
    ((good, said),) = found(project, "permissions")
    assert (good, said[: len(words)]) == (ok, words)
    remedy = next(c.remedy for c in checks(project) if c.name == "permissions")
    assert str(remedy) == f"give the App {words.partition(' is')[0]}, then accept it where it is installed"


def test_a_release_branch_that_takes_pull_requests_only_is_told_where_picks_are_pushed(
    project: GitMaker, fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_app(monkeypatch)
    branch = branch_of(Version("9.9.0"), open_at(project.path, NOW).policy.versions)
    project.branch(branch, "main")
    project.run("push", "--quiet", str(tmp_path / "github.git"), f"{branch}:{branch}")
    assert found(project, "protection") == []
    fake.people.rule(branch, "pull_request")
    ((ok, words),) = found(project, "protection")
    assert ok
    assert words.startswith(f"{branch} takes pull requests only")
    use(project, fake, more='\n[talk]\npicks = "pull-request"\n')
    assert found(project, "protection") == []


def test_an_app_that_is_not_there_or_has_no_key(
    project: GitMaker, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_app(monkeypatch)
    fake.fault("GET", "/installation$", 404)
    assert found(project, "forge") == [(False, f"the GitHub App is not installed on {OWNER}/{NAME}")]
    monkeypatch.setenv("HEADWAY_APP_KEY", "nothing")
    assert found(project, "forge") == [(False, "HEADWAY_APP_KEY is neither a PEM nor the path of a file")]


def test_a_fine_grained_token_is_found_out_by_reading(
    project: GitMaker, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    assert lacking(project) == set()
    assert [ok for ok, _ in found(project, "permissions")] == [True]
    fake.tokens[TOKEN].permissions |= {"pull_requests": "none", "issues": "none", "administration": "none"}
    assert lacking(project) == {"Pull requests: write", "Issues: write", "Administration: read"}
    fake.may["push"] = False
    assert lacking(project) >= {"Contents: write", "Commit statuses: write"}
    assert {m for m, _ in fake.asked} == {"GET"}


def test_a_classic_token_is_told_by_its_scopes(
    project: GitMaker, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    use(project, fake, more=TEAM)
    fake.scopes = "repo, read:org, workflow"
    assert lacking(project) == {"Administration: read"}
    fake.scopes = "public_repo"
    assert lacking(project) == {"Administration: read", "Members: read", "Workflows: write"}
    fake.private = True
    assert lacking(project) >= {"Contents: write", "Pull requests: write", "Issues: write"}


def test_a_wrong_token_and_a_github_that_is_away(
    project: GitMaker, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "gh-nonsense")
    ((ok, words),) = found(project, "forge")
    assert (ok, "401" in words, "gh-nonsense" in words) == (False, True, False)
    for _ in range(TRIES):
        fake.fault("GET", f"/{NAME}$", 503)
    assert "503" in found(project, "forge")[0][1]


def test_how_much_may_be_asked_yet(project: GitMaker, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    words = "4999 of 5000 requests are left until 2023-08-09 14:29 UTC; a tick sends {} at most"
    assert found(project, "limits") == [(True, words.format(500))]
    use(project, fake, "budget = 5000\n")
    assert found(project, "limits") == [(False, words.format(5000))]
    fake.fault("GET", "/rate_limit$", 404)
    assert found(project, "limits") == []


def test_the_remote_is_the_repository_that_is_asked(project: GitMaker, fake: FakeGitHub) -> None:
    assert found(project, "remote") == [(True, f"origin is {OWNER}/{NAME.upper()}")]
    project.run("remote", "set-url", "origin", "https://me:secret@github.com/someone/kit.git")
    assert found(project, "remote") == [(False, f"origin is github.com/someone/kit, not {OWNER}/{NAME}")]
    use(project, fake, 'remote = "upstream"\n')
    assert found(project, "remote") == [(False, "git has no remote upstream")]
    use(project, fake, f'remote = "git@github.com:{OWNER}/{NAME}.git"\n')
    assert found(project, "remote")[0][0]


def test_git_is_let_in_by_the_same_token(project: GitMaker, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    fake.private = True
    project.run("remote", "set-url", "origin", git_url(fake))
    assert found(project, "git") == [(True, "git gets in at origin")]
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_wrong")
    ((ok, words),) = found(project, "git")
    assert not ok
    assert "cannot be reached at origin" in words
    assert "ghp_wrong" not in words


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://github.com/o/n.git", ("github.com", "o/n")),
        ("https://me:pw@GitHub.com/o/n/", ("github.com", "o/n")),
        ("git@github.com:o/n.git", ("github.com", "o/n")),
        ("work:o/n", ("work", "o/n")),
        ("ssh://git@ssh.github.com:443/o/n.git", ("ssh.github.com", "o/n")),
        ("git://git.example/deep/o/n", ("git.example", "o/n")),
        ("file:///srv/o/n.git", ("", "o/n")),
        ("/srv/o/n.git", ("", "o/n")),
        ("../n", ("", "../n")),
        ("https://[", ("", "")),
    ],
)
def test_where_a_remote_is(url: str, place: tuple[str, str]) -> None:
    assert place_of(url) == place


def test_only_what_the_policy_uses_is_needed() -> None:
    def keys(more: str, *, app: bool) -> set[str]:
        text = f'schema = 1\npreset = "generic"\n[project]\nrepository = "o/n"\n{more}'
        return {n.key for n in wanted(load_policy(text, source="release.toml"), app=app)}

    all_ways = {"metadata", "contents", "pull_requests", "issues", "workflows", "administration"}
    assert keys("", app=True) == all_ways | {"checks"}
    assert keys("", app=False) == all_ways | {"statuses"}
    assert keys('[talk]\ncheck = ""\n', app=True) == keys('[talk]\ncheck = ""\n', app=False) == all_ways
    assert keys('[build]\nby = "github"\n', app=False) == all_ways | {"statuses", "actions"}
    assert keys(TEAM, app=False) == all_ways | {"statuses", "members"}


def rows() -> list[str]:
    """The guide's table."""
    found = []
    for n in NEEDS:
        of = " (organisation)" if n.organization else ""
        level = f"{n.level}, optional" if n.optional else n.level
        cells = (
            n.name + of,
            "–" if n.key == "statuses" else level,
            "–" if n.apps else level,
            str(n.use),
            str(n.without),
        )
        found.append(f"| {' | '.join(cells)} |")
    return found


def test_the_guide_has_every_permission_as_it_is_asked_for() -> None:
    assert [r for r in GUIDE.read_text("utf-8").splitlines() if r.startswith("| ")][1:] == rows()
