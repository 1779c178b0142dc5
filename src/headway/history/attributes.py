"""The ``.gitattributes`` of a tree that a merge asks for, laid out on disk where git reads them."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from headway.history.git import Git
from headway.history.loose import TREE
from headway.history.normalizing import normalizes
from headway.history.objects import Objects
from headway.history.trees import MissingObject, Trees
from headway.model.commit import Sha

_NAME = b".gitattributes"
# What a merge asks for only when it brings files to one form first.
_OF_FORM = frozenset(b"text eol crlf filter ident working-tree-encoding".split())
# What no merge asks for. Every other name may be a macro of the user's.
_HARMLESS = frozenset(b"export-ignore export-subst whitespace delta encoding conflict-marker-size".split())
_HARMLESS_TOO = (b"linguist-", b"gitlab-")

Rules = tuple[tuple[bytes, bytes], ...]  # path of a file, its lines that matter


class Attributes:
    """Folders that hold the attributes of trees: trees whose rules for merges are equal share one.

    Use as a context manager; the folders are removed at the end. Raises ``MissingObject``.
    """

    def __init__(self, git: Git, objects: Objects, trees: Trees) -> None:
        self._git = git
        self._objects = objects
        self._trees = trees
        self._rules: dict[Sha, Rules] = {}
        self._folders: dict[Rules, Path] = {}
        self._ending = ExitStack()

    def __enter__(self) -> Attributes:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def folder(self, tree: Sha) -> Path:
        """The folder to merge in, for a result that grows from this tree."""
        rules = self._of(tree)
        if rules not in self._folders:
            root = Path(self._ending.enter_context(tempfile.TemporaryDirectory(prefix="headway-tree-")))
            for path, text in rules:
                place = root / path.decode("utf-8", "surrogateescape")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(text)
            self._folders[rules] = root
        return self._folders[rules]

    def _of(self, tree: Sha) -> Rules:
        """A tree's rules; the trees below are read level by level, and each tree is looked through once."""
        levels = [[tree] if tree not in self._rules else []]
        while levels[-1]:
            self._trees.load(levels[-1])
            below = dict.fromkeys(
                row.sha
                for sha in levels[-1]
                for row in self._trees.rows(sha).values()
                if row.mode == TREE and _is_plain(row.name) and row.sha not in self._rules
            )
            levels.append(list(below))
        for sha in (s for level in reversed(levels) for s in level):
            self._rules.setdefault(sha, self._joined(sha))
        return self._rules[tree]

    def _joined(self, tree: Sha) -> Rules:
        rows = self._trees.rows(tree)
        found: list[tuple[bytes, bytes]] = []
        own = rows.get(_NAME)
        if own is not None and own.mode.startswith(b"100"):  # git does not follow links here either
            text = self._that_matter(self._text(own.sha))
            found += [(_NAME, text)] if text else []
        for row in rows.values():
            if row.mode == TREE and _is_plain(row.name):
                found += [(row.name + b"/" + path, text) for path, text in self._rules[row.sha]]
        return tuple(found)

    def _that_matter(self, text: bytes) -> bytes:
        """The lines that a merge may ask for, in their order."""
        return b"".join(line + b"\n" for line in text.split(b"\n") if any(map(self._matters, _names(line))))

    def _matters(self, word: bytes) -> bool:
        name = word.lstrip(b"-!").partition(b"=")[0]
        if name in _OF_FORM:
            return self._normalizes
        # A driver's name is no matter; ``-diff`` makes a file binary, which counts where renames are looked for.
        if name == b"diff":
            return not word.startswith(b"diff=")
        return name not in _HARMLESS and not name.startswith(_HARMLESS_TOO)

    @cached_property
    def _normalizes(self) -> bool:
        return normalizes(self._git)

    def _text(self, sha: Sha) -> bytes:
        found = self._objects.get(sha)
        if found is None:
            raise MissingObject(sha)
        return found.data


def _is_plain(name: bytes) -> bool:
    return name not in {b"..", b".", b""} and name.lower() != b".git"


def _names(line: bytes) -> list[bytes]:
    """The attributes that a line sets; a pattern in quotes may hold spaces, so its words are counted with them."""
    return [] if line.lstrip().startswith(b"#") else line.split()[1:]
