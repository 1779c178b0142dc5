"""The JSON API as programs meet it: what its description says is what a real `headway serve` answers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as Xml

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from webserved import Served
from webworld import PERF, POLICY, World

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("api"), POLICY + PERF).to_regressed()


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[str]:
    with Served(world.git.path, world.clock.now()) as found:
        yield found.url


@pytest.fixture(scope="module")
def client(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, timeout=60) as found:
        yield found


@pytest.mark.filterwarnings("ignore")
def test_every_answer_is_as_its_description_says(served: str) -> None:
    """Requests of all kinds, made by schemathesis from the description, good and bad: no 5xx, and each answer fits."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema = schemathesis.openapi.from_url(f"{served}api/v1/openapi.json")
    operations = [o.ok() for o in schema.get_all_operations() if "/acts/" not in o.ok().path]
    assert len(operations) >= 12
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        def ask(case: schemathesis.Case) -> None:
            # What is any date text is told by no schema: nonsense is a 400.
            dates = [positive_data_acceptance] if case.path.endswith("/comparison") else []
            case.call_and_validate(timeout=120, excluded_checks=dates)

        ask()


def undescribed(answer: Any, schema: Mapping[str, Any], shapes: Mapping[str, Any], at: str) -> Iterator[str]:
    """Fields of an answer that its description does not name."""
    while "$ref" in schema:
        schema = shapes[schema["$ref"].rpartition("/")[2]]
    for kind in schema.get("anyOf", ()):
        if kind.get("type") != "null":
            yield from undescribed(answer, kind, shapes, at)
    known = schema.get("properties", {})
    if isinstance(answer, dict) and known:
        yield from (f"{at}.{k}" for k in answer if k not in known)
        for k in answer.keys() & known.keys():
            yield from undescribed(answer[k], known[k], shapes, f"{at}.{k}")
    for row in answer if isinstance(answer, list) and "items" in schema else ():
        yield from undescribed(row, schema["items"], shapes, f"{at}[]")


def test_every_field_of_an_answer_is_described(client: httpx.Client) -> None:
    described = client.get("/api/v1/openapi.json").json()
    shapes, asked, found = described["components"]["schemas"], 0, set()
    for path, operations in described["paths"].items():
        here = path.replace("{version}", "0.1.1").replace("{ref}", "releases/v0.1.1")
        if "get" not in operations or "{" in here or "/notes/" in here:
            continue
        answer = client.get(here)
        for _ in range(200):
            if answer.status_code != 202:
                break
            time.sleep(0.1)
            answer = client.get(here)
        assert answer.status_code == 200, here
        content = operations["get"]["responses"]["200"]["content"]["application/json"]
        found |= set(undescribed(answer.json(), content["schema"], shapes, path))
        asked += 1
    assert asked >= 12
    assert found == set()


def test_the_board_tells_of_the_lines_of_past_releases(client: httpx.Client) -> None:
    (line,) = client.get("/api/v1/board").json()["lines"]
    assert (line["version"], line["branch"]) == ("0.1.0", None)
    assert "Lines of past releases" in client.get("/?lang=en").text


def test_what_cannot_be_read_is_refused_in_the_same_words_as_all_else(client: httpx.Client) -> None:
    for path in ("/api/v1/ledger?limit=0", "/api/v1/ledger?before=x", "/api/v1/calendar?year=99999"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "api.parameter")


def test_the_ledger_is_read_in_pieces_without_a_gap(client: httpx.Client) -> None:
    whole = client.get("/api/v1/ledger?limit=1000").json()["entries"]
    found, before = [], None
    while True:
        page = client.get("/api/v1/ledger", params={"limit": 3} | ({"before": before} if before else {})).json()
        found += page["entries"]
        before = page["older"]
        if before is None:
            break
    assert found == whole
    assert [e["seq"] for e in whole] == sorted((e["seq"] for e in whole), reverse=True)
    (cut,) = client.get("/api/v1/ledger?kind=cut&train=0.1.1").json()["entries"]
    assert cut["kind"] == "cut"


def test_the_notices_and_the_feed_tell_the_same_things(client: httpx.Client) -> None:
    notices = client.get("/api/v1/notices").json()["notices"]
    assert len(notices) >= 2
    feed = Xml.fromstring(client.get("/feed.atom?lang=en").content)  # noqa: S314 - our own
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == len(notices)
    ids = [e.findtext(f"{ATOM}id") for e in entries]
    assert {i.partition("#")[2] for i in ids if i} == {n["key"] for n in notices}
    for entry in (feed, *entries):
        assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated") or "").tzinfo is not None
    assert "<script>" not in client.get("/feed.atom").text
    assert "\u202e" not in client.get("/feed.atom").text


def test_a_monitoring_system_reads_the_figures(client: httpx.Client) -> None:
    answer = client.get("/metrics/prometheus")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = {f.name: f for f in text_string_to_metric_families(answer.text)}
    entries = client.get("/api/v1/ledger?limit=1000").json()["entries"]
    assert found["headway_ledger_entries"].samples[0].value == len(entries)
    assert {s.labels["train"] for s in found["headway_train_stopped"].samples} == {"0.1.1"}
    blocked = [s.value for s in found["headway_train_gates"].samples if s.labels["light"] == "blocked"]
    assert blocked == [1.0]


def test_what_is_written_down_is_given_as_on_the_command_line(client: httpx.Client) -> None:
    assert client.get("/api/v1/me").json()["role"] == "admin"
    assert client.get("/api/v1/calendar?year=2025").json()["year"] == 2025
    assert client.get("/api/v1/notes/0.1.1").json()["version"] == "0.1.1"
    assert [c["clause"] for c in client.get("/api/v1/policy").json()["clauses"]][:2] == ["N1", "N2"]
    assert client.get("/api/v1/plan").json()["waits"]
    assert client.get("/api/v1/trains/9.9.9").status_code == 404
    assert client.get("/api/v1/audit/nothing").status_code == 404
    assert client.get("/api/v1/nothing").json()["error"]["code"] == "page.not-found"
