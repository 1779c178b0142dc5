"""Bundles and backups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ledgertools import AT, hold, is_postgres, reasons

from headway.errors import UnusableInput
from headway.ledger.bundle import backup, export_lines, read_bundle, verify_path
from headway.ledger.rows import seal
from headway.ledger.store import open_ledger
from headway.model.entry import GENESIS, Entry, Kind

TEXT = st.text(st.characters(), max_size=12)
VALUE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
PAYLOADS = st.lists(st.dictionaries(TEXT, VALUE | st.lists(VALUE, max_size=3), max_size=3), max_size=5)
IN_A_FOLDER = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _chain(payloads: Sequence[dict[str, object]]) -> tuple[Entry, ...]:
    made: list[Entry] = []
    for payload in payloads:
        head = (made[-1].seq, made[-1].digest) if made else (0, GENESIS)
        made.append(seal(head, AT, "Ada", Kind.HELD, "0.9.2", payload))
    return tuple(made)


def _bundle(entries: Sequence[Entry]) -> bytes:
    return "".join(f"{line}\n" for line in export_lines(entries)).encode()


def _found_wrong(path: Path) -> bool:
    try:
        return verify_path(path) != ()
    except UnusableInput as e:
        return e.code.startswith("bundle.")


@IN_A_FOLDER
@given(payloads=PAYLOADS)
@example(payloads=[{"x": "\u2028\r\n\0\ud800"}])
def test_a_bundle_comes_back_as_it_was(tmp_path: Path, payloads: list[dict[str, object]]) -> None:
    entries, path = _chain(payloads), tmp_path / "bundle.jsonl"
    path.write_bytes(_bundle(entries))
    assert read_bundle(path) == entries
    assert verify_path(path) == ()
    header = json.loads(path.read_bytes().split(b"\n")[0])
    head = entries[-1].digest if entries else GENESIS
    assert header == {"format": "headway-ledger", "version": 1, "count": len(entries), "head": head}


@IN_A_FOLDER
@given(payloads=PAYLOADS, where=st.floats(0, 1, exclude_max=True))
def test_a_bundle_cut_anywhere_is_found(tmp_path: Path, payloads: list[dict[str, object]], where: float) -> None:
    whole, path = _bundle(_chain(payloads)), tmp_path / "bundle.jsonl"
    path.write_bytes(whole[: int(len(whole) * where)])
    assert _found_wrong(path)
    with pytest.raises(UnusableInput) as caught:
        read_bundle(path)
    assert caught.value.code in {"bundle.cut-short", "bundle.not-a-bundle"}


def test_a_bundle_cut_between_entries_is_found(tmp_path: Path) -> None:
    path = tmp_path / "bundle.jsonl"
    lines = _bundle(_chain([{"n": 1}, {"n": 2}, {"n": 3}])).splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert verify_path(path) == ("2 entries are there, the header says 3",)
    path.write_bytes(lines[0].replace(b'"count":3', b'"count":2') + b"".join(lines[1:-1]))
    (problem,) = verify_path(path)
    assert "not the one that the header names" in problem


@IN_A_FOLDER
@given(payloads=PAYLOADS.filter(bool), where=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_a_changed_byte_is_found(tmp_path: Path, payloads: list[dict[str, object]], where: float, byte: int) -> None:
    data, path = bytearray(_bundle(_chain(payloads))), tmp_path / "bundle.jsonl"
    at = int(len(data) * where)
    data[at] = byte if data[at] != byte else byte ^ 1
    path.write_bytes(data)
    assert _found_wrong(path)


def test_entries_left_out_or_swapped_are_found(tmp_path: Path) -> None:
    path = tmp_path / "bundle.jsonl"
    header, *rest = _bundle(_chain([{"n": n} for n in range(4)])).splitlines(keepends=True)
    for order in ([0, 2, 1, 3], [0, 1, 3], [0, 0, 2, 3], [0, 1, 2, 3, 3]):
        path.write_bytes(header + b"".join(rest[i] for i in order))
        assert verify_path(path) != (), order


def test_a_newer_bundle_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "bundle.jsonl"
    path.write_bytes(_bundle(_chain([{}])).replace(b'"version":1', b'"version":2', 1))
    for read in (read_bundle, verify_path):
        with pytest.raises(UnusableInput) as caught:
            read(path)
        assert caught.value.code == "bundle.newer"


@pytest.mark.parametrize("data", [b"hello\n", b"\x7fELF\0\0", b"[]\n", b'{"format":"other"}\n', b"\xff\xfe"])
def test_what_is_no_bundle_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    for read in (read_bundle, verify_path):
        with pytest.raises(UnusableInput) as caught:
            read(path)
        assert caught.value.code == "bundle.not-a-bundle"


def test_a_garbled_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bundle.jsonl"
    lines = _bundle(_chain([{"n": 1}, {"n": 2}])).splitlines(keepends=True)
    path.write_bytes(lines[0] + b"garbage\n" + lines[2])
    with pytest.raises(UnusableInput, match="line 2 cannot be read: it is not JSON") as caught:
        read_bundle(path)
    assert caught.value.code == "bundle.garbled"


def test_a_backup_holds_everything_and_verifies(url: str, tmp_path: Path) -> None:
    ledger = open_ledger(url, write=True)
    hold(ledger, "a \ud800")
    hold(ledger, "b")
    target = tmp_path / "kept" / "copy"
    backup(url, target)
    assert [p.name for p in target.parent.iterdir()] == ["copy"]
    assert verify_path(target) == ()
    kept = read_bundle(target) if is_postgres(url) else open_ledger(target, write=False).entries()
    assert kept == ledger.entries()
    if not is_postgres(url):
        hold(open_ledger(target, write=True), "c")
        assert reasons(open_ledger(target, write=False)) == ["a \ud800", "b", "c"]
        assert verify_path(target) == ()


def test_a_backup_overwrites_nothing_and_needs_a_ledger(url: str, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    with pytest.raises(UnusableInput) as caught:
        backup(url, target)
    assert caught.value.code == "ledger.not-found"
    assert not target.exists()
    hold(open_ledger(url, write=True), "a")
    target.write_text("mine")
    with pytest.raises(UnusableInput) as caught:
        backup(url, target)
    assert caught.value.code == "backup.exists"
    assert target.read_text() == "mine"


def test_verifying_what_is_not_there_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none", str(tmp_path / "none")):
        with pytest.raises(UnusableInput) as caught:
            verify_path(path)
        assert caught.value.code == "ledger.not-found"
