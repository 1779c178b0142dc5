"""The repository's part of a snapshot: trunk, tags, lines, reverts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from headway.errors import UnusableInput
from headway.history.kept import Kept
from headway.history.log import contained, read_line, read_trunk
from headway.history.repository import Repository, checked_out_branches, head_commit, remotes, resolve_commit, shallow
from headway.history.reverts import find_reverts
from headway.history.sides import identify, origins_of, read_sides, undone_shares
from headway.model.commit import Line, Revert, RevertKind, Sha
from headway.model.snapshot import Trunk


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """See the fields of ``Snapshot`` of the same names."""

    trunk: Trunk
    lines: tuple[Line, ...]
    reverts: tuple[Revert, ...]
    bases: dict[Sha, Sha]
    checked_out: frozenset[str]


def branch_names(repo: Repository) -> tuple[str, ...]:
    """All local branches."""
    return tuple(repo.git.run("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split("\n")[:-1])


def branches_elsewhere(repo: Repository) -> dict[str, str]:
    """Branches that only a remote has, to the ref by which they are known here; of several remotes the first."""
    here = set(branch_names(repo))
    found: dict[str, str] = {}
    for remote in remotes(repo):
        head = f"refs/remotes/{remote}/"
        for ref in repo.git.run("for-each-ref", "--format=%(refname)", head).split("\n")[:-1]:
            name = ref.removeprefix(head)
            if name != "HEAD" and name not in here:
                found.setdefault(name, ref.removeprefix("refs/remotes/"))
    return found


def read_repository(
    repo: Repository, trunk_ref: str, branches: Iterable[str], releases: Iterable[Sha], *, explained: bool = False
) -> RepositoryFacts:
    """Everything since the oldest of: where ``branches`` and the ``releases`` (commits) left the trunk.

    ``explained`` leaves out the search for origins: the caller does it, and gives them to ``with_origins``.

    Raises ``UnusableInput`` for a shallow clone that lacks it, and for unrelated histories.
    """
    tip = resolve_commit(repo, trunk_ref)
    bases = {sha: base for sha in releases if tip and (base := _left_trunk(repo, sha, tip))}
    lines = tuple(line for b in branches if (line := read_line(repo, b, trunk_ref)) is not None)
    oldest = _oldest(repo, {*bases.values(), *(line.cut for line in lines)})
    if oldest is None and repo.git.shallow:
        raise shallow(repo.path)  # no release and no branch is in reach: what was released before cannot be known
    trunk = read_trunk(repo, trunk_ref, oldest)
    kept = Kept()
    reverts = find_reverts(repo, trunk.commits, kept=kept)
    lines = tuple(_with_reverts(repo, line, trunk, reverts, kept) for line in lines)
    if not explained:
        lines = tuple(_with_identity(repo, line, trunk, reverts, kept) for line in lines)
    return RepositoryFacts(trunk, lines, reverts, bases, checked_out_branches(repo))


def repository_now(
    repo: Repository, trunk_ref: str, branches: tuple[str, ...], releases: tuple[Sha, ...]
) -> RepositoryFacts:
    """``read_repository``, once for as long as nothing that it goes by is another: no ref, and nothing was fetched."""
    known = _at(repo, trunk_ref, branches, releases, _moment(repo))
    return replace(known, checked_out=checked_out_branches(repo))


@lru_cache(maxsize=4)
def _at(
    repo: Repository, trunk_ref: str, branches: tuple[str, ...], releases: tuple[Sha, ...], moment: object
) -> RepositoryFacts:
    return read_repository(repo, trunk_ref, branches, releases)


def _moment(repo: Repository) -> tuple[object, ...]:
    """What differs when a name stands for another commit, or objects came that a partial clone lacked."""
    refs = repo.git.run("for-each-ref", "--format=%(objectname) %(refname)")
    try:
        packs = (repo.git_dir / "objects" / "pack").stat().st_mtime_ns
    except FileNotFoundError:
        packs = 0
    return refs, head_commit(repo), packs


def read_released(repo: Repository, trunk_ref: str, commit: Sha) -> Line | None:
    """The line of a release of before, up to its ``commit``; ``None`` when that never left the trunk's history."""
    try:
        return read_repository(repo, trunk_ref, (commit,), ()).lines[0]
    except UnusableInput as e:
        if e.code != "repo.unrelated":
            raise
        return None


def _left_trunk(repo: Repository, release: Sha, tip: Sha) -> Sha | None:
    """The newest commit of the trunk itself that a release holds: where its branch left the trunk, also when that was
    merged back since. ``None`` when it holds none."""
    since = repo.git.try_run("rev-list", "--first-parent", tip, f"^{release}")[1].split()
    if not since:
        return tip
    code, out, _ = repo.git.try_run("rev-parse", "--verify", "--quiet", f"{since[-1]}^1")
    return out.strip() if code == 0 else None


def _oldest(repo: Repository, commits: set[Sha]) -> Sha | None:
    if len(commits) < 2:
        return next(iter(commits), None)
    return repo.git.run("merge-base", "--octopus", *sorted(commits)).strip()


def _with_reverts(repo: Repository, line: Line, trunk: Trunk, reverts: tuple[Revert, ...], kept: Kept) -> Line:
    """The line with what its cut holds of the trunk's reverts' targets, and its own reverts."""
    at = next((i + 1 for i, c in enumerate(trunk.commits) if c.sha == line.cut), 0)
    before = {c.sha for c in trunk.commits[:at]}
    targets = {t for r in reverts for t in r.targets}
    elsewhere = targets - {c.sha for c in trunk.commits}
    held = contained(repo, elsewhere, line.cut) | (targets & before)
    return replace(line, held=held, reverts=find_reverts(repo, line.commits, trunk.commits[:at], kept))


def _with_identity(repo: Repository, line: Line, trunk: Trunk, reverts: tuple[Revert, ...], kept: Kept) -> Line:
    origins: dict[Sha, tuple[Sha, ...]] = {}
    if _unexplained(line):
        sides = read_sides(repo, line, trunk.tip)
        origins = origins_of(identify(repo, sides, kept=kept), sides)
    return with_origins(repo, line, reverts, origins)


def _unexplained(line: Line) -> bool:
    """Whether some commit says nothing of where it is from: only then the trunk is searched for what it is like."""
    undoing = {r.commit.sha for r in line.reverts if r.targets}
    return any(not c.trailers and c.sha not in undoing and len(c.parents) < 2 for c in line.commits)


def with_origins(
    repo: Repository, line: Line, reverts: tuple[Revert, ...], origins: Mapping[Sha, tuple[Sha, ...]]
) -> Line:
    """The line with the origins of its commits, and how much of what it holds each trunk revert takes back."""
    holds = {*line.held, *(o for some in origins.values() for o in some)}
    trailers = tuple(t for c in line.commits for t in c.trailers)
    asked = tuple(
        r
        for r in reverts
        if r.kind is RevertKind.REVERT and any(t in holds or t.startswith(trailers) for t in r.targets)
    )
    return replace(line, origins=origins, undone=undone_shares(repo, asked))
