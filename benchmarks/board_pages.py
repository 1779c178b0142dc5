"""Server time of each page of the board on a large project, and the first paint in Chromium.

    python benchmarks/board_pages.py [--folder DIR] [--trains N] [--picks N] [--values N] [--asks N]

Makes the project of ``board_world.py`` (or takes the one in ``DIR``), serves it with `headway serve` and asks for each
page ``--asks`` times over one connection, on the loopback. Prints for each page the time of the first answer, after
which time it showed what it is about (a page that takes longer says so and comes by itself), the median and the 95th
percentile of the time until the whole answer is there, the CPU time that the server spent on one, and its size;
then the first paint, of as many visits with an empty cache. CPU time is the steadier one on a
busy machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import board_world
import httpx

VISITS = 7
BEING_READ = 202  # the page says so, and asks again by itself
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


@contextmanager
def served(path: Path, now: str, policy: Path | None = None) -> Iterator[tuple[str, int]]:
    """A `headway serve` of its own: its address and process id."""
    common = ("--repo", str(path), "--now", now, "--lang", "en", *(("--policy", str(policy)) if policy else ()))
    argv = [sys.executable, "-m", "headway", *common, "serve", "--port", "0"]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = next(x for x in process.stderr if "http://" in x)
        yield line[line.index("http://") :].strip().rstrip("/"), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def pages(size: board_world.Size) -> tuple[str, ...]:
    done, fixes = size.done, size.fixes
    live = (f"/trains/0.1.{done + 1}", f"/trains/0.1.{done}.post1") if fixes else (f"/trains/0.1.{done + 1}",)
    return (
        "/",
        *live,
        f"/trains/0.1.{done}",
        "/trains/0.1.1",
        f"/notes/0.1.{done}",
        "/calendar",
        "/policy",
        "/ledger",
        "/ledger?before=1000",
        f"/ledger?train=0.1.{done}&kind=applied",
        f"/trains/0.1.{done + 1}/hold",
        "/audit",
        "/metrics",
        "/api/v1/board",
    )


def cpu_ms(pid: int) -> float:
    """CPU time of a process and its ended children so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def ask(client: httpx.Client, path: str) -> tuple[float, int]:
    """Milliseconds and bytes of one answer."""
    began = time.perf_counter()
    answer = client.get(path)
    answer.raise_for_status()
    return 1000 * (time.perf_counter() - began), len(answer.content)


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, round(share * (len(times) - 1)))]


def paint(url: str, paths: tuple[str, ...]) -> None:
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("no Chromium is installed: first paint is not measured")
        return
    print("\n| page | first paint, median of visits, ms | slowest |\n|---|---|---|")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for path in paths:
            times = []
            for _ in range(VISITS):
                context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
                page = context.new_page()
                page.goto(url + path)
                page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
                times.append(page.evaluate(PAINT))
                context.close()
            print(f"| `{path}` | {statistics.median(times):.0f} | {max(times):.0f} |", flush=True)
        browser.close()


def machine() -> str:
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="where the project is made, and kept")
    parser.add_argument("--asks", type=int, default=21)
    board_world.with_sizes(parser)
    args = parser.parse_args()
    size = board_world.size_of(args)
    with tempfile.TemporaryDirectory() as temporary:
        path = board_world.make(args.folder or Path(temporary), size)
        with served(path, size.now.isoformat()) as (url, pid), httpx.Client(base_url=url, timeout=300) as client:
            print(f"{machine()}\n")
            print(f"first picture: {ask(client, '/')[0]:.0f} ms\n")
            print("| page | first, ms | there after, ms | median, ms | p95, ms | CPU, ms | KB |")
            print("|---|---|---|---|---|---|---|")
            for page in pages(size):
                began = time.perf_counter()
                first, _ = ask(client, page)
                while client.get(page).status_code == BEING_READ:
                    time.sleep(0.1)
                there = 1000 * (time.perf_counter() - began)
                length = ask(client, page)[1]
                before = cpu_ms(pid)
                times = [ask(client, page)[0] for _ in range(args.asks)]
                spent = (cpu_ms(pid) - before) / args.asks
                figures = (first, there, statistics.median(times), percentile(times, 0.95), spent, length / 1000)
                print(f"| `{page}` | {' | '.join(f'{x:.0f}' for x in figures)} |", flush=True)
            print(f"\n{machine()}")
            paint(url, ("/", f"/trains/0.1.{size.done + 1}", "/ledger"))


if __name__ == "__main__":
    main()
