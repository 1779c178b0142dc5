"""B4, N1: a real container registry read and written: digests, platforms, logins, and registries that fail."""

from __future__ import annotations

import base64
import http.server
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from registrykit import (
    INDEX,
    PASSWORD,
    REVISION,
    USER,
    VERSION,
    Proxy,
    Pusher,
    Served,
    Tokens,
    Trouble,
    registry,
    running,
    sha256,
    with_password,
)

from headway import registry as client
from headway.errors import UnusableInput, WorldFailed
from headway.model.image import FoundImage, ImageQuery, Platform, Unread
from headway.registry import Registry
from headway.registryauth import Login, challenge_of, login_for
from headway.sources.images import read_image, read_images

COMMIT = "c0ffee" * 6 + "beef"
LABELS = {REVISION: COMMIT, VERSION: "1.2.3"}


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own docker configuration is read."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with registry(tmp_path_factory.mktemp("open")) as found:
        yield found


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with with_password(tmp_path_factory.mktemp("guarded") / "r") as found:
        yield found


@pytest.fixture
def pusher(served: Served, request: pytest.FixtureRequest) -> Pusher:
    """A repository of the test's own."""
    name = request.node.name.lower().partition("[")[0].strip("_")
    return Pusher(served, f"team/{name}")


@pytest.fixture
def proxy(served: Served) -> Iterator[Proxy]:
    with running(Proxy(served)) as server:
        yield server


def query(name: str, tag: str, **more: Any) -> ImageQuery:
    return ImageQuery(name, tag, whole=True, plain=True, **more)


# Reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("docker", [False, True])
def test_an_image_for_several_platforms_is_its_indexs_bytes(pusher: Pusher, docker: bool) -> None:
    """OCI indexes and Docker's manifest lists alike; an attestation is no platform."""
    digest = pusher.index(f"rc{docker}", labels=LABELS, docker=docker, attested=not docker)
    found = read_image(query(pusher.name, f"rc{docker}"))
    assert found is not None
    assert found.digest == digest
    expected = tuple(Platform(p, COMMIT, "1.2.3") for p in ("linux/amd64", "linux/arm64"))
    assert found.platforms == expected
    assert found.size > 2 * 10240  # two layers, each a whole tar record


def test_a_single_image_says_its_platform_in_its_config(pusher: Pusher) -> None:
    row = pusher.image("linux/arm64/v8", LABELS, tag="one")
    found = read_image(query(pusher.name, "one"))
    assert found is not None
    assert (found.digest, found.platforms[0].name) == (row["digest"], "linux/arm64/v8")
    assert read_image(ImageQuery(pusher.name, "one", plain=True)) == FoundImage(row["digest"], row["mediaType"])


def test_no_tag_and_no_repository_are_no_image(pusher: Pusher) -> None:
    assert read_image(query(pusher.name, "rc1")) is None
    pusher.index("rc1")
    assert read_image(query(pusher.name, "rc2")) is None
    assert read_image(query(pusher.name, "rc1")) is not None


def test_an_image_that_lacks_a_part_is_told(pusher: Pusher) -> None:
    """A registry that lost a platform's manifest has no whole image."""
    pusher.index("rc1", labels=LABELS)
    pusher.delete(pusher.image("linux/arm64", LABELS)["digest"])
    with pytest.raises(WorldFailed) as e:
        read_image(query(pusher.name, "rc1"))
    assert e.value.code == "registry.manifest"


def test_an_index_of_something_else_has_no_platforms(pusher: Pusher) -> None:
    pusher.manifest("none", {"schemaVersion": 2, "mediaType": INDEX, "manifests": []})
    found = read_image(query(pusher.name, "none"))
    assert found is not None
    assert found.platforms == ()


def test_an_index_that_names_another_platforms_image_is_told(pusher: Pusher) -> None:
    """The arm64 entry of an index leads to an amd64 image: whoever pulls it there cannot run it."""
    row = pusher.image("linux/amd64", LABELS)
    rows = [row, {**row, "platform": {"os": "linux", "architecture": "arm64"}}]
    pusher.manifest("mixed", {"schemaVersion": 2, "mediaType": INDEX, "manifests": rows})
    with pytest.raises(WorldFailed) as e:
        read_image(query(pusher.name, "mixed"))
    assert "linux/arm64 names an image for linux/amd64" in json.dumps(e.value.as_json())


def test_several_registries_are_asked_and_one_that_fails_is_an_answer(pusher: Pusher) -> None:
    """A dead registry keeps no other train from going on."""
    pusher.index("rc1")
    dead = "127.0.0.1:9/team/engine"  # nobody listens there
    found = read_images([query(pusher.name, "rc1"), query(pusher.name, "rc2"), query(dead, "rc1")])
    assert isinstance(found[pusher.name, "rc1"], FoundImage)
    assert found[pusher.name, "rc2"] is None
    broken = found[dead, "rc1"]
    assert isinstance(broken, Unread)
    assert broken.code == "registry.unreachable"
    assert read_images([]) == {}


# Writing ---------------------------------------------------------------------------------------------------------


def test_the_very_bytes_get_another_tag(pusher: Pusher) -> None:
    digest = pusher.index("rc1")
    with Registry(pusher.name, plain=True) as r:
        manifest = r.manifest("rc1")
        assert manifest is not None
        r.put("v1.2.3", manifest)
        assert r.manifest(digest) == manifest
    assert pusher.digest("v1.2.3") == digest


def test_a_manifest_whose_parts_are_not_there_is_refused(pusher: Pusher) -> None:
    pusher.index("rc1")
    other = Pusher(pusher.served, f"{pusher.repository}-other")
    with Registry(pusher.name, plain=True) as r, Registry(other.name, plain=True) as there:
        manifest = r.manifest("rc1")
        assert manifest is not None
        with pytest.raises(WorldFailed) as e:
            there.put("v1.2.3", manifest)
    assert e.value.code == "registry.refused"
    assert "MANIFEST_BLOB_UNKNOWN" in str(e.value)
    assert other.digest("v1.2.3") is None


# Logins ----------------------------------------------------------------------------------------------------------


def docker_config(folder: Path, host: str, kept: dict[str, str]) -> None:
    (folder / "docker").mkdir()
    (folder / "docker" / "config.json").write_text(json.dumps({"auths": {host: kept}}))


def encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_password_from_dockers_configuration(guarded: Served, tmp_path: Path) -> None:
    digest = Pusher(guarded).index("rc1")
    docker_config(tmp_path, guarded.host, {"auth": encoded(USER, PASSWORD)})
    found = read_image(query(guarded.name(), "rc1"))
    assert found is not None
    assert found.digest == digest


def test_a_password_from_the_environment(guarded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = Pusher(guarded, "team/other").index("rc1")
    named = query(guarded.name("team/other"), "rc1", user_env="IMAGES_USER", password_env="IMAGES_PASSWORD")
    with pytest.raises(UnusableInput) as e:
        read_image(named)
    assert "IMAGES_USER, IMAGES_PASSWORD" in str(e.value)
    monkeypatch.setenv("IMAGES_USER", USER)
    monkeypatch.setenv("IMAGES_PASSWORD", PASSWORD)
    found = read_image(named)
    assert found is not None
    assert found.digest == digest


@pytest.mark.parametrize("kept", [None, encoded(USER, "not-the-pa55-word")])
def test_no_login_or_a_wrong_one_is_told_and_not_shown(
    guarded: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: str | None
) -> None:
    caplog.set_level(0)
    if kept:
        docker_config(tmp_path, guarded.host, {"auth": kept})
    with pytest.raises(WorldFailed) as e:
        read_image(query(guarded.name(), "rc1"))
    assert e.value.code == "registry.unauthorized"
    assert "docker login" in str(e.value.remedy)
    told = json.dumps(e.value.as_json()) + caplog.text + repr(Login(USER, PASSWORD))
    for secret in ("not-the-pa55-word", PASSWORD, kept or PASSWORD):
        assert secret not in told


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"auths": 3}', '{"auths": {"HOST": {"auth": "$$$"}}}', '{"auths": {"HOST": {"auth": 3}}}']
)
def test_a_broken_docker_configuration_is_told_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text(text.replace("HOST", "x.example"))
    with pytest.raises(UnusableInput) as e:
        login_for("x.example")
    assert e.value.code == "registry.config"
    assert "$$$" not in json.dumps(e.value.as_json())


def test_whose_login_it_is(tmp_path: Path) -> None:
    docker_config(tmp_path, "https://index.docker.io/v1/", {"username": "ann", "password": "x"})
    assert login_for("docker.io") == Login("ann", "x")
    assert login_for("x.example") is None


@pytest.fixture
def tokens() -> Iterator[Tokens]:
    with running(Tokens()) as server:
        yield server


def test_tokens_are_asked_for_where_the_registry_says(tokens: Tokens, tmp_path: Path) -> None:
    """The flow of the distribution specification, with a real registry that checks the tokens."""
    with registry(tmp_path / "r", tokens.configuration(tmp_path / "r")) as served, running(Proxy(served)) as proxy:
        token = tokens.token("ci", "the-registry", ["repository:team/engine:pull,push,delete"])
        pusher = Pusher(served, client=httpx.Client(headers={"Authorization": f"Bearer {token}"}))
        digest = pusher.index("rc1", labels=LABELS)
        name = proxy.served.name()
        with pytest.raises(WorldFailed) as e:
            read_image(query(name, "rc1"))
        assert e.value.code == "registry.token"
        with Registry(name, login=Login(USER, PASSWORD), plain=True) as r:
            manifest = r.manifest("rc1")
            assert manifest is not None
            assert r.manifest("rc1") == manifest
            r.put("v1.2.3", manifest)
        assert pusher.digest("v1.2.3") == digest
        scopes = [parse_qs(urlsplit(p).query)["scope"][0].rpartition(":") for p in tokens.asked[1:]]
        assert [(name, sorted(actions.split(","))) for name, _, actions in scopes] == [
            ("repository:team/engine", ["pull"]),
            ("repository:team/engine", ["pull", "push"]),
        ], "one token for all reading, another for writing"
        # the password goes to the realm alone
        assert not any(a.startswith("Basic") for a in proxy.authorizations)
        docker_config(tmp_path, proxy.served.host, {"auth": encoded(USER, PASSWORD)})
        found = read_image(query(name, "rc1"))
        assert found is not None
        assert found.digest == digest


class _Scripted(http.server.BaseHTTPRequestHandler):
    """Answers with what the test set: status, headers, body by path."""

    answers: dict[str, tuple[int, dict[str, str], bytes]]
    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        path = self.path.partition("?")[0]
        status, headers, body = self.answers.get(path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The test's output stays readable."""


@pytest.fixture
def scripted() -> Iterator[tuple[str, type[_Scripted]]]:
    handler = type("Handler", (_Scripted,), {"answers": {}, "seen": []})
    with running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        yield f"127.0.0.1:{server.server_port}", handler


def asked(host: str) -> client.Manifest | None:
    with Registry(f"{host}/a/b", login=Login(USER, PASSWORD), plain=True) as r:
        return r.manifest("v1")


@pytest.mark.parametrize(
    "realm", ["http://tokens.example/token", "ftp://x.example/", "", "https://me:you@tokens.example/token", "file:///x"]
)
def test_a_password_is_sent_to_no_unsafe_place(scripted: tuple[str, type[_Scripted]], realm: str) -> None:
    host, handler = scripted
    handler.answers["/v2/a/b/manifests/v1"] = (401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}, b"")
    with pytest.raises(WorldFailed) as e:
        asked(host)
    assert e.value.code == "registry.realm"
    assert "me:you" not in json.dumps(e.value.as_json())
    assert handler.seen == [("/v2/a/b/manifests/v1", "")]


def test_a_challenge_of_another_host_is_not_answered(scripted: tuple[str, type[_Scripted]]) -> None:
    """A registry may send a reader elsewhere for the bytes; the login is not for there."""
    host, handler = scripted
    other = type("Other", (_Scripted,), {"answers": {}, "seen": []})
    with running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), other)) as server:
        there = f"http://127.0.0.1:{server.server_port}/x"
        other.answers["/x"] = (401, {"WWW-Authenticate": "Basic realm=x"}, b"")
        handler.answers["/v2/a/b/manifests/v1"] = (307, {"Location": there}, b"")
        with pytest.raises(WorldFailed) as e:
            asked(host)
        assert e.value.code == "registry.unauthorized"
        assert other.seen == [("/x", "")]


def test_challenges_are_read_as_they_are_written() -> None:
    found = challenge_of(
        ['Bearer realm="https://a.example/t",service="s",scope="repository:a/b:pull,push"', "BASIC realm=x"]
    )
    assert found["bearer"]["scope"] == "repository:a/b:pull,push"
    assert found["basic"] == {"realm": "x"}
    assert challenge_of(["Negotiate"]) == {"negotiate": {}}


# Failures --------------------------------------------------------------------------------------------------------

OCI = {"Content-Type": INDEX}


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"Content-Type": "text/html"}, b"<html>log in</html>", "registry.wrong"),
        ({**OCI, "Docker-Content-Digest": sha256(b"other")}, b"{}", "registry.wrong"),
        (OCI, b"x" * (5 << 20), "registry.wrong"),
        (OCI, b"{", "registry.manifest"),
        (OCI, b"[]", "registry.manifest"),
        (OCI, b"{}", "registry.manifest"),
        (OCI, b'{"manifests": [3]}', "registry.manifest"),
        (OCI, b'{"manifests": 3}', "registry.manifest"),
    ],
)
def test_an_answer_that_is_no_image_is_told(
    scripted: tuple[str, type[_Scripted]], headers: dict[str, str], body: bytes, code: str
) -> None:
    host, handler = scripted
    handler.answers["/v2/a/b/manifests/v1"] = (200, headers, body)
    with pytest.raises(WorldFailed) as e:
        read_image(query(f"{host}/a/b", "v1"))
    assert (e.value.code, e.value.status) == (code, 4)


def test_bytes_that_are_not_the_digests_are_never_taken(scripted: tuple[str, type[_Scripted]]) -> None:
    host, handler = scripted
    digest = sha256(b"tested")
    handler.answers[f"/v2/a/b/manifests/{digest}"] = (200, OCI, b"other")
    handler.answers[f"/v2/a/b/blobs/{digest}"] = (200, {}, b"other")
    with Registry(f"{host}/a/b", plain=True) as r:
        for read in (r.manifest, r.blob):
            with pytest.raises(WorldFailed, match="digest"):
                read(digest)
        with pytest.raises(WorldFailed, match="no digest"):
            r.blob("../../secrets")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (429, "registry.busy", "asked too often"),
        (500, "registry.failed", "status 500"),
        (503, "registry.failed", "status 503"),
        (403, "registry.forbidden", "does not let us"),
        (418, "registry.refused", "status 418"),
        (0, "registry.unreachable", "disconnected"),
    ],
)
def test_a_registry_that_fails_is_told_in_words(
    pusher: Pusher, proxy: Proxy, status: int, code: str, words: str
) -> None:
    pusher.index("rc1")
    name = proxy.served.name(pusher.repository)
    proxy.troubles.append(Trouble("GET", "/manifests/rc1", "before", status))
    with pytest.raises(WorldFailed) as e:
        read_image(query(name, "rc1"))
    assert e.value.code == code
    assert words in str(e.value)
    assert "secret words" not in json.dumps(e.value.as_json())
    assert read_image(query(name, "rc1")) is not None


def test_a_registry_that_does_not_answer_in_time(pusher: Pusher, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_TIMEOUT", httpx.Timeout(10, read=0.2))
    pusher.index("rc1")
    proxy.troubles.append(Trouble("GET", "/manifests/rc1", "before", -1))
    with pytest.raises(WorldFailed) as e:
        read_image(query(proxy.served.name(pusher.repository), "rc1"))
    assert e.value.code == "registry.timeout"


def test_a_write_whose_answer_is_lost_is_done(pusher: Pusher, proxy: Proxy) -> None:
    """The tag is there though the client was told otherwise: who looks again, sees it."""
    digest = pusher.index("rc1")
    proxy.troubles.append(Trouble("PUT", "/manifests/v1", "after", 0))
    with Registry(proxy.served.name(pusher.repository), plain=True) as r:
        manifest = r.manifest("rc1")
        assert manifest is not None
        with pytest.raises(WorldFailed):
            r.put("v1", manifest)
        assert r.manifest("v1") == manifest
    assert pusher.digest("v1") == digest
