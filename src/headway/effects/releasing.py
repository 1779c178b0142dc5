"""The release object and the final tag, in an order that a kill cannot spoil: draft, tag, show (N1, B5, V5)."""

from __future__ import annotations

from functools import partial
from typing import Any

from headway.effects.build import artifact_of
from headway.effects.refs import IDENTITY, create_tag, identity_env
from headway.effects.signing import is_wanted, signed_tag
from headway.effects.site import Site
from headway.errors import BrokenInvariant, WorldFailed
from headway.history.tagsignature import TagSignature, tag_signature
from headway.model.entry import digest_of
from headway.model.ports import Forge
from headway.model.text import Text, facts, say
from headway.plan.actions import TagFinal
from headway.plan.trust_actions import DraftRelease


def draft(site: Site, action: DraftRelease) -> dict[str, Any]:
    """Make the object, hidden; the payload of ``drafted``. Raises ``WorldFailed`` as ``Forge`` does, and
    (``release.source``) when a file or document is not what the ledger has."""
    forge = _forge(site)
    site.progress.say(say("drafting the release {tag}", tag=action.tag))
    built = site.paths.repacked if action.repacked else site.paths.artifacts
    beside = ((built, action.files), (site.paths.documents, action.documents))
    sources = tuple((place(action.candidate) / a.file, a) for place, found in beside for a in found)
    for path, a in sources:
        now = artifact_of(path).sha256 if path.is_file() else None
        if now != a.sha256:
            raise WorldFailed(
                "release.source",
                say("{file} is not the file that the ledger has", file=a.file),
                clause="N1",
                facts=facts(path=path, recorded=a.sha256, found=now),
                remedy=say("put the file back from a copy, then tick again"),
            )
    made = forge.draft_release(action.tag, action.commit, action.tag, action.notes, sources, prerelease=False)
    told = {"notes_sha256": digest_of(made.notes)}
    if made.notes != action.notes:  # a forge that takes no more of them
        told["whole_notes_sha256"] = digest_of(action.notes)
    return {
        "tag": action.tag,
        "commit": action.commit,
        "title": made.title,
        **told,
        "assets": [a.as_json() for a in made.assets],
    }


def release(site: Site, action: TagFinal) -> dict[str, Any]:
    """Put the tag, then show the object; the payload of ``released``."""
    said = _tag(site, action)
    site.progress.step(f"final-tag:{action.tag}")
    known: dict[str, Any] = {"tag": action.tag, "commit": action.commit, "notes_sha256": digest_of(said.text)}
    known["notes"] = said.text
    if said.format:
        known |= {"signature": said.format, "signer": said.key}
    if action.latest is not None:
        _forge(site).publish_release(action.tag, latest=action.latest)
        site.progress.step(f"shown:{action.tag}")
        known["latest"] = action.latest
    return known


def _tag(site: Site, action: TagFinal) -> TagSignature:
    """What the tag carries when it stands: these notes, or those of a tick of Headway's that was killed."""
    repo, now = site.repo, site.clock.now()
    asked = site.policy.versions.sign_tags
    made_by = partial(signed_tag, repo, action.tag, action.commit, action.notes, identity_env(now))
    wanted = is_wanted(repo, asked)
    create_tag(
        repo,
        action.tag,
        action.commit,
        action.notes,
        now,
        plain_counts=False,
        made_by=made_by if wanted else None,
        remote=site.remote,
    )
    said = tag_signature(repo, action.tag)
    content = repo.git.run("cat-file", "tag", f"refs/tags/{action.tag}").partition("\n\n")[0]
    own = f"\ntagger {IDENTITY[0]} <{IDENTITY[1]}> " in content
    if said is None or (not own and said.text.rstrip() != action.notes.rstrip()):
        raise _not_ours(
            "tag.other-notes", say("the tag {tag} exists already, with other notes", tag=action.tag), action
        )
    if asked == "always" and not said.format:
        raise _not_ours("tag.not-signed", say("the tag {tag} exists already, not signed", tag=action.tag), action)
    return said


def _forge(site: Site) -> Forge:
    if site.forge is None:
        raise BrokenInvariant(
            "forge.none", say("the plan has a release object, and the policy wants none"), remedy=say("tick again")
        )
    return site.forge


def _not_ours(code: str, said: Text, action: TagFinal) -> WorldFailed:
    return WorldFailed(
        code,
        said,
        clause="B5",
        facts=facts(tag=action.tag, commit=action.commit),
        remedy=say("find out who made it; a wrong one is removed by hand: `git tag -d {tag}`", tag=action.tag),
    )
