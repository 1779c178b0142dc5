"""The shapes of the JSON API, version 1. Fields may be added; none is renamed or taken away within a version."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """A document that may grow."""

    model_config = ConfigDict(extra="allow")


class ReasonShape(Shape):
    """Why something may not be done, or not yet."""

    clause: str = Field(description="Clause of the policy, such as E7; see /api/v1/policy.")
    code: str = Field(description="Stable name for programs.")
    message: str
    facts: dict[str, Any]
    remedy: str


class ErrorBody(Shape):
    code: str
    clause: str | None
    message: str
    facts: dict[str, Any]
    remedy: str


class ErrorShape(Shape):
    """Any answer that is no success."""

    error: ErrorBody


class GateShape(Shape):
    name: str
    clause: str | None
    state: str = Field(description="ok, waiting, blocked or none.")
    words: str


class ArtifactShape(Shape):
    file: str
    sha256: str
    size: int = Field(description="Bytes.")


class CheckShape(Shape):
    name: str
    ok: bool | None = Field(description="null: it was not run.")
    why: str


class CandidateShape(Shape):
    tag: str
    commit: str
    number: int
    built: str = Field(description="passed, failed or waiting.")
    tested: str = Field(description="passed, failed or waiting.")
    why: str
    build_log: str
    test_log: str
    artifacts: list[ArtifactShape]
    install: str = Field(description="What installs it; empty: nothing does yet.")
    checks: list[CheckShape]


class StepShape(Shape):
    turn: str = Field(description="headway, person or calendar.")
    words: str
    clause: str | None


class SlipShape(Shape):
    before: date
    after: date
    reason: str
    by: str


class TrainRow(Shape):
    """A train that is under way."""

    version: str
    kind: str
    stage: str
    date: date
    tentative: bool
    days_left: int = Field(description="Below 0 after the date.")
    branch: str
    turn: str
    stopped: bool
    phase: str | None
    gates: list[GateShape]
    candidates: list[CandidateShape]
    blockers: list[ReasonShape]
    next: list[StepShape]
    previous: str | None
    slips: list[SlipShape] = Field(description="The oldest first.")
    frozen: str | None = Field(description="Why nothing new is let in; null: picks are.")


class LineShape(Shape):
    """The branch of a release."""

    branch: str | None = Field(description="null: the release was made without one.")
    version: str
    released: date
    fixes: list[str] = Field(description="Fix releases from it.")
    runs: str | None = Field(description="The one that is under way.")
    words: str


class DepartedShape(Shape):
    version: str
    tag: str
    commit: str
    at: datetime
    yanked: bool


class BoardShape(Shape):
    """All trains and lines."""

    revision: str = Field(description="Differs when anything shown may have changed.")
    now: datetime
    trains: list[TrainRow]
    proposals: list[dict[str, Any]]
    lines: list[LineShape] = Field(description="Of past releases, the newest first: only fix releases come from them.")
    departed: list[DepartedShape]


class TimelineShape(Shape):
    """A ledger entry in words."""

    seq: int
    at: datetime
    actor: str
    kind: str
    train: str
    words: str
    clause: str | None


class TrainShape(Shape):
    """A train in full: live, released or given up."""

    version: str
    kind: str
    branch: str
    previous: str | None
    live: TrainRow | None
    release: dict[str, Any] | None
    stops: list[dict[str, Any]]
    picks: list[dict[str, Any]]
    reverts: list[dict[str, Any]]
    candidates: list[CandidateShape]
    performance: dict[str, Any] | None
    waivers: list[dict[str, Any]]
    culprits: list[dict[str, Any]]
    next_tick: list[dict[str, Any]] = Field(description="What the next tick will do, in order.")
    checklist: list[dict[str, Any]] = Field(description="The points of go or no-go, each with its clause.")
    evidence: dict[str, Any] = Field(description="What a go rests on, and its digest.")
    gates: list[dict[str, Any]] = Field(description="Further evidence of the newest candidate.")
    timeline: list[TimelineShape]


class WaitShape(ReasonShape):
    train: str


class PlanShape(Shape):
    """What the next tick would do, and what it waits for."""

    actions: list[dict[str, Any]]
    waits: list[WaitShape]
    proposals: list[dict[str, Any]]


class CalendarShape(Shape):
    """A year as it is planned, slipped, skipped and done (C3, C4)."""

    year: int
    releases: list[dict[str, Any]]
    months: list[dict[str, Any]]


class ValueShape(Shape):
    key: str
    value: str
    preset: str | None = Field(description="What the preset says, where that is something else.")


class ClauseShape(Shape):
    clause: str
    text: str
    values: list[ValueShape]


class PolicyShape(Shape):
    """The clauses with the values in force."""

    source: str
    clauses: list[ClauseShape]


class MetricsShape(Shape):
    """How the line does."""

    all: dict[str, Any]
    trains: list[dict[str, Any]]
    post_releases: dict[str, Any]
    slips: list[dict[str, Any]]
    validation: list[dict[str, Any]]
    measured_for_no_train: dict[str, Any]


class LedgerShape(Shape):
    """Entries, the newest first."""

    chain: str = Field(description="ok or broken.")
    problems: list[str]
    entries: list[TimelineShape]
    total: int = Field(description="Of the whole ledger.")
    older: int | None = Field(description="Ask with before=… of it for the ones before these; null: there are none.")


class BranchShape(Shape):
    branch: str
    live: bool
    audited: bool
    clean: bool | None = Field(description="null: not looked through yet.")


class BeingReadShape(Shape):
    """It takes longer than an answer may: ask again."""

    status: str


class AuditsShape(Shape):
    branches: list[BranchShape]


class AuditShape(Shape):
    """Every commit of a branch: origin, category, violations."""

    branch: str
    trunk: str
    cut: str
    commits: list[dict[str, Any]]
    reverts: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    branch_only: list[dict[str, Any]]
    shipped_then_reverted: list[dict[str, Any]]
    waivers: list[dict[str, Any]]


class NoticeShape(Shape):
    key: str
    train: str
    clause: str
    code: str
    message: str
    remedy: str
    since: datetime


class NoticesShape(Shape):
    """What people must act on."""

    notices: list[NoticeShape]


class MeShape(Shape):
    """Who asks."""

    name: str
    role: str
    how: str


class ComparisonAsked(BaseModel):
    """The dashboard's own parameters; what is empty is not asked for."""

    startTime: str = Field("", description="Any date text; a row is in when start <= its time < stop.")
    stopTime: str = ""
    repoName: str = ""
    benchmarkName: str = ""
    modelName: str = ""
    backendName: str = ""
    modeName: str = ""
    dtypeName: str = ""
    deviceName: str = Field("", description="Also with its architecture, as `cuda (NVIDIA H100 80GB HBM3)`.")
    archName: str = ""
    lBranch: str = ""
    lCommit: str = Field("", description="The base; empty: the oldest in the window.")
    rBranch: str = ""
    rCommit: str = Field("", description="The new one; empty: the newest in the window.")
    granularity: str = Field("", description="Of the trend: hour, day, week or month.")
    metricName: str = Field("", description="Of the page's own parameters, as those that follow.")
    show: str = Field("", description="Rows of one finding; see `counts`.")
    page: str = Field("", description="Rows beyond those that one answer holds.")
    trend: str = Field("", description="The key of a row; empty: the first.")
    trendBranch: str = ""
    data: str = Field("", description="The digest that a permalink has; see `renewed`.")


class ComparisonShape(Shape):
    """Each cell and metric of two commits, with its verdict."""

    left: dict[str, Any]
    right: dict[str, Any]
    window: dict[str, Any]
    repo: str
    filters: dict[str, Any]
    page: dict[str, Any]
    rows: list[dict[str, Any]]
    counts: dict[str, int] = Field(description="Rows by finding.")
    averages: list[dict[str, Any]] = Field(description="Geometric means of the ratio, over cells on both sides alone.")
    verdict: dict[str, Any] | None = Field(description="The gate's; null: it has not judged these two.")
    counted: bool = Field(description="The gate may count what was measured.")
    blocks: int
    outside: dict[str, int] = Field(description="By side: launches out of the window, or of unknown time.")
    tags: dict[str, Any]
    matrix: list[dict[str, Any]] = Field(description="Model by hardware.")
    uncovered: list[list[str]] = Field(
        description="Pairs (model, hardware) that the policy asks for and no cell covers."
    )
    waivers: list[dict[str, Any]]
    lapsed: list[dict[str, Any]]
    trend: dict[str, Any] | None
    differences: list[dict[str, Any]] = Field(description="Facts of the environment that are not the same.")
    environment: list[dict[str, Any]]
    set_aside: list[str] = Field(description="Numbers of which it is not known which way is better.")
    left_out: int = Field(description="Cells of the gate of which a filter cannot be asked.")
    commands: list[str] = Field(description="What measures the two again, asks the gate, and makes this table.")
    reproduce: str
    digest: str = Field(description="Of the measurements that were compared.")
    renewed: bool = Field(description="They are others than those of the permalink that was followed.")
    path: str
    permalink: str = Field(description="The address that stays what it is.")
    dashboard: str | None


class FieldShape(Shape):
    name: str
    required: bool
    about: str
    value: str = Field(description="What holds where the field is left out.")


class ActShape(Shape):
    """What an act is for, and what it asks."""

    verb: str
    title: str
    effects: list[str] = Field(description="What will happen.")
    seen: str | None = Field(description="Send it back: the decision holds for this alone; null: whatever changes.")
    parts: dict[str, str]
    fields: list[FieldShape]


class ActAsked(BaseModel):
    """An act: what it is of, the digest of what was seen, and the fields that it asks for."""

    model_config = ConfigDict(extra="forbid")

    of: str = Field("", max_length=300)
    change: str = Field("", max_length=300)
    seen: str = Field("", max_length=100)
    fields: dict[str, Annotated[str, Field(max_length=20_000)]] = Field(default_factory=dict, max_length=64)


class DoneShape(Shape):
    """The ledger entry that was written."""

    entry: dict[str, Any]
