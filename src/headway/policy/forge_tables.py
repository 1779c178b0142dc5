"""The tables of a policy about a forge and its CI: where it answers, and how it builds a candidate (B4)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headway.policy.table import Table, Words

INPUTS = ("id", "version", "tag", "commit")  # what an input of a dispatched workflow may hold


class Forge(Table):
    """The forge that `project.repository` lies on, and release objects: each a final or post release with its notes and
    files (N1)."""

    api_url: str = Field("https://api.github.com", description="Where its API answers.")
    token_env: str = Field(
        "GITHUB_TOKEN", description="Environment variable that holds the token; it is never written down."
    )
    read_checks: bool = Field(
        False,
        description="Whether the results of gates with a `check` are read from its API; else they are reported by "
        "`headway gate report`.",
    )
    path: str = Field(
        "releases",
        description="Folder of release objects, from the repository's state folder; empty: none are made.",
    )


class GitHubBuild(Table):
    """B4: a build by a GitHub Actions workflow, with `build.by = "github"`."""

    workflow: str = Field("build.yml", description="File name of the workflow under `.github/workflows`.")
    trigger: Literal["tag", "dispatch"] = Field(
        "tag",
        description="What starts it: the pushed RC tag itself, or a dispatch by Headway. A build that is asked for "
        "again is always dispatched.",
    )
    inputs: dict[str, str] = Field(
        default_factory=lambda: {
            "headway_id": "{id}",
            "version": "{version}",
            "tag": "{tag}",
            "commit": "{commit}",
        },
        description="Inputs of a dispatch; {id} is Headway's mark, which the workflow puts into its run-name. One "
        "that is empty is not sent.",
    )
    artifacts: Words = Field(("*",), description="Glob patterns of the run's artifacts that hold the files.")
    remote: str = Field(
        "", description="Name or URL to which the RC tag is pushed before the build; empty: others bring it there."
    )
