"""The tables of a policy about a forge and its CI: where it answers, and how it builds a candidate (B4)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headway.policy.table import CategoryName, Positive, Table, Words

INPUTS = ("id", "version", "tag", "commit")  # what an input of a dispatched workflow may hold


class Forge(Table):
    """The forge that `project.repository` lies on, and release objects: each a final or post release with its notes and
    files (N1)."""

    kind: str = Field(
        "none",
        description="Where people talk about changes: `github`, a kind that a package installed beside Headway "
        "registers, or `none`: nowhere (then commands are typed, and release objects are kept in a folder).",
    )
    remote: str = Field(
        "origin",
        description="The remote (its name or URL) that is the project's own repository, with `kind` set: release "
        "branches and tags are made there first.",
    )
    api_url: str = Field("https://api.github.com", description="Where its API answers.")
    token_env: str = Field(
        "GITHUB_TOKEN", description="Environment variable that holds the token; it is never written down."
    )
    app_id_env: str = Field(
        "HEADWAY_APP_ID", description="Environment variable with the id of a GitHub App; without it the token is used."
    )
    app_key_env: str = Field(
        "HEADWAY_APP_KEY",
        description="Environment variable with the App's private key (PEM), or with the path of a file that holds it.",
    )
    webhook_secret_env: str = Field(
        "HEADWAY_WEBHOOK_SECRET", description="Environment variable with the secret that webhooks are signed with."
    )
    budget: Positive = Field(
        500, description="Most requests to the API in one tick; what is left over is done by the next."
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


class Talk(Table):
    """Pull requests, issues and comments of the forge, with `forge.kind` set (P1, P8, B6)."""

    picks: Literal["push", "pull-request"] = Field(
        "push",
        description="How picks and reverts get onto a release branch: Headway pushes them, or opens a pull request for "
        "each, which people merge.",
    )
    pick_branch: str = Field(
        "headway/{branch}/{id}",
        description="Branch of such a pull request; fields: {branch} the release branch, {id} the origin's digits.",
    )
    milestone: str = Field(
        "{tag} cherry picks",
        description="Milestone whose merged pull requests are requested for a train; field: {tag}. Empty: none.",
    )
    categories: dict[str, CategoryName] = Field(
        default_factory=dict,
        description="Label to the category that it states, for requests by milestone; without one a request waits for "
        "a person who names it.",
    )
    tracker: bool = Field(True, description="Whether an issue for each train is kept up to date as its checklist.")
    tracker_title: str = Field("Release {tag}", description="Its title; field: {tag}.")
    check: str = Field("Headway", description="Name of the check on pull requests onto release branches; empty: none.")
    commands: bool = Field(True, description="Whether comments that begin with a command are obeyed.")
    mention: str = Field("headway", description="The name after @ in `@NAME cherry-pick --onto …`.")
    requesters: Words = Field(
        ("write",),
        description="Who may request picks by a comment: `@login`, `team:ORG/SLUG`, or a right in the repository "
        "(`read`, `triage`, `write`, `maintain`, `admin`) or more.",
    )
    reviewers: Words = Field(
        ("maintain",), description="Who may approve, reject, adopt and drop by a comment, written so."
    )
    managers: Words = Field(
        ("admin",),
        description="Who may hold, waive, release a hold, cut, slip and abandon by a comment, written so.",
    )
