"""How long it takes to re-pack a large wheel as a release, and to prove it: ``python benchmarks/repack.py [MB]``.

The wheel is made on the spot: one compiled library of incompressible bytes to the size asked for (200 MB unless told),
a thousand small modules, a version file.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from packaging.version import Version

from headway.decide.restating import Restating
from headway.effects.repack_check import repack_problems
from headway.effects.repack_wheel import repack_wheel

CHUNK = 1 << 20
INFO = "big-1.0.0rc1.dist-info"


def make(folder: Path, megabytes: int) -> Path:
    """The candidate's wheel, with a RECORD."""
    path = folder / "big-1.0.0rc1-py3-none-any.whl"
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        digest = hashlib.sha256()
        with z.open("big/kernels.so", "w", force_zip64=True) as f:
            for _ in range(megabytes):
                chunk = b"\0" + os.urandom(CHUNK - 1)
                digest.update(chunk)
                f.write(chunk)
        rows.append(f"big/kernels.so,{_stated(digest.digest())},{megabytes * CHUNK}")
        small = {f"big/m{i}.py": f"def f():\n    return {i}\n" * 40 for i in range(1000)}
        small |= {
            "big/_version.py": "version = '1.0.0rc1'\n",
            f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: big\nVersion: 1.0.0rc1\n",
            f"{INFO}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        for name, text in small.items():
            z.writestr(name, text)
            rows.append(f"{name},{_stated(hashlib.sha256(text.encode()).digest())},{len(text)}")
        z.writestr(f"{INFO}/RECORD", "\n".join([*rows, f"{INFO}/RECORD,,"]) + "\n")
    return path


def _stated(digest: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def main(megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        old = make(Path(name), megabytes)
        out = Path(name) / "out"
        out.mkdir()
        restating, files = Restating(Version("1.0.0rc1"), Version("1.0.0")), ("_version.py",)
        began, cpu = time.perf_counter(), time.process_time()
        row = repack_wheel(old, out, restating, files)
        packed, packed_cpu = time.perf_counter() - began, time.process_time() - cpu
        began, cpu = time.perf_counter(), time.process_time()
        problems = repack_problems(old, out / row.file, row, restating, files)
        proved, proved_cpu = time.perf_counter() - began, time.process_time() - cpu
        assert problems == (), problems
        print(f"{old.stat().st_size / CHUNK:.0f} MB, {row.same + len(row.changed)} members, {len(row.changed)} changed")
        print(f"re-pack {packed:.2f} s ({packed_cpu:.2f} s CPU), proof {proved:.2f} s ({proved_cpu:.2f} s CPU)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
