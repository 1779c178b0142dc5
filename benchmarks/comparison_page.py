"""The comparison page at 5 million values: what a server spends on it, for each kind of answer (E7).

    python benchmarks/comparison_page.py [--folder DIR] [--nights N]

Builds, from a seed, the data of ``benchmarks/store.py`` (two years of nightly launches, two releases of five launches
a side) in a project's own store, and asks for the page as the server does, without a network. ``first`` is what nobody
has asked for at that moment, ``again`` what somebody has. Prints the median of the CPU time, which is the stable figure
on a busy host, and the quickest, median and slowest of the time it took. Needs about 1 GB of disk for 5 million values.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from store import BASE, CELLS, LAUNCHES, METRICS, NEW, NIGHTS, REPEATS, START, build

from headway.app import Headway, open_headway
from headway.clock import SetClock
from headway.perf.links import PAGE, WINDOW, DashboardLink, address_of
from headway.web.people import LocalUser
from headway.web.routes.compare import compare_pages
from headway.web.site import Site
from headway.web.watch import Watch

READINGS = 9
POLICY = 'preset = "vllm-2025"\n[project]\nrepository = "o/n"\n'


def project(folder: Path) -> Path:
    """A repository with a policy and one commit."""
    here = folder / "project"
    if not here.exists():
        told = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", "init", "-q", "-b", "main", str(here)], check=True)
        (here / "release.toml").write_text(POLICY, encoding="utf-8")
        subprocess.run(["git", "add", "."], cwd=here, check=True)
        subprocess.run(["git", *told, "commit", "-qm", "Begin"], cwd=here, check=True)
    return here


def timed(what: str, ask: Callable[[], int]) -> None:
    took, worked, size = [], [], 0
    for _ in range(READINGS):
        began, busy = time.perf_counter(), time.process_time()
        size = ask()
        took.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - busy) * 1000)
    took.sort()
    spread = f"{took[0]:7.1f} / {statistics.median(took):.1f} / {took[-1]:.1f} ms"
    print(f"{what:34} {statistics.median(worked):7.1f} ms CPU {spread} {size:9} bytes", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="where the project is made, and kept")
    parser.add_argument("--nights", type=int, default=NIGHTS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        here = project(folder)
        clock = SetClock(START + timedelta(days=args.nights + 1))

        def opened() -> Headway:
            return open_headway(here, clock=clock, person="Rosa")

        app = open_headway(here, clock=clock, person="Rosa")
        place = app.repo.state / "measurements.db"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            build(str(place), args.nights)
        count = (args.nights + 2 * LAUNCHES) * CELLS * METRICS * REPEATS
        print(f"{count:,} values, {place.stat().st_size / 1e6:.0f} MB; {platform.machine()}, {os.cpu_count()} cores,")
        print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
        now = clock.now()
        link = DashboardLink(("releases/v1", BASE), ("releases/v1", NEW), now - WINDOW, now, "o/n", "week")
        query = address_of(PAGE, link).partition("?")[2]

        def asker() -> Callable[..., int]:
            """Asks a site that nobody has asked for this page yet."""
            web, site = FastAPI(), Site(opened, Watch(opened), LocalUser())
            compare_pages(web, site)
            page = next(r.endpoint for r in web.router.routes if getattr(r, "path", "") == PAGE)
            site.watch.picture()

            def ask(more: str = "") -> int:
                scope = {"type": "http", "method": "GET", "path": PAGE, "query_string": (query + more).encode()}
                return len(page(Request({**scope, "headers": [(b"accept", b"text/html")], "app": web})).body)

            return ask

        kept = asker()
        kept()
        new = iter([asker() for _ in range(READINGS)])

        def first() -> int:
            return next(new)()

        timed("page, first", first)
        timed("page, again", kept)
        timed("page, one model, again", lambda: kept("&modelName=Llama4"))
        for form in ("json", "csv", "md"):
            timed(f"all cells as {form}, again", lambda form=form: kept(f"&format={form}"))


if __name__ == "__main__":
    main()
