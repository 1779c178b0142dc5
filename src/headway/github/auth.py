"""Who asks GitHub: nobody, the bearer of a token, or a GitHub App as it is installed on a repository.

A token is asked for no longer than its environment variable holds it. An App signs a JWT with its private key, finds
its installation on the repository, and gets a token of that repository alone, which ends after an hour and is renewed
before (``githubkit`` does it). https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from headway.errors import UnusableInput
from headway.model.text import Text, say

_PEM = "-----BEGIN"
_LARGEST_KEY = 64 * 1024  # bytes; a PEM of 16,384 bits has 13 kB


@dataclass(frozen=True, slots=True)
class Token:
    """A personal access token, or the one that a workflow run is given."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App: its id or client id, and its private key (PEM)."""

    id: str
    key: str = field(repr=False)


Credentials = Token | App | None


def credentials(token_env: str, app_id_env: str = "", app_key_env: str = "") -> Credentials:
    """What the environment holds: an App where its id is there, else a token. Raises ``UnusableInput``
    (``github.app-key``) for an App without a key that can be used."""
    app_id = os.environ.get(app_id_env, "").strip() if app_id_env else ""
    if app_id:
        return App(app_id, _key(app_key_env))
    token = os.environ.get(token_env, "").strip() if token_env else ""
    return Token(token) if token else None


def _key(name: str) -> str:
    """PEM text; the variable holds it, or the path of a file that does. What it holds is in no error."""
    given = os.environ.get(name, "").strip()
    if not given:
        raise _no_key(name, say("{name} is empty", name=name))
    if not given.startswith(_PEM):
        try:
            path = Path(given).expanduser()
            if path.stat().st_size > _LARGEST_KEY:
                raise ValueError
            given = path.read_text("ascii").strip()
        except (OSError, ValueError, RuntimeError):
            raise _no_key(name, say("{name} is neither a PEM nor the path of a file", name=name)) from None
    text = given.replace("\\n", "\n")  # as CI systems keep lines in one variable
    if not _sound(text):
        raise _no_key(name, say("{name} holds no RSA private key without a password", name=name))
    return text


@lru_cache(maxsize=1)  # a look at an RSA key takes long, and each tick asks several times who it is
def _sound(text: str) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return isinstance(load_pem_private_key(text.encode(), None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _no_key(name: str, why: Text) -> UnusableInput:
    return UnusableInput(
        "github.app-key",
        why,
        remedy=say("set {name} to the App's private key (PEM), or to the path of a file that holds it", name=name),
    )
