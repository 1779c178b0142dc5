"""The demo: two weeks of a release train on *toyserve*, in simulated time, with real git, builds, servers and pip."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from headway import controls, picking
from headway.app import Headway, open_headway
from headway.clock import SetClock
from headway.decide import record
from headway.decide.performance import describe
from headway.demo.document import document
from headway.demo.narrator import Narrator
from headway.demo.telling import expect, told
from headway.demo.toyserve import RELEASE_TAG, RELEASED, Toyserve, make_toyserve
from headway.effects.build import Built, build_candidate
from headway.effects.index import PublishRefused, publish_folder
from headway.environment import Failed, fresh_environment
from headway.errors import BrokenInvariant, WorldFailed
from headway.history.export import export_tree
from headway.model.entry import Kind
from headway.model.pick import Claims, PickRequest
from headway.model.text import facts, say
from headway.model.verdict import Verdict
from headway.perf.launch import HOST, free_port, launched
from headway.process import child_env
from headway.refusal import Refused, version_of
from headway.reports import verify_release

VERSION, POST = "0.7.1", "0.7.1.post1"
MANAGER, DEVELOPER = "Rita Okafor", "Mei Tanaka"
_STEPS = 400


@dataclass
class _Stage:
    """What the scenes share."""

    toy: Toyserve
    clock: SetClock
    tell: Narrator
    folder: Path

    def app(self, person: str = MANAGER) -> Headway:
        return open_headway(self.toy.path, clock=self.clock, progress=self.tell, person=person)

    def at(self, moment: datetime) -> None:
        """Time passes; it never goes back."""
        self.clock.set(max(self.clock.now(), moment))

    def later(self, **span: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**span))


def play(folder: Path, tell: Narrator) -> dict[str, Any]:
    """Play it all in ``folder`` (new or empty); the document of the command contract.

    Raises ``BrokenInvariant`` when the story does not come out as it must: one that ends well means something.
    """
    clock = SetClock(datetime(2025, 2, 3, 9, 30, tzinfo=UTC))
    tell.scene(clock.now(), say("A toy inference engine, toyserve, is two weeks past {released}", released=RELEASED))
    toy = make_toyserve(folder / "toyserve")
    stage = _Stage(toy, clock, tell, folder)
    stage_app = stage.app()
    trunk = stage_app.repo.git.run("rev-list", "--count", stage_app.trunk).strip()
    tell.note(
        say(
            "a git repository with {count} trunk commits, {tag} and a release.toml: {path}",
            count=trunk,
            tag=RELEASE_TAG,
            path=toy.path,
        )
    )
    _publish_previous(stage)
    _cut(stage)
    _requests(stage)
    _first_candidate(stage)
    _second_candidate(stage)
    _promote(stage, VERSION)
    completion = _use(stage, VERSION)
    _post(stage)
    return {**document(stage.app(), VERSION, POST), "completion": completion}


def _publish_previous(stage: _Stage) -> None:
    """The release before: the baseline that the performance gate installs from the index."""
    app, toy = stage.app(), stage.toy
    stage.tell.say(say("building {version}, which its users have", version=RELEASED))
    source, out = stage.folder / "previous-source", stage.folder / "previous"
    export_tree(app.repo, toy.released, source)
    epoch = int(datetime(2025, 1, 15, tzinfo=UTC).timestamp())
    log = stage.folder / "previous.log"
    built = build_candidate(source, out, RELEASED, app.policy.build, epoch, log=log, python=Path(sys.executable))
    if not isinstance(built, Built):
        raise WorldFailed(
            "demo.build",
            built.why,
            remedy=say("read {log}; a package index must be in reach", log=log),
            facts=facts(tail=built.tail),
        )
    done = publish_folder(app.index_folder, tuple((out / a.file, a) for a in built.artifacts), stage.tell.step)
    if isinstance(done, PublishRefused):
        raise WorldFailed("demo.publish", done.why, remedy=say("use an empty folder"))
    stage.tell.headway(
        say("{version} is on the package index: {files}", version=RELEASED, files=[a.file for a in built.artifacts])
    )


def _cut(stage: _Stage) -> None:
    stage.tell.scene(stage.clock.now(), say("The cut"))
    planned = stage.app().train(None)
    stage.tell.note(
        say(
            "{version} is planned for {date}, tentatively; it is cut from {first} to {last} (B2, C1, C4)",
            version=planned.train.name,
            date=planned.train.date,
            first=planned.train.window[0],
            last=planned.train.window[1],
        )
    )
    _tick(stage)
    expect(stage.app().repo.git.run("rev-parse", planned.train.branch).strip() == stage.toy.cut, "the branch is cut")


def _requests(stage: _Stage) -> None:
    tell = stage.tell
    tell.scene(stage.clock.now(), say("People ask for cherry-picks"))
    _ask(stage, "feature", "regression", "users want it", Claims(good="0.7.0", bad="main"), wanted="P7")
    _ask(stage, "unmerged", "critical", "wrong tokens at low temperatures", Claims(), "issue 147", wanted="P8")
    _ask(
        stage,
        "regression_fix",
        "regression",
        "stop strings that span tokens are not found since 0.7.0",
        Claims(good="0.7.0", bad="main", test="tests/test_stopping.py"),
    )
    _ask(stage, "docs_fix", "docs", "the size of toy-large is wrong")
    _ask(stage, "branch_only", "release-branch", "CI runs on the release branch too")
    stage.toy.merge("reverted")
    event = stage.toy.event("reverted")
    stage.at(event.at)
    tell.person(say("{author} reverts a change on the trunk: {subject}", author=event.author, subject=event.subject))
    _ask(stage, "conflicting", "critical", "a traceback instead of an answer", Claims(), "issue 151")
    tell.scene(stage.clock.now(), say("Headway applies them, in trunk order"))
    _tick(stage)


def _ask(
    stage: _Stage,
    name: str,
    category: str,
    reason: str,
    claims: Claims = Claims(),  # noqa: B008 - a frozen value
    evidence: str = "",
    wanted: str | None = None,
) -> None:
    """One request, after its change was merged; ``wanted`` is the clause that must refuse it."""
    event = stage.toy.event(name)
    sha = stage.toy.merge(name)
    stage.at(event.at + timedelta(minutes=5))
    ref = sha if category == "release-branch" else f"#{event.pr}"
    stage.tell.person(
        say(
            "{person} asks for {ref} as {category}: {subject}",
            person=DEVELOPER,
            ref=ref[:12],
            category=category,
            subject=event.subject,
        )
    )
    request = PickRequest(ref, category, reason, (evidence,) if evidence else (), claims)
    found = picking.request_pick(stage.app(DEVELOPER), request)
    violations = found.answer.violations
    if violations:
        stage.tell.reasons(violations)
    else:
        stage.tell.headway(
            say(
                "request {id} is {verdict} for {version}",
                id=found.entry.seq,
                verdict=stage.tell.word(found.answer.verdict.value),
                version=found.train.name,
            )
        )
    clauses = {v.clause for v in violations}
    expect(clauses == ({wanted} if wanted else set()), f"{name} is answered with {wanted}")


def _first_candidate(stage: _Stage) -> None:
    stage.later(hours=5)
    stage.tell.scene(stage.clock.now(), say("The branch was quiet for four hours: the first candidate"))
    _tick(stage)
    planned = stage.app().train(VERSION)
    performance = planned.performance.verdict if planned.performance else None
    expect(performance is not None and performance.verdict is Verdict.REGRESSED, "the slowdown is found")
    found = record.last(stage.app().entries(), Kind.CULPRIT, VERSION)
    expect(found is not None and found.payload["commit"] == stage.toy.slow, "the culprit is named")


def _second_candidate(stage: _Stage) -> None:
    event = stage.toy.event("slow_fix")
    stage.tell.scene(max(stage.clock.now(), event.at), say("The culprit's author mends it"))
    _ask(stage, "slow_fix", "regression", "decoding is slower than in 0.7.0", Claims(perf="v0.7.1-rc1"))
    _tick(stage)
    stage.later(hours=5)
    stage.tell.scene(stage.clock.now(), say("The second candidate"))
    _tick(stage)
    _settle_open_cells(stage, VERSION)


def _settle_open_cells(stage: _Stage, version: str) -> None:
    """On a host too noisy to decide a cell, a person does, by name and for a day: the gate itself never guesses."""
    planned = stage.app().train(version)
    verdict = planned.performance.verdict if planned.performance else None
    expect(verdict is not None and verdict.verdict is not Verdict.REGRESSED, "the second candidate is not slower")
    for c in verdict.cells if verdict else ():
        if c.verdict is not Verdict.PASS:
            key = describe(c).split(" ")[0]
            until = stage.clock.now().date() + timedelta(days=7)
            stage.tell.person(
                say(
                    "{person} waives a cell that stayed {verdict} on this noisy host: {cell}",
                    person=MANAGER,
                    verdict=stage.tell.word(c.verdict.value),
                    cell=describe(c),
                )
            )
            controls.waive(stage.app(), version, key, "undecided on a noisy host, the interval was looked at", until)
            _tick(stage)


def _promote(stage: _Stage, version: str) -> None:
    planned = stage.app().train(version)
    stage.tell.scene(stage.clock.now(), say("Go or no-go for {version}", version=version))
    stage.tell.waits(planned.waits)
    result = controls.approve(stage.app(), version, "go")
    if isinstance(result, Refused):
        stage.tell.reasons(result.reasons)
        raise BrokenInvariant("demo.story", say("the approval was refused"), remedy=say("see above"))
    stage.tell.person(
        say(
            "{person} approves commit {commit} with evidence {digest}",
            person=MANAGER,
            commit=result.payload["commit"][:12],
            digest=result.payload["evidence"][:12],
        )
    )
    _tick(stage)
    day = datetime.combine(planned.train.date, datetime.min.time(), UTC) + timedelta(hours=15)
    if record.last(stage.app().entries(), Kind.PUBLISHED, version) is None:
        stage.at(day)
        stage.tell.scene(day, say("The day of {version}", version=version))
        _tick(stage)
    problems = verify_release(stage.app(), version_of(version)).problems
    stage.tell.reasons(problems)
    expect(not problems, f"{version} is proven")
    stage.tell.headway(say("`headway verify {version}`: every link of the proof holds", version=version))


def _use(stage: _Stage, version: str) -> dict[str, Any]:
    """Install from the index as a user does, launch, ask for a completion."""
    app = stage.app()
    stage.tell.scene(stage.clock.now(), say("A user installs it"))
    log = stage.folder / "user.log"
    python = fresh_environment(stage.folder / "user", ("numpy", "pip"), log=log, timeout_s=600)
    if isinstance(python, Failed):
        raise WorldFailed("demo.install", python.why, remedy=say("read {log}", log=log))
    index = (app.index_folder / "simple").as_uri()
    argv = [
        str(python),
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--quiet",
        "--index-url",
        f"{index}/",
        f"toyserve=={version}",
    ]
    done = subprocess.run(
        argv, capture_output=True, text=True, env=child_env({"PIP_DISABLE_PIP_VERSION_CHECK": "1"}), check=False
    )
    if done.returncode:
        raise WorldFailed(
            "demo.install", say("pip: {words}", words=done.stderr.strip()), remedy=say("read pip's words")
        )
    stage.tell.person(say("pip install --index-url {index}/ toyserve=={version}", index=index, version=version))
    port = free_port()
    serve = [str(python), "-m", "toyserve", "--port", str(port), "--model", "toy-small"]
    base = f"http://{HOST}:{port}"
    with launched(serve, health=f"{base}/health", timeout_s=60, cwd=stage.folder, env=child_env({}), log=log) as server:
        if server.why:
            raise WorldFailed("demo.serve", say("{why}", why=server.why), remedy=say("read {log}", log=log))
        asked = {"model": "toy-small", "prompt": "The train departs", "max_tokens": 12}
        answer = httpx.post(f"{base}/v1/completions", json=asked, timeout=60, trust_env=False).json()
        told = httpx.get(f"{base}/version", timeout=60, trust_env=False).json()
    text = answer["choices"][0]["text"]
    expect(told["version"] == version and answer["usage"]["completion_tokens"] > 0, "the installed engine answers")
    stage.tell.headway(say("toyserve {version} answers: {text}", version=told["version"], text=repr(text)))
    return {"version": told["version"], "text": text}


def _post(stage: _Stage) -> None:
    event = stage.toy.event("post_fix")
    stage.tell.scene(
        max(stage.clock.now(), event.at), say("A crash is found in {version}: a post release", version=VERSION)
    )
    _ask(stage, "post_fix", "critical", "the server crashes on an empty prompt", Claims(), "issue 154")
    _tick(stage)
    stage.later(hours=5)
    _tick(stage)
    _settle_open_cells(stage, POST)
    _promote(stage, POST)


def _tick(stage: _Stage) -> None:
    """`headway tick` until nothing but waits is left, told action by action."""
    for _ in range(_STEPS):
        done, waits = stage.app().tick()
        for d in done:
            told(stage.app(), stage.tell, d)
        if not done:
            stage.tell.waits(waits)
            return
    raise BrokenInvariant("demo.endless", say("the train does not come to rest"), remedy=say("see above"))
