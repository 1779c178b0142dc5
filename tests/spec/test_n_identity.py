"""N1: by whose name an upload goes: a CI job's identity, a short-lived token for it, attestations (PEP 740).

The forge's identity service and the index that trusts it live on other people's machines. They are played here on
loopback, with the addresses, fields and checks of their documentation: GitHub's "OpenID Connect reference"
(``ACTIONS_ID_TOKEN_REQUEST_URL``/``_TOKEN``, ``audience``, ``value``), PyPI's "Internals and technical details"
(``/_/oidc/audience``, ``/_/oidc/mint-token``). The upload itself is twine's, into a real index server.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pypiserver
import pytest
from pkgmaker import as_files, sdist, wheel, write
from trainkit import CUT, GO, approve, make_project, only, open_at, settle, verify
from worlds import policy as world_policy

from headway.decide.identity import Ways, ways
from headway.effects.identity import Token, attest, no_attestation, upload_token
from headway.effects.index import Published
from headway.effects.upload import publish_upload
from headway.environment import uv_env
from headway.errors import WorldFailed
from headway.model.entry import Kind
from headway.model.reason import Reason
from headway.model.text import say
from headway.policy.checks import meaning_problems
from headway.policy.release_tables import Index

AUDIENCE = "the-index"
MINTED = "pypi-minted-upload-token"
JOB = "the-job-may-ask"


def identity(audience: str) -> str:
    """A JSON Web Token, as the forge's are; nobody here checks its signature."""
    now = int(time.time())
    claims = {"aud": audience, "iss": "https://forge.example", "sub": "job", "iat": now, "nbf": now, "exp": now + 300}
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + ".c2ln"


def audience_of(token: str) -> str:
    part = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["aud"])


@dataclass
class World:
    """``answers`` changes what the index says to who asks for a token; ``uploads`` are who came with which password."""

    url: str = ""
    forge: str = ""
    refuses: dict[str, Any] | None = None
    knows: bool = True
    asked: list[str] = field(default_factory=list)
    uploads: list[tuple[str, str]] = field(default_factory=list)

    @property
    def simple(self) -> str:
        return f"{self.url}simple/"


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


def index_app(world: World, packages: Path) -> Any:
    """A real index server that takes the minted token only, and in front of it PyPI's two addresses for identities."""

    def known(user: str, password: str) -> bool:
        world.uploads.append((user, password))
        return (user, password) == ("__token__", MINTED)

    real = pypiserver.app(
        roots=[packages], authenticate=["update"], auther=known, disable_fallback=True, hash_algo="sha256"
    )

    def app(environ: dict[str, Any], start: Any) -> Any:
        path = environ["PATH_INFO"]
        if not path.startswith("/_/oidc/") or not world.knows:
            return real(environ, start)
        said: dict[str, Any] = {"audience": AUDIENCE}
        status = "200 OK"
        if path.endswith("mint-token"):
            body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            world.asked.append(body["token"])
            said = {"success": True, "token": MINTED}
            if world.refuses is not None or audience_of(body["token"]) != AUDIENCE:
                status, said = "422 Unprocessable", world.refuses or {"message": "another audience", "errors": []}
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(said).encode()]

    return app


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World()

    class Forge(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            allowed = self.headers["Authorization"] == f"bearer {JOB}" and query["api-version"] == ["2.0"]
            self.send_response(200 if allowed else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"value": identity(query["audience"][0])}).encode())

        def log_message(self, format: str, *args: Any) -> None: ...

    (tmp_path / "packages").mkdir()
    index = make_server("127.0.0.1", 0, index_app(world, tmp_path / "packages"), Threaded, Silent)
    forge = ThreadingHTTPServer(("127.0.0.1", 0), Forge)
    for server in (index, forge):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    world.url = f"http://127.0.0.1:{index.server_port}/"
    world.forge = f"http://127.0.0.1:{forge.server_port}/token?api-version=2.0"
    yield world
    for server in (index, forge):
        server.shutdown()
        server.server_close()


CI = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME")
GOT = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "TWINE_USERNAME", "TWINE_PASSWORD")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No CI job, whatever runs these tests, and no credentials of this machine's user."""
    for name in (*CI, *GOT):
        monkeypatch.delenv(name, raising=False)


def in_a_job(world: World, monkeypatch: pytest.MonkeyPatch, permitted: bool = True) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    if permitted:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", world.forge)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", JOB)


# The decision --------------------------------------------------------------------------------------------------------


OWN = say("uploaded with twine's own credentials: {why}", why="x")
BARE = say("uploaded without attestations: {why}", why="y")


@pytest.mark.parametrize(
    ("wishes", "lacks", "expected"),
    [
        (("no", "no"), (True, True), Ways(False, False, ())),
        (("no", "no"), (False, False), Ways(False, False, ())),
        (("if-possible", "if-possible"), (False, False), Ways(True, True, ())),
        (("required", "required"), (False, False), Ways(True, True, ())),
        (
            ("if-possible", "no"),
            (True, False),
            Ways(False, False, (OWN,)),
        ),
        (
            ("required", "if-possible"),
            (False, True),
            Ways(True, False, (BARE,)),
        ),
        (("required", "no"), (True, False), None),
        (("if-possible", "required"), (False, True), None),
    ],
)
def test_what_is_wished_meets_what_there_is(
    wishes: tuple[Any, Any], lacks: tuple[bool, bool], expected: Ways | None
) -> None:
    index = Index(upload_url="https://i.example", trusted_publishing=wishes[0], attestations=wishes[1])
    found = ways(index, say("x") if lacks[0] else None, say("y") if lacks[1] else None)
    if expected is not None:
        assert isinstance(found, Ways)
        assert (found.trusted, found.attested) == (expected.trusted, expected.attested)
        assert [str(w) for w in found.why] == [str(w) for w in expected.why]
    else:
        assert isinstance(found, Reason)
        assert (found.clause, found.code) == ("N1", "publish.no-identity")
        assert "if-possible" in str(found.remedy)


# The token -----------------------------------------------------------------------------------------------------------


def test_a_job_with_an_identity_gets_a_token_of_the_index(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_job(world, monkeypatch)
    token = upload_token(world.url)
    assert token == MINTED
    assert isinstance(token, Token)
    assert MINTED not in repr(token)
    assert [audience_of(token) for token in world.asked] == [AUDIENCE]


def test_outside_of_a_job_there_is_none(world: World) -> None:
    assert str(upload_token(world.url)) == "this is no CI job with an identity"
    assert world.asked == []


def test_a_job_without_the_permission_is_told_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_job(world, monkeypatch, permitted=False)
    said = str(upload_token(world.url))
    assert "given no identity" in said
    assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN" in said


def test_the_words_of_an_index_that_does_not_trust_it_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_job(world, monkeypatch)
    world.refuses = {"errors": [{"code": "invalid-publisher", "description": "no publisher for this workflow"}]}
    assert "invalid-publisher: no publisher for this workflow" in str(upload_token(world.url))


def test_an_index_that_knows_no_identities_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_job(world, monkeypatch)
    world.knows = False
    assert "knows no trusted publishing" in str(upload_token(world.url))


def test_an_identity_is_not_sent_in_the_clear(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_job(world, monkeypatch)
    assert "not https" in str(upload_token("http://index.example/legacy/"))


def test_an_index_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "could not be asked for a token: ConnectError" in str(upload_token("http://127.0.0.1:9/legacy/"))


def test_the_projects_own_code_cannot_ask_for_the_identity(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds and tests run what anybody may have written; they get neither credentials nor an identity."""
    in_a_job(world, monkeypatch)
    secret = ("TWINE_PASSWORD", "PYPI_ID_TOKEN", "SIGSTORE_ID_TOKEN")
    for name in secret:
        monkeypatch.setenv(name, "x")
    env = uv_env({"SOURCE_DATE_EPOCH": "1"})
    assert not {*secret, "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"} & env.keys()
    assert env["GITHUB_ACTIONS"] == "true"


# The upload ----------------------------------------------------------------------------------------------------------


def released(tmp_path: Path, world: World, **wishes: str) -> Path:
    """A train up to its publication."""
    rows = "".join(f'{k} = "{v}"\n' for k, v in wishes.items())
    policy = f'\n[index]\nupload_url = "{world.url}"\nsimple_url = "{world.simple}"\n{rows}'
    project = make_project(tmp_path / "toy.git", policy=policy)
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")
    return project.path


def test_a_release_is_uploaded_by_the_jobs_identity(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = released(tmp_path, world, trusted_publishing="required")
    in_a_job(world, monkeypatch)
    settle(open_at(path, GO))
    app = open_at(path, GO)
    said = only(app, Kind.PUBLISHED, "0.1.1").payload["identity"]
    assert said == {"publishing": "trusted-publishing", "attested": [], "why": []}
    assert set(world.uploads) == {("__token__", MINTED)}
    assert MINTED not in app.paths.log("v0.1.1-rc1", "upload").read_text()
    assert verify(app, "0.1.1") == ()


def test_without_an_identity_nothing_is_uploaded_where_the_policy_requires_it(tmp_path: Path, world: World) -> None:
    path = released(tmp_path, world, trusted_publishing="required")
    with pytest.raises(WorldFailed) as caught:
        settle(open_at(path, GO))
    assert (caught.value.code, caught.value.clause) == ("publish.no-identity", "N1")
    assert world.uploads == []


def test_without_an_identity_the_entry_says_what_it_went_without(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = released(tmp_path, world, trusted_publishing="if-possible", attestations="if-possible")
    monkeypatch.setenv("TWINE_USERNAME", "__token__")
    monkeypatch.setenv("TWINE_PASSWORD", MINTED)
    settle(open_at(path, GO))
    said = only(open_at(path, GO), Kind.PUBLISHED, "0.1.1").payload["identity"]
    assert (said["publishing"], said["attested"]) == ("credentials", [])
    assert said["why"][0] == "uploaded with twine's own credentials: this is no CI job with an identity"
    assert said["why"][1].startswith("uploaded without attestations: ")


# Attestations --------------------------------------------------------------------------------------------------------


def test_no_file_is_attested_without_the_library_or_an_identity(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """``json`` stands for a library that is there: what is asked is only whether it is."""
    assert "headway[attestations]" in str(no_attestation("a_module_that_is_not_there"))
    assert str(no_attestation("json")) == "this is no CI job with an identity"
    in_a_job(world, monkeypatch)
    assert no_attestation("json") is None


SIGNER = """
import pathlib, sys
command, *files = sys.argv[1:]
assert command == "sign"
for f in files:
    made = pathlib.Path(f + ".publish.attestation")
    assert not made.exists(), "the real one refuses to overwrite"
    made.write_text('{"version": 1, "verification_material": {}, "envelope": {}}')
"""


def test_an_attestation_is_made_beside_a_link_and_uploaded_with_its_file(tmp_path: Path, world: World) -> None:
    """The signer is played: Sigstore is on other people's machines. Its command line and where it writes are those of
    ``pypi_attestations sign``; that twine takes the file with its distribution is real."""
    files = as_files(wheel(tmp_path / "w", "1.0"), sdist(tmp_path / "w", "1.0"))
    signer, log = write(tmp_path / "signer.py", SIGNER), tmp_path / "log"

    def attested(source: Path) -> Path:
        attest(source, tmp_path / "work", log=log, signer=(sys.executable, str(signer)))
        return attest(source, tmp_path / "work", log=log, signer=(sys.executable, str(signer)))

    outcome = publish_upload(
        world.url, world.simple, files, lambda _: None, log=log, settle_s=10, token=MINTED, attested=attested
    )
    assert isinstance(outcome, Published)
    sent = log.read_text()
    commands = [line for line in sent.splitlines() if line.startswith("$ ") and " upload " in line]
    assert [" --attestations " in c for c in commands] == [True, True]
    assert "toy-1.0-py3-none-any.whl.publish.attestation" in sent
    assert sorted(p.name for p in (tmp_path / "w").iterdir()) == sorted(a.file for _, a in files)
    assert sorted(p.name for p in (tmp_path / "packages").iterdir()) == sorted(a.file for _, a in files)


def test_a_signer_that_fails_is_told_in_its_words_and_nothing_is_sent(tmp_path: Path, world: World) -> None:
    files = as_files(wheel(tmp_path / "w", "1.0"))
    signer, log = write(tmp_path / "signer.py", "import sys\nsys.exit('rekor is away')\n"), tmp_path / "log"
    with pytest.raises(WorldFailed) as caught:
        publish_upload(
            world.url,
            world.simple,
            files,
            lambda _: None,
            log=log,
            token=MINTED,
            attested=lambda s: attest(s, tmp_path / "work", log=log, signer=(sys.executable, str(signer))),
        )
    assert (caught.value.code, caught.value.clause) == ("index.attestation", "N1")
    assert "rekor is away" in str(caught.value)
    assert world.uploads == []


def test_the_real_signer_has_the_command_line_that_is_used(tmp_path: Path) -> None:
    """Where the library is installed; it cannot sign here, and says so of an input that is no distribution."""
    pytest.importorskip("pypi_attestations")
    with pytest.raises(WorldFailed) as caught:
        attest(write(tmp_path / "notes.txt", "no wheel"), tmp_path / "work", log=tmp_path / "log")
    assert "usage:" not in str(caught.value)


def test_a_policy_that_wishes_for_an_identity_without_an_upload_is_told() -> None:
    wishes = {"trusted_publishing": "required", "attestations": "if-possible"}
    found = meaning_problems(world_policy(index=wishes, documents={"builder": "our builder"}))
    assert [p.path for p in found] == [
        ("documents", "builder"),
        ("index", "trusted_publishing"),
        ("index", "attestations"),
    ]
    urls = {"upload_url": "https://upload.example/", "simple_url": "https://simple.example/"}
    assert meaning_problems(world_policy(index={**wishes, **urls})) == []
