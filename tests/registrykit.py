"""A real container registry on loopback, images that are pushed to it, and what stands between it and a client.

The registry is CNCF's distribution (Debian's ``docker-registry``); where it is not installed the tests say so and skip.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import http.server
import io
import json
import re
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from headway.process import child_env

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
S = TypeVar("S", bound=http.server.HTTPServer)
USER, PASSWORD = "keeper", "pa55-word-of-the-registry"
_HTPASSWD = f"{USER}:$2b$04$abcdefghijklmnopqrstuuIwFjgBnK1zfqhNYVZ5Q1cwNYsoK9/Iq\n"
REVISION = "org.opencontainers.image.revision"
VERSION = "org.opencontainers.image.version"


def program() -> str:
    """The registry's program, or a skipped test."""
    found = shutil.which("docker-registry")
    if found is None:
        pytest.skip("no docker-registry is installed, so there is no real container registry to test with")
    return found


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass(frozen=True)
class Served:
    """A registry that answers at ``host`` (address and port)."""

    host: str
    login: tuple[str, str] | None = None

    def name(self, repository: str = "team/engine") -> str:
        return f"{self.host}/{repository}"


@contextlib.contextmanager
def registry(
    folder: Path, auth: Mapping[str, Any] | None = None, login: tuple[str, str] | None = None
) -> Iterator[Served]:
    """The registry with its storage in ``folder``; ``auth`` is that part of its configuration."""
    serve, port = program(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}"},
        **({"auth": auth} if auth else {}),
    }
    path, log = folder / "config.yml", folder / "registry.log"
    path.write_text(json.dumps(config))  # JSON is YAML
    with log.open("ab") as out:
        child = subprocess.Popen(
            [serve, "serve", str(path)], stdout=out, stderr=out, env=child_env({"OTEL_TRACES_EXPORTER": "none"})
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/v2/", child, log)
        yield Served(f"127.0.0.1:{port}", login)
    finally:
        child.terminate()
        child.wait(timeout=30)


def wait_for(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert child.poll() is None, log.read_text()
        try:
            if httpx.get(url).status_code in {200, 401}:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the registry never answered: {log.read_text()}")


@contextlib.contextmanager
def with_password(folder: Path) -> Iterator[Served]:
    """One that asks for a user and a password (Basic)."""
    folder.mkdir(parents=True)
    (folder / "htpasswd").write_text(_HTPASSWD)
    auth = {"htpasswd": {"realm": "keepers", "path": str(folder / "htpasswd")}}
    with registry(folder, auth, (USER, PASSWORD)) as served:
        yield served


# Images ----------------------------------------------------------------------------------------------------------


def sha256(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class Pusher:
    """Pushes what it is told to one repository, as a build tool would."""

    served: Served
    repository: str = "team/engine"
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    @property
    def name(self) -> str:
        return self.served.name(self.repository)

    def _url(self, rest: str) -> str:
        return f"http://{self.served.host}/v2/{self.repository}/{rest}"

    def blob(self, body: bytes) -> dict[str, Any]:
        begun = self.client.post(self._url("blobs/uploads/"), auth=self.served.login)
        begun.raise_for_status()
        where = httpx.URL(begun.headers["location"]).copy_merge_params({"digest": sha256(body)})
        self.client.put(where, content=body, auth=self.served.login).raise_for_status()
        return {"digest": sha256(body), "size": len(body)}

    def manifest(self, reference: str, value: Mapping[str, Any]) -> str:
        """Put a manifest under a tag or, with ``""``, under its digest alone."""
        body = json.dumps(value, indent=1).encode()
        sent = self.client.put(
            self._url(f"manifests/{reference or sha256(body)}"),
            content=body,
            headers={"Content-Type": value["mediaType"]},
            auth=self.served.login,
        )
        assert sent.status_code == 201, sent.text
        return sha256(body)

    def image(
        self, platform: str, labels: Mapping[str, str], tag: str = "", docker: bool = False, content: str = "hello"
    ) -> dict[str, Any]:
        """One platform's image; its descriptor for an index."""
        system, architecture, *variant = platform.split("/")
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as t:
            data = f"{content} {platform}\n".encode()
            member = tarfile.TarInfo("engine.txt")
            member.size = len(data)
            t.addfile(member, io.BytesIO(data))
        layer = raw.getvalue()
        where = {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
        roots = {"type": "layers", "diff_ids": [sha256(layer)]}
        config = {**where, "config": {"Labels": dict(labels)}, "rootfs": roots, "history": []}
        oci = "application/vnd.oci.image"
        old = "application/vnd.docker"
        value = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST if docker else MANIFEST,
            "config": {
                "mediaType": f"{old}.container.image.v1+json" if docker else f"{oci}.config.v1+json",
                **self.blob(json.dumps(config).encode()),
            },
            "layers": [
                {
                    "mediaType": f"{old}.image.rootfs.diff.tar" if docker else f"{oci}.layer.v1.tar",
                    **self.blob(layer),
                }
            ],
        }
        digest = self.manifest(tag, value)
        size = len(json.dumps(value, indent=1).encode())
        return {"mediaType": value["mediaType"], "digest": digest, "size": size, "platform": where}

    def index(
        self,
        tag: str,
        platforms: Sequence[str] = ("linux/amd64", "linux/arm64"),
        labels: Mapping[str, str] | None = None,
        *,
        docker: bool = False,
        content: str = "hello",
        attested: bool = False,
    ) -> str:
        """An image for several platforms under a tag; its digest. ``attested`` adds what is no platform."""
        rows = [self.image(p, labels or {}, docker=docker, content=content) for p in platforms]
        if attested:
            note = self.image("unknown/unknown", {}, content="attestation")
            rows.append({**note, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}})
        kind = DOCKER_LIST if docker else INDEX
        return self.manifest(tag, {"schemaVersion": 2, "mediaType": kind, "manifests": rows})

    def digest(self, reference: str) -> str | None:
        """What a tag names now, as another client sees it."""
        accept = ", ".join((INDEX, MANIFEST, DOCKER_LIST, DOCKER_MANIFEST))
        found = self.client.get(self._url(f"manifests/{reference}"), headers={"Accept": accept}, auth=self.served.login)
        return sha256(found.content) if found.status_code == 200 else None

    def tags(self) -> list[str]:
        found = self.client.get(self._url("tags/list"), auth=self.served.login)
        return sorted(found.json().get("tags") or [])

    def delete(self, digest: str) -> None:
        self.client.delete(self._url(f"manifests/{digest}"), auth=self.served.login).raise_for_status()


# What stands in between ------------------------------------------------------------------------------------------


@dataclass
class Trouble:
    """What happens to the next requests that match: ``how`` is ``before`` or ``after`` they reached the registry."""

    method: str
    path: str
    how: str
    status: int = 500
    times: int = 1


class Proxy(http.server.ThreadingHTTPServer):
    """Passes requests on to the registry, but for the troubles that it was told of. ``seen`` are method and path.

    A status of 0 is a connection that is closed without an answer; ``hang`` waits until the client has gone.
    """

    daemon_threads = True

    def __init__(self, behind: Served) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.troubles: list[Trouble] = []
        self.seen: list[str] = []
        self.authorizations: list[str] = []

    @property
    def served(self) -> Served:
        return Served(f"127.0.0.1:{self.server_port}", self.behind.login)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        proxy = cast(Proxy, self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy.seen.append(f"{self.command} {self.path}")
        proxy.authorizations.append(self.headers.get("Authorization", ""))
        trouble = next((t for t in proxy.troubles if t.method == self.command and re.search(t.path, self.path)), None)
        if trouble is not None:
            trouble.times -= 1
            if trouble.times == 0:
                proxy.troubles.remove(trouble)
        if trouble is not None and trouble.how == "before":
            self._fail(trouble)
            return
        behind = http.client.HTTPConnection(proxy.behind.host, timeout=30)
        behind.request(self.command, self.path, body, dict(self.headers))
        answer = behind.getresponse()
        data = answer.read()
        if trouble is not None:
            self._fail(trouble)
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection", "date"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _fail(self, trouble: Trouble) -> None:
        if trouble.status == 0:
            self.close_connection = True
            return
        if trouble.status < 0:
            self.rfile.read(1)  # until the client gives up
            self.close_connection = True
            return
        body = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": "secret words"}]}).encode()
        self.send_response(trouble.status)
        self.send_header("Retry-After", "17")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass

    def log_message(self, *_: object) -> None:
        """The test's output stays readable."""


@contextlib.contextmanager
def running(server: S) -> Iterator[S]:
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


# Tokens ----------------------------------------------------------------------------------------------------------


class Tokens(http.server.ThreadingHTTPServer):
    """A token server as the distribution specification describes it: whoever knows the password gets what is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _TokenHandler)
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tokens")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        self.asked: list[str] = []

    @property
    def realm(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"

    def configuration(self, folder: Path) -> dict[str, Any]:
        """The registry's part."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "tokens.pem"
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        known = {"realm": self.realm, "service": "the-registry", "issuer": "the-tokens"}
        return {"token": {**known, "rootcertbundle": str(path)}}

    def token(self, user: str, service: str, scopes: Sequence[str]) -> str:
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        now = int(time.time())
        head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        claims = {"iss": "the-tokens", "sub": user, "aud": service, "iat": now, "nbf": now - 60, "exp": now + 300}
        parts = [_b64(json.dumps(p).encode()) for p in (head, {**claims, "jti": "1", "access": access})]
        r, s = decode_dss_signature(self.key.sign(".".join(parts).encode(), ec.ECDSA(hashes.SHA256())))
        return ".".join([*parts, _b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))])


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _TokenHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = cast(Tokens, self.server)
        asked = parse_qs(urlsplit(self.path).query)
        server.asked.append(self.path)
        known = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {known}":
            self.send_response(401)
            self.end_headers()
            return
        body = json.dumps({"token": server.token(USER, asked["service"][0], asked.get("scope", []))}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The test's output stays readable."""
