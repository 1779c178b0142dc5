"""SSH keys and ledgers that are signed with them, for tests: real ``ssh-keygen``, nothing of this user's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from headway.clock import SetClock
from headway.ledger import ssh
from headway.ledger.signatures import SSH, statement
from headway.ledger.store import SqlLedger
from headway.model.entry import Entry, Kind


def make_key(folder: Path, name: str = "ann") -> Path:
    """An Ed25519 key without a passphrase; its public half is beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True, capture_output=True
    )
    return path


def allow(key: Path, who: str, file: Path, options: str = "") -> Path:
    """A list of allowed signers with one line."""
    public = key.with_name(f"{key.name}.pub").read_text(encoding="utf-8")
    file.write_text(f"{who} {options} {public}".replace("  ", " "), encoding="utf-8")
    return file


def fingerprint(key: Path) -> str:
    done = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], check=True, capture_output=True, text=True)
    return done.stdout.split()[1]


def sign(ledger: SqlLedger, key: Path, clock: SetClock, **other: object) -> Entry:
    """Sign the head; ``other`` fields stand instead of the true ones."""
    last = ledger.entries()[-1]
    signature = ssh.sign(statement(last.seq, last.digest), str(key))
    payload = {"seq": last.seq, "head": last.digest, "format": SSH, "signature": signature, "signer": fingerprint(key)}
    return ledger.append(clock.now(), "Ann", Kind.SIGNED, "", {**payload, **other})
