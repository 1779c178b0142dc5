"""Signatures with SSH keys, as git makes them: ``ssh-keygen -Y``. A key may lie in a file, an agent or a token."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from headway.errors import UnusableInput, WorldFailed
from headway.model.text import Text, say
from headway.process import child_env

NAMESPACE = "headway"
_PROGRAM = "ssh-keygen"
_FINGERPRINT = re.compile(r"key (SHA256:\S+)")
_LITERAL = re.compile(r"^(?:key::|(?=ssh-|ecdsa-|sk-))")
_PATIENCE_S = 300.0  # a person may have to type a passphrase or to touch a token


@dataclass(frozen=True, slots=True)
class Seen:
    """A signature that was looked at. ``key`` is its key's fingerprint, ``None`` when it does not hold; ``principal``
    who the list of allowed signers says has that key, ``""`` for nobody."""

    key: str | None
    principal: str
    why: str


def sign(message: bytes, key: str, program: str = _PROGRAM) -> str:
    """The signature, as text. ``key`` is a file's path, or a public key as git's ``user.signingkey`` takes it; then, as
    for a public key's file, an agent has the private one. ``program`` is what git runs for it.

    Raises ``UnusableInput`` (``sign.ssh``) with the program's own words.
    """
    with tempfile.TemporaryDirectory(prefix="headway-sign-") as folder:
        literal = _LITERAL.match(key)
        path = Path(folder) / "key.pub" if literal else Path(key).expanduser()
        if literal:
            path.write_text(key.removeprefix("key::") + "\n", encoding="utf-8")
        data = Path(folder) / "head"
        data.write_bytes(message)
        more = ("-U",) if literal else ()
        status, words = _run(program, "-Y", "sign", "-n", NAMESPACE, "-f", str(path), *more, str(data))
        made = data.with_name("head.sig")
        if status or not made.is_file():
            raise UnusableInput(
                "sign.ssh",
                say("{program} did not sign with {key}: {why}", program=program, key=key, why=words),
                remedy=say("name a key with --key PATH, or set git's user.signingkey; an agent must hold a public one"),
            )
        return made.read_text(encoding="ascii")


def check(message: bytes, signature: str, at: datetime, allowed: Path | None) -> Seen | Text:
    """What stands behind a signature; why nothing can be said of it when there is no ``ssh-keygen`` here.

    ``allowed`` is a list of allowed signers as ssh-keygen(1) has it; a key's time there is held against ``at``.
    """
    with tempfile.TemporaryDirectory(prefix="headway-sign-") as folder:
        sig = Path(folder) / "head.sig"
        sig.write_text(signature, encoding="utf-8", errors="replace")
        try:
            status, words = _run(_PROGRAM, "-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(sig), input=message)
        except WorldFailed as e:
            return e.message
        found = _FINGERPRINT.search(words)
        if status or found is None:
            return Seen(None, "", words)
        return Seen(found[1], _principal(message, sig, at, allowed) if allowed else "", "")


def _principal(message: bytes, sig: Path, at: datetime, allowed: Path) -> str:
    """The first of the allowed signers for whom it holds. ssh-keygen reads times in this machine's zone."""
    then = f"-Overify-time={at.astimezone():%Y%m%d%H%M%S}"
    status, names = _run(_PROGRAM, "-Y", "find-principals", "-s", str(sig), "-f", str(allowed), then)
    for name in () if status else names.splitlines():
        who = ("-I", name, "-n", NAMESPACE, "-s", str(sig), "-f", str(allowed), then)
        if _run(_PROGRAM, "-Y", "verify", *who, input=message)[0] == 0:
            return name
    return ""


def _run(program: str, *args: str, input: bytes | None = None) -> tuple[int, str]:
    """Exit status, and what it said."""
    try:
        done = subprocess.run(
            [program, *args],
            input=input,
            capture_output=True,
            env=child_env({"LC_ALL": "C"}),
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise WorldFailed(
            "sign.program",
            say("{program} cannot be run: {why}", program=program, why=str(e)),
            remedy=say("install OpenSSH 8.2 or newer"),
        ) from e
    said = done.stdout if done.returncode == 0 and done.stdout else done.stderr or done.stdout
    return done.returncode, said.decode("utf-8", "replace").strip()
