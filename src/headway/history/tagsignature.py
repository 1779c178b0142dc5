"""The signature of a tag, as git sees it: by what it is made, whether it holds, and whose key made it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from headway.history.repository import Repository

# As git tells a signature from the message before it.
_SIGNATURE = re.compile(r"^-----BEGIN (?:(PGP) (?:SIGNATURE|MESSAGE)|(SSH) SIGNATURE|(SIGNED) MESSAGE)-----$", re.M)
_FORMATS = {"PGP": "openpgp", "SSH": "ssh", "SIGNED": "x509"}
_SSH_KEY = re.compile(r'^Good "git" signature (?:for (?P<who>.+) )?with \S+ key (?P<key>SHA256:\S+)', re.M)
_GPG_KEY = re.compile(r"^\[GNUPG:\] VALIDSIG (\S+)", re.M)
_GPG_WHO = re.compile(r"^\[GNUPG:\] GOODSIG \S+ (.+)$", re.M)
_GPG_BAD = re.compile(r"^\[GNUPG:\] BADSIG ", re.M)


@dataclass(frozen=True, slots=True)
class TagSignature:
    """``text`` is the tag's message without it, ``format`` openpgp, ssh or x509 (``""``: it is not signed). ``holds``
    is ``None`` when that cannot be told here. ``key`` is a fingerprint, ``who`` whom git trusts to have it."""

    text: str
    format: str
    holds: bool | None
    key: str
    who: str
    why: str


def is_signed(content: str) -> bool:
    """Whether a tag object carries a signature, good or bad."""
    return _SIGNATURE.search(content.partition("\n\n")[2]) is not None


def tag_signature(repo: Repository, tag: str, allowed: Path | None = None) -> TagSignature | None:
    """Of an annotated tag; ``None`` for any other. ``allowed`` is a list of allowed signers as ssh-keygen(1) has it
    (default: git's own setting); a key that is in none still makes a signature that holds."""
    code, content, _ = repo.git.try_run("cat-file", "tag", f"refs/tags/{tag}")
    if code:
        return None
    message = content.partition("\n\n")[2]
    found = _SIGNATURE.search(message)
    if found is None:
        return TagSignature(message, "", None, "", "", "")
    text, form = message[: found.start()], _FORMATS[next(g for g in found.groups() if g)]
    settings: tuple[str, ...] = ()
    if form == "ssh":
        own = repo.git.try_run("config", "--get", "gpg.ssh.allowedSignersFile")[0] == 0
        if allowed is not None or not own:
            # Without a list git says nothing at all; with an empty one it tells which key it was.
            settings = ("-c", f"gpg.ssh.allowedSignersFile={allowed.resolve() if allowed else os.devnull}")
    _, out, words = repo.git.try_run(*settings, "verify-tag", "--raw", f"refs/tags/{tag}")
    said = out + words
    ssh, gpg = _SSH_KEY.search(said), _GPG_KEY.search(said)
    if ssh:
        return TagSignature(text, form, True, ssh["key"], ssh["who"] or "", "")
    if gpg:
        who = _GPG_WHO.search(said)
        return TagSignature(text, form, True, gpg[1], who[1] if who else "", "")
    why = " ".join(said.split())
    bad = "Could not verify" in said if form == "ssh" else bool(_GPG_BAD.search(said))
    return TagSignature(text, form, False if bad else None, "", "", why)
