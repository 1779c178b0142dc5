"""perf access: whether the benchmark workflow may be dispatched, and the request for it (E3)."""

from __future__ import annotations

import click

from headway.cli.common import OPEN, YES, Answer, Command, Context, Option, Screen, answering, common_options
from headway.cli.measure import perf
from headway.model.text import Text, say


@perf.command(
    "access", cls=Command, help="Whether the token may dispatch the benchmark workflow; else the request (E3)."
)
@click.option("--send", is_flag=True, cls=Option, help="Open the request as an issue of the workflow's repository.")
@common_options
@answering
def access(context: Context, send: bool) -> Answer:
    from headway.decide.benchmarkworkflow import access_request, workflow_of
    from headway.errors import WorldFailed
    from headway.github.access import access_to, open_issue, write_issue
    from headway.github.project import github_of

    app = context.app()
    policy = app.policy
    flow = workflow_of(policy.perf)
    github = github_of(policy, flow.repository)
    asked, issue, sent = None, "", False
    try:
        found = access_to(github, flow.file)
        if not found.dispatch:
            asked = access_request(policy.perf, policy.project.repository, app.person)
        if asked is not None and found.read:
            issue = open_issue(github, asked.marker)
            if send and not issue and github.signed_in:
                # Shown before it is sent, on stderr, where JSON does not go.
                context.progress.say(say("{title}\n\n{body}", title=asked.title, body=asked.body))
                issue, sent = write_issue(github, asked.title, asked.body), True
    except WorldFailed as e:
        e.clause = "E3"
        raise
    still = _still(policy.perf.runner)
    document = {
        "repository": flow.repository,
        "workflow": flow.file,
        "ref": found.ref,
        "token": {"variable": github.token_env, "set": github.signed_in},
        "may": {"read": found.read, "dispatch": found.dispatch},
        "why": [str(w) for w in found.why],
        "request": {"title": asked.title, "body": asked.body} if asked else None,
        "issue": issue or None,
        "sent": sent,
        "still": [str(s) for s in still] if asked else [],
    }

    def show(screen: Screen) -> None:
        if asked is None:
            screen.say(
                say(
                    "the token of {name} may dispatch {workflow} on {ref}, as far as GitHub tells",
                    name=github.token_env,
                    workflow=flow,
                    ref=found.ref,
                ),
                "bold",
            )
            return
        screen.say(say("{workflow} may not be dispatched (E3)", workflow=flow), "bold")
        for why in found.why:
            screen.say(why)
        screen.line("")
        if not sent:  # else it was shown before it was sent
            screen.line(asked.title, "bold")
            screen.line("")
            screen.line(asked.body)
        if issue:
            words = say("sent: {url}", url=issue) if sent else say("it was asked for already: {url}", url=issue)
            screen.say(words, "bold")
        else:
            screen.say(say("`headway perf access --send` opens this as an issue there"), "bold")
        for words in still:
            screen.say(words)

    return Answer(YES if asked is None else OPEN, document, show)


def _still(runner: str) -> tuple[Text, ...]:
    """What can be done without the workflow."""
    other = say("blocks run by `{runner}`, as perf.runner says: nothing waits for this access", runner=runner)
    local = say('until then blocks can run elsewhere: perf.runner = "local", "ray" or "slurm"')
    return (
        local if runner == "github" else other,
        say("results of runs that others started can be read: `headway perf import PATH`"),
        say("the dashboard's comparison of two releases: `headway perf link BASE CANDIDATE`"),
    )
