"""Withdrawing a published version from the index (PEP 592), and offering it again: controls of a person.

In a folder of ours it is done at once. An index to which files are uploaded has no interface for it: a person does it
there, and ticks look at the simple page until it is done.
"""

from __future__ import annotations

from packaging.utils import canonicalize_name

from headway.app import Headway
from headway.decide import record, yanks
from headway.effects.index import unyank as offer_files
from headway.effects.index import yank as withhold_files
from headway.model.entry import Entry, Kind
from headway.model.text import say
from headway.refusal import Refused, no, version_of


def yank(app: Headway, version: str, reason: str, successor: str | None = None) -> Entry | Refused:
    """Withdraw a published version: it stays for those who pin it. ``successor`` is what they are told to use."""
    found = _published(app, version)
    if isinstance(found, Refused):
        return found
    name, files = found
    if not reason.strip():
        return no("N1", "yank.no-reason", say("a withdrawal states its reason"), say("add --reason"))
    after = str(version_of(successor)) if successor else None
    refused = _no_successor(app, name, after)
    if refused is not None:
        return refused
    by_hand = bool(app.policy.index.upload_url)
    if not by_hand:
        files = list(withhold_files(app.index_folder, _project(files), name, yanks.reason_text(reason, after)))
    known = {"reason": reason, "files": files, "by_hand": by_hand}
    return app.record(Kind.YANKED, name, {**known, "successor": after} if after else known)


def unyank(app: Headway, version: str, reason: str) -> Entry | Refused:
    """Offer a withdrawn version again; that it was withdrawn stays in the ledger."""
    found = _published(app, version)
    if isinstance(found, Refused):
        return found
    name, files = found
    if name not in yanks.yanked(app.entries()):
        return no(
            "N1", "yank.not-yanked", say("{version} is not withdrawn", version=name), say("see `headway calendar`")
        )
    by_hand = bool(app.policy.index.upload_url)
    if not by_hand:
        files = list(offer_files(app.index_folder, _project(files), name))
    return app.record(Kind.UNYANKED, name, {"reason": reason, "files": files, "by_hand": by_hand})


def _published(app: Headway, version: str) -> tuple[str, list[str]] | Refused:
    """The version and its files."""
    name = str(version_of(version))
    entries = app.entries()
    published = record.last(entries, Kind.PUBLISHED, name) or record.last(entries, Kind.PUBLISH_FAILED, name)
    if published is None:
        return no(
            "N1",
            "yank.not-published",
            say("{version} was not published by Headway", version=name),
            say("only a published version can be yanked"),
            version=name,
        )
    return name, [f["file"] for f in published.payload["files"]]


def _project(files: list[str]) -> str:
    return canonicalize_name(files[0].partition("-")[0])


def _no_successor(app: Headway, name: str, after: str | None) -> Refused | None:
    """People are sent only to what they can install."""
    out = {str(r.version) for r in app.releases()}
    if after is None or (after != name and after in out and after not in yanks.yanked(app.entries())):
        return None
    return no(
        "N1",
        "yank.no-successor",
        say("{successor} is no other release that is offered", successor=after),
        say("name one that is out; or leave --successor out, and yank again with it when it is"),
        version=name,
        successor=after,
    )
