"""Signatures by Sigstore: what can be told without its network."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headway.errors import UnusableInput
from headway.ledger import keyless
from headway.ledger.signatures import Standing, signatures
from headway.ledger.store import open_ledger
from headway.model.entry import Kind
from headway.model.text import Text

AT = datetime(2025, 7, 1, 9, 30, tzinfo=UTC)
EMPTY = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {}}


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the library can be imported."""
    monkeypatch.setitem(sys.modules, "sigstore", None)
    monkeypatch.setitem(sys.modules, "sigstore.errors", None)


@pytest.mark.usefixtures("absent")
def test_without_the_library_signing_says_what_to_install() -> None:
    with pytest.raises(UnusableInput) as caught:
        keyless.sign(b"head")
    assert caught.value.code == "sign.no-sigstore"
    assert str(caught.value.remedy) == "pip install 'headway[sigstore]'"


@pytest.mark.usefixtures("absent")
def test_without_the_library_a_signature_is_left_unchecked(tmp_path: Path) -> None:
    """G4: not passed and not failed."""
    seen = keyless.check(b"head", json.dumps(EMPTY))
    assert isinstance(seen, Text)
    assert "headway[sigstore]" in str(seen)
    ledger = open_ledger(tmp_path / "l.db", write=True)
    first = ledger.append(AT, "Ann", Kind.HELD, "", {"reason": "why"})
    known = {"seq": 1, "head": first.digest, "format": "sigstore", "signature": "{}", "signer": "ann@example.org"}
    ledger.append(AT, "Ann", Kind.SIGNED, "", known)
    assert [s.standing for s in signatures(ledger.entries(), None)] == [Standing.UNCHECKED]


@pytest.mark.parametrize("bundle", ["", "x", "{}", "[]", "null", json.dumps(EMPTY)])
def test_what_is_no_bundle_does_not_hold(bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """G4: with the library, whatever stands where a bundle should is refused in words."""
    pytest.importorskip("sigstore")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    seen = keyless.check(b"head", bundle)
    assert isinstance(seen, keyless.Certified)
    assert seen.identity is None
    assert seen.why
