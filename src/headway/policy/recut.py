"""Names of branches that were cut again: the release branch's own with a number, since no branch is ever moved back."""

from __future__ import annotations

import re
from functools import cache

from headway.policy.schema import Versions


@cache
def _again(template: str) -> re.Pattern[str]:
    pattern = re.escape(template).replace(re.escape("{branch}"), "(?P<branch>.+)", 1)
    return re.compile(pattern.replace(re.escape("{n}"), r"(?P<n>[1-9]\d*)", 1))


def recut_branch(branch: str, number: int, names: Versions) -> str:
    """The name of a release branch that was cut for the ``number``th time (2: the first time again)."""
    return names.recut_branch.replace("{branch}", branch).replace("{n}", str(number))


def first_name(branch: str, names: Versions) -> str:
    """The name that a release branch had when it was cut first; any other branch's own name."""
    found = _again(names.recut_branch).fullmatch(branch)
    return found["branch"] if found else branch
