"""Signing the ledger's head, with the key that a person signs commits with, or as who Sigstore says they are (G4)."""

from __future__ import annotations

from headway.app import Headway
from headway.decide.proof import chain_problems
from headway.errors import UnusableInput
from headway.ledger import keyless, ssh
from headway.ledger.signatures import SIGSTORE, SSH, statement
from headway.model.entry import Entry, Kind
from headway.model.text import Text, say
from headway.refusal import Refused


def sign_head(app: Headway, key: str | None, *, sigstore: bool = False) -> Entry | Refused:
    """Sign the last entry, and with it all before; the signature is the next entry.

    ``key`` is a file (default: git's ``user.signingkey``). A ledger whose chain is broken is not signed. Raises
    ``UnusableInput``: ``sign.empty``, ``sign.no-key``, ``sign.ssh``, ``sign.no-sigstore``.
    """
    entries = app.entries()
    if not entries:
        raise UnusableInput("sign.empty", say("the ledger has no entry yet"), remedy=say("there is nothing to sign"))
    broken = chain_problems(entries)
    if broken:
        return Refused(broken)
    seq, head = entries[-1].seq, entries[-1].digest
    message = statement(seq, head)
    if sigstore:
        signature, signer = keyless.sign(message)
    else:
        signature = ssh.sign(message, key or _own_key(app), _program(app))
        signer = _fingerprint(app, message, signature)
    form = SIGSTORE if sigstore else SSH
    return app.recording(app.person).record(  # a signature decides nothing: it needs no policy
        Kind.SIGNED, "", {"seq": seq, "head": head, "format": form, "signature": signature, "signer": signer}
    )


def _fingerprint(app: Headway, message: bytes, signature: str) -> str:
    """Of the key that signed; what another program made is looked at before it is kept."""
    seen = ssh.check(message, signature, app.clock.now(), None)
    why = seen if isinstance(seen, Text) else None if seen.key else say("{why}", why=seen.why)
    if isinstance(seen, Text) or seen.key is None:
        raise UnusableInput(
            "sign.unusable",
            say("the signature that was made does not hold: {why}", why=str(why)),
            remedy=say("check the key, and what git's gpg.ssh.program is set to"),
        )
    return seen.key


def _own_key(app: Headway) -> str:
    form, key = _setting(app, "gpg.format"), _setting(app, "user.signingkey")
    if form != "ssh" or not key:
        raise UnusableInput(
            "sign.no-key",
            say("git is not set to sign with an SSH key here"),
            remedy=say(
                "name one with --key PATH, or set `git config gpg.format ssh` and `git config user.signingkey PATH`"
            ),
        )
    return key


def _program(app: Headway) -> str:
    return _setting(app, "gpg.ssh.program") or "ssh-keygen"


def _setting(app: Headway, name: str) -> str:
    return app.repo.git.try_run("config", "--type=path", "--get", name)[1].strip()
