"""How the names of a project's release branches and tags begin, by its policy: what is asked of its repository."""

from __future__ import annotations

from headway.policy.schema import Policy

WORKSPACES = "conflict/"  # branches on which people resolve conflicts (P8)


def branch_prefixes(policy: Policy) -> tuple[str, ...]:
    """Of release branches, of all namings, of workspaces and of branches of pull requests. One that begins with its
    version has an empty one."""
    names = policy.versions
    templates = (t for each in (names, *names.earlier) for t in (each.branch, *each.branch_also))
    return (*dict.fromkeys(_head(t) for t in templates), WORKSPACES, _head(policy.talk.pick_branch))


def tag_prefixes(policy: Policy) -> tuple[str, ...]:
    """Of final tags and candidates' tags, of all namings."""
    names = policy.versions
    templates = (t for each in (names, *names.earlier) for t in (each.final_tag, each.candidate_tag))
    return tuple(dict.fromkeys(_head(t) for t in templates))


def _head(template: str) -> str:
    return template.partition("{")[0]
