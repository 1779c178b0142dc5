"""Objects that Python writes are objects to git: one by one, and many as a pack, in repositories of either hash."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from gitmaker import git_env

from headway.history.loose import Loose, TreeEntry


@pytest.mark.parametrize("form", ["sha1", "sha256"])
@pytest.mark.parametrize("count", [3, 400])
def test_git_reads_what_python_wrote(tmp_path: Path, form: str, count: int) -> None:
    def git(*args: str, stdin: bytes = b"") -> str:
        done = subprocess.run(["git", *args], cwd=tmp_path, input=stdin, env=git_env(), capture_output=True, check=True)
        return done.stdout.decode()

    git("init", "-q", "--bare", f"--object-format={form}")
    loose = Loose(tmp_path / "objects", "0" * (40 if form == "sha1" else 64))
    texts = [b"%d\n" % i * (i * i % 5000) for i in range(count)]  # sizes of one, two and three bytes
    blobs = [loose.blob(text) for text in texts]
    rows = [TreeEntry(b"100644", b"f%d" % i, bytes.fromhex(sha)) for i, sha in enumerate(blobs)]
    tip = loose.commit(loose.tree(rows), loose.commit(loose.tree(())))
    loose.flush()
    git("update-ref", "refs/heads/main", tip)
    git("fsck", "--strict", "--no-dangling")
    assert len(list(tmp_path.glob("objects/pack/*.idx"))) == (count > 100)
    asked = "".join(f"{sha}\n" for sha in blobs).encode()
    assert git("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked).split("\n")[:-1] == [
        f"{sha} {len(text)}" for sha, text in zip(blobs, texts, strict=True)
    ]
