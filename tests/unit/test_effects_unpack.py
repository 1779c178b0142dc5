"""Zips from elsewhere: nothing leaves the folder, nothing is overwritten."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from githubrun import zipped

from headway.effects.unpack import unpack


def test_files_come_without_their_folders(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped({"dist/a.whl": b"a", "b.tar.gz": b"b", "dist/": b""}))
    (tmp_path / "into").mkdir()
    assert unpack(tmp_path / "x.zip", "x.zip", tmp_path / "into") is None
    assert {p.name: p.read_bytes() for p in (tmp_path / "into").iterdir()} == {"a.whl": b"a", "b.tar.gz": b"b"}


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/a", "..\\a", "C:a", "a/.."])
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.zip").write_bytes(zipped({name: b"a"}))
    (tmp_path / "into").mkdir()
    why = unpack(tmp_path / "x.zip", "x.zip", tmp_path / "into")
    assert why is not None
    assert "outside" in str(why)
    assert list((tmp_path / "into").iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["into", "x.zip"]


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.whl")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as z:
        z.writestr(link, "/etc/passwd")
    why = unpack(tmp_path / "x.zip", "x.zip", tmp_path)
    assert why is not None
    assert "link" in str(why)


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip"])
def test_what_is_no_zip_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    why = unpack(tmp_path / "x.zip", "x.zip", tmp_path)
    assert why is not None
    assert "no zip" in str(why)
