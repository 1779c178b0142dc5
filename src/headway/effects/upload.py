"""Publication by upload to a package index (N1): twine as a child, checked before and read back after."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from headway.effects.build import artifact_of
from headway.effects.index import Published, PublishRefused
from headway.errors import UnusableInput, WorldFailed
from headway.model.build import Artifact
from headway.model.text import say
from headway.process import child_env, run_logged
from headway.simple import digest_of_download, fetch_offers, name_version_of, without_credentials

_POLL_S = 2.0


def publish_upload(
    upload_url: str,
    simple_url: str,
    files: tuple[tuple[Path, Artifact], ...],
    step: Callable[[str], None],
    *,
    log: Path,
    timeout_s: float = 1800.0,
    settle_s: float = 30.0,
    token: str = "",
    attested: Callable[[Path], Path] | None = None,
) -> Published | PublishRefused:
    """Upload ``files`` (each with the artifact that was accepted) and read them back from ``simple_url`` (N1).

    Refused before anything is sent when a source's bytes are not the artifact's, or when the index offers a file of
    that name with other bytes; refused too when it does so afterwards. What it offers already is not sent again, so
    that a half-done upload is finished by a second call. ``step("publish:<file>")`` is called after each file.
    ``timeout_s`` (seconds) limits one upload,
    ``settle_s`` the wait for the index to show it. Credentials come from twine's own settings (TWINE_*, .pypirc,
    keyring), unless there is a ``token``. ``attested`` gives a file's attestation, which goes with it.
    Raises ``UnusableInput`` for credentials in ``upload_url``, ``WorldFailed`` when an upload fails or cannot be read
    back.
    """
    if urlsplit(upload_url).username is not None or urlsplit(upload_url).password is not None:
        raise UnusableInput(
            "index.credentials",
            say("index.upload_url holds credentials: they would be seen in process lists and logs"),
            remedy=say("take them out of the URL and set TWINE_USERNAME and TWINE_PASSWORD"),
            clause="N1",
        )
    for source, artifact in files:
        if not source.is_file() or artifact_of(source).sha256 != artifact.sha256:
            return PublishRefused(say("{file} is no longer the file that was tested", file=artifact.file))
    offered = _offered(simple_url, files)
    refused = _differing(files, offered)
    if refused is not None:
        return refused
    for source, artifact in files:
        if artifact.file not in offered:
            more = attested(source) if attested else None
            try:
                _send(upload_url, source, more, token, log=log, timeout_s=timeout_s)
            except WorldFailed:
                # the answer may be what was lost, or the page was late to show what is there
                if not _arrived(simple_url, source, artifact):
                    raise
        step(f"publish:{artifact.file}")
    waits_until = time.monotonic() + settle_s
    while len(offered := _offered(simple_url, files)) < len(files):
        if time.monotonic() > waits_until:
            raise _not_shown(simple_url, [a.file for _, a in files if a.file not in offered])
        time.sleep(_POLL_S)
    refused = _differing(files, offered)
    if refused is not None:
        return refused
    return Published(without_credentials(simple_url), tuple(a for _, a in files))


def _offered(simple_url: str, files: tuple[tuple[Path, Artifact], ...]) -> dict[str, str]:
    """Of these files, those that the index offers now, with their digests."""
    wanted = {a.file for _, a in files}
    projects = sorted({named[0] for f in wanted if (named := name_version_of(f))})
    offers = [o for p in projects for o in fetch_offers(simple_url, p) if o.file in wanted]
    return {o.file: o.sha256 or digest_of_download(o.url) for o in offers}


def _arrived(simple_url: str, source: Path, artifact: Artifact) -> bool:
    """Whether the index shows a file whose upload seemed to fail."""
    try:
        return bool(_offered(simple_url, ((source, artifact),)))
    except WorldFailed:
        return False


def _differing(files: tuple[tuple[Path, Artifact], ...], offered: dict[str, str]) -> PublishRefused | None:
    seen = tuple((a.file, offered[a.file]) for _, a in files if offered.get(a.file, a.sha256) != a.sha256)
    if not seen:
        return None
    names = [file for file, _ in seen]
    return PublishRefused(
        say(
            "the index holds other files under these names, and a published file is never replaced: {files}",
            files=names,
        ),
        seen,
    )


def _send(upload_url: str, source: Path, attestation: Path | None, token: str, *, log: Path, timeout_s: float) -> None:
    options = ["--repository-url", upload_url, "--non-interactive", "--disable-progress-bar"]
    argv = [sys.executable, "-m", "twine", "--no-color", "upload", *options]
    argv += ["--attestations", str(source), str(attestation)] if attestation else [str(source)]
    # UTF-8 whatever the locale, and no folded lines: the last one is what a person is told
    env = child_env({"PYTHONSAFEPATH": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "1000"})
    if token:
        env |= {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token}
    done = run_logged(argv, log=log, timeout_s=timeout_s, cwd=source.parent, env=env)
    if done.ok:
        return
    why = say("it took longer than {limit} s", limit=timeout_s) if done.timed_out else _last_words(done.tail)
    raise WorldFailed(
        "index.upload",
        say(
            "{file} could not be uploaded to {url}: {why}",
            file=source.name,
            url=without_credentials(upload_url),
            why=why,
        ),
        remedy=say("set TWINE_USERNAME and TWINE_PASSWORD if it asks for them, then run it again: what is there stays"),
        clause="N1",
    )


def _last_words(tail: str) -> str:
    """What twine says after its last ERROR (or the last line), on one line."""
    found = tail.rpartition("ERROR ")[2] if "ERROR " in tail else tail.strip().rpartition("\n")[2]
    return " ".join(found.split())


def _not_shown(simple_url: str, missing: list[str]) -> WorldFailed:
    return WorldFailed(
        "index.not-shown",
        say("{url} does not show what was uploaded: {files}", url=without_credentials(simple_url), files=missing),
        remedy=say("check that index.simple_url belongs to index.upload_url, and run it again in some minutes"),
        clause="N1",
    )
