"""A project whose candidates a CI builds: Headway's bare repository, GitHub's, and the policy between them."""

from __future__ import annotations

from pathlib import Path

from githubfake import NAME, OWNER, FakeGitHub
from trainkit import Project, make_project

from headway.policy.loader import load_policy
from headway.policy.workflow import workflow_text


def ci_project(folder: Path) -> Project:
    """The project; GitHub's repository is ``github.git`` beside it."""
    project = make_project(folder / "toy.git")
    project.git("clone", "-q", "--bare", str(project.path), str(folder / "github.git"))
    return project


def use_ci(project: Project, fake: FakeGitHub, trigger: str = "tag", more: str = "", table: str = "") -> None:
    """Have Headway build by the CI, whose workflow is on the trunk now; ``more`` is of ``[build.github]``, ``table`` of
    ``[build]``."""
    text = project.git("show", "main:release.toml")
    text = text.replace('name = "toykit"', f'name = "toykit"\nrepository = "{OWNER}/{NAME}"')
    text += (
        f'\n[build]\nby = "github"\n{table}\n[build.github]\ntrigger = "{trigger}"\nremote = "{fake.repo}"\n{more}\n'
    )
    text = text.replace("[forge]\n", f'[forge]\napi_url = "{fake.api}"\n')
    state = project.path / "headway"
    state.mkdir(exist_ok=True)
    (state / "release.toml").write_text(text)
    flow = workflow_text(load_policy(text, source="release.toml"))
    project.commit("flow", "[CI] Build candidates (#20)", {".github/workflows/build.yml": flow})
