"""Whether a change is feature work (P7): by its title, and by what it brings to the package."""

from __future__ import annotations

import re

from headway.model.commit import Commit
from headway.model.pick import Category, ChangeFacts
from headway.model.reason import Reason
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.paths import matches
from headway.policy.schema import Picks, Policy

_MOST = 20  # names that a reason lists


def feature_sign(commit: Commit, policy: Policy) -> str | None:
    """The pattern by which a title looks like feature work (P7), or ``None``."""
    return next((p for p in policy.picks.feature_titles if re.search(p, commit.title)), None)


def feature_work(change: ChangeFacts, category: Category | None, train: Train, policy: Policy) -> tuple[Reason, ...]:
    """Each sign of feature work, by itself.

    A documentation or release-branch pick of nothing but such files is looked at by its title only.
    """
    if change.commit is None:
        return ()
    found = []
    sign = feature_sign(change.commit, policy)
    if sign is not None:
        text = say("no feature work is picked: {subject}", subject=change.commit.title)
        found.append(_reason("picks.feature", text, change.commit, train, pattern=sign))
    if _harmless(change, category, policy.picks):
        return tuple(found)
    signs, limit = change.signs, policy.picks.max_lines
    for code, names, text in (
        ("picks.new-api", signs.names, say("it adds public names: {names}", names=_shown(signs.names))),
        ("picks.new-files", signs.files, say("it adds files to the package: {names}", names=_shown(signs.files))),
        ("picks.new-options", signs.options, say("it adds options: {names}", names=_shown(signs.options))),
    ):
        if names:
            found.append(_reason(code, text, change.commit, train, names=_shown(names)))
    if limit and signs.lines > limit:
        text = say("it changes {lines} lines of the package: more than {limit}", lines=signs.lines, limit=limit)
        found.append(_reason("picks.too-large", text, change.commit, train, lines=signs.lines, limit=limit))
    return tuple(found)


def _shown(names: tuple[str, ...]) -> tuple[str, ...]:
    return (*names[:_MOST], "…") if len(names) > _MOST else names


def _harmless(change: ChangeFacts, category: Category | None, picks: Picks) -> bool:
    allowed = {Category.DOCS: picks.docs_paths, Category.RELEASE_BRANCH: picks.branch_paths}
    patterns = allowed.get(category) if category else None
    return patterns is not None and all(matches(p, patterns) for p in change.paths)


def _reason(code: str, text: Text, commit: Commit, train: Train, **known: str | int | tuple[str, ...]) -> Reason:
    return Reason(
        "P7",
        code,
        text,
        facts(subject=commit.title, **known, commit=commit.sha),
        say(
            "leave it for the next train, or merge the fix inside it on the trunk by itself and request that; "
            "appeal: `headway waive {version} P7 --commit {commit} --reason … --until DATE`",
            version=train.name,
            commit=commit.sha[:12],
        ),
    )
