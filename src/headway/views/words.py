"""Sentences and words that the board, the timeline and the pages share."""

from __future__ import annotations

from collections.abc import Mapping

from headway.model.pick import PendingChange
from headway.model.text import Text, one_line, say
from headway.model.train import Stage
from headway.plan.actions import (
    Action,
    ApplyChanges,
    BuildCandidate,
    CheckCommit,
    CutBranch,
    MeasureCandidate,
    NameCulprit,
    OpenDebt,
    OpenWorkspace,
    PayDebt,
    PrepareEmbargoed,
    ProbeCommit,
    Publish,
    RecordApplied,
    TagCandidate,
    TagFinal,
    TestCandidate,
)
from headway.plan.build_actions import StartBuild
from headway.plan.gate_actions import RecordCheck, RunGate
from headway.plan.hub_actions import HubAction
from headway.plan.image_actions import PublishImages, RecordImages
from headway.plan.mishap_actions import RecordCadence, RecordIncident, RecordWithdrawal
from headway.plan.promotion_actions import RepackCandidate, StageCandidate
from headway.plan.trust_actions import DescribeCandidate, DraftRelease
from headway.policy.scheme import ReleaseKind
from headway.views.hubwords import hub_text

STAGES: Mapping[Stage, Text] = {
    Stage.PLANNED: say("planned"),
    Stage.CUT_DUE: say("cut is due"),
    Stage.OPEN: say("open for picks"),
    Stage.CANDIDATE: say("candidate in proof"),
    Stage.DECISION: say("go or no-go"),
    Stage.PROMOTING: say("being published"),
    Stage.RELEASED: say("released"),
}

KINDS: Mapping[ReleaseKind, Text] = {
    ReleaseKind.MAJOR: say("major"),
    ReleaseKind.MINOR: say("minor"),
    ReleaseKind.PATCH: say("patch"),
    ReleaseKind.POST: say("post"),
}

CATEGORIES: Mapping[str, Text] = {
    "regression": say("regression"),
    "critical": say("critical"),
    "new-feature-fix": say("new-feature fix"),
    "docs": say("documentation"),
    "release-branch": say("release branch"),
}

_NAMED = 3


def short(sha: object) -> str:
    """The first twelve digits of a commit or digest; ``-`` for none."""
    return str(sha)[:12] if sha else "-"


def category_text(word: str) -> Text:
    """The name of a pick's category; what was typed when it is none."""
    return CATEGORIES.get(word) or say("{word}", word=word or None)


def action_text(action: Action | HubAction) -> Text:  # noqa: PLR0911, PLR0912 - one return for each action
    """One sentence that says what an action does."""
    match action:
        case CheckCommit():
            return say("run the policy's check on trunk commit {commit}", commit=short(action.commit))
        case CutBranch():
            return say("cut {branch} from trunk commit {commit}", branch=action.branch, commit=short(action.commit))
        case ApplyChanges():
            return _apply_text(action)
        case RecordApplied():
            return say("write down what is on {branch} already", branch=action.branch)
        case PrepareEmbargoed():
            return say(
                "put {count} embargoed picks on the private branch {branch}",
                count=len(action.changes),
                branch=action.private,
            )
        case OpenDebt():
            return say("write down that the trunk lacks {commit}", commit=short(action.origin))
        case PayDebt():
            return say(
                "write down that the trunk has {commit} now, in {trunk}",
                commit=short(action.origin),
                trunk=short(action.trunk),
            )
        case OpenWorkspace():
            return say(
                "put the conflict of {subject} with {branch} on {workspace}, for a person to resolve",
                subject=action.change.subject or short(action.change.origin),
                branch=action.branch,
                workspace=action.workspace,
            )
        case TagCandidate():
            return say("tag {commit} as candidate {tag}", tag=action.tag, commit=short(action.commit))
        case StartBuild():
            return _start_text(action)
        case BuildCandidate(run=run) if run is not None:
            return say("take the build of {tag} from {url}", tag=action.tag, url=run.url or None)
        case BuildCandidate():
            return say("build {tag} as version {version}", tag=action.tag, version=action.version)
        case TestCandidate():
            return say("test {file} of {tag} in a fresh environment", file=action.wheel.file, tag=action.tag)
        case RecordImages():
            names = [f"{i.name}:{i.reference}" for i in action.images]
            return say("write down the images of {tag}: {names}", tag=action.tag, names=names)
        case DescribeCandidate():
            return say("write the bills of materials and the provenance of {tag}", tag=action.tag)
        case StageCandidate(prerelease=True):
            return say("publish {tag} on the index as a pre-release, for testers", tag=action.tag)
        case StageCandidate():
            return say("offer {tag} to testers in an index of its own", tag=action.tag)
        case RepackCandidate():
            return say("re-pack {tag} as {version}, prove it and try it", tag=action.tag, version=action.train)
        case RecordCheck():
            return say(
                "write down what {check} said of {tag}: {conclusion}",
                check=action.check,
                tag=action.tag,
                conclusion=action.conclusion,
            )
        case RunGate():
            return say("run gate {gate} on {file} of {tag}", gate=action.gate, file=action.wheel.file, tag=action.tag)
        case MeasureCandidate():
            return say(
                "measure {tag} against {baseline}, blocks {first} to {last}",
                tag=action.tag,
                baseline=action.baseline_version,
                first=action.first + 1,
                last=action.last,
            )
        case ProbeCommit(confirms=True):
            return say(
                "compare {commit}, suspected of having made {tag} slower, with {before}, the one before it that can be "
                "measured",
                commit=short(action.baseline),
                tag=action.tag,
                before=short(action.commit),
            )
        case ProbeCommit():
            return say(
                "build and measure {commit} to find what made {tag} slower", commit=short(action.commit), tag=action.tag
            )
        case NameCulprit(confirmed=True):
            return say(
                "name {commit} as the commit that made {tag} slower", commit=short(action.commit), tag=action.tag
            )
        case NameCulprit(suspects=(_, _, *_)):
            return say(
                "name {count} commits, one of which made {tag} slower", count=len(action.suspects), tag=action.tag
            )
        case NameCulprit():
            return say(
                "name {commit} as suspected of having made {tag} slower", commit=short(action.commit), tag=action.tag
            )
        case Publish(repacked=True):
            return say("publish the re-packed files of {tag} as {version}", tag=action.tag, version=action.train)
        case Publish():
            return say("publish the very files of {tag} as {version}", tag=action.tag, version=action.train)
        case PublishImages():
            names = [f"{p.image.name}:{p.tag}" for p in action.images]
            return say("release the very images of {tag} as {names}", tag=action.tag, names=names)
        case DraftRelease():
            return say("draft the release {tag} with its notes, files and documents", tag=action.tag)
        case TagFinal():
            return say(
                "put the final tag {tag} with its notes on {commit}", tag=action.tag, commit=short(action.commit)
            )
        case RecordIncident() | RecordWithdrawal() | RecordCadence():
            return note_text(action)
        case _:
            return hub_text(action)


def note_text(action: RecordIncident | RecordWithdrawal | RecordCadence) -> Text:
    """What is only written down."""
    match action:
        case RecordIncident(what="tag-restored"):
            return say("write down that the tag {tag} was put back", tag=action.tag)
        case RecordIncident():
            if action.now is None:
                return say("write down that the tag {tag} was deleted", tag=action.tag)
            return say("write down that the tag {tag} was moved to {now}", tag=action.tag, now=short(action.now))
        case RecordWithdrawal():
            return say("write down how the index offers {version} now", version=action.train)
        case RecordCadence():
            return say("write down that the cadence of the policy changed: {keys}", keys=action.keys)


def change_text(change: PendingChange) -> str:
    """As the commit on the branch will be called."""
    words = change.subject or short(change.origin)
    return f'Revert "{words}"' if change.asked else words


def applied_lines(action: Action) -> list[str]:
    """Each change that goes onto a branch, where its sentence does not name them all."""
    if not isinstance(action, ApplyChanges) or len(action.changes) <= _NAMED:
        return []
    return [f"{short(c.change.origin)}  {one_line(change_text(c.change))}" for c in action.changes]


def _apply_text(action: ApplyChanges) -> Text:
    subjects = [change_text(c.change) for c in action.changes]
    if len(subjects) <= _NAMED:
        return say("apply to {branch}: {subjects}", branch=action.branch, subjects=subjects)
    return say(
        "apply to {branch}: {subjects} and {more} more",
        branch=action.branch,
        subjects=subjects[:_NAMED],
        more=len(subjects) - _NAMED,
    )


def _start_text(action: StartBuild) -> Text:
    if action.dispatch:
        return say("dispatch the CI build of {tag} as version {version}", tag=action.tag, version=action.version)
    return say("bring {tag} to the CI, which builds it as version {version}", tag=action.tag, version=action.version)
