"""Writing on the forge: pull requests, issues, comments, checks. Each may be repeated after a kill at any line: what is
Headway's own is found by its marker, and a branch is pushed only where nobody else has moved it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headway.effects.apply import commit_changes
from headway.effects.pulls import delete_branch, push_branch
from headway.effects.remote import Remote
from headway.effects.site import Site
from headway.errors import BrokenInvariant
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.hub import Written
from headway.model.markdown import marked, marker
from headway.model.ports import Hub
from headway.model.text import say
from headway.plan.hub_actions import (
    ClosePull,
    DeleteBranch,
    HubAction,
    OpenPull,
    ProposeChanges,
    WriteCheck,
    WriteComment,
    WriteIssue,
    digest_of_action,
)


def write(hub: Hub, action: HubAction, site: Site) -> dict[str, Any]:  # noqa: PLR0911 - one return for each action
    """Do it; what the ``written`` entry says. Raises ``WorldFailed`` when the forge or the remote refuses."""
    site.progress.step(f"hub:{action.kind}:{action.about}")
    match action:
        case OpenPull():
            return _open(hub, action, action.commit, site)
        case ProposeChanges():
            return _propose(hub, action, site)
        case ClosePull():
            return _close(hub, action)
        case DeleteBranch():
            return _delete(action, site)
        case WriteIssue():
            done = hub.write_issue(marker(action.about), action.number, action.title, action.body, open=action.open)
            return _said("issue", action, done, open=action.open)
        case WriteComment():
            done = hub.write_comment(marker(action.about), action.number, action.id, action.body)
            return _said("comment", action, done)
        case WriteCheck():
            done = hub.write_check(
                action.commit, action.name, action.outcome, action.title, action.summary, action.brief, action.url
            )
            return _said("check", action, done, number=action.number)


def _said(
    what: str, action: HubAction, done: Written, *, open: bool = True, number: int | None = None
) -> dict[str, Any]:
    return {
        "what": what,
        "about": action.about,
        "number": done.number if number is None else number,
        "id": done.id,
        "url": done.url,
        "digest": digest_of_action(action),
        "open": open,
    }


def _open(hub: Hub, action: OpenPull | ProposeChanges, commit: Sha, site: Site) -> dict[str, Any]:
    ours = push_branch(site.repo, _remote(site), action.head, action.before, commit)
    site.progress.step(f"hub:pushed:{action.about}")
    draft = isinstance(action, OpenPull) and action.draft
    done = hub.open_pull(marker(action.about), action.head, action.base, action.title, action.body, draft=draft)
    changes = action.changes if isinstance(action, ProposeChanges) else ()
    return {
        **_said("pull", action, done),
        "head": action.head,
        "base": action.base,
        "commit": commit if ours else "",
        "changes": [
            {"kind": str(p.change.kind), "origin": p.change.origin, "undoes": p.change.undoes} for p in changes
        ],
    }


def _remote(site: Site) -> Remote:
    if site.remote is None:
        raise BrokenInvariant(
            "hub.no-remote",
            say("there is no repository to push pull requests to"),
            remedy=say("name it as forge.remote"),
        )
    return site.remote


def _propose(hub: Hub, action: ProposeChanges, site: Site) -> dict[str, Any]:
    # Dated by what it is made of: made again after a kill, the commits are the same.
    when = _newest(site.repo, (action.tip, *(p.change.origin for p in action.changes)))
    commit, _ = commit_changes(site.repo, action.tip, action.changes, when, site.progress.step)
    return _open(hub, action, commit, site)


def _newest(repo: Repository, commits: tuple[Sha, ...]) -> datetime:
    rows = repo.git.run("log", "--no-walk=unsorted", "--format=%cI", *commits, "--").splitlines()
    return max(datetime.fromisoformat(row) for row in rows)


def _close(hub: Hub, action: ClosePull) -> dict[str, Any]:
    if action.why:
        about = f"closed:{action.about}"
        hub.write_comment(marker(about), action.number, 0, marked(about, action.why))
    done = hub.close_pull(action.number)
    return {**_said("pull", action, done, open=False), "approved": list(action.approved)}


def _delete(action: DeleteBranch, site: Site) -> dict[str, Any]:
    gone = delete_branch(site.repo, _remote(site), action.head, action.commit)
    if not gone:
        site.progress.say(
            say(
                "{branch} is left as it is: Headway may not delete it, or it is not as Headway left it",
                branch=action.head,
            )
        )
    site.progress.step(f"hub:deleted:{action.about}")
    done = Written(action.number, 0, "")
    return {
        **_said("branch", action, done, open=False),
        "branch": action.head,
        "commit": action.commit,
        "deleted": gone,
    }
