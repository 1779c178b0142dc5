"""Why a change that is allowed onto a line was not even merged: it is not in the clone, or its group waits."""

from __future__ import annotations

from headway.model.commit import Line, Sha
from headway.model.pick import ChangeKind, PendingChange
from headway.model.reason import Reason
from headway.model.text import Text, facts, say


def gone_reason(change: PendingChange, why: Text, line: Line) -> Reason:
    """An object that the change needs is not in the clone (P8): collected as garbage, or never fetched."""
    revert = change.kind is ChangeKind.REVERT
    sha = change.origin[:12]
    if change.asked:
        return Reason(
            "G3",
            "drop.gone",
            say("taking {sha} out of {branch} cannot be tried: {why}", sha=sha, branch=line.branch, why=why),
            facts(commit=change.undoes, subject=change.subject, branch=line.branch, why=why),
            say("`git fetch origin {sha}`, or from whoever has it; then `headway tick`", sha=change.origin),
        )
    return Reason(
        "B6" if revert else "P8",
        "reverts.origin-gone" if revert else "picks.origin-gone",
        say("the trunk revert {sha} cannot be tried on {branch}: {why}", sha=sha, branch=line.branch, why=why)
        if revert
        else say("request {id} cannot be tried on {branch}: {why}", id=change.request, branch=line.branch, why=why),
        facts(
            commit=change.origin,
            undoes=change.undoes,
            request=change.request,
            subject=change.subject,
            branch=line.branch,
            why=why,
        ),
        say("`git fetch origin {sha}`, or from whoever has it; then `headway tick`", sha=change.origin),
    )


def held_reason(change: PendingChange, by: Sha, line: Line) -> Reason:
    """Another commit of its group does not apply (P1): what was requested as one comes as one."""
    return Reason(
        "P1",
        "picks.group-held",
        say("{subject} waits for {sha}, which was requested with it", subject=change.subject, sha=by[:12]),
        facts(request=change.request, commit=change.origin, held_by=by, branch=line.branch),
        say("resolve what {sha} waits for; the whole request is applied then", sha=by[:12]),
    )
