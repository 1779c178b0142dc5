"""Publication of the accepted files, to a folder or to an index (N1)."""

from __future__ import annotations

from typing import Any

from headway.effects.index import PublishRefused, publish_folder
from headway.effects.site import Site
from headway.effects.upload import publish_upload
from headway.errors import WorldFailed
from headway.model.text import facts, say
from headway.plan.actions import Publish


def publish(site: Site, action: Publish) -> dict[str, Any]:
    files = tuple((site.paths.artifacts(action.tag) / a.file, a) for a in action.files)
    site.progress.say(say("publishing {files}", files=[a.file for a in action.files]))
    index = site.policy.index
    if index.upload_url:
        log = site.paths.log(action.tag, "upload")
        outcome = publish_upload(index.upload_url, index.simple_url, files, log=log, step=site.progress.step)
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
    }
