"""Answers of GitHub that are kept with their ETag, from one tick to the next: an unchanged one costs no rate limit.

One file for each address. It holds no header that was sent, so no token; who reads it must be who may read the
repository's state folder, and GitHub is asked each time whether the caller may still see it. A file that is damaged or
half-written is none.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from headway.github.answers import Reply

MOST_BYTES = 32 * 2**20
_LARGEST = 2 * 2**20  # of one answer
_HEADERS = ("content-type", "etag", "link")
_STATUS_OK = 200


@dataclass(frozen=True, slots=True)
class Kept:
    etag: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """A folder of them, of ``most`` bytes at the end of each tick; those that were asked for longest ago go."""

    folder: Path
    most: int = MOST_BYTES

    def find(self, url: str, accept: str) -> Kept | None:
        path = self._path(url, accept)
        try:
            data = path.read_bytes()
            digest, _, rest = data.partition(b"\n")
            if hashlib.sha256(rest).hexdigest().encode() != digest:
                return None
            head, _, content = rest.partition(b"\n")
            said = json.loads(head)
            if said["url"] != url or said["accept"] != accept:
                return None
            headers = {str(k): str(v) for k, v in said["headers"].items()}
            os.utime(path)
            return Kept(headers["etag"], Reply(_STATUS_OK, headers, content, url))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def keep(self, reply: Reply, accept: str) -> None:
        """Keep an answer that is whole and has an ETag. A disk that refuses keeps nobody from an answer."""
        if reply.status != _STATUS_OK or not reply.headers.get("etag") or len(reply.content) > _LARGEST:
            return
        try:
            json.loads(reply.content)
        except (ValueError, RecursionError):
            return
        headers = {k: reply.headers[k] for k in _HEADERS if k in reply.headers}
        head = json.dumps({"url": reply.url, "accept": accept, "headers": headers}).encode()
        rest = head + b"\n" + reply.content
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".new-", dir=self.folder)  # readable by its owner alone
            try:
                with os.fdopen(handle, "wb") as f:  # not synced: what a crash damages is asked for again
                    f.write(hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)
                Path(name).replace(self._path(reply.url, accept))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def prune(self) -> None:
        """Back to ``most`` bytes."""
        with suppress(OSError):
            found = sorted(((s.st_mtime, s.st_size, p) for p in self.folder.iterdir() if (s := p.stat())), reverse=True)
            total = 0
            for _, size, path in found:
                total += size
                if total > self.most:
                    path.unlink(missing_ok=True)

    def _path(self, url: str, accept: str) -> Path:
        return self.folder / hashlib.sha256(f"{accept}\n{url}".encode()).hexdigest()
