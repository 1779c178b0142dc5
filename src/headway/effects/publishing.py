"""Publication of the accepted files, to a folder or to an index (N1); and of a candidate's files for testers (B4)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headway.decide.identity import ways
from headway.effects.identity import Token, attest, no_attestation, upload_token
from headway.effects.index import Published, PublishRefused, publish_folder
from headway.effects.site import Site
from headway.effects.upload import publish_upload
from headway.errors import WorldFailed
from headway.model.build import Artifact
from headway.model.entry import Kind
from headway.model.reason import Reason
from headway.model.text import Text, facts, say
from headway.plan.actions import Publish
from headway.plan.promotion_actions import StageCandidate
from headway.simple import without_credentials

_Files = tuple[tuple[Path, Artifact], ...]


def publish(site: Site, action: Publish) -> tuple[Kind, dict[str, Any]]:
    """Publish, or say what the index has instead; raises ``WorldFailed`` while it can still be done later."""
    folder = site.paths.repacked(action.tag) if action.repacked else site.paths.artifacts(action.tag)
    files = tuple((folder / a.file, a) for a in action.files)
    site.progress.say(say("publishing {files}", files=[a.file for a in action.files]))
    outcome, identity = _to_index(site, action.tag, files, site.progress.step)
    known = {"tag": action.tag, "commit": action.commit, "files": _rows(action.files)}
    if isinstance(outcome, Published):
        return Kind.PUBLISHED, {
            **known,
            "index": outcome.index,
            "evidence": action.evidence,
            **({"identity": identity} if identity else {}),
        }
    if not outcome.seen:
        raise _refused(action.train, outcome, action.files)
    seen = [{"file": f, "sha256": digest} for f, digest in outcome.seen]
    return Kind.PUBLISH_FAILED, {**known, "ok": False, "why": str(outcome.why), "index": _index(site), "seen": seen}


def stage(site: Site, action: StageCandidate) -> dict[str, Any]:
    """Offer a candidate to testers: in a folder of its own, which appears complete, or on the index itself."""
    folder = site.paths.artifacts(action.tag)
    for a in action.files:
        site.same(folder / a.file, a.sha256, action.tag)
    files = tuple((folder / a.file, a) for a in action.files)
    known = {"tag": action.tag, "commit": action.commit, "files": _rows(action.files), "prerelease": action.prerelease}
    site.progress.say(say("offering {tag} to testers", tag=action.tag))

    def step(name: str) -> None:
        site.progress.step(f"staging:{action.tag}:{name}")

    if action.prerelease:
        outcome, _ = _to_index(site, action.tag, files, step)
        if isinstance(outcome, PublishRefused):
            raise _refused(action.tag, outcome, action.files)
        simple = outcome.index if site.policy.index.upload_url else f"{outcome.index}/simple/"
        return {**known, "index": simple}
    place = site.staging(action.tag)
    partial = place.with_name(f".{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    outcome = publish_folder(partial, files, step)
    if isinstance(outcome, PublishRefused):
        raise _refused(action.tag, outcome, action.files)
    if place.exists():  # of an older build, or of a tick that was killed
        shutil.rmtree(place)
    partial.rename(place)
    url = site.policy.staging.url.replace("{tag}", place.name)
    return {**known, "index": url or f"{place.as_uri()}/simple/"}


def _to_index(
    site: Site, tag: str, files: _Files, step: Callable[[str], None]
) -> tuple[Published | PublishRefused, dict[str, Any]]:
    if not site.policy.index.upload_url:
        return publish_folder(site.index, files, step), {}
    return _upload(site, tag, files, step)


def _upload(
    site: Site, tag: str, files: _Files, step: Callable[[str], None]
) -> tuple[Published | PublishRefused, dict[str, Any]]:
    """Publish to an index; by whose name it went, where the policy wishes something of that."""
    index, log = site.policy.index, site.paths.log(tag, "upload")
    token = upload_token(index.upload_url) if index.trusted_publishing != "no" else None
    lack = no_attestation() if index.attestations != "no" else None
    way = ways(index, token if isinstance(token, Text) else None, lack)
    if isinstance(way, Reason):
        raise WorldFailed(way.code, way.text, clause=way.clause, facts=way.facts, remedy=way.remedy)
    for why in way.why:
        site.progress.say(why)
    sent: list[str] = []

    def attested(source: Path) -> Path:
        made = attest(source, site.paths.work(tag) / "attestations", log=log)
        sent.append(source.name)
        return made

    outcome = publish_upload(
        index.upload_url,
        index.simple_url,
        files,
        step,
        log=log,
        timeout_s=index.timeout_s,
        settle_s=index.settle_s,
        token=token if isinstance(token, Token) else "",
        attested=attested if way.attested else None,
    )
    if index.trusted_publishing == index.attestations == "no":
        return outcome, {}
    return outcome, {
        "publishing": "trusted-publishing" if way.trusted else "credentials",
        "attested": sent,
        "why": [str(w) for w in way.why],
    }


def _index(site: Site) -> str:
    index = site.policy.index
    return without_credentials(index.simple_url) if index.upload_url else site.index.as_uri()


def _rows(files: tuple[Artifact, ...]) -> list[dict[str, str]]:
    return [{"file": a.file, "sha256": a.sha256} for a in files]


def _refused(what: str, outcome: PublishRefused, files: tuple[Artifact, ...]) -> WorldFailed:
    return WorldFailed(
        "publish.refused",
        outcome.why,
        clause="N1",
        facts=facts(version=what, files=[a.file for a in files], seen=[f"{f} {d}" for f, d in outcome.seen]),
        remedy=say("nothing was published; find out who changed the files, then tick again"),
    )
