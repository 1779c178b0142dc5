"""The identity of the CI job that Headway runs in (OpenID Connect): a token of the index for it, and attestations.

Detection is the ``id`` library's, which twine and Sigstore use too. The exchange is PyPI's: twine has it for PyPI's own
two addresses only, and does not tell afterwards by which credentials it went.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from id import AmbientCredentialError, detect_credential

from headway.errors import WorldFailed
from headway.model.text import Text, say
from headway.process import child_env, run_logged
from headway.simple import without_credentials

SIGNER = (sys.executable, "-P", "-m", "pypi_attestations")
_SIGSTORE = "sigstore"  # the audience that Sigstore asks for
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LIMIT_S = 300.0


class Token(str):
    """A short-lived upload token; it is shown nowhere."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Token(…)"


def upload_token(upload_url: str) -> Token | Text:
    """A token of the index for this job's identity, or why there is none."""
    parts = urlsplit(upload_url)
    shown = without_credentials(upload_url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        return say("{url} is not https, and an identity is not sent in the clear", url=shown)
    try:
        with httpx.Client(timeout=30.0) as client:
            return _exchanged(client, f"{parts.scheme}://{parts.netloc}/_/oidc", shown)
    except AmbientCredentialError as e:
        return _not_given(e)
    except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError, KeyError, TypeError, AttributeError) as e:
        why = f"status {e.response.status_code}" if isinstance(e, httpx.HTTPStatusError) else type(e).__name__
        return say("{url} could not be asked for a token: {why}", url=shown, why=why)


def _exchanged(client: httpx.Client, base: str, shown: str) -> Token | Text:
    """As PyPI documents it: the audience that the index asks for, the identity for it, the token for that."""
    asked = client.get(f"{base}/audience")
    if asked.status_code == httpx.codes.NOT_FOUND:
        return say("{url} knows no trusted publishing", url=shown)
    identity = detect_credential(str(asked.raise_for_status().json()["audience"]))
    if identity is None:
        return _none_here()
    answer = client.post(f"{base}/mint-token", json={"token": identity})
    said = answer.json()
    if answer.is_success and said.get("token"):
        return Token(said["token"])
    reasons = [f"{e.get('code')}: {e.get('description')}" for e in said.get("errors", ())] or [said.get("message")]
    return say("{url} gave no token for this job: {why}", url=shown, why="; ".join(str(r) for r in reasons))


def no_attestation(module: str = "pypi_attestations") -> Text | None:
    """Why no file can be attested here; ``None`` when it can be tried.

    The identity is asked for first: without one the signing program would open a browser and wait for a person.
    """
    if importlib.util.find_spec(module) is None:
        return say("the library that makes them is not installed: pip install 'headway[attestations]'")
    try:
        return None if detect_credential(_SIGSTORE) else _none_here()
    except AmbientCredentialError as e:
        return _not_given(e)


def attest(source: Path, workdir: Path, *, log: Path, signer: Sequence[str] = SIGNER) -> Path:
    """The PEP 740 attestation of a file, made anew in ``workdir``. Raises ``WorldFailed`` (``index.attestation``)."""
    folder = workdir / source.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    link = folder / source.name  # it is written beside what is signed: that is not where the candidate's files are
    os.symlink(source.resolve(), link)
    done = run_logged(
        [*signer, "sign", str(link)], log=log, timeout_s=_LIMIT_S, cwd=folder, env=child_env({"PYTHONSAFEPATH": "1"})
    )
    made = link.with_name(f"{link.name}.publish.attestation")
    if done.ok and made.is_file():
        return made
    words = done.tail.strip().rpartition("\n")[2].strip()
    why = say("it took longer than {limit} s", limit=_LIMIT_S) if done.timed_out else say("{words}", words=words)
    raise WorldFailed(
        "index.attestation",
        say("{file} could not be attested: {why}", file=source.name, why=str(why)),
        clause="N1",
        remedy=say("read {log}; tick again, or set index.attestations to `no`", log=log),
    )


def _none_here() -> Text:
    return say("this is no CI job with an identity")


def _not_given(e: AmbientCredentialError) -> Text:
    return say("this CI job was given no identity: {why}", why=" ".join(str(e).split()))
