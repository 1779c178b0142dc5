"""What git knows of a commit that is said to resolve a conflict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headway.history.git import Git, text_of
from headway.history.log import is_ancestor
from headway.history.repository import Repository
from headway.model.commit import Sha

_MARKER = re.compile(rb"^(?:<{7,} |>{7,} |\|{7,} |={7,}$)")


@dataclass(frozen=True, slots=True)
class ResolutionFacts:
    """``paths`` are those that it changes against what the conflict lies on; ``marked`` those of them that still hold
    markers of a conflict, or are one side's file under a name of its own; ``strange`` those that neither the origin nor
    the conflict touches. ``descended``: it contains the workspace's own commit."""

    commit: Sha
    tree: Sha
    descended: bool
    paths: tuple[str, ...]
    marked: tuple[str, ...]
    strange: tuple[str, ...]


def read_resolution(
    repo: Repository, commit: Sha, base: Sha, workspace: Sha, origin: Sha, conflicts: Iterable[str]
) -> ResolutionFacts:
    """The facts of ``commit`` for the conflict that ``workspace`` (a commit on ``base``) holds."""
    git = repo.git
    tree = git.run("rev-parse", f"{commit}^{{tree}}").strip()
    rows = list(_changed(git, f"{base}^{{tree}}", tree))
    laid = {path: sha for _, sha, path in _changed(git, f"{base}^{{tree}}", f"{workspace}^{{tree}}")}
    allowed = {*laid, *(path.encode() for path in conflicts)}
    strange = [path for _, _, path in rows if path not in allowed]
    if strange:
        brought = {path for _, _, path in _changed(git, _before(git, origin), f"{origin}^{{tree}}")}
        strange = [path for path in strange if path not in brought]
    marked = [
        path
        for old, new, path in rows
        if _markers(git, old, new, laid.get(path), origin, path) or _side(git, old, new, laid.get(path), origin, path)
    ]
    words = [tuple(text_of(path) for path in some) for some in ([path for _, _, path in rows], marked, strange)]
    return ResolutionFacts(commit, tree, is_ancestor(repo, workspace, commit), *words)


def _before(git: Git, origin: Sha) -> str:
    code, tree, _ = git.try_run("rev-parse", "--verify", "--quiet", f"{origin}^1^{{tree}}")
    return git.run("mktree").strip() if code else tree.strip()


def _changed(git: Git, before: str, after: str) -> Iterator[tuple[Sha, Sha, bytes]]:
    """Old object, new object (``""`` where there is no file) and path of each difference."""
    parts = git.raw("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", before, after).split(b"\0")
    for head, path in zip(parts[::2], parts[1::2], strict=False):
        old_mode, new_mode, old, new, _ = head.decode("ascii").removeprefix(":").split(" ")
        yield old if old_mode.startswith("100") else "", new if new_mode.startswith("100") else "", path


def _markers(git: Git, old: Sha, new: Sha, laid: Sha | None, origin: Sha, path: bytes) -> bool:
    """Whether a file still holds markers which neither the branch nor the origin has there: some texts do."""
    found = _lines(git, new) - _lines(git, old)
    if laid and laid != new:
        found = {line for line in found if line[:1] != b"=" or line in _lines(git, laid)}
    if not found:
        return False
    code, sha, _ = git.try_run("rev-parse", "--verify", "--quiet", f"{origin}:{text_of(path)}")
    return bool(found - (_lines(git, sha.strip()) if code == 0 else set()))


def _side(git: Git, old: Sha, new: Sha, laid: Sha | None, origin: Sha, path: bytes) -> bool:
    """Whether it is a side's file that the conflict gave a name of its own, behind a tilde."""
    if old or not new or laid is None or b"~" not in path:
        return False
    return git.try_run("rev-parse", "--verify", "--quiet", f"{origin}:{text_of(path)}")[0] != 0


def _lines(git: Git, blob: Sha) -> set[bytes]:
    if not blob:
        return set()
    lines = git.raw("cat-file", "blob", blob).split(b"\n")
    return {line.rstrip(b"\r") for line in lines if _MARKER.match(line.rstrip(b"\r"))}
