"""Trees read through one ``git cat-file``, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from headway.history.loose import TREE, Loose, TreeEntry, read_tree
from headway.history.objects import Objects
from headway.model.commit import Sha

Rows = Mapping[bytes, TreeEntry]


class MissingObject(Exception):
    """An object that is not here, in a partial clone or a broken one."""

    def __init__(self, sha: Sha) -> None:
        super().__init__(sha)
        self.sha = sha


class Trees:
    """The rows of trees by SHA, by name."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[Sha, Rows] = {}
        self._lacking: set[Sha] = set()

    def rows(self, tree: Sha) -> Rows:
        """Raises ``MissingObject``."""
        found = self._known.get(tree)
        if found is None:
            self.load((tree,))
            found = self._known.get(tree)
        if found is None:
            raise MissingObject(tree)
        return found

    def load(self, trees: Iterable[Sha]) -> None:
        """Read several at once; ``rows`` tells later which are missing."""
        wanted = [t for t in dict.fromkeys(trees) if t not in self._known and t not in self._lacking]
        for sha, found in zip(wanted, self._objects.many(wanted), strict=True):
            if found is None or found.kind != "tree":
                self._lacking.add(sha)
            else:
                self._known[sha] = {row.name: row for row in read_tree(found.data, len(sha) // 2)}

    def at(self, tree: Sha, path: bytes) -> TreeEntry | None:
        """What stands at a path, or ``None``. Raises ``MissingObject``."""
        *folders, name = path.split(b"/")
        for folder in folders:
            row = self.rows(tree).get(folder)
            if row is None or row.mode != TREE:
                return None
            tree = row.sha
        return self.rows(tree).get(name)

    def differences(
        self, old: Sha | None, new: Sha | None, prefix: bytes = b""
    ) -> Iterator[tuple[bytes, TreeEntry | None, TreeEntry | None]]:
        """The files in which two trees differ, by path. Raises ``MissingObject``."""
        before, after = ({} if sha is None else self.rows(sha) for sha in (old, new))
        for name in sorted({*before, *after}):
            one, two = before.get(name), after.get(name)
            if one == two:
                continue
            folders = [row.sha if row is not None and row.mode == TREE else None for row in (one, two)]
            files = [row if row is not None and row.mode != TREE else None for row in (one, two)]
            if any(files):
                yield prefix + name, files[0], files[1]
            if any(folders):
                yield from self.differences(folders[0], folders[1], prefix + name + b"/")

    def changed(self, tree: Sha | None, edits: Mapping[bytes, TreeEntry | None], loose: Loose) -> Sha:
        """The tree with each path set to a row (its ``name`` is the path's last part) or gone; ``None``: an empty one.

        Folders are made where they are needed and go when they are empty. Raises ``MissingObject``.
        """
        return self._changed(tree, edits, loose) or loose.tree(())

    def _changed(self, tree: Sha | None, edits: Mapping[bytes, TreeEntry | None], loose: Loose) -> Sha | None:
        rows = dict(self.rows(tree)) if tree else {}
        below: dict[bytes, dict[bytes, TreeEntry | None]] = {}
        for path, row in edits.items():
            name, slash, rest = path.partition(b"/")
            if slash:
                below.setdefault(name, {})[rest] = row
            elif row is None:
                rows.pop(name, None)
            else:
                rows[name] = row
        for name, inner in below.items():
            old = rows.pop(name, None)
            sha = self._changed(old.sha if old is not None and old.mode == TREE else None, inner, loose)
            if sha is not None:
                rows[name] = TreeEntry(TREE, name, bytes.fromhex(sha))
        if not rows:
            return None
        made = loose.tree(rows.values())
        self._known.setdefault(made, rows)
        return made
