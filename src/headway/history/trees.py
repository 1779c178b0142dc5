"""Trees read through one ``git cat-file``, each once."""

from __future__ import annotations

from collections.abc import Iterable

from headway.history.loose import TreeEntry, read_tree
from headway.history.objects import Objects
from headway.model.commit import Sha


class MissingObject(Exception):
    """An object that is not here, in a partial clone or a broken one."""

    def __init__(self, sha: Sha) -> None:
        super().__init__(sha)
        self.sha = sha


class Trees:
    """The rows of trees by SHA, by name. Raises ``MissingObject``."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[Sha, dict[bytes, TreeEntry]] = {}

    def rows(self, tree: Sha) -> dict[bytes, TreeEntry]:
        if tree not in self._known:
            self.load((tree,))
        return self._known[tree]

    def load(self, trees: Iterable[Sha]) -> None:
        """Read several at once."""
        wanted = [t for t in dict.fromkeys(trees) if t not in self._known]
        lacking = ""
        for sha, found in zip(wanted, self._objects.many(wanted), strict=True):
            if found is None or found.kind != "tree":
                lacking = lacking or sha
            else:
                self._known[sha] = {row.name: row for row in read_tree(found.data, len(sha) // 2)}
        if lacking:
            raise MissingObject(lacking)

    def at(self, tree: Sha, path: bytes) -> TreeEntry | None:
        """What stands at a path, or ``None``."""
        *folders, name = path.split(b"/")
        for folder in folders:
            row = self.rows(tree).get(folder)
            if row is None or row.mode != b"40000":
                return None
            tree = row.sha
        return self.rows(tree).get(name)
