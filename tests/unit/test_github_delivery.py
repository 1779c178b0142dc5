"""A webhook's request is proven and read: on all of GitHub's published examples, and on what no GitHub would send."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from jsonschema import Draft7Validator
from webhookexamples import event_schema, examples

from headway.errors import UnusableInput
from headway.github import delivery
from headway.github.delivery import LOOKED_AT, Told, read_told, signature_of, signed

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
# The example of GitHub's page "Validating webhook deliveries".
SECRET, BODY = "It's a Secret to Everybody", b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def _told(event: str, payload: dict[str, Any]) -> Told:
    """What is to be read, found in another way."""
    numbers = [payload[k]["number"] for k in ("pull_request", "issue") if k in payload]
    repository = payload["repository"]["full_name"] if "repository" in payload else ""
    return Told(repository, event, payload.get("action") or "", numbers[0] if numbers else 0)


def test_every_published_example_is_read_as_json_and_as_a_form() -> None:
    found = list(examples())
    assert len(found) > 300
    for event, payload in found:
        body = json.dumps(payload)
        assert read_told(event, JSON, body.encode()) == _told(event, payload), event
        assert read_told(event, FORM, urlencode({"payload": body}).encode()) == _told(event, payload), event
    assert {e for e, _ in found} >= LOOKED_AT


@pytest.mark.parametrize("event", sorted(LOOKED_AT))
def test_what_is_read_is_what_the_published_schema_promises(event: str) -> None:
    """The repository is required by the schema, and an example that the schema accepts without our fields is none."""
    schema = Draft7Validator(event_schema(event))
    found = [p for e, p in examples() if e == event]
    accepted = list(islice((p for p in found if schema.is_valid(p)), 2))
    assert accepted, "the package's schema accepts none of its own examples"
    for payload in accepted:
        told = read_told(event, JSON, json.dumps(payload).encode())
        assert told.repository == payload["repository"]["full_name"]
        for name in ("repository", "action", "pull_request", "issue"):
            if name in payload:
                assert not schema.is_valid({k: v for k, v in payload.items() if k != name}), name
                assert not schema.is_valid({**payload, name: 7}), name


def test_the_signature_is_that_of_githubs_own_example() -> None:
    assert signature_of(BODY, SECRET) == SIGNATURE
    assert signed(BODY, SIGNATURE, SECRET)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "sha256=",
        SIGNATURE[:-1],
        SIGNATURE + "0",
        SIGNATURE.upper(),
        SIGNATURE.removeprefix("sha256="),
        SIGNATURE.replace("sha256", "sha1"),
        SIGNATURE[:-1] + "é",
        SIGNATURE[:-1] + "\udcff",
        signature_of(BODY, SECRET + " "),
        signature_of(BODY + b"\n", SECRET),
    ],
)
def test_any_other_signature_is_refused(wrong: str) -> None:
    assert not signed(BODY, wrong, SECRET)


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = delivery.hmac.compare_digest

    def seen(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return real(a, b)

    monkeypatch.setattr(delivery.hmac, "compare_digest", seen)
    assert not signed(BODY, "sha256=0", SECRET)
    assert compared == [(SIGNATURE.encode(), b"sha256=0")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"push"',
        b"\xff\xfe",
        b'{"action": "\xff"}',
        b"[" * 200_000,
        b'{"repository":' * 200_000,
        b'{"repository": {}, "x": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_object_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(UnusableInput) as caught:
        read_told("push", JSON, body)
    assert caught.value.code == "webhook.payload"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"action": 7, "repository": {"full_name": "a/b"}}, Told("a/b", "issues", "", 0)),
        ({"action": None, "repository": {"full_name": ["a/b"]}}, Told("", "issues", "", 0)),
        ({"action": "x\x1b[31m", "repository": "a/b"}, Told("", "issues", "", 0)),
        ({"action": "closed\n", "repository": {"full_name": "a/b\n"}}, Told("", "issues", "", 0)),
        ({"issue": {"number": 2**80}}, Told("", "issues", "", 0)),
        ({"issue": {"number": True}}, Told("", "issues", "", 0)),
        ({"issue": {"number": -1}}, Told("", "issues", "", 0)),
        ({"issue": [1], "pull_request": {"number": "5"}}, Told("", "issues", "", 0)),
        ({"issue": {"number": 5}, "pull_request": None}, Told("", "issues", "", 5)),
    ],
)
def test_a_field_of_another_shape_is_taken_as_absent(payload: dict[str, Any], told: Told) -> None:
    assert read_told("issues", JSON, json.dumps(payload).encode()) == told


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "multipart/form-data", "application/jsonp"])
def test_another_content_type_is_refused(kind: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        read_told("push", kind, b"{}")
    assert caught.value.code == "webhook.content-type"


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_parameters_and_case_of_a_content_type_do_not_matter(kind: str) -> None:
    assert read_told("push", kind, b"{}") == Told("", "push", "", 0)


@pytest.mark.parametrize(
    "body", [b"", b"payload", b"payload={}&payload={}", b"other={}", b"payload=%7B", b"&".join([b"a=1"] * 100)]
)
def test_a_form_without_one_payload_is_refused(body: bytes) -> None:
    with pytest.raises(UnusableInput) as caught:
        read_told("push", FORM, body)
    assert caught.value.code == "webhook.payload"


def test_a_form_keeps_what_is_encoded() -> None:
    body = json.dumps({"action": "opened", "x": "a&b=c+d %41 é"}, ensure_ascii=False)
    assert read_told("issues", FORM, f"payload={quote_plus(body)}".encode()).action == "opened"
    with pytest.raises(UnusableInput, match="cannot be read"):
        read_told("issues", FORM, b"payload=%7B%22action%22%3A%22%ff%22%7D")


@pytest.mark.parametrize("event", ["", "Push", "push\n", "a b", "../x", "p" * 101, "pu\u202esh"])
def test_a_name_that_no_event_has_is_refused(event: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        read_told(event, JSON, b"{}")
    assert caught.value.code == "webhook.event"
