"""E3: what a token may do with another repository's workflow, as far as GitHub tells it; and a request as an issue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headway.errors import WorldFailed
from headway.github.client import GONE, REFUSED, GitHub
from headway.github.shapes import mapping, shaped
from headway.model.text import Text, say

_SCOPES = "x-oauth-scopes"  # of classic tokens only


@dataclass(frozen=True, slots=True)
class Access:
    """What GitHub told. ``ref`` is the branch that would be dispatched on (``""``: not told), ``url`` the repository's
    page; ``why`` says what is lacking for a dispatch, empty when nothing is."""

    ref: str
    url: str
    read: bool
    dispatch: bool
    why: tuple[Text, ...]


def access_to(github: GitHub, workflow: str) -> Access:
    """Ask the repository, the workflow and the token's scopes; nothing is changed. Raises ``WorldFailed`` when GitHub
    itself cannot be asked.

    A fine-grained token shows its "Actions: write" nowhere: with it, ``dispatch`` says what its owner may do.
    https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
    """
    try:
        found, scopes = github.told("", _SCOPES)
    except WorldFailed as e:
        if e.code in {GONE, REFUSED}:
            return Access("", "", read=False, dispatch=False, why=(e.message,))
        raise
    told = shaped("repository", found, mapping, "E3")
    why = [*_workflow(github, workflow), *_token(github, told.get("permissions"), scopes)]
    if told.get("archived") is True:
        why.append(say("{repository} is archived: nothing runs there", repository=github.repository))
    ref, url = str(told.get("default_branch") or ""), str(told.get("html_url") or "")
    return Access(ref, url, read=True, dispatch=not why, why=tuple(why))


def _workflow(github: GitHub, workflow: str) -> list[Text]:
    try:
        found = github.get(f"actions/workflows/{workflow}")
    except WorldFailed as e:
        if e.code == GONE:
            return [say("{repository} has no workflow {workflow}", repository=github.repository, workflow=workflow)]
        if e.code == REFUSED:
            return [e.message]
        raise
    state = found.get("state") if isinstance(found, dict) else None
    return [] if state == "active" else [say("the workflow {workflow} is {state}", workflow=workflow, state=state)]


def _token(github: GitHub, permissions: Any, scopes: str | None) -> list[Text]:
    if not github.signed_in:
        return [say("there is no token for GitHub in {name}", name=github.token_env)]
    if github.app is not None:
        given = github.session.installation(github.caller).get("permissions")
        if isinstance(given, dict) and given.get("actions") == "write":
            return []
        return [say("the App has no Actions: write on {repository}", repository=github.repository)]
    why = []
    if not (isinstance(permissions, dict) and permissions.get("push") is True):
        why.append(
            say(
                "the token of {name} has no write access to {repository}",
                name=github.token_env,
                repository=github.repository,
            )
        )
    if scopes is not None and "repo" not in {s.strip() for s in scopes.split(",")}:
        why.append(say("the token of {name} lacks the scope `repo`", name=github.token_env))
    return why


def open_issue(github: GitHub, marker: str) -> str:
    """The address of the oldest open issue whose text holds ``marker``, ``""`` when there is none. Raises
    ``WorldFailed``."""
    rows = github.listed("issues", state="open", sort="created", direction="asc")
    return next(
        (str(r.get("html_url", "")) for r in rows if "pull_request" not in r and marker in str(r.get("body") or "")), ""
    )


def write_issue(github: GitHub, title: str, body: str) -> str:
    """Open an issue; its address. Raises as ``GitHub.post`` does."""
    made = github.post("issues", {"title": title, "body": body})
    return shaped("issue", made, lambda r: str(r["html_url"]), "E3")
