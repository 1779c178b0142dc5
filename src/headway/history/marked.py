"""A conflict as a tree for a person to edit: git's own markers, with names that say what the sides are."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headway.history.git import Git
from headway.history.merge import Marked
from headway.model.commit import Sha

_ANCESTOR = re.compile(rb"(?m)^(\|{7,}) [0-9a-f]{4,64}\b")  # as merge.conflictStyle=diff3 has it


@dataclass(frozen=True, slots=True)
class Sides:
    """What the markers call the branch's side, the change's side, and what they come from; ``change`` is a short name
    for paths."""

    ours: str
    theirs: str
    origin: str
    change: str


def with_names(git: Git, ours: Sha, marked: Marked, sides: Sides) -> Sha:
    """The tree of a conflict with these names instead of object names; written to the repository, nothing else is.

    ``ours`` is the commit or tree that it was merged onto.
    """
    rows = list(_touched(git, ours, marked.tree))
    lines = b"".join(_renamed(git, *row, marked, sides) for row in rows)
    if not lines:
        return marked.tree
    with tempfile.TemporaryDirectory(prefix="headway-index-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.run("read-tree", marked.tree, env=env)
        git.run("update-index", "-z", "--index-info", input=lines, env=env)
        return git.run("write-tree", env=env).strip()


def _touched(git: Git, ours: Sha, tree: Sha) -> Iterator[tuple[str, Sha, bytes]]:
    """Mode, object and path of what the merge added or changed."""
    args = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", "--diff-filter=AMT")
    parts = git.raw(*args, f"{ours}^{{tree}}", tree).split(b"\0")
    for head, path in zip(parts[::2], parts[1::2], strict=False):
        _, mode, _, sha, _ = head.decode("ascii").split(" ")
        yield mode, sha, path


def _renamed(git: Git, mode: str, sha: Sha, path: bytes, marked: Marked, sides: Sides) -> bytes:
    """The lines for git's index that give one file its names; none where it holds no object name."""
    names = ((marked.ours, sides.ours), (marked.theirs, sides.theirs))
    data = git.raw("cat-file", "blob", sha) if mode.startswith("100") else b""
    said = data
    if any(old.encode() in data for old, _ in names):
        for old, new in names:
            said = said.replace(old.encode(), new.encode("utf-8", "replace"))
        said = _ANCESTOR.sub(rb"\1 " + sides.origin.encode().replace(b"\\", b"\\\\"), said)
    called = path
    for old, new in ((marked.ours, sides.ours.replace("/", "_")), (marked.theirs, sides.change)):
        called = called.replace(f"~{old}".encode(), f"~{new}".encode("utf-8", "replace"))
    if (said, called) == (data, path):
        return b""
    made = sha if said == data else git.run("hash-object", "-w", "--stdin", input=said).strip()
    gone = b"" if called == path else b"0 %s\t%s\0" % (b"0" * len(sha), path)
    return gone + b"%s %s\t%s\0" % (mode.encode(), made.encode(), called)
