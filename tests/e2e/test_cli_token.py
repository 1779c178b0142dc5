"""`headway token`: made, listed and revoked as a person or a program does it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from webworld import World

from headway.ledger.doors import id_in
from headway.model.entry import Kind


def token(world: World, *args: str) -> tuple[int, str, str]:
    common = ("--repo", str(world.git.path), "--now", world.clock.now().isoformat(), "--lang", "en", "--as", "Rosa")
    done = subprocess.run(
        [sys.executable, "-m", "headway", *common, "token", *args], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def document(world: World, *args: str) -> dict[str, Any]:
    status, out, err = token(world, *args, "--json")
    assert status == 0, out + err
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("token"))


def test_a_token_from_its_making_to_its_end(world: World) -> None:
    made = document(world, "add", "@zoe", "--role", "manager", "--expires", "90")
    assert (made["name"], made["role"], made["scopes"]) == ("@zoe", "manager", ["read", "request", "manage"])
    assert (made["by"], made["ends"]) == ("Rosa", "2025-04-15T12:00:00+00:00")
    assert id_in(made["token"]) == made["id"]
    assert made["entry"]["kind"] == "let-in"

    status, out, _ = token(world, "add", "prometheus", "--role", "viewer", "--scope", "metrics")
    assert (status, out.splitlines()[0].startswith("hwt_")) == (0, True)
    assert "this is the only time that it is shown" in out

    listed = document(world, "list")["tokens"]
    assert [(t["name"], t["state"], t["used"]) for t in listed] in (
        [("@zoe", "valid", None), ("prometheus", "valid", None)],
        [("prometheus", "valid", None), ("@zoe", "valid", None)],  # made at one moment
    )
    assert made["token"].rpartition("_")[2] not in json.dumps(listed) + token(world, "list")[1]

    gone = document(world, "revoke", "@zoe")
    assert (gone["id"], gone["entry"]["kind"]) == (made["id"], "shut-out")
    assert {t["name"]: t["state"] for t in document(world, "list")["tokens"]}["@zoe"] == "revoked"
    entries = world.app().entries()
    assert [e.kind for e in entries] == [Kind.LET_IN, Kind.LET_IN, Kind.SHUT_OUT]
    assert made["token"] not in str(entries)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("revoke", "nobody"), "token.not-found"),
        (("add", "x", "--role", "viewer", "--scope", "manage"), "token.scope"),
        (("add", "x\x1b[31m", "--role", "viewer"), "token.name"),
        (("add", "x", "--role", "owner"), "usage"),
        (("add", "x", "--role", "viewer", "--expires", "0"), "usage"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(world: World, args: tuple[str, ...], code: str) -> None:
    status, out, err = token(world, *args, "--json")
    assert (status, json.loads(out)["error"]["code"]) == (2, code)
    assert "Traceback" not in err
