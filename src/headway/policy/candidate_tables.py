"""The tables of a policy about candidates: when they are tagged, how they are built and tested (B4)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headway.policy.forge_tables import GitHubBuild
from headway.policy.table import NotNegative, Positive, Table, Words

# The rows of a candidate's test, in order. Those of FILES look at files alone; a person may waive them (B4).
FILES = ("previous", "size", "twine", "wheel-contents", "auditwheel")
CHECKS = ("version", "expected", *FILES, "install", "requirements", "import", "command")


class Candidate(Table):
    """B4: when a candidate is tagged."""

    quiet_hours: NotNegative = Field(
        0, description="Hours without a change on the branch before the next candidate is tagged."
    )


class Build(Table):
    """B4: the build. Commands are split as a shell does, without one; fields: {python} {source} {out} {version}."""

    by: Literal["local", "github"] = Field(
        "local", description="Who builds: this machine, or a GitHub Actions workflow."
    )
    command: str = Field(
        "{python} -P -m build --installer uv --outdir {out} {source}", description="Writes artifacts to {out}."
    )
    env: dict[str, str] = Field(
        default_factory=dict,
        description="Environment of the build: how each build back-end is told the final version ({version}).",
    )
    expect: Words = Field(("*.whl", "*.tar.gz"), description="Glob patterns; each must be met by exactly one artifact.")
    timeout_s: Positive = Field(3600, description="Limit of one build.")
    github: GitHubBuild = Field(GitHubBuild(), description="The workflow, see `[build.github]`.")


class Test(Table):
    """B4: the test of a candidate: its files, then its wheel in a fresh environment.

    Fields: {python} {version} {wheel}.
    """

    command: str = Field(
        "",
        description="Run where only the wheel and `requires` are installed; empty: import its modules.",
    )
    requires: Words = Field((), description="Requirements of the tests themselves.")
    paths: Words = Field(
        (),
        description="Paths of the repository that are laid beside the tests (never the package's own source).",
    )
    timeout_s: Positive = Field(3600, description="Limit of one test run.")
    blocking: Words = Field(
        CHECKS, description="Checks without which a candidate is not released; the others are told only."
    )
    external_libs: Words = Field(
        (),
        description="Glob patterns of libraries that other distributions bring, such as libtorch*: auditwheel does not "
        "hold them against a wheel.",
    )
    contents_ignore: Words = Field(
        (), description="Codes of check-wheel-contents that count for nothing here, such as W002."
    )
