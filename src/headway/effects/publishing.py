"""Publication of the accepted files, to a folder or to an index (N1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headway.decide.identity import ways
from headway.effects.identity import Token, attest, no_attestation, upload_token
from headway.effects.index import Published, PublishRefused, publish_folder
from headway.effects.site import Site
from headway.effects.upload import publish_upload
from headway.errors import WorldFailed
from headway.model.build import Artifact
from headway.model.reason import Reason
from headway.model.text import Text, facts, say
from headway.plan.actions import Publish


def publish(site: Site, action: Publish) -> dict[str, Any]:
    files = tuple((site.paths.artifacts(action.tag) / a.file, a) for a in action.files)
    site.progress.say(say("publishing {files}", files=[a.file for a in action.files]))
    index = site.policy.index
    identity: dict[str, Any] = {}
    if index.upload_url:
        outcome, identity = _upload(site, action.tag, files)
    else:
        outcome = publish_folder(site.index, files, site.progress.step)
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
        **({"identity": identity} if identity else {}),
    }


def _upload(
    site: Site, tag: str, files: tuple[tuple[Path, Artifact], ...]
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
        log=log,
        step=site.progress.step,
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
