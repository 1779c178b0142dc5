"""Documents of a tested candidate, beside its files: written whole, and the same again (N1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headway.decide.documents import PROVENANCE, SBOM
from headway.effects.build import artifact_of
from headway.effects.provenance import provenance
from headway.effects.site import Site
from headway.files import write_whole
from headway.history.log import read_commit
from headway.model.text import say
from headway.plan.trust_actions import DescribeCandidate
from headway.simple import name_version_of


def describe(site: Site, action: DescribeCandidate) -> dict[str, Any]:
    """Write what the policy asks for; the payload of ``described``."""
    folder, asked = site.paths.documents(action.tag), site.policy.documents
    site.progress.say(say("writing the documents of {tag}", tag=action.tag))
    place = site.paths.repacked if action.repacked else site.paths.artifacts
    for f in action.files:
        site.same(place(action.tag) / f.file, f.sha256, action.tag)
    rows: list[dict[str, Any]] = []
    if asked.sbom:
        from headway.effects.sbom import sbom  # a third of a second: for those who write one

        at = read_commit(site.repo, action.commit).committed
        for wheel in (f for f in action.files if f.file.endswith(".whl")):
            with_it = action.installed if wheel.sha256 == action.tested else None
            content = sbom(wheel, with_it, commit=action.commit, at=at)
            rows.append(_written(folder / f"{wheel.file}.cdx.json", content, SBOM, [wheel.sha256]))
            site.progress.step(f"described:{wheel.file}")
    if asked.provenance:
        name = f"{_stem(action)}.provenance.json"
        about = [f.sha256 for f in action.files]
        rows.append(_written(folder / name, provenance(action, site.policy), PROVENANCE, about))
    return {"tag": action.tag, "commit": action.commit, "documents": rows}


def _written(path: Path, content: str, what: str, about: list[str]) -> dict[str, Any]:
    for left in path.parent.glob(f".{path.name}.*"):  # by a tick that was killed while it wrote
        left.unlink(missing_ok=True)
    write_whole(path, content.encode())
    return {**artifact_of(path).as_json(), "what": what, "about": about}


def _stem(action: DescribeCandidate) -> str:
    """Project and version, as the files have them: these documents become assets of the release."""
    named = next((n for f in action.files if (n := name_version_of(f.file))), None)
    return "-".join(named) if named else action.train
