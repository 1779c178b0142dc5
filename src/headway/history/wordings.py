"""Wordings of many commits, kept between runs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from headway.history import revertmessage, revertnames, wording
from headway.history.kept import Kept, form_of
from headway.history.records import Record
from headway.history.wording import Wording, read_wording
from headway.model.commit import Sha

_KIND = f"wording {form_of(wording.__file__, revertmessage.__file__, revertnames.__file__)}"


def read_wordings(records: Sequence[Record], kept: Kept | None) -> dict[Sha, Wording]:
    """The wording of each; nothing is read ahead where nothing is ``kept``."""
    if kept is None:
        return {}
    found = {}
    for sha, data in kept.get(_KIND, (r.sha for r in records)).items():
        if said := _unpacked(data):
            found[sha] = said
    fresh = {r.sha: read_wording(r.commit) for r in records if r.sha not in found}
    kept.put(_KIND, {sha: _packed(w) for sha, w in fresh.items()})
    return found | fresh


def _packed(w: Wording) -> bytes:
    row = (w.own, w.title, w.cut, w.picked, w.mentioned, w.trailers, w.change_ids)
    return json.dumps(row, separators=(",", ":")).encode()


def _unpacked(data: bytes) -> Wording | None:
    try:
        own, title, cut, picked, mentioned, trailers, changes = json.loads(data)
        return Wording(own, title, cut, tuple(picked), tuple(mentioned), tuple(trailers), tuple(changes))
    except (ValueError, TypeError):
        return None
