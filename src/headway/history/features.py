"""What changes bring to the package that users install: new files, public names, options; and how many lines (P7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from headway.history.git import NO_FETCH, text_of
from headway.history.loose import TREE
from headway.history.objects import Objects
from headway.history.publicnames import public_names
from headway.history.repository import Repository
from headway.history.settings import options_of, top_keys
from headway.history.trees import MissingObject, Trees
from headway.model.commit import Sha
from headway.model.pick import FeatureSigns

Names = Callable[[str], bool]

_ASIDE = frozenset({"test", "tests", "doc", "docs", "example", "examples", "benchmark", "benchmarks"})
_TEST_FILE = re.compile(r"^(?:test_.*|.*_test|conftest)\.py$")
_SHA = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")
_CONFIGS = frozenset({".toml", ".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a change: git's letter, its blobs (zeros: none), its path before and after."""

    status: str
    old: Sha
    new: Sha
    before: str
    path: str


@dataclass(frozen=True, slots=True)
class _Change:
    sha: Sha
    files: tuple[_File, ...]
    lines: dict[str, int]


def read_signs(
    repo: Repository, shas: Sequence[Sha], in_package: Names | None, is_api: Names
) -> dict[Sha, FeatureSigns]:
    """The signs of commits, each against its first parent; in three git processes, and one more for each commit that
    brings options.

    ``in_package`` tells the package's files (``None``: those below a folder with an ``__init__.py``, at the top or
    under ``src/``), ``is_api`` the modules whose public names are public API.
    """
    found = {}
    with Objects(repo.git) as objects:
        trees = Trees(objects)
        for change in _changes(repo, shas):
            ours = in_package or _packages(trees, objects, change.sha)
            files = tuple(f for f in change.files if _counts(f.path, ours) or _counts(f.before, ours))
            found[change.sha] = _signs(repo, change, files, ours, is_api, objects)
    return found


def _changes(repo: Repository, shas: Sequence[Sha]) -> Iterator[_Change]:
    args = ("diff-tree", "--stdin", "-r", "--root", "--raw", "--numstat", "-z", "-M", "--no-abbrev", "--always")
    out = repo.git.run(
        *args, "--diff-merges=first-parent", input="".join(f"{s}\n" for s in shas).encode(), env=NO_FETCH
    )
    parts = iter(out.split("\0"))
    sha = ""
    files: list[_File] = []
    lines: dict[str, int] = {}
    for part in parts:
        if part.startswith(":"):
            _, _, old, new, status = part.split()
            before = next(parts)
            files.append(_File(status[0], old, new, before, next(parts) if status[0] in "RC" else before))
        elif _SHA.match(part):
            if sha:
                yield _Change(sha, tuple(files), lines)
            sha, files, lines = part, [], {}
        elif part:
            added, removed, path = part.split("\t")
            if not path:
                next(parts)
                path = next(parts)
            lines[path] = sum(int(n) for n in (added, removed) if n.isdigit())
    if sha:
        yield _Change(sha, tuple(files), lines)


def _packages(trees: Trees, objects: Objects, sha: Sha) -> Names:
    """The rule for a project that does not say what its package is."""
    root = objects.get(f"{sha}^{{tree}}")
    roots: list[str] = []
    try:
        for base in ("", "src/"):
            row = trees.at(root.sha, b"src") if root and base else None
            top = root.sha if root and not base else row.sha if row is not None and row.mode == TREE else None
            for name, entry in trees.rows(top).items() if top else ():
                if entry.mode == TREE and b"__init__.py" in trees.rows(entry.sha):
                    roots.append(f"{base}{text_of(name)}/")
    except MissingObject:
        pass  # a partial clone: what is not here is no sign
    within = tuple(roots)
    return lambda path: path.startswith(within)


def _counts(path: str, in_package: Names) -> bool:
    """Whether a file is the package's own; tests, documentation, examples and benchmarks are none."""
    pure = PurePosixPath(path)
    return _ASIDE.isdisjoint(pure.parts[:-1]) and not _TEST_FILE.match(pure.name) and in_package(path)


def _signs(
    repo: Repository, change: _Change, files: Sequence[_File], ours: Names, is_api: Names, objects: Objects
) -> FeatureSigns:
    texts = _texts(files, objects)
    names: list[str] = []
    options: dict[str, None] = {}
    gone = {o for f in files for o in options_of(texts.get(f.old, ""), f.before)}
    for f in (f for f in files if f.status != "D" and _counts(f.path, ours)):
        before, after = texts.get(f.old, ""), texts.get(f.new, "")
        if is_api(f.path) and f.path.endswith(".py"):
            names += [f"{f.path}:{n}" for n in public_names(after, f.path) if n not in public_names(before, f.before)]
        fresh = [o for o in options_of(after, f.path) if o not in gone]
        if f.status == "M":
            fresh += [k for k in top_keys(after, f.path) if k not in top_keys(before, f.path)]
        options.update(dict.fromkeys(f"{f.path}:{o}" for o in fresh))
    return FeatureSigns(
        tuple(
            f.path for f in files if f.status in "AC" and _counts(f.path, ours) and not f.path.endswith("/__init__.py")
        ),
        tuple(names),
        _unknown(repo, change.sha, tuple(options)),
        sum(n for path, n in change.lines.items() if _counts(path, ours)),
    )


def _texts(files: Iterable[_File], objects: Objects) -> dict[Sha, str]:
    """The blobs of modules and of configuration; what is not here is left out."""
    wanted = [f for f in files if PurePosixPath(f.path).suffix in {".py", *_CONFIGS}]
    blobs = [sha for sha in dict.fromkeys(s for f in wanted for s in (f.old, f.new)) if sha.strip("0")]
    answers = zip(blobs, objects.many(blobs), strict=True)
    return {sha: text_of(found.data) for sha, found in answers if found is not None and found.kind == "blob"}


def _unknown(repo: Repository, sha: Sha, options: tuple[str, ...]) -> tuple[str, ...]:
    """Those flags and variables that no module of the commit's parent names: an old one may be read in a new place."""
    plain = {o: o.rpartition(":")[2] for o in options if "." not in o.rpartition(":")[2]}
    if not plain:
        return options
    asked = [word for name in dict.fromkeys(plain.values()) for word in ("-e", name)]
    code, out, _ = repo.git.try_run("grep", "-h", "-I", "-F", *asked, f"{sha}^1", "--", "*.py", env=NO_FETCH)
    known = {n for n in plain.values() if code == 0 and re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", out)}
    return tuple(o for o in options if plain.get(o) not in known)
