"""Programs that act: bound to what they saw (G1), in the name and within the scopes of their token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from webserved import Served
from webworld import World

from headway.boardlogin import add_token
from headway.model.entry import Kind
from headway.model.visitor import Role

ACTS = "/api/v1/trains/0.1.1/acts"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path).to_decision()


@pytest.fixture
def people(world: World) -> dict[str, str]:
    given = (("zoe", Role.VIEWER, ()), ("rae", Role.REQUESTER, ()), ("rosa", Role.MANAGER, ()))
    found = {name: add_token(world.app(), name, role, scopes).secret for name, role, scopes in given}
    found["looker"] = add_token(world.app(), "looker", Role.MANAGER, ("read",)).secret
    found["scraper"] = add_token(world.app(), "scraper", Role.VIEWER, ("metrics",)).secret
    return found


@pytest.fixture
def board(world: World, people: dict[str, str]) -> Iterator[httpx.Client]:
    with Served(world.git.path, world.clock.now()) as served, httpx.Client(base_url=served.url, timeout=120) as client:
        yield client


def by(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def test_g1_a_go_is_bound_to_the_evidence_that_was_seen(
    world: World, board: httpx.Client, people: dict[str, str]
) -> None:
    rosa = by(people["rosa"])
    seen = board.get(f"{ACTS}/approve?of=go", headers=rosa).json()
    assert seen["parts"]["tag"] == world.app().train("0.1.1").candidates[-1].facts.tag
    blind = board.post(f"{ACTS}/approve", headers=rosa, json={"of": "go"})
    assert (blind.status_code, blind.json()["error"]["code"]) == (409, "act.changed")
    stale = board.post(f"{ACTS}/approve", headers=rosa, json={"of": "go", "seen": "0" * 64})
    assert (stale.status_code, stale.json()["error"]["clause"]) == (409, "G1")
    assert stale.json()["now"]["seen"] == seen["seen"]
    assert not [e for e in world.app().entries() if e.kind is Kind.APPROVED]
    done = board.post(f"{ACTS}/approve", headers=rosa, json={"of": "go", "seen": seen["seen"]})
    assert done.status_code == 201
    (entry,) = [e for e in world.app().entries() if e.kind is Kind.APPROVED]
    assert (entry.actor, entry.payload["evidence"], entry.seq) == ("rosa", seen["seen"], done.json()["entry"]["seq"])
    assert entry.payload["via"] == {"board": "token"}


def test_a_refusal_says_its_clause_and_writes_it_down_as_on_the_command_line(
    world: World, board: httpx.Client, people: dict[str, str]
) -> None:
    fields = {"ref": "#6", "category": "docs", "reason": "a feature under another name"}
    asked = board.post(f"{ACTS}/pick", headers=by(people["rae"]), json={"fields": fields})
    assert asked.status_code == 201
    assert asked.json()["entry"]["payload"]["verdict"] == "refused"
    empty = board.post(f"{ACTS}/hold", headers=by(people["rosa"]), json={"fields": {"reason": " "}})
    assert (empty.status_code, empty.json()["error"]["code"]) == (400, "act.empty")
    nothing = board.get(f"{ACTS}/release-hold", headers=by(people["rosa"])).json()["seen"]
    none = board.post(f"{ACTS}/release-hold", headers=by(people["rosa"]), json={"seen": nothing})
    assert (none.status_code, none.json()["error"]["clause"]) == (422, "G2")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"ref": "0000000;x"}, 400, "pick.unknown-ref"),
        ({"ref": "--upload-pack=x"}, 400, "pick.unknown-ref"),
        ({"ref": "#6", "evidense": "https://example.org/4"}, 400, "act.field"),
    ],
)
def test_what_cannot_be_used_in_a_field_is_the_askers_to_mend_and_writes_nothing(
    world: World, board: httpx.Client, people: dict[str, str], fields: dict[str, str], status: int, code: str
) -> None:
    """503 would be asked again until it is another answer."""
    before = world.app().entries()
    given = {"category": "docs", "reason": "because", **fields}
    answer = board.post(f"{ACTS}/pick", headers=by(people["rae"]), json={"fields": given})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["remedy"]
    assert world.app().entries() == before


@pytest.mark.parametrize("verb", ["reject", "withdraw"])
@pytest.mark.parametrize("of", ["", "9", "pick:999"])
def test_p1_an_answer_to_a_request_names_one(board: httpx.Client, people: dict[str, str], verb: str, of: str) -> None:
    rosa = by(people["rosa"])
    asked = board.get(f"{ACTS}/{verb}", params={"of": of}, headers=rosa)
    done = board.post(f"{ACTS}/{verb}", headers=rosa, json={"of": of, "fields": {"reason": "because"}})
    assert [(a.status_code, a.json()["error"]["code"]) for a in (asked, done)] == [(404, "request.not-found")] * 2


def test_p1_a_program_amends_its_request_and_leaves_out_what_stays(
    world: World, board: httpx.Client, people: dict[str, str]
) -> None:
    rae = by(people["rae"])
    links = "https://example.org/4"
    fields = {"ref": "#6", "category": "docs", "reason": "a feature", "evidence": links, "symptom": "other"}
    asked = board.post(f"{ACTS}/pick", headers=rae, json={"fields": fields}).json()["entry"]["seq"]
    shown = board.get(f"{ACTS}/amend?of=pick:{asked}", headers=rae).json()
    now = {f["name"]: f["value"] for f in shown["fields"]}
    assert (now["reason"], now["evidence"], now["symptom"]) == ("a feature", links, "other")
    given = {"of": f"pick:{asked}", "seen": shown["seen"], "fields": {"reason": "a feature that users wait for"}}
    done = board.post(f"{ACTS}/amend", headers=rae, json=given)
    assert done.status_code == 201, done.text
    payload = done.json()["entry"]["payload"]
    assert (payload["request"], payload["reason"]) == (asked, "a feature that users wait for")
    assert (payload["evidence"], payload["claims"]) == ([links], {"symptom": "other"})
    stale = board.post(f"{ACTS}/amend", headers=rae, json=given)
    assert (stale.status_code, stale.json()["error"]["clause"]) == (409, "G1")
    of_rosa = next(e.seq for e in world.app().entries() if e.kind is Kind.REQUESTED)
    seen = board.get(f"{ACTS}/amend?of=pick:{of_rosa}", headers=rae).json()["seen"]
    refused = board.post(f"{ACTS}/amend", headers=rae, json={"of": f"pick:{of_rosa}", "seen": seen})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "pick.not-yours")


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("zoe", "pick"),
        ("zoe", "hold"),
        ("rae", "hold"),
        ("looker", "hold"),
        ("scraper", "hold"),
    ],
)
def test_a_token_does_what_its_role_and_scopes_allow(
    world: World, board: httpx.Client, people: dict[str, str], name: str, verb: str
) -> None:
    before = len(world.app().entries())
    answer = board.post(f"{ACTS}/{verb}", headers=by(people[name]), json={"fields": {"reason": "because"}})
    assert answer.status_code == 403, answer.text
    assert answer.json()["error"]["code"] == "board.not-allowed"
    assert len(world.app().entries()) == before


def test_monitoring_reads_figures_and_nothing_else(board: httpx.Client, people: dict[str, str]) -> None:
    assert board.get("/metrics/prometheus").status_code == 401
    assert board.get("/metrics/prometheus", headers=by(people["scraper"])).status_code == 200
    answer = board.get("/api/v1/board", headers=by(people["scraper"]))
    assert answer.status_code == 403
    assert "it takes the role" not in answer.json()["error"]["message"], "the role does; the token was made for less"
    assert board.get("/metrics/prometheus", headers=by(people["zoe"])).status_code == 200
    assert board.get("/healthz").status_code == 200


@pytest.mark.filterwarnings("ignore")
def test_whatever_is_sent_the_answer_is_as_described(board: httpx.Client, people: dict[str, str]) -> None:
    """Acts of all kinds, made by schemathesis: never a 5xx, and each answer fits its description."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema = schemathesis.openapi.from_url(f"{board.base_url}api/v1/openapi.json")
    operations = [o.ok() for o in schema.get_all_operations() if "/acts/" in o.ok().path]
    assert {o.method.upper() for o in operations} == {"GET", "POST"}
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(timeout=120, headers=by(people["rosa"]), excluded_checks=[positive_data_acceptance])

        ask()
