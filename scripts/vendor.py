"""Bring the scripts that pages use from the npm registry into the package: pinned, checked, with their licences.

``python scripts/vendor.py`` writes them; ``--check`` says whether what is there is what was pinned.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parents[1] / "src/headway/web/static/vendor"
PACKAGES = {
    "htmx.org@4.0.1": ("dist/htmx.min.js", "dist/ext/hx-sse.min.js", "LICENSE"),
    "uplot@1.6.32": ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE"),
}
SHA256 = HERE / "SHA256SUMS"


def bring() -> None:
    """Raises ``subprocess.CalledProcessError`` where the registry does not answer."""
    HERE.mkdir(parents=True, exist_ok=True)
    for package, files in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            (archive,) = Path(folder).glob("*.tgz")
            with tarfile.open(archive) as tar:
                for name in files:
                    member = tar.extractfile(f"package/{name}")
                    assert member is not None, name  # noqa: S101
                    (HERE / _kept_as(package, name)).write_bytes(member.read())


def _kept_as(package: str, name: str) -> str:
    return f"{package.partition('@')[0]}.LICENSE" if name == "LICENSE" else Path(name).name


def sums() -> str:
    found = sorted(p for p in HERE.iterdir() if p != SHA256)
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        if sums() == SHA256.read_text("ascii"):
            return 0
        print("what is in static/vendor is not what SHA256SUMS says", file=sys.stderr)
        return 1
    bring()
    SHA256.write_text(sums(), "ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
