"""What a re-pack may change in an archive, and what it must not leave behind: the same for wheels and sdists (B5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from headway.decide.restating import Restating
from headway.model.entry import canonical
from headway.model.text import Text, say
from headway.policy.paths import matches

HEAD = 8192  # bytes in which a binary file shows a NUL
_KEY = "promotion.version_files"


class NotRepacked(Exception):
    """This file cannot be re-packed: the words say why, and ``remedy`` what would help."""

    def __init__(self, why: Text, remedy: Text) -> None:
        super().__init__(str(why))
        self.why = why
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Repacked:
    """A file that was re-packed from another, and the proof that nothing else changed.

    ``changed`` are the members with another content, by their new names; ``same`` how many have the very content of
    before, ``same_sha256`` the digest of their names, modes, times and contents.
    """

    file: str
    sha256: str
    size: int
    of: str
    of_sha256: str
    changed: tuple[str, ...]
    same: int
    same_sha256: str

    def as_json(self) -> dict[str, object]:
        names = ("file", "sha256", "size", "of", "of_sha256", "same", "same_sha256")
        return {**{n: getattr(self, n) for n in names}, "changed": list(self.changed)}


def is_text(beginning: bytes) -> bool:
    return b"\0" not in beginning


def digest_of_same(rows: Iterable[tuple[object, ...]]) -> tuple[int, str]:
    """How many members stayed as they are, and the digest of their rows, in their order."""
    kept = [list(r) for r in rows]
    return len(kept), hashlib.sha256(canonical(kept).encode("utf-8", "surrogatepass")).hexdigest()


def restated_file(name: str, content: bytes, restating: Restating) -> bytes:
    """A file that the policy names as one that carries the version. Raises ``NotRepacked``."""
    if not is_text(content[:HEAD]):
        raise NotRepacked(
            say("{name} is no text file, so that the version in it cannot be restated", name=name),
            say('take it out of {key}, or publish the same bytes: promotion.mode = "same-bytes"', key=_KEY),
        )
    return restating.text(content)


def restated_metadata(name: str, content: bytes, restating: Restating, files: tuple[str, ...]) -> bytes:
    """METADATA or PKG-INFO: its Version line, and all of it where the policy names it. Raises ``NotRepacked``."""
    found = restating.metadata(content)
    if found is None:
        raise NotRepacked(
            say("{name} does not say version {version}", name=name, version=restating.old),
            say("build it again: `headway tick --retry build`"),
        )
    return restating.text(found) if matches(name, files) else found


def nothing_left(left: Iterable[str], restating: Restating) -> None:
    """Raises ``NotRepacked`` when there are files that still name the candidate's version."""
    names = sorted(left)
    if not names:
        return
    raise NotRepacked(
        say("these files would still say {version}: {files}", version=restating.old, files=names),
        say("name those that carry the version in {key}; let the others not name it", key=_KEY),
    )


def unusable(file: str, why: object) -> NotRepacked:
    return NotRepacked(
        say("{file} cannot be re-packed: {why}", file=file, why=str(why)),
        say('mend the build, or publish the same bytes: promotion.mode = "same-bytes"'),
    )
