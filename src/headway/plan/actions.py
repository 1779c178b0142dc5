"""The closed set of things Headway does to the world outside. An action is data: it can be shown, checked, done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from headway.decide.blocks import JobBlocks, span
from headway.model.build import Artifact, FinishedRun
from headway.model.commit import Sha
from headway.model.measurement import Cell
from headway.model.pick import PendingChange
from headway.plan.build_actions import StartBuild
from headway.plan.gate_actions import RecordCheck, RunGate
from headway.plan.image_actions import PublishImages, RecordImages
from headway.plan.mishap_actions import RecordCadence, RecordIncident, RecordWithdrawal
from headway.plan.promotion_actions import RepackCandidate, StageCandidate
from headway.plan.trust_actions import DescribeCandidate, DraftRelease


@dataclass(frozen=True, slots=True)
class CheckCommit:
    """Run the policy's check on a trunk commit (B2)."""

    kind: ClassVar[str] = "check"
    train: str
    commit: Sha

    @property
    def target(self) -> str:
        return self.commit


@dataclass(frozen=True, slots=True)
class CutBranch:
    """Create the release branch on a trunk commit, if no such branch exists (B1, B2)."""

    kind: ClassVar[str] = "cut"
    train: str
    branch: str
    commit: Sha

    @property
    def target(self) -> str:
        return self.branch


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change and the tree that its trial gave: the applied one must have the same."""

    change: PendingChange
    tree: Sha


@dataclass(frozen=True, slots=True)
class ApplyChanges:
    """Put picks and reverts on the branch, in trunk order, as one compare-and-swap from ``tip`` (P1–P8, B6)."""

    kind: ClassVar[str] = "apply"
    train: str
    branch: str
    tip: Sha
    changes: tuple[PlannedChange, ...]

    @property
    def target(self) -> str:
        return self.branch


@dataclass(frozen=True, slots=True)
class AppliedChange:
    """A change and the branch commit that holds it; ``by`` is who put it there, ``""`` for Headway."""

    change: PendingChange
    commit: Sha
    by: str = ""


@dataclass(frozen=True, slots=True)
class RecordApplied:
    """Write down what reached the branch but not the ledger: a tick was killed in between, or people applied or merged
    it. ``merges`` are the merge commits that brought nothing else."""

    kind: ClassVar[str] = "record-applied"
    train: str
    branch: str
    before: Sha
    after: Sha
    changes: tuple[AppliedChange, ...]
    merges: tuple[Sha, ...] = ()

    @property
    def target(self) -> str:
        return self.branch


@dataclass(frozen=True, slots=True)
class OpenWorkspace:
    """Put a conflict on a branch of its own, with git's markers, for a person to resolve; the release branch stays.

    ``before`` are the changes of the same request that apply cleanly before it.
    """

    kind: ClassVar[str] = "open-workspace"
    train: str
    branch: str
    tip: Sha
    workspace: str
    change: PendingChange
    conflicts: tuple[str, ...]
    before: tuple[PendingChange, ...] = ()

    @property
    def target(self) -> str:
        return self.workspace


@dataclass(frozen=True, slots=True)
class PrepareEmbargoed:
    """Put embargoed picks on a private branch over the release branch's ``tip`` (P8), from where that stood
    ``before``."""

    kind: ClassVar[str] = "prepare-embargoed"
    train: str
    branch: str
    private: str
    before: Sha | None
    tip: Sha
    changes: tuple[PlannedChange, ...]

    @property
    def target(self) -> str:
        return self.private


@dataclass(frozen=True, slots=True)
class OpenDebt:
    """Write down that the trunk lacks a change which a release branch has (P8)."""

    kind: ClassVar[str] = "open-debt"
    train: str
    branch: str
    request: int
    origin: Sha
    commit: Sha

    @property
    def target(self) -> str:
        return self.origin


@dataclass(frozen=True, slots=True)
class PayDebt:
    """Write down that the trunk has the change now, in ``trunk`` (P8)."""

    kind: ClassVar[str] = "pay-debt"
    train: str
    request: int
    origin: Sha
    trunk: Sha

    @property
    def target(self) -> str:
        return self.origin


@dataclass(frozen=True, slots=True)
class TagCandidate:
    """Create the RC tag on the branch's tip; its push triggers the build (B4)."""

    kind: ClassVar[str] = "tag-candidate"
    train: str
    tag: str
    commit: Sha

    @property
    def target(self) -> str:
        return self.tag


@dataclass(frozen=True, slots=True)
class BuildCandidate:
    """Build wheel and sdist from a clean export of the tag, under the final version, or take them from the CI that did
    (B4).

    ``again``: a build of it is recorded already, so files that lie there are that one's. ``run`` is the CI's.
    """

    kind: ClassVar[str] = "build"
    train: str
    tag: str
    commit: Sha
    version: str
    again: bool = False
    run: FinishedRun | None = None

    @property
    def target(self) -> str:
        return self.tag


@dataclass(frozen=True, slots=True)
class TestCandidate:
    """Check the built files, install the wheel into a fresh environment and run the policy's test command (B4).

    ``files`` are all that were built; ``previous`` names those of the release before, ``None`` where the ledger does
    not know them: then the index is asked for those of ``previous_version``, if there is one.
    """

    kind: ClassVar[str] = "test"
    train: str
    tag: str
    commit: Sha
    version: str
    wheel: Artifact
    files: tuple[Artifact, ...]
    previous_version: str | None
    previous: tuple[str, ...] | None

    @property
    def target(self) -> str:
        return self.tag


@dataclass(frozen=True, slots=True)
class MeasureCandidate:
    """Measure blocks of candidate against baseline, job by job (E5)."""

    kind: ClassVar[str] = "measure"
    train: str
    tag: str
    commit: Sha
    branch: str
    baseline: Sha
    baseline_version: str
    wheel: Artifact
    jobs: tuple[JobBlocks, ...]

    @property
    def first(self) -> int:
        """The lowest number of a block."""
        return span(self.jobs)[0]

    @property
    def last(self) -> int:
        """One more than the highest number of a block."""
        return span(self.jobs)[1]

    @property
    def target(self) -> str:
        return self.tag


@dataclass(frozen=True, slots=True)
class ProbeCommit:
    """Build one commit between the good and the bad end and measure it against the baseline (E7).

    ``confirms``: the commit is the parent and the baseline the commit that is suspected, both on blocks of their own.
    """

    kind: ClassVar[str] = "probe"
    train: str
    tag: str
    commit: Sha
    version: str
    baseline: Sha
    baseline_version: str
    cell: Cell
    metric: str
    first: int
    last: int
    confirms: bool = False

    @property
    def target(self) -> str:
        return self.commit


@dataclass(frozen=True, slots=True)
class NameCulprit:
    """Record the commit that made it slower (E7). ``posterior``: (commit, probability), most probable first."""

    kind: ClassVar[str] = "culprit"
    train: str
    tag: str
    commit: Sha
    subject: str
    ratio: float
    confirmed: bool
    suspects: tuple[Sha, ...]
    posterior: tuple[tuple[Sha, float], ...]

    @property
    def target(self) -> str:
        return self.commit


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish the accepted candidate's very files, or the ``repacked`` ones that were made from them (N1, B5).

    ``evidence`` is the digest that the decision rests on.
    """

    kind: ClassVar[str] = "publish"
    train: str
    tag: str
    commit: Sha
    files: tuple[Artifact, ...]
    repacked: bool = False
    evidence: str = ""

    @property
    def target(self) -> str:
        return self.train


@dataclass(frozen=True, slots=True)
class TagFinal:
    """Create the annotated final tag with the notes on the accepted candidate's commit; it builds nothing (B5).

    Then the release object is shown, as the ``latest`` or not; ``None``: there is none.
    """

    kind: ClassVar[str] = "tag-final"
    train: str
    tag: str
    commit: Sha
    notes: str
    latest: bool | None = None

    @property
    def target(self) -> str:
        return self.tag


Action = (
    CheckCommit
    | CutBranch
    | ApplyChanges
    | RecordApplied
    | PrepareEmbargoed
    | OpenDebt
    | PayDebt
    | OpenWorkspace
    | TagCandidate
    | StartBuild
    | BuildCandidate
    | TestCandidate
    | RecordImages
    | DescribeCandidate
    | StageCandidate
    | RepackCandidate
    | RunGate
    | RecordCheck
    | MeasureCandidate
    | ProbeCommit
    | NameCulprit
    | Publish
    | PublishImages
    | DraftRelease
    | TagFinal
    | RecordIncident
    | RecordWithdrawal
    | RecordCadence
)


class _Shown(Protocol):
    """Any action, also one on the forge."""

    @property
    def kind(self) -> str: ...

    @property
    def target(self) -> str: ...

    __dataclass_fields__: ClassVar[dict[str, Any]]


def action_json(action: _Shown) -> dict[str, object]:
    """``{kind, target, …}`` of the command contract."""
    return {"kind": action.kind, "target": action.target, **asdict(action)}
