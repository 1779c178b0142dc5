"""Doing an action: check whether it is done already, do it, report it to the recorder. Safe to repeat at any line."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import Any

from headway.effects.apply import apply_changes
from headway.effects.builders import builder_of, ci_of
from headway.effects.candidate import test
from headway.effects.describing import describe
from headway.effects.gating import checked, run_gate
from headway.effects.images import publish_images
from headway.effects.measure import Measurer
from headway.effects.privately import prepare_embargoed
from headway.effects.probing import probe
from headway.effects.publishing import publish, stage
from headway.effects.refs import create_branch, create_tag
from headway.effects.releasing import draft, release
from headway.effects.repacking import repack
from headway.effects.site import Site
from headway.effects.workspace import open_workspace
from headway.environment import uv_env
from headway.errors import BrokenInvariant, WorldFailed
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.ports import Hub, Recorder
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
from headway.plan.build_actions import StartBuild
from headway.plan.gate_actions import RecordCheck, RunGate
from headway.plan.hub_actions import HubAction
from headway.plan.image_actions import PublishImages, RecordImages
from headway.plan.mishap_actions import RecordCadence, RecordIncident, RecordWithdrawal
from headway.plan.promotion_actions import RepackCandidate, StageCandidate
from headway.plan.trust_actions import DescribeCandidate, DraftRelease
from headway.process import command_line, hiding, run_logged


@dataclass(frozen=True, slots=True)
class Performer:
    """The one place that acts. ``hub`` is for those actions that are on the forge."""

    site: Site
    recorder: Recorder
    measurer: Measurer
    hub: Hub | None = None

    def perform(self, action: Action | HubAction) -> Entry:
        """Do it and record it; the entry. Raises ``WorldFailed`` when the world refuses: nothing is recorded then."""
        progress, state = self.site.progress, self.site.paths.root
        progress.step(f"before:{action.kind}:{action.target}")
        try:
            self.site.sweep()
            with hiding(self.site.policy.secrets):
                kind, payload = self._do(action)
        except OSError as e:
            raise WorldFailed(
                "state.disk",
                say("{path} cannot be written: {why}", path=e.filename or state, why=e.strerror or str(e)),
                facts=facts(action=action.kind, target=action.target, state=state),
                remedy=say("free some space or mend the permissions, then tick again: what is done stays done"),
            ) from e
        progress.step(f"unrecorded:{action.kind}:{action.target}")
        entry = self.recorder.record(kind, action.train, payload)
        progress.step(f"after:{action.kind}:{action.target}")
        return entry

    def _do(self, action: Action | HubAction) -> tuple[Kind, dict[str, Any]]:  # noqa: PLR0911, PLR0912 - one return for each action
        match action:
            case CheckCommit():
                return Kind.CHECKED, self._check(action)
            case CutBranch():
                site = self.site
                create_branch(site.repo, action.branch, action.commit, site.clock.now(), site.remote)
                return Kind.CUT, {"branch": action.branch, "commit": action.commit}
            case ApplyChanges():
                after, done = apply_changes(
                    self.site.repo, action, self.site.clock.now(), self.site.progress.step, self.site.remote
                )
                return Kind.APPLIED, _applied(action.branch, action.tip, after, done)
            case RecordApplied():
                found = _applied(action.branch, action.before, action.after, action.changes)
                return Kind.APPLIED, {**found, **({"merges": list(action.merges)} if action.merges else {})}
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
                now, remote = self.site.clock.now(), self.site.remote
                create_tag(self.site.repo, action.tag, action.commit, message, now, remote=remote)
                return Kind.TAGGED, {"tag": action.tag, "commit": action.commit}
            case BuildCandidate():
                return Kind.BUILT, builder_of(self.site).build(action)
            case StartBuild():
                return Kind.BUILD_STARTED, ci_of(self.site).start(action)
            case TestCandidate():
                return Kind.TESTED, test(self.site, action)
            case RecordImages():
                rows = [i.as_json() for i in action.images]
                return Kind.IMAGES, {"tag": action.tag, "commit": action.commit, "images": rows}
            case DescribeCandidate():
                return Kind.DESCRIBED, describe(self.site, action)
            case StageCandidate():
                return Kind.STAGED, stage(self.site, action)
            case RepackCandidate():
                return Kind.REPACKED, repack(self.site, action)
            case RunGate():
                return Kind.GATED, run_gate(self.site, action)
            case RecordCheck():
                return Kind.GATED, checked(action)
            case MeasureCandidate():
                return Kind.MEASURED, self.measurer.measure(action, self.site.paths.artifacts(action.tag))
            case ProbeCommit():
                return Kind.PROBED, probe(self.measurer, action)
            case NameCulprit():
                return Kind.CULPRIT, {
                    "tag": action.tag,
                    "commit": action.commit,
                    "subject": action.subject,
                    "ratio": action.ratio,
                    "confirmed": action.confirmed,
                    "suspects": list(action.suspects),
                    "posterior": [{"commit": c, "p": p} for c, p in action.posterior],
                }
            case Publish():
                return publish(self.site, action)
            case PublishImages():
                return Kind.IMAGES_PUBLISHED, publish_images(self.site, action)
            case DraftRelease():
                return Kind.DRAFTED, draft(self.site, action)
            case TagFinal():
                return Kind.RELEASED, release(self.site, action)
            case RecordIncident():
                known = {"what": action.what, "tag": action.tag, "recorded": action.recorded, "now": action.now}
                return Kind.INCIDENT, known
            case RecordWithdrawal():
                return Kind.YANK_SEEN, {"yanked": action.yanked}
            case RecordCadence():
                return Kind.CADENCE, {"keys": list(action.keys)}
            case _:
                return Kind.WRITTEN, self._write(action)

    def _write(self, action: HubAction) -> dict[str, Any]:
        from headway.effects.hub import write

        if self.hub is None:
            raise BrokenInvariant(
                "hub.none", say("the plan writes on a forge, and there is none"), remedy=say("tick again")
            )
        return write(self.hub, action, self.site)

    def _prepare(self, action: PrepareEmbargoed) -> dict[str, Any]:
        tip = prepare_embargoed(self.site.repo, action, self.site.clock.now(), self.site.progress.step)
        return {
            "branch": action.branch,
            "private": action.private,
            "tip": action.tip,
            "commit": tip,
            "changes": [{"origin": c.change.origin, "request": c.change.request} for c in action.changes],
        }

    def _check(self, action: CheckCommit) -> dict[str, Any]:
        log, cut = self.site.paths.log(action.commit, "check"), self.site.policy.cut
        self.site.progress.say(say("checking {commit}: {command}", commit=action.commit[:12], command=cut.check))
        with self.site.export(action.commit) as source:
            argv = command_line(cut.check, python=sys.executable, source=str(source))
            done = run_logged(argv, log=log, timeout_s=cut.timeout_s, cwd=source, env=uv_env({}))
        return {"commit": action.commit, "ok": done.ok, "log": str(log), "command": shlex.join(argv)}

    def _workspace(self, action: OpenWorkspace) -> dict[str, Any]:
        change = action.change
        site = self.site
        opened = open_workspace(site.repo, action, site.clock.now(), site.progress.step, site.remote)
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
