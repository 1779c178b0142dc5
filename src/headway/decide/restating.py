"""From a candidate's version to its release's, in text: what is replaced, and what would still name the candidate.

A candidate of ``0.9.2`` is ``0.9.2rc1``; one of ``0.9.2.post1`` is ``0.9.2.post1.dev1``, since PEP 440 has no
``0.9.2.post1rc1``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from packaging.version import Version

_SEP = rb"[-._]?"
_COMMA = rb"\s*,\s*"
_NAMES = {"rc": rb"(?:rc|c|pre(?:view)?)", "dev": rb"dev", "post": rb"(?:post|rev|r)"}


def candidate_version(version: Version, number: int) -> Version:
    """The version that candidate ``number`` carries where a candidate has one of its own (PEP 440)."""
    return Version(f"{version}rc{number}" if version.post is None else f"{version}.dev{number}")


@dataclass(frozen=True)
class Restating:
    """``old`` is a candidate's version (``candidate_version``), ``new`` that of its release."""

    old: Version
    new: Version

    def text(self, content: bytes) -> bytes:
        """``content`` with every spelling of ``old`` made one of ``new``: ``0.9.2rc1``, ``v0.9.2-rc1``,
        ``(0, 9, 2, 'rc1')``. The rest of each spelling stays as it is written."""
        for pattern in self._replaced:
            content = pattern.sub(rb"\g<keep>", content)
        return content

    def named_in(self, content: bytes) -> bool:
        """Whether a spelling of ``old`` is in it; also one that ``text`` would not know how to replace."""
        return any(pattern.search(content) for pattern in (*self._replaced, self._parts))

    def is_old(self, text: str) -> bool:
        """Whether this is ``old``, in whatever spelling PEP 440 reads."""
        try:
            return Version(text) == self.old
        except ValueError:
            return False

    def metadata(self, content: bytes) -> bytes | None:
        """METADATA or PKG-INFO with its Version line restated; ``None`` when it has not exactly one, of ``old``."""
        head, blank, body = _headers(content)
        found = list(re.finditer(rb"(?im)^version[ \t]*:[ \t]*(\S+)", head))
        if len(found) != 1 or not self.is_old(found[0][1].decode("ascii", "replace")):
            return None
        at, end = found[0].span(1)
        return head[:at] + str(self.new).encode() + head[end:] + blank + body

    @property
    def _tail(self) -> tuple[str, int]:
        if self.old.pre is not None:
            return "rc", self.old.pre[1]
        return "dev", self.old.dev or 0

    @cached_property
    def _replaced(self) -> tuple[re.Pattern[bytes], ...]:
        name, number = self._tail
        numbers = [str(n).encode() for n in self.old.release]
        post = b"" if self.old.post is None else _SEP + _NAMES["post"] + _SEP + str(self.old.post).encode()
        plain = (
            rb"(?i)(?<![\d.])(?P<keep>" + rb"\.".join(numbers) + post + rb")" + _SEP + _NAMES[name] + _SEP
        ) + rb"%d(?!\d)" % number
        quoted = b"" if self.old.post is None else _COMMA + rb"""["']post%d["']""" % self.old.post
        told = name.encode()
        in_tuple = rb"(?i)(?<![\d.])(?P<keep>" + _COMMA.join(numbers) + quoted + rb")" + _COMMA
        return re.compile(plain), re.compile(in_tuple + rb"""(["'])%s%d\2""" % (told, number))

    @cached_property
    def _parts(self) -> re.Pattern[bytes]:
        """``(0, 9, 2, 'rc', 1)``: what stands there for a release, nobody can tell."""
        name, number = self._tail
        numbers = _COMMA.join(str(n).encode() for n in self.old.release)
        return re.compile(
            rb"(?i)(?<![\d.])" + numbers + _COMMA + rb"""["']%s["']\s*,\s*%d(?!\d)""" % (name.encode(), number)
        )


def _headers(content: bytes) -> tuple[bytes, bytes, bytes]:
    """The header block, the empty line after it and the rest (RFC 5322)."""
    found = re.search(rb"\r?\n(\r?\n)", content)
    if found is None:
        return content, b"", b""
    return content[: found.start(1)], found[1], content[found.end(1) :]
