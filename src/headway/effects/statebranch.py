"""Headway's own folder on a branch of a remote: read from there, and put there by compare-and-swap.

Each save is a commit whose parent is the save before it, so every push moves the branch forward: a remote may forbid
all else. Neither the work tree nor the index of the repository is touched; the objects lie beside its own, held by refs
that no ``git branch`` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from headway.effects.pushing import shown
from headway.effects.refs import identity_env, ref_target
from headway.errors import BrokenInvariant, UnusableInput, WorldFailed
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.text import facts, one_line, say

LARGEST = 95 * 1024 * 1024  # bytes; GitHub refuses a file of more than 100 MiB
_REFS = "refs/headway/state"
_TRAILER = "Headway-Ledger"
_FILE = "100644"


@dataclass(frozen=True, slots=True)
class Saved:
    """A save's commit, and the ledger that it was made of: how many entries, and the digest of the last."""

    commit: Sha
    entries: int
    head: str


@dataclass(frozen=True, slots=True)
class StateBranch:
    """``remote`` is a remote's name, URL or path; ``kept`` are refs that go with every save, each made once and never
    moved. ``env`` is what git is given to get in, asked for by each call. Every method raises ``WorldFailed`` where git
    fails."""

    repo: Repository
    remote: str
    branch: str
    kept: str
    env: Callable[[], Mapping[str, str]] = field(default=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ``UnusableInput`` (``state.branch``) for a name that git does not take."""
        if self.branch.startswith("-") or self.repo.git.try_run("check-ref-format", f"refs/heads/{self.branch}")[0]:
            raise UnusableInput(
                "state.branch",
                say("{branch} is no name of a branch", branch=self.branch),
                remedy=say("name the branch of Headway's own, such as headway-state"),
            )

    # What is known here ---------------------------------------------------------------------------------------

    @property
    def known(self) -> Sha | None:
        """The save that was loaded or made here last."""
        return ref_target(self.repo.git, self._own("known"))

    @property
    def pending(self) -> Sha | None:
        """A save that was about to be pushed from here."""
        return ref_target(self.repo.git, self._own("pending"))

    def learn(self, commit: Sha) -> None:
        self.repo.git.run("update-ref", self._own("known"), commit)

    # The remote -----------------------------------------------------------------------------------------------

    def tip(self) -> Sha | None:
        """Where the remote has the branch now; ``None``: it has none."""
        code, out, words = self._there("ls-remote", "--", self.remote, self._ref)
        if code:
            raise self._failed("state.unread", words)
        return next(
            (sha for sha, _, ref in (row.partition("\t") for row in out.splitlines()) if ref == self._ref), None
        )

    def fetched(self) -> Sha | None:
        """The remote's branch, with all that is in it, and the refs that go with it; ``None``: it has none."""
        if self.tip() is None:
            return None
        incoming = self._own("incoming")
        specs = (f"+{self._ref}:{incoming}", f"{self.kept}/*:{self.kept}/*")
        code, _, words = self._there(
            "-c", "gc.auto=0", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", self.remote, *specs
        )
        if code:
            raise self._failed("state.unread", words)
        return ref_target(self.repo.git, incoming)

    def push(self, commit: Sha, before: Sha | None) -> None:
        """Move the remote's branch from ``before`` (``None``: it is not there) to ``commit``, in one step with the refs
        that go with it. A push that is done already is done. Raises ``WorldFailed``: ``state.moved``,
        ``state.refused``."""
        git = self.repo.git
        git.run("update-ref", self._own("pending"), commit)
        kept = git.run("for-each-ref", "--format=%(refname)", self.kept).split()
        lease = f"--force-with-lease={self._ref}:{before or ''}"
        specs = (f"{commit}:{self._ref}", *(f"{ref}:{ref}" for ref in kept))
        code, _, words = self._there(
            "push", "--porcelain", "--atomic", "--no-follow-tags", lease, "--", self.remote, *specs
        )
        if code:  # the answer may have been lost
            now = self.tip()
            if now != commit:
                raise self.moved(before, now) if now != before else self._failed("state.refused", words)
        self.learn(commit)
        git.run("update-ref", "-d", self._own("pending"))

    def moved(self, before: Sha | None, now: Sha | None) -> WorldFailed:
        """Somebody else saved meanwhile."""
        return WorldFailed(
            "state.moved",
            say("{branch} was saved by another run meanwhile", branch=self.branch),
            clause="G4",
            facts=facts(branch=self.branch, remote=shown(self.remote), loaded=before, now=now),
            remedy=say(
                "nothing was overwritten, and two ledgers cannot be merged: load it where nothing was done yet, and run"
                " again; let one run at a time work on it (`concurrency` in the workflow)"
            ),
        )

    # Commits --------------------------------------------------------------------------------------------------

    def saves(self, commit: Sha) -> tuple[Saved, ...]:
        """A save and all before it, newest first. Raises ``UnusableInput`` (``state.no-state``) for another commit."""
        form = f"%H %(trailers:key={_TRAILER},valueonly,separator=%x20)"
        rows = [row.split(" ") for row in self.repo.git.run("log", f"--format={form}", commit, "--").splitlines()]
        if any(len(row) != 3 or not row[1].isdigit() for row in rows):
            raise UnusableInput(
                "state.no-state",
                say("{branch} at {remote} holds something else", branch=self.branch, remote=shown(self.remote)),
                facts=facts(branch=self.branch, commits=[row[0] for row in rows if len(row) != 3][:5]),
                remedy=say("name the branch of Headway's own, which nobody else commits to"),
            )
        return tuple(Saved(sha, int(count), head) for sha, count, head in rows)

    def follows(self, older: Sha, newer: Sha) -> bool:
        """Whether one save is the other, or comes after it."""
        return self.repo.git.try_run("merge-base", "--is-ancestor", older, newer)[0] == 0

    def files(self, commit: Sha) -> dict[PurePosixPath, Sha]:
        """The files of a save and their blobs. Raises ``BrokenInvariant`` for what no save holds, such as a link."""
        rows = self.repo.git.run("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
        found = {}
        for row in filter(None, rows):
            told, _, name = row.partition("\t")
            mode, _, blob = told.split(" ")
            path = PurePosixPath(name)
            if mode != _FILE or path.is_absolute() or ".." in path.parts:
                raise BrokenInvariant(
                    "state.altered",
                    say("{branch} holds {name}, which no save wrote", branch=self.branch, name=name),
                    clause="G4",
                    facts=facts(commit=commit, mode=mode),
                    remedy=say("look at who pushed to it: `git log {commit}`", commit=commit),
                )
            found[path] = blob
        return found

    def blob(self, path: Path) -> Sha:
        """A file's blob, written to the repository."""
        return self.repo.git.run("hash-object", "-w", "--no-filters", "--", str(path)).strip()

    def data(self, blob: Sha) -> bytes:
        return self.repo.git.raw("cat-file", "blob", blob)

    def commit(
        self, files: Mapping[PurePosixPath, Sha], before: Sha | None, entries: int, head: str, at: datetime
    ) -> Sha:
        """A save of these files, on the one before."""
        tree = self._tree(files)
        env = identity_env(at)
        env |= {name.replace("COMMITTER", "AUTHOR"): value for name, value in env.items()}
        words = f"Ledger at entry {entries} [skip ci]\n\n{_TRAILER}: {entries} {head}\n"
        parents = ("-p", before) if before else ()
        return self.repo.git.run("commit-tree", tree, *parents, input=words.encode(), env=env).strip()

    def _tree(self, files: Mapping[PurePosixPath, Sha]) -> Sha:
        here = {p.parts[0]: blob for p, blob in files.items() if len(p.parts) == 1}
        below: dict[str, dict[PurePosixPath, Sha]] = {}
        for p, blob in files.items():
            if len(p.parts) > 1:
                below.setdefault(p.parts[0], {})[PurePosixPath(*p.parts[1:])] = blob
        rows = [f"{_FILE} blob {blob}\t{name}" for name, blob in here.items()]
        rows += [f"040000 tree {self._tree(inside)}\t{name}" for name, inside in below.items()]
        return self.repo.git.run("mktree", "-z", input="".join(f"{row}\0" for row in rows).encode()).strip()

    # ----------------------------------------------------------------------------------------------------------

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self.branch}"

    def _there(self, *args: str) -> tuple[int, str, str]:
        return self.repo.git.try_run(*args, env=self.env(), cwd=self.repo.work_tree)

    def _own(self, what: str) -> str:
        return f"{_REFS}/{what}/{self.branch}"

    def _failed(self, code: str, words: str) -> WorldFailed:
        told = one_line(words.replace(self.remote, shown(self.remote)))
        where = shown(self.remote)
        return WorldFailed(
            code,
            say("{branch} at {remote} cannot be read: {words}", branch=self.branch, remote=where, words=told)
            if code == "state.unread"
            else say("{branch} cannot be pushed to {remote}: {words}", branch=self.branch, remote=where, words=told),
            facts=facts(branch=self.branch, remote=where, git=told),
            remedy=say(
                "nothing was changed; mend what git says (access, a protection, the network), then run it again"
            ),
        )


def carried(root: Path, folders: Iterable[Path]) -> Iterator[tuple[PurePosixPath, Path]]:
    """The files under these folders of Headway's own, by their names from ``root``; half-written ones are left out.

    Raises ``UnusableInput`` (``state.too-large``) for one that no forge takes.
    """
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            name = path.relative_to(root)
            hidden = any(part.startswith(".") or part.endswith((".partial", ".lock")) for part in name.parts)
            if path.is_file() and not path.is_symlink() and not hidden:
                fits(path)
                yield PurePosixPath(name), path


def fits(path: Path) -> None:
    """Raises ``UnusableInput`` (``state.too-large``)."""
    size = path.stat().st_size
    if size > LARGEST:
        raise UnusableInput(
            "state.too-large",
            say("{file} has {size} MB: a branch takes files of at most 95 MB", file=path.name, size=size >> 20),
            facts=facts(file=path, bytes=size, most=LARGEST),
            remedy=say(
                'let a workflow build (build.by = "github": its files are fetched again, not carried), publish to an'
                " index (index.upload_url), or keep the ledger in PostgreSQL (ledger.url)"
            ),
        )
