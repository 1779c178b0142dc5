"""What would not work of GitHub Actions, where a policy has candidates built or benchmarks run there (B4, E3)."""

from __future__ import annotations

from headway.app import Headway
from headway.decide.benchmarkworkflow import workflow_of
from headway.errors import HeadwayError
from headway.github.project import github_of
from headway.history.log import read_file, trunk_tip
from headway.model.finding import Check
from headway.model.text import say
from headway.policy.workflow import workflow_path


def builder(app: Headway) -> Check:
    """Whether the CI that the policy names could build (B4)."""
    build, forge = app.policy.build, app.policy.forge
    if build.by == "local":
        return Check("builder", True, say("candidates are built on this machine"))
    path = workflow_path(app.policy)
    if read_file(app.repo, trunk_tip(app.repo, app.trunk), path) is None:
        text = say("the trunk has no {path}, which is to build candidates", path=path)
        return Check("builder", False, text, say("`headway build workflow` writes one"))
    try:
        known = github_of(app.policy).signed_in
    except HeadwayError as e:
        return Check("builder", False, e.message, e.remedy)
    if not known:
        text = say("there is no token for GitHub in {name}", name=forge.token_env)
        return Check(
            "builder", False, text, say("without one nothing is dispatched, and no file of a run can be downloaded")
        )
    return Check("builder", True, say("candidates are built by {path}", path=path))


def access(app: Headway) -> Check:
    """Who could dispatch the benchmark workflow (E3); GitHub itself is asked by ``perf access``."""
    perf = app.policy.perf
    if not perf.workflow:
        if perf.runner == "github":
            text = say("perf.runner is `github`, and the policy names no workflow (E3)")
            return Check("access", False, text, say("set perf.workflow in release.toml"))
        return Check("access", True, say("the policy names no benchmark workflow; no access is needed (E3)"))
    if perf.runner != "github":
        text = say(
            "blocks run by `{runner}`; {workflow} is not dispatched (E3)", runner=perf.runner, workflow=perf.workflow
        )
        return Check("access", True, text)
    return _dispatching(app)


def _dispatching(app: Headway) -> Check:
    perf, token = app.policy.perf, app.policy.forge.token_env
    mend = say("`headway perf access` asks GitHub what the token may do, and writes the request")
    try:
        github = github_of(app.policy, workflow_of(perf).repository)
    except HeadwayError as e:
        return Check("access", False, e.message, e.remedy)
    if not github.signed_in:
        return Check("access", False, say("there is no token for GitHub in {name}", name=token), mend)
    if github.app is not None:
        return Check(
            "access", True, say("{workflow} is dispatched by the App {id}", workflow=perf.workflow, id=github.app.id)
        )
    text = say(
        "{workflow} is dispatched with the token of {name}; {mend}", workflow=perf.workflow, name=token, mend=str(mend)
    )
    return Check("access", True, text)
