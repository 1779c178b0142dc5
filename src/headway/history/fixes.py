"""Trunk commits that say which commit or pull request they fix."""

from __future__ import annotations

import re
from collections.abc import Sequence

from headway.history.repository import Repository
from headway.history.revertmessage import read_claim
from headway.history.reverts import resolve_shas, trunk_titles
from headway.model.audited import Fix
from headway.model.commit import Commit, Sha, pr_of

_Names = tuple[tuple[str, ...], tuple[int, ...]]

_BEFORE = 2_000  # trunk commits before the cut whose pull requests can be named
_LONG = 50_000  # characters of a message that are read
_SHA = re.compile(
    r"\b(?:fix(?:es|ed)?|regress(?:ion|ed)?|introduced|broken|caused)\b[:\s]+"
    r"(?:(?:in|by|from|since|a bug in|commit)\s+)*([0-9a-f]{7,40})\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\b(?:fix(?:es|ed)?|regress(?:ion|ed)?|introduced|broken|caused|follow[\s-]?up)\b[:\s]+"
    r"(?:(?:in|by|from|since|to|of|for|a bug in|the|pr|pull request)\s+)*(?:[\w.-]+/[\w.-]+)?#(\d+)\b"
    r"|\bfix(?:es|ed)?[:\s]+https://github\.com/[\w.-]+/[\w.-]+/pull/(\d+)\b",
    re.IGNORECASE,
)


def names_in_fix(commit: Commit) -> _Names:
    """SHAs (as written) and pull requests that a message says it fixes; its own number aside."""
    text = f"{commit.title}\n{commit.body[:_LONG]}"
    shas = dict.fromkeys(s for s in _SHA.findall(text) if any(c.isdigit() for c in s))
    numbers = dict.fromkeys(int(a or b) for a, b in _NUMBER.findall(text))
    return tuple(shas), tuple(n for n in numbers if n != commit.pr)


def find_fixes(repo: Repository, commits: Sequence[Commit], cut: Sha) -> tuple[Fix, ...]:
    """Those of ``commits`` (the trunk's since the cut, oldest first) that name what they fix, where that is a commit.

    A number that is an issue's names no commit. Raises ``WorldFailed`` (``git.failed``).
    """
    named: dict[Sha, _Names] = {
        c.sha: found for c in commits if read_claim(c) is None and any(found := names_in_fix(c))
    }
    full = resolve_shas(repo, {s for shas, _ in named.values() for s in shas})
    numbers: dict[int, Sha] = {c.pr: c.sha for c in commits if c.pr is not None}
    if any(n not in numbers for _, ns in named.values() for n in ns):
        before = {n: sha for sha, title in trunk_titles(repo, cut, _BEFORE) if (n := pr_of(title)) is not None}
        numbers = {**before, **numbers}
    fixes = []
    for c in commits:
        shas, prs = named.get(c.sha, ((), ()))
        meant = [*(full[s] for s in shas if s in full), *(numbers[n] for n in prs if n in numbers)]
        targets = tuple(dict.fromkeys(t for t in meant if t != c.sha))
        if targets:
            fixes.append(Fix(c, targets))
    return tuple(fixes)
