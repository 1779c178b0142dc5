"""Doing an action: check whether it is done already, do it, report it to the recorder. Safe to repeat at any line."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.version import Version

from headway.effects.apply import apply_changes
from headway.effects.build import BuildFailed, artifact_of, build_candidate
from headway.effects.index import PublishRefused, publish_folder
from headway.effects.measure import Measurer
from headway.effects.paths import StatePaths
from headway.effects.privately import prepare_embargoed
from headway.effects.refs import create_branch, create_tag
from headway.effects.testing import test_wheel
from headway.effects.upload import publish_upload
from headway.effects.workspace import open_workspace
from headway.errors import WorldFailed
from headway.history.export import export_tree
from headway.history.log import read_commit
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind, digest_of
from headway.model.ports import Clock, Progress, Recorder
from headway.model.text import facts, say
from headway.plan.actions import (
    Action,
    AppliedChange,
    ApplyChanges,
    BuildCandidate,
    CheckCommit,
    CutBranch,
    MeasureCandidate,
    NameCulprit,
    OpenDebt,
    OpenWorkspace,
    PayDebt,
    PrepareEmbargoed,
    ProbeCommit,
    Publish,
    RecordApplied,
    TagCandidate,
    TagFinal,
    TestCandidate,
)
from headway.policy.schema import Policy
from headway.policy.scheme import final_tag
from headway.process import child_env, command_line, run_logged


@dataclass(frozen=True, slots=True)
class Performer:
    """The one place that acts. ``index`` is the folder of the static index."""

    repo: Repository
    policy: Policy
    clock: Clock
    recorder: Recorder
    progress: Progress
    paths: StatePaths
    index: Path
    measurer: Measurer

    def perform(self, action: Action) -> Entry:
        """Do it and record it; the entry. Raises ``WorldFailed`` when the world refuses: nothing is recorded then."""
        self.progress.step(f"before:{action.kind}:{action.target}")
        try:
            self._sweep()
            kind, payload = self._do(action)
        except OSError as e:
            raise WorldFailed(
                "state.disk",
                say("{path} cannot be written: {why}", path=e.filename or self.paths.root, why=e.strerror or str(e)),
                facts=facts(action=action.kind, target=action.target, state=self.paths.root),
                remedy=say("free some space or mend the permissions, then tick again: what is done stays done"),
            ) from e
        self.progress.step(f"unrecorded:{action.kind}:{action.target}")
        entry = self.recorder.record(kind, action.train, payload)
        self.progress.step(f"after:{action.kind}:{action.target}")
        return entry

    def _do(self, action: Action) -> tuple[Kind, dict[str, Any]]:  # noqa: PLR0911, PLR0912 - one return for each action
        match action:
            case CheckCommit():
                return Kind.CHECKED, self._check(action)
            case CutBranch():
                create_branch(self.repo, action.branch, action.commit, self.clock.now())
                return Kind.CUT, {"branch": action.branch, "commit": action.commit}
            case ApplyChanges():
                after, done = apply_changes(self.repo, action, self.clock.now(), self.progress.step)
                return Kind.APPLIED, _applied(action.branch, action.tip, after, done)
            case RecordApplied():
                return Kind.APPLIED, _applied(action.branch, action.before, action.after, action.changes)
            case PrepareEmbargoed():
                return Kind.PREPARED, self._prepare(action)
            case OpenDebt():
                return Kind.INDEBTED, {
                    "request": action.request,
                    "branch": action.branch,
                    "origin": action.origin,
                    "commit": action.commit,
                }
            case PayDebt():
                return Kind.PAID, {"request": action.request, "origin": action.origin, "trunk": action.trunk}
            case OpenWorkspace():
                return Kind.CONFLICTED, self._workspace(action)
            case TagCandidate():
                message = f"{action.tag}\n\nCandidate of {action.train}.\n"
                create_tag(self.repo, action.tag, action.commit, message, self.clock.now())
                return Kind.TAGGED, {"tag": action.tag, "commit": action.commit}
            case BuildCandidate():
                return Kind.BUILT, self._build(action)
            case TestCandidate():
                return Kind.TESTED, self._test(action)
            case MeasureCandidate():
                return Kind.MEASURED, self.measurer.measure(action, self.paths.artifacts(action.tag))
            case ProbeCommit():
                return Kind.PROBED, self.measurer.probe(action)
            case NameCulprit():
                return Kind.CULPRIT, {
                    "tag": action.tag,
                    "commit": action.commit,
                    "subject": action.subject,
                    "ratio": action.ratio,
                    "confirmed": action.confirmed,
                    "suspects": list(action.suspects),
                }
            case Publish():
                return Kind.PUBLISHED, self._publish(action)
            case TagFinal():
                now = self.clock.now()
                create_tag(self.repo, action.tag, action.commit, action.notes, now, plain_counts=False)
                return Kind.RELEASED, {
                    "tag": action.tag,
                    "commit": action.commit,
                    "notes_sha256": digest_of(action.notes),
                }

    def _prepare(self, action: PrepareEmbargoed) -> dict[str, Any]:
        tip = prepare_embargoed(self.repo, action, self.clock.now(), self.progress.step)
        return {
            "branch": action.branch,
            "private": action.private,
            "tip": action.tip,
            "commit": tip,
            "changes": [{"origin": c.change.origin, "request": c.change.request} for c in action.changes],
        }

    def _sweep(self) -> None:
        """Remove what a tick that was killed could not: only one tick is at work at a time."""
        for left in self.paths.root.glob("export-*"):
            shutil.rmtree(left, ignore_errors=True)

    @contextmanager
    def _export(self, commit: Sha, paths: tuple[str, ...] = (), tag: str = "") -> Iterator[Path]:
        self.paths.root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="export-", dir=self.paths.root))
        try:
            export_tree(self.repo, commit, folder, paths, tag=tag)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _check(self, action: CheckCommit) -> dict[str, Any]:
        log = self.paths.log(action.commit, "check")
        self.progress.say(say("checking {commit}: {command}", commit=action.commit[:12], command=self.policy.cut.check))
        with self._export(action.commit) as source:
            argv = command_line(self.policy.cut.check, python=sys.executable, source=str(source))
            done = run_logged(argv, log=log, timeout_s=self.policy.cut.timeout_s, cwd=source, env=child_env({}))
        return {"commit": action.commit, "ok": done.ok, "log": str(log), "command": shlex.join(argv)}

    def _workspace(self, action: OpenWorkspace) -> dict[str, Any]:
        change = action.change
        opened = open_workspace(self.repo, action, self.clock.now(), self.progress.step)
        return {
            "branch": action.branch,
            "tip": action.tip,
            "base": opened.base,
            "kind": str(change.kind),
            "origin": change.origin,
            "request": change.request,
            "undoes": change.undoes,
            "subject": change.subject,
            "workspace": opened.workspace,
            "why": opened.why,
            "commit": opened.commit,
            "paths": list(action.conflicts),
            "prerequisites": [c.sha for c in opened.needed.members],
            "unsolved": str(opened.needed.unsolved) if opened.needed.unsolved else None,
        }

    def _build(self, action: BuildCandidate) -> dict[str, Any]:
        out, log = self.paths.artifacts(action.tag), self.paths.log(action.tag, "build")
        known: dict[str, Any] = {"tag": action.tag, "commit": action.commit, "log": str(log)}
        self.progress.say(say("building {tag} as {version}", tag=action.tag, version=action.version))
        began = time.monotonic()
        # it appears only when complete: there without a record, a tick was killed before it could write one
        if out.is_dir() and not action.again:
            expected = self.policy.build.expect
            files = (p for p in sorted(out.iterdir()) if any(fnmatchcase(p.name, e) for e in expected))
            artifacts = tuple(artifact_of(p) for p in files if p.is_file())
            seconds = time.monotonic() - began
        else:
            tag = final_tag(Version(action.version), self.policy.versions)
            with self._export(action.commit, tag=tag) as source:
                self.progress.step(f"building:{action.tag}")
                epoch = int(read_commit(self.repo, action.commit).committed.timestamp())
                built = build_candidate(
                    source, out, action.version, self.policy.build, epoch, log=log, python=Path(sys.executable)
                )
            if isinstance(built, BuildFailed):
                return {
                    **known,
                    "ok": False,
                    "why": str(built.why),
                    "artifacts": [],
                    "seconds": round(built.seconds, 3),
                }
            artifacts, seconds = built.artifacts, built.seconds
        rows = [a.as_json() for a in artifacts]
        return {**known, "ok": True, "why": "", "artifacts": rows, "seconds": round(seconds, 3)}

    def _test(self, action: TestCandidate) -> dict[str, Any]:
        log, test = self.paths.log(action.tag, "test"), self.policy.test
        wheel = self.paths.artifacts(action.tag) / action.wheel.file
        self._same(wheel, action.wheel.sha256, action.tag)
        self.progress.say(say("testing {wheel} in a fresh environment", wheel=action.wheel.file))
        with self._export(action.commit, test.paths) if test.paths else nullcontext() as checks:
            self.progress.step(f"testing:{action.tag}")
            outcome = test_wheel(
                wheel,
                action.version,
                test,
                checks_dir=checks,
                workdir=self.paths.work(action.tag),
                log=log,
            )
            self.progress.step(f"tested:{action.tag}")
        shutil.rmtree(self.paths.work(action.tag), ignore_errors=True)
        return {
            "tag": action.tag,
            "commit": action.commit,
            "ok": outcome.ok,
            "why": str(outcome.why),
            "wheel": action.wheel.sha256,
            "command": test.command,
            "log": str(log),
            "seconds": round(outcome.seconds, 3),
        }

    def _publish(self, action: Publish) -> dict[str, Any]:
        files = tuple((self.paths.artifacts(action.tag) / a.file, a) for a in action.files)
        self.progress.say(say("publishing {files}", files=[a.file for a in action.files]))
        index = self.policy.index
        if index.upload_url:
            log = self.paths.log(action.tag, "upload")
            outcome = publish_upload(index.upload_url, index.simple_url, files, log=log, step=self.progress.step)
        else:
            outcome = publish_folder(self.index, files, self.progress.step)
        if isinstance(outcome, PublishRefused):
            raise WorldFailed(
                "publish.refused",
                outcome.why,
                clause="N1",
                facts=facts(version=action.train, files=[a.file for a in action.files]),
                remedy=say("nothing was published; find out who changed the files, then tick again"),
            )
        return {
            "tag": action.tag,
            "commit": action.commit,
            "index": outcome.index,
            "files": [{"file": a.file, "sha256": a.sha256} for a in outcome.files],
        }

    def _same(self, path: Path, sha256: str, tag: str) -> None:
        found = artifact_of(path).sha256 if path.is_file() else None
        if found != sha256:
            raise WorldFailed(
                "artifact.changed",
                say("{file} is not the file that was built", file=path.name),
                clause="B4",
                facts=facts(tag=tag, recorded=sha256, found=found, path=path),
                remedy=say("build it again: `headway tick --retry build`"),
            )


def _applied(branch: str, before: Sha, after: Sha, done: tuple[AppliedChange, ...]) -> dict[str, Any]:
    return {
        "branch": branch,
        "before": before,
        "after": after,
        "changes": [
            {
                "kind": str(d.change.kind),
                "origin": d.change.origin,
                "commit": d.commit,
                "request": d.change.request,
                "undoes": d.change.undoes,
                "subject": d.change.subject,
                "resolved": d.change.resolution.entry if d.change.resolution else None,
                **({"by": d.by} if d.by else {}),
            }
            for d in done
        ],
    }
