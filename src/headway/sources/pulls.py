"""Pull requests onto release branches as git knows them: their commits, and where each is from. Read-only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headway.history.copies import is_plain_merge
from headway.history.kept import Kept
from headway.history.merge import try_changes
from headway.history.pulledsizes import read_brought
from headway.history.records import Record, read_records
from headway.history.repository import Repository
from headway.history.sides import Sides, identify
from headway.model.commit import Line, Sha
from headway.model.hub import Pull
from headway.model.identity import NOBODY, SURE, Identity
from headway.model.pick import ChangeKind, PendingChange
from headway.model.pulled import Pulled, PulledChange

MOST = 100  # commits of one pull request that are looked at


def read_pulled(repo: Repository, trunk: Sha, lines: Iterable[Line], pulls: Iterable[Pull]) -> dict[int, Pulled]:
    """What each open pull request onto one of the ``lines`` would bring, by its number; without those whose commits are
    not in the clone, but for those that are too large. Raises ``WorldFailed``."""
    by_branch = {line.branch: line for line in lines}
    asked = [p for p in pulls if p.open and p.base in by_branch]
    brought = read_brought(repo.state) if asked else {}
    here = _here(repo, [p.head_sha for p in asked])
    theirs: dict[str, tuple[Record, ...]] = {}
    found = {}
    for p in asked:
        if p.head_sha not in here:
            if p.number in brought and brought[p.number].large == p.head_sha:
                found[p.number] = Pulled(p.number, p.base, p.head_sha, (), large=True)
            continue
        line = by_branch[p.base]
        if p.base not in theirs:
            theirs[p.base] = tuple(read_records(repo.git, (trunk, f"^{line.cut}")))
        found[p.number] = _pulled(repo, p, line, theirs[p.base])
    return found


def _here(repo: Repository, shas: list[Sha]) -> frozenset[Sha]:
    if not shas:
        return frozenset()
    asked = "".join(f"{sha}\n" for sha in shas).encode()
    rows = repo.git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", input=asked).splitlines()
    return frozenset(sha for sha, _, kind in (row.partition(" ") for row in rows) if kind == "commit")


def _pulled(repo: Repository, pull: Pull, line: Line, trunk: tuple[Record, ...]) -> Pulled:
    count = int(repo.git.run("rev-list", "--count", pull.head_sha, f"^{line.tip}"))
    if count > MOST:
        return Pulled(pull.number, pull.base, pull.head_sha, (), count)
    mine = tuple(read_records(repo.git, (pull.head_sha, f"^{line.tip}")))
    on_trunk = {r.sha for r in trunk}
    both = frozenset(r.sha for r in mine if r.sha in on_trunk)
    known: Mapping[Sha, Identity] = identify(repo, Sides(mine, trunk, both), kept=Kept())
    changes = (_change(repo, r, known.get(r.sha, NOBODY)) for r in mine)
    return Pulled(pull.number, pull.base, pull.head_sha, tuple(changes))


def _change(repo: Repository, r: Record, identity: Identity) -> PulledChange:
    commit = r.commit
    if len(commit.parents) == 2:
        return PulledChange(commit, r.paths, identity, is_plain_merge(repo, commit))
    sure = identity.origins if identity.confidence >= SURE and identity.origins != (commit.sha,) else ()
    if not sure or not commit.parents:
        return PulledChange(commit, r.paths, identity, None)
    picks = tuple(PendingChange(ChangeKind.PICK, o, None, None, "") for o in sure)
    trials = try_changes(repo, commit.parents[0], picks)
    same = all(t.tree is not None for t in trials) and trials[-1].tree == commit.tree
    return PulledChange(commit, r.paths, identity, same)
