"""``release.toml``, as one schema. Unknown keys are refused; everything in italics in the policy is a value here."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from headway.policy.board_tables import Board, Notify
from headway.policy.candidate_tables import Build, Candidate, Test
from headway.policy.forge_tables import Forge, Talk
from headway.policy.gate_tables import EvidenceGate
from headway.policy.image_tables import ImageTable
from headway.policy.notes_tables import Notes
from headway.policy.perf_tables import Perf
from headway.policy.promotion_tables import Promotion, Staging
from headway.policy.release_tables import Gate, Index, LedgerTable, Post, Waivers
from headway.policy.table import CategoryName, Days, NotNegative, Positive, Table, Words
from headway.policy.trust_tables import Documents, Signing

SCHEMA = 1


class Project(Table):
    """The project under release (N1)."""

    name: str = Field(
        "", description="Distribution name on the package index; empty: read from the candidate's own wheel."
    )
    repository: str = Field("", description="owner/name on its forge, for links and notes.")
    trunk: str = Field("", description="Trunk ref; empty: the remote's HEAD, a bare repository's HEAD, main, master.")


class Naming(Table):
    """How versions are counted, and what branches and tags are called (V1–V5)."""

    scheme: Literal["right-shifted", "minor-train"] = Field(
        "right-shifted",
        description="How the next version is counted: `right-shifted`, where a regular release is a patch and fixes "
        "are post releases (V1–V4); `minor-train`, where it is a minor and fixes are patches.",
    )
    branch: str = Field(
        "releases/v{version}", description="Release branch of a version (B1); {line} is its major and minor number."
    )
    branch_also: Words = Field((), description="Other names under which release branches are read.")
    fix_counts: Literal["", "post", "patch"] = Field(
        "", description="What a fix release counts (V4); empty: what the scheme says."
    )
    fix_branch: Literal["reuse", "own"] = Field(
        "reuse",
        description="A fix release comes from the branch that was cut before (B3), or from one of its own that is cut "
        "where the release before it was made.",
    )
    final_tag: str = Field("v{version}", description="Final tag (V5); post releases too, as vX.Y.Z.postN.")
    candidate_tag: str = Field("v{version}-rc{n}", description="Tag of candidate n (V5, B4).")
    first_candidate: NotNegative = Field(1, description="Number of a version's first candidate.")


class EarlierNaming(Naming):
    """How it was before: versions below a switch-over are read and named so."""

    below: str = Field(description="The first version that is no longer named so.")


class Versions(Naming):
    """V1–V5: the scheme and the names of branches and tags."""

    ignore_tags: Words = Field((), description="Glob patterns of foreign tags.")
    recut_branch: str = Field(
        "{branch}-r{n}", description="Name of a release branch that is cut again, for the n-th time (B1)."
    )
    guard_from: str = Field(
        "",
        description="First version whose tags the guard holds to B1, B4 and V5; empty: the first that the ledger knows "
        "or that has a release branch here.",
    )
    earlier: tuple[EarlierNaming, ...] = Field(
        (), description="Namings that were in force before, each up to a version."
    )
    sign_tags: Signing = Field(
        "auto",
        description="Whether final tags are signed, with git's own settings (`gpg.format`, `user.signingKey`). `auto`: "
        "when this repository's own configuration names a key, or git signs every tag (`tag.gpgSign`); `always`: a "
        "release without a signature is refused.",
    )


class Cadence(Table):
    """C1–C4 and B2: when."""

    step_days: Positive = Field(14, description="Days from one patch release to the next (C1).")
    anchor: date = Field(description="A day of the cadence, from which dates are counted: as a rule that of a release.")
    anchor_version: str = Field(description="The version that has this day.")
    releases_per_month: dict[int, tuple[NotNegative, ...]] = Field(
        default_factory=dict,
        description="Year to twelve counts, for years planned by a table instead of a strict step (C3).",
    )
    cut_days_before: tuple[Days, Days] = Field((1, 2), description="Window of the cut, days before the release (B2).")
    post_days_after: tuple[Days, Days] = Field((1, 3), description="Window of the post release, days after (C2).")
    blackout: Words = Field(
        (),
        description="Days on which nothing is released: ISO dates, spans of them with both ends "
        "(2025-10-01..2025-10-08), or weekday names (mon … sun).",
    )
    timezone: str = Field("UTC", description="Zone in which a calendar day begins (C4).")


class Cut(Table):
    """B2: which trunk commit is cut."""

    check: str = Field(
        "",
        description="Command run in a clean export of a trunk commit; exit 0 is green. Fields: {python} {source}. "
        "Empty: the newest is taken.",
    )
    check_depth: Positive = Field(10, description="How many commits from the tip are tried for a green one.")
    timeout_s: Positive = Field(1800, description="Limit of one check.")


class Phase(Table):
    """P1: from which day on only some categories are let in."""

    name: str = Field(description="What people call it, such as `open`, `blockers` or `frozen`.")
    days_before: Days | None = Field(
        None, description="Days before the release on which it begins; the first begins with the cut and has none."
    )
    categories: tuple[CategoryName, ...] = Field((), description="What is let in; nothing: frozen.")


class Picks(Table):
    """P1–P8: the gate of cherry-picks."""

    feature_titles: Words = Field(
        (), description="Regular expressions; a subject that one of them finds is feature work (P7)."
    )
    docs_paths: Words = Field((), description="Glob patterns of documentation (P5).")
    branch_paths: Words = Field((), description="Glob patterns that a release-branch change may touch (P6).")
    review_without_evidence: tuple[Literal["regression", "critical", "new-feature-fix"], ...] = Field(
        ("regression", "critical"),
        description="Categories that wait for a person's review when the evidence that their clause asks for is not "
        "given; of the others such a request is refused (P2, P3, P4).",
    )
    symptoms: dict[str, str] = Field(
        default_factory=dict,
        description="Severe symptoms: the name of each to a regular expression that finds it in a reason (P3).",
    )
    package_paths: Words = Field(
        (),
        description="Glob patterns of the package that users install, where features are looked for (P7); empty: the "
        "folders with an `__init__.py` at the top or under `src/`.",
    )
    api_paths: Words = Field((), description="Glob patterns of modules whose public names are public API (P7).")
    max_lines: NotNegative = Field(
        0, description="Changed lines of the package above which a change looks like feature work (P7); 0: no limit."
    )
    soak_hours: NotNegative = Field(
        0, description="Hours that a change stays on the trunk before it is applied to a branch (P8)."
    )
    phases: tuple[Phase, ...] = Field(
        (), description="What is let in when, by days before the release; none: everything from the cut on (P1)."
    )


class Review(Table):
    """P1: who lets picks in that the gate does not let in by itself."""

    people: Words = Field((), description="Names that count; empty: anybody.")
    count: Positive = Field(1, description="How many different people.")
    categories: tuple[CategoryName, ...] = Field(
        (), description="Categories that wait for an approval even when their evidence is complete."
    )
    two_persons: tuple[CategoryName | Literal["waived", "resolution"], ...] = Field(
        (),
        description="What needs two different people: categories, requests that a waiver let in, resolved conflicts.",
    )


class Embargo(Table):
    """P8: security fixes that cannot be on the trunk first."""

    people: Words = Field((), description="Names whose waivers count; empty: anybody.")
    count: Positive = Field(2, description="How many different people waive P8.")
    branch: str = Field(
        "embargo/{branch}", description="Private branch on which it waits for its disclosure; never push it."
    )


class Reverts(Table):
    """B6: trunk reverts."""

    soak_hours: NotNegative = Field(
        0, description="Hours a trunk revert is left alone, since many are relanded within a day."
    )


class Policy(Table):
    """A whole release policy."""

    schema_: int = Field(SCHEMA, alias="schema", description="Version of this file's format.")
    preset: str = Field("vllm-2025", description="Preset that gives every value this file leaves out.")
    project: Project = Project()
    forge: Forge = Forge()
    talk: Talk = Talk()
    board: Board = Board()
    notify: Notify = Notify()
    versions: Versions = Versions()
    cadence: Cadence
    cut: Cut = Cut()
    picks: Picks = Picks()
    review: Review = Review()
    embargo: Embargo = Embargo()
    reverts: Reverts = Reverts()
    candidate: Candidate = Candidate()
    build: Build = Build()
    test: Test = Test()
    promotion: Promotion = Promotion()
    staging: Staging = Staging()
    gates: tuple[EvidenceGate, ...] = Field((), description="Further evidence that a candidate needs ([[gates]]).")
    perf: Perf = Perf()
    approvals: dict[str, Gate] = Field(default_factory=lambda: {"go": Gate()}, description="Gates that people open.")
    post: Post = Post()
    waivers: Waivers = Waivers()
    index: Index = Index()
    documents: Documents = Documents()
    ledger: LedgerTable = LedgerTable()
    notes: Notes = Notes()
    images: tuple[ImageTable, ...] = Field((), description="Container images of every candidate (B4).")

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the environment variables that hold credentials by this policy."""
        forge = self.forge
        named = {
            forge.token_env,
            forge.app_key_env,
            forge.webhook_secret_env,
            self.board.oauth_secret_env,
            self.notify.urls_env,
        }
        return frozenset(named | {n for i in self.images for n in (i.username_env, i.password_env)}) - {""}
