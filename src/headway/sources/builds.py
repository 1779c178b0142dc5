"""The CI's part of a snapshot: the runs that may be a candidate's build, and the checks of its commit (B4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from headway.errors import HeadwayError
from headway.model.build import CiCheck, CiChecks, CiRun, CiRuns
from headway.model.commit import Sha


def read_builds(
    runs: Callable[[Sha, int | None], tuple[CiRun, ...]], wanted: Iterable[tuple[str, Sha, int | None]]
) -> dict[str, CiRuns]:
    """Tag to its runs, of each ``(tag, commit, run)``: the run that is known, else all of the workflow on the commit.

    A forge that cannot be asked is a fact like any other: it stops neither other trains nor a look at the board.
    """
    found = {}
    for tag, commit, run in wanted:
        try:
            found[tag] = CiRuns(runs(commit, run))
        except HeadwayError as e:
            found[tag] = CiRuns((), e.message)
    return found


def read_checks(checks: Callable[[Sha], tuple[CiCheck, ...]], commits: Iterable[Sha]) -> dict[Sha, CiChecks]:
    """Commit to its checks; a forge that cannot be asked is a fact here too."""
    found = {}
    for commit in commits:
        try:
            found[commit] = CiChecks(checks(commit))
        except HeadwayError as e:
            found[commit] = CiChecks((), e.message)
    return found
