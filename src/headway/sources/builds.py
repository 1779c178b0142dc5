"""The CI's part of a snapshot: the runs that may be a candidate's build (B4)."""

from __future__ import annotations

from collections.abc import Iterable

from headway.errors import HeadwayError
from headway.github.actions import check_runs, run_at, runs_of
from headway.github.client import GitHub
from headway.model.build import CiChecks, CiRuns
from headway.model.commit import Sha


def read_builds(github: GitHub, workflow: str, wanted: Iterable[tuple[str, Sha, int | None]]) -> dict[str, CiRuns]:
    """Tag to its runs, of each ``(tag, commit, run)``: the run that is known, else all of the workflow on the commit.

    A forge that cannot be asked is a fact like any other: it stops neither other trains nor a look at the board.
    """
    found = {}
    for tag, commit, run in wanted:
        try:
            runs = runs_of(github, workflow, commit) if run is None else (run_at(github, run),)
            found[tag] = CiRuns(runs)
        except HeadwayError as e:
            found[tag] = CiRuns((), e.message)
    return found


def read_checks(github: GitHub, commits: Iterable[Sha]) -> dict[Sha, CiChecks]:
    """Commit to its checks; a forge that cannot be asked is a fact here too."""
    found = {}
    for commit in commits:
        try:
            found[commit] = CiChecks(check_runs(github, commit))
        except HeadwayError as e:
            found[commit] = CiChecks((), e.message)
    return found
