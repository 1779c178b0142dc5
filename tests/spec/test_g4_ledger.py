"""G4: the ledger is append-only and hash-chained; any alteration is found, offline, with nothing but the bundle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gitmaker import GitMaker
from sshkeys import allow, fingerprint, make_key, sign
from trainkit import open_at

from headway import proving, signing
from headway.clock import SetClock
from headway.errors import UnusableInput
from headway.ledger import ssh
from headway.ledger.bundle import export_lines
from headway.ledger.rows import seal
from headway.ledger.signatures import Standing, signatures
from headway.ledger.store import open_ledger
from headway.model.entry import GENESIS, Entry, Kind, canonical
from headway.model.text import Text
from headway.refusal import Refused

NOW = datetime(2025, 7, 1, 9, 30, tzinfo=UTC)
CLOCK = SetClock(NOW)
FIELDS = ("seq", "at", "actor", "kind", "train", "payload", "prev", "digest")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory, key: Path) -> tuple[Entry, ...]:
    """Five entries; the fourth signs the third."""
    ledger = open_ledger(tmp_path_factory.mktemp("ledger") / "l.db", write=True)
    for n in range(3):
        ledger.append(NOW, "Ann", Kind.HELD, "0.7.1", {"reason": f"why {n}"})
    sign(ledger, key, CLOCK)
    ledger.append(NOW, "Ann", Kind.HOLD_RELEASED, "0.7.1", {"held": 1})
    return ledger.entries()


def rows_of(entries: tuple[Entry, ...]) -> list[dict[str, object]]:
    return [e.as_json() for e in entries]


def bundled(rows: list[dict[str, object]], path: Path) -> Path:
    """A bundle as a forger would write it: the header fits what follows."""
    head = rows[-1]["digest"] if rows else GENESIS
    header = {"format": "headway-ledger", "version": 1, "count": len(rows), "head": head}
    path.write_text("".join(canonical(x) + "\n" for x in (header, *rows)), encoding="utf-8")
    return path


def proved(path: Path, head: str = "", allowed: Path | None = None) -> list[str]:
    return [p.code for p in proving.prove_ledger(str(path), head, allowed).problems]


def resealed(entries: tuple[Entry, ...], change: Callable[[Entry], dict[str, object]]) -> list[dict[str, object]]:
    """The whole chain made anew over changed payloads: every digest and link holds."""
    made: list[Entry] = []
    for e in entries:
        head = (made[-1].seq, made[-1].digest) if made else (0, GENESIS)
        made.append(seal(head, e.at, e.actor, e.kind, e.train, change(e)))
    return rows_of(tuple(made))


OTHER = {
    "seq": 9,
    "at": (NOW + timedelta(seconds=1)).isoformat(),
    "actor": "Bob",
    "kind": "skipped",
    "train": "0.7.2",
    "payload": {"reason": "another"},
    "prev": "1" * 64,
    "digest": "2" * 64,
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("which", range(5))
def test_each_field_of_each_entry_is_covered(
    entries: tuple[Entry, ...], tmp_path: Path, field: str, which: int
) -> None:
    """G4: no field of any entry can be altered."""
    rows = rows_of(entries)
    assert rows[which][field] != OTHER[field]
    rows[which][field] = OTHER[field]
    found = proving.prove_ledger(str(bundled(rows, tmp_path / "b.jsonl")))
    assert {"ledger.chain"} <= {p.code for p in found.problems}
    assert not found.ok


@pytest.mark.parametrize("which", range(5))
def test_an_entry_left_out_put_in_or_moved_is_found(entries: tuple[Entry, ...], tmp_path: Path, which: int) -> None:
    """G4: dropped, doubled, inserted and reordered entries; the last one dropped is a shorter chain: see below."""
    path, rows = tmp_path / "b.jsonl", rows_of(entries)
    if which < 4:
        assert "ledger.chain" in proved(bundled([*rows[:which], *rows[which + 1 :]], path))
        assert "ledger.chain" in proved(
            bundled([*rows[:which], rows[which + 1], rows[which], *rows[which + 2 :]], path)
        )
    assert "ledger.chain" in proved(bundled([*rows[: which + 1], *rows[which:]], path))
    head = (entries[which - 1].seq, entries[which - 1].digest) if which else (0, GENESIS)
    own = seal(head, NOW, "Eve", Kind.WAIVED, "0.7.1", {"what": "E7"}).as_json()
    assert "ledger.chain" in proved(bundled([*rows[:which], own, *rows[which:]], path))


def test_what_is_taken_off_the_end_is_found_by_a_head_that_was_kept(entries: tuple[Entry, ...], tmp_path: Path) -> None:
    """G4: a shorter chain is whole; only what somebody kept elsewhere tells."""
    rows, head = rows_of(entries), entries[-1].digest
    for left in range(1, 5):
        path = bundled(rows[:left], tmp_path / "b.jsonl")
        assert proved(path) == []
        assert proved(path, head) == ["ledger.head-missing"]
        assert proved(path, entries[0].digest) == []  # it went on since
    whole = bundled(rows, tmp_path / "b.jsonl")
    assert proved(whole, head) == proved(whole, head[:12].upper()) == []
    assert proving.prove_ledger(str(whole)).head == head
    for wrong in ("abc", "z" * 64, head + "0"):
        with pytest.raises(UnusableInput) as caught:
            proving.prove_ledger(str(whole), wrong)
        assert caught.value.code == "usage.head"


def test_a_ledger_written_anew_is_found_by_its_signature(entries: tuple[Entry, ...], tmp_path: Path) -> None:
    """G4: whoever can write the file can make every digest again, not the signature."""
    path = tmp_path / "b.jsonl"
    anew = resealed(entries, lambda e: {**e.payload, "reason": "better"} if e.seq == 1 else dict(e.payload))
    assert proved(bundled(anew, path)) == ["ledger.signature"]
    third = anew[2]["digest"]
    forged = resealed(
        entries,
        lambda e: (
            {**e.payload, "reason": "better"}
            if e.seq == 1
            else {**e.payload, "head": third}
            if e.kind is Kind.SIGNED
            else dict(e.payload)
        ),
    )
    assert proved(bundled(forged, path)) == ["ledger.signature"]
    assert proved(bundled(forged[:3], path), entries[3].digest) == ["ledger.head-missing"]


@pytest.mark.parametrize(
    "payload",
    [
        {"seq": 2},
        {"seq": 4},
        {"seq": "3"},
        {"head": "0" * 64},
        {"signature": ""},
        {"signature": "-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----\n"},
        {"signer": "SHA256:somebody"},
        {"signature": None},
    ],
    ids=lambda p: f"{p}"[:30],
)
def test_a_signature_for_something_else_does_not_hold(
    entries: tuple[Entry, ...], tmp_path: Path, payload: dict[str, object]
) -> None:
    rows = resealed(entries, lambda e: {**e.payload, **payload} if e.kind is Kind.SIGNED else dict(e.payload))
    assert proved(bundled(rows, tmp_path / "b.jsonl")) == ["ledger.signature"]


def test_whose_signature_counts_is_the_readers_word(entries: tuple[Entry, ...], key: Path, tmp_path: Path) -> None:
    """G4: a key that the reader's list names vouches, within its time and for this purpose; another does not."""
    file, other = tmp_path / "allowed", make_key(tmp_path, "eve")

    def seen(allowed: Path | None) -> tuple[Standing, str]:
        (found,) = signatures(entries, allowed)
        return found.standing, found.signer

    assert seen(allow(key, "ann@example.org", file)) == (Standing.VOUCHED, "ann@example.org")
    assert seen(allow(key, "ann@example.org", file, 'namespaces="headway"')) == (Standing.VOUCHED, "ann@example.org")
    nobody = (Standing.UNVOUCHED, fingerprint(key))
    assert seen(None) == nobody
    assert seen(allow(other, "eve@example.org", file)) == nobody
    assert seen(allow(key, "ann@example.org", file, 'namespaces="git"')) == nobody
    assert seen(allow(key, "ann@example.org", file, 'valid-before="20240101"')) == nobody
    assert seen(allow(key, "ann@example.org", file, 'valid-before="20260101"'))[0] is Standing.VOUCHED
    assert seen(tmp_path / "none") == nobody


def test_a_signature_that_cannot_be_checked_is_open_and_not_passed(
    entries: tuple[Entry, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G4: without ssh-keygen, or in a form that this Headway does not know, nothing is claimed."""
    later = resealed(entries, lambda e: {**e.payload, "format": "later"} if e.kind is Kind.SIGNED else dict(e.payload))
    found = proving.prove_ledger(str(bundled(later, tmp_path / "later.jsonl")))
    assert (found.problems, [s.standing for s in found.signatures], found.ok) == ((), [Standing.UNCHECKED], False)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = proving.prove_ledger(str(bundled(rows_of(entries), tmp_path / "b.jsonl")))
    assert (found.problems, [s.standing for s in found.signatures], found.ok) == ((), [Standing.UNCHECKED], False)
    assert isinstance(ssh.check(b"", "", NOW, None), Text)


_ALONE = """
import socket, sys
def none(*args, **kwargs): raise OSError("no network here")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = socket.getaddrinfo = none
sys.argv = ["headway", "verify", "bundle.jsonl", "--json"]
from headway.cli.main import main
main()
"""


def test_a_bundle_is_verified_with_nothing_but_itself(entries: tuple[Entry, ...], tmp_path: Path) -> None:
    """G4: an empty folder, no repository, no git, no network, no settings."""
    alone, tools = tmp_path / "alone", tmp_path / "tools"
    for folder in (alone, tools):
        folder.mkdir()
    where = subprocess.run(["which", "ssh-keygen"], check=True, capture_output=True, text=True).stdout.strip()
    (tools / "ssh-keygen").symlink_to(where)
    data = "".join(f"{line}\n" for line in export_lines(entries)).encode()
    env = {"PATH": str(tools), "HOME": str(alone), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}

    def verified(content: bytes) -> tuple[int, dict[str, object]]:
        (alone / "bundle.jsonl").write_bytes(content)
        done = subprocess.run([sys.executable, "-c", _ALONE], cwd=alone, env=env, capture_output=True, check=False)
        assert not done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout)

    status, answer = verified(data)
    assert (status, answer["ok"], answer["problems"], answer["entries"]) == (0, True, [], 5)
    assert answer["head"] == entries[-1].digest
    at = data.index(b"why 1")
    status, answer = verified(data[:at] + b"why 7" + data[at + 5 :])
    assert (status, answer["ok"]) == (1, False)
    assert [p.name for p in alone.iterdir()] == ["bundle.jsonl"]


def test_the_head_is_signed_with_the_key_that_git_signs_with(key: Path, tmp_path: Path) -> None:
    made = GitMaker(tmp_path / "toy.git", bare=True)
    made.commit("Begin (#1)", {"release.toml": 'schema = 1\npreset = "generic"\n'})
    app = open_at(made.path, NOW, person="Ann")
    with pytest.raises(UnusableInput) as caught:
        signing.sign_head(app, None)
    assert caught.value.code == "sign.empty"
    held = app.record(Kind.HELD, "", {"reason": "why"})
    with pytest.raises(UnusableInput) as caught:
        signing.sign_head(app, None)
    assert caught.value.code == "sign.no-key"
    with pytest.raises(UnusableInput) as caught:
        signing.sign_head(app, str(tmp_path / "none"))
    assert caught.value.code == "sign.ssh"
    made.run("config", "gpg.format", "ssh")
    made.run("config", "user.signingkey", str(key))
    entry = signing.sign_head(app, None)
    assert isinstance(entry, Entry)
    assert {k: entry.payload[k] for k in ("seq", "head", "format", "signer")} == {
        "seq": held.seq,
        "head": held.digest,
        "format": "ssh",
        "signer": fingerprint(key),
    }
    made.run("config", "gpg.ssh.allowedSignersFile", str(allow(key, "ann@example.org", tmp_path / "allowed")))
    place = str(app.ledger_place)
    proof = proving.prove_ledger(place, held.digest, proving.allowed_signers(made.path))
    assert proof.ok
    assert [s.standing for s in proof.signatures] == [Standing.VOUCHED]


def test_a_broken_chain_is_not_signed(key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = GitMaker(tmp_path / "toy.git", bare=True)
    made.commit("Begin (#1)", {"release.toml": 'schema = 1\npreset = "generic"\n'})
    app = open_at(made.path, NOW, person="Ann")
    for n in range(2):
        app.record(Kind.HELD, "", {"reason": f"why {n}"})
    broken = app.entries()[1:]
    monkeypatch.setattr(type(app), "entries", lambda self: broken)
    answer = signing.sign_head(app, str(key))
    assert isinstance(answer, Refused)
    assert {r.code for r in answer.reasons} == {"ledger.chain"}
