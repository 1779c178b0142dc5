"""Load on the board: many clients with a page open, changes, and webhooks arriving.

    python benchmarks/board_load.py [--folder DIR] [--clients N] [--seconds S] [--trains N] [--picks N] [--values N]

Serves the project of ``board_world.py`` on the loopback with webhooks let in. Each client keeps its stream open, asks
for the board again on each news as a page does, and opens another page every few seconds. Meanwhile signed webhooks
arrive, and every few seconds somebody holds a train or lets it go on. Prints how many answers there were, the errors,
and the 50th, 95th and 99th percentile of the time until an answer was whole; ends with status 1 after any error, or
with a 95th percentile above ``--limit`` milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import board_world
import httpx
from board_pages import machine, pages, percentile, served

from headway.app import open_headway
from headway.clock import SetClock
from headway.model.entry import Kind

SECRET, REPOSITORY = "a-secret-of-this-run", "o/toy"
FORGE = """
[forge]
kind = "github"
api_url = "http://127.0.0.1:9"
"""
CHANGE_S, WEBHOOK_S, THINK_S = 5.0, 0.5, (2.0, 6.0)


@dataclass
class Told:
    """What happened: milliseconds of each answer by what it was, and everything that went wrong."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    news: int = 0

    def took(self, what: str, began: float) -> None:
        self.times.setdefault(what, []).append(1000 * (time.perf_counter() - began))

    def all(self) -> list[float]:
        return [t for some in self.times.values() for t in some]


async def page(client: httpx.AsyncClient, path: str, what: str, told: Told) -> None:
    began = time.perf_counter()
    try:
        answer = await client.get(path)
    except httpx.HTTPError as e:
        told.errors[f"{what}: {type(e).__name__}"] += 1
        return
    told.took(what, began)
    if answer.status_code >= 400:
        told.errors[f"{what}: {answer.status_code} {path}"] += 1


async def watch(client: httpx.AsyncClient, told: Told) -> None:
    """One open page: its stream, and itself again on each news."""
    try:
        async with client.stream("GET", "/live", timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("event: news"):
                    told.news += 1
                    await page(client, "/", "board on news", told)
    except httpx.HTTPError as e:
        told.errors[f"stream: {type(e).__name__}"] += 1


async def read(client: httpx.AsyncClient, paths: tuple[str, ...], seed: int, told: Told) -> None:
    chance = random.Random(seed)  # noqa: S311 - data, not secrets
    while True:
        await asyncio.sleep(chance.uniform(*THINK_S))
        await page(client, chance.choice(paths), "another page", told)


async def hooks(client: httpx.AsyncClient, told: Told) -> None:
    payload = {"action": "labeled", "number": 1, "pull_request": {"number": 1}, "repository": {"full_name": REPOSITORY}}
    body = json.dumps(payload).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    while True:
        await asyncio.sleep(WEBHOOK_S)
        headers = {"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": str(uuid.uuid4())}
        headers |= {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
        began = time.perf_counter()
        try:
            answer = await client.post("/webhooks/github", content=body, headers=headers)
        except httpx.HTTPError as e:
            told.errors[f"webhook: {type(e).__name__}"] += 1
            continue
        told.took("webhook", began)
        if answer.status_code != 202:
            told.errors[f"webhook: {answer.status_code} {answer.text[:200]}"] += 1


async def change(repository: Path, size: board_world.Size) -> None:
    """Somebody holds a train, and lets it go on."""
    app = open_headway(repository, clock=SetClock(size.now), person="Rosa")
    train, held = f"0.1.{size.done + 1}", 0
    while True:
        await asyncio.sleep(CHANGE_S)
        recording = app.recording("Rosa")
        if held:
            await asyncio.to_thread(recording.record, Kind.HOLD_RELEASED, train, {"held": held})
            held = 0
        else:
            held = (await asyncio.to_thread(recording.record, Kind.HELD, train, {"reason": "outage"})).seq


async def load(url: str, repository: Path, size: board_world.Size, clients: int, seconds: float) -> Told:
    told, paths = Told(), pages(size)
    async with asyncio.timeout(seconds + 120):
        opened = [httpx.AsyncClient(base_url=url, timeout=30) for _ in range(clients)]
        for path in paths:  # a board is not looked at for the first time by all at once
            await opened[0].get(path, timeout=120)
        work = [asyncio.create_task(watch(c, told)) for c in opened]
        work += [asyncio.create_task(read(c, paths, n, told)) for n, c in enumerate(opened)]
        work += [asyncio.create_task(hooks(opened[0], told)), asyncio.create_task(change(repository, size))]
        await asyncio.sleep(seconds)
        for task in work:
            if task.done() and (failed := task.exception()):
                told.errors[f"a client broke off: {failed!r}"] += 1
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for client in opened:
            await client.aclose()
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="where the project is made, and kept")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--limit", type=float, default=300, help="of the 95th percentile, in ms")
    board_world.with_sizes(parser)
    args = parser.parse_args()
    size = board_world.size_of(args)
    os.environ["HEADWAY_WEBHOOK_SECRET"] = SECRET
    with tempfile.TemporaryDirectory() as temporary:
        path = board_world.make(args.folder or Path(temporary), size)
        policy = Path(temporary) / "release.toml"
        policy.write_text(
            board_world.POLICY.replace('name = "toy"\n', f'name = "toy"\nrepository = "{REPOSITORY}"\n') + FORGE
        )
        with served(path, size.now.isoformat(), policy=policy) as (url, _):
            print(f"{args.clients} clients, {args.seconds:.0f} s; {machine()}")
            told = asyncio.run(load(url, path, size, args.clients, args.seconds))
        print(f"{machine()}\n\n| what | answers | p50, ms | p95, ms | p99, ms |\n|---|---|---|---|---|")
        for what, times in (*sorted(told.times.items()), ("all", told.all())):
            figures = " | ".join(f"{percentile(times, share):.0f}" for share in (0.5, 0.95, 0.99))
            print(f"| {what} | {len(times)} | {figures} |")
        print(f"\nnews: {told.news}; errors: {sum(told.errors.values())}")
        for error, count in told.errors.most_common():
            print(f"  {count} × {error}")
        slow = percentile(told.all(), 0.95) > args.limit if told.all() else True
        if told.errors or slow or not told.news:
            sys.exit(1)


if __name__ == "__main__":
    main()
