"""A build by a GitHub Actions workflow: one run for each try, its files checked as those of a local build (B4)."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from headway.decide.building import DISPATCHED, marked, run_of
from headway.effects.build import accepted, partial_of
from headway.effects.pushing import push_tag
from headway.effects.site import Site
from headway.effects.unpack import unpack
from headway.errors import WorldFailed
from headway.files import write_whole
from headway.github import client
from headway.github.actions import RunArtifact, artifacts_of, dispatch, fetch_artifact, fetch_logs, runs_of
from headway.github.client import GitHub
from headway.github.project import github_of
from headway.model.build import Artifact, FinishedRun
from headway.model.text import Text, facts, say
from headway.plan.actions import BuildCandidate
from headway.plan.build_actions import StartBuild

# How long a run that was dispatched may be missing from GitHub's listing before it is believed that there is none
_UNLISTED = timedelta(minutes=2)
_NOT_DONE = frozenset({client.REFUSED, client.GONE, client.LIMITED, client.UNREACHABLE, client.BUDGET})


@dataclass(frozen=True, slots=True)
class GitHubBuilder:
    """``Builder`` by the workflow that the policy names."""

    site: Site
    github: GitHub

    # Starting --------------------------------------------------------------------------------------------------

    def start(self, action: StartBuild) -> dict[str, Any]:
        """Push the RC tag where the policy says, and dispatch the workflow unless the tag alone starts it."""
        rules, step = self.site.policy.build.github, self.site.progress.step
        known = self.site.remote
        if rules.remote and (known is None or rules.remote != known.name):  # else the tag was made there
            self.site.progress.say(say("pushing {tag} to the CI's remote", tag=action.tag))
            push_tag(self.site.repo, rules.remote, action.tag, action.commit)
            step(f"pushed:{action.tag}")
        run, url = self._dispatched(action) if action.dispatch else (None, "")
        return {
            "tag": action.tag,
            "commit": action.commit,
            "builder": "github",
            "build": action.build,
            "dispatch": action.dispatch,
            "taken": list(action.taken),
            "run": run,
            "url": url,
        }

    def _dispatched(self, action: StartBuild) -> tuple[int | None, str]:
        """The run of this try: the one that is there, else a new one."""
        rules, step = self.site.policy.build.github, self.site.progress.step
        there = run_of(
            runs_of(self.github, rules.workflow, action.commit),
            tag=action.tag,
            commit=action.commit,
            build=action.build,
            dispatch=True,
            taken=action.taken,
            marks=marked(rules),
        )
        sent = self.site.paths.sent(action.build)
        if there is not None:
            sent.unlink(missing_ok=True)
            return there.id, there.url
        self._surely_none(action, sent)
        # Written before it is sent: who was killed, or got no answer, may have started a run that is not listed yet.
        write_whole(sent, self.site.clock.now().isoformat().encode())
        step(f"dispatching:{action.build}")
        fields = {"id": action.build, "version": action.version, "tag": action.tag, "commit": action.commit}
        inputs = {name: _filled(value, fields) for name, value in rules.inputs.items() if value}
        self.site.progress.say(say("dispatching {workflow} on {tag}", workflow=rules.workflow, tag=action.tag))
        try:
            told = dispatch(self.github, rules.workflow, action.tag, inputs)
        except WorldFailed as e:
            if e.code in _NOT_DONE:
                sent.unlink(missing_ok=True)
            if e.code == client.REFUSED:
                e.remedy = say(
                    "see that {repository} has the tag (`build.github.remote` pushes it), that the token may write "
                    "Actions, and that the workflow has workflow_dispatch with the inputs of `build.github.inputs`",
                    repository=self.github.repository,
                )
            raise
        step(f"dispatched:{action.build}")
        return told.run, told.url

    def _surely_none(self, action: StartBuild, sent: Path) -> None:
        """Raises ``WorldFailed`` (``build.unsure``) while a dispatch of before may still show a run."""
        try:
            since = datetime.fromisoformat(sent.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return
        until = since + _UNLISTED
        if self.site.clock.now() < until:
            raise WorldFailed(
                "build.unsure",
                say("a build of {tag} was asked for at {since}, and no answer came", tag=action.tag, since=since),
                clause="B4",
                facts=facts(tag=action.tag, build=action.build, since=since, until=until, event=DISPATCHED),
                remedy=say("tick again after {until}: by then GitHub lists the run, or there is none", until=until),
            )

    # Collecting ------------------------------------------------------------------------------------------------

    def build(self, action: BuildCandidate) -> dict[str, Any]:
        """The files of the run that ended, checked; a run that failed gives none."""
        run = action.run
        assert run is not None, "the planner gives the run"  # noqa: S101
        known: dict[str, Any] = {"tag": action.tag, "commit": action.commit, "run": run.id, "url": run.url}
        known |= {"log": self._log(action.tag, run), "seconds": round(run.seconds, 3)}
        made = self._collected(action, run.id) if run.id is not None and not run.why else run.why
        if isinstance(made, tuple):
            return {**known, "ok": True, "why": "", "artifacts": [a.as_json() for a in made]}
        return {**known, "ok": False, "why": str(made), "artifacts": []}

    def _collected(self, action: BuildCandidate, run: int) -> tuple[Artifact, ...] | Text:
        wanted = self.site.policy.build.github.artifacts
        self.site.progress.say(say("taking the files of {tag} from run {run}", tag=action.tag, run=run))
        found = [a for a in artifacts_of(self.github, run) if any(fnmatchcase(a.name, p) for p in wanted)]
        if not found:
            return say("the run has no artifact {names}", names=wanted)
        out = self.site.paths.artifacts(action.tag)
        partial = partial_of(out)
        try:
            for artifact in found:
                why = self._taken(artifact, partial)
                if why is not None:
                    return why
            self.site.progress.step(f"fetched:{action.tag}")
            return accepted(partial, out, action.version, self.site.policy.build)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def again(self, tag: str, run: int, files: tuple[Artifact, ...]) -> Text | None:
        """The files of a build that was recorded, once more, by one rename; or why they cannot be had. Raises
        ``WorldFailed``: ``artifact.changed`` when they are others by now, and what GitHub's failures raise."""
        wanted = self.site.policy.build.github.artifacts
        self.site.progress.say(say("taking the files of {tag} from run {run}", tag=tag, run=run))
        out = self.site.paths.artifacts(tag)
        partial = partial_of(out)
        try:
            for artifact in artifacts_of(self.github, run):
                if any(fnmatchcase(artifact.name, p) for p in wanted):
                    why = self._taken(artifact, partial)
                    if why is not None:
                        return why
            for file in files:
                self.site.same(partial / file.file, file.sha256, tag)
            partial.rename(out)
            return None
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _taken(self, artifact: RunArtifact, into: Path) -> Text | None:
        """An artifact's files in ``into``, or why they cannot be had. A failure that may pass is raised."""
        gone = say("the artifact {name} has expired", name=artifact.name)
        if artifact.expired:
            return gone
        with tempfile.TemporaryDirectory(prefix="export-", dir=self.site.paths.root) as aside:
            archive = Path(aside) / "artifact.zip"
            try:
                digest = fetch_artifact(self.github, artifact, archive)
            except WorldFailed as e:
                if e.code == client.GONE:
                    return gone
                raise
            if artifact.sha256 not in {"", digest}:
                raise WorldFailed(
                    "build.download",
                    say("the artifact {name} came with other bytes than GitHub tells", name=artifact.name),
                    clause="B4",
                    facts=facts(told=artifact.sha256, found=digest),
                    remedy=say("tick again: it is downloaded anew"),
                )
            return unpack(archive, f"{artifact.name}.zip", into)

    def _log(self, tag: str, run: FinishedRun) -> str:
        """Where the log is: here, or at the run where it cannot be had."""
        if run.id is None:
            return "-"
        target = self.site.paths.log(tag, f"build-{run.id}").with_suffix(".zip")
        partial = target.with_name(f".{target.name}.partial")
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            partial.unlink()
        try:
            fetch_logs(self.github, run.id, partial)
        except WorldFailed as e:
            partial.unlink(missing_ok=True)
            if e.code == client.GONE:
                return run.url
            raise
        partial.replace(target)
        return str(target)


def builder_on_github(site: Site) -> GitHubBuilder:
    """On the project's own repository there. Raises as ``github_of`` does."""
    return GitHubBuilder(site, github_of(site.policy))


def _filled(template: str, fields: dict[str, str]) -> str:
    for name, value in fields.items():
        template = template.replace("{" + name + "}", value)
    return template
