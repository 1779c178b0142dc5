"""The board of a project whose ledger is in PostgreSQL: changes are seen, people act, logins are kept there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boardkit import Desk
from webworld import POLICY, World

from headway import controls
from headway.boardlogin import add_token, doors, revoke_token
from headway.model.visitor import Role
from headway.web.watch import Watch


def test_the_board_of_a_ledger_in_postgresql(tmp_path: Path, database: Callable[[], str]) -> None:
    world = World(tmp_path, f'{POLICY}[ledger]\nurl = "{database()}"\n').at("01-27T09")
    watch, desk = Watch(world.app), Desk(world)
    first = watch.picture()
    assert watch.picture() is first
    action, fields = desk.form("/trains/0.1.1/hold?lang=en")
    assert desk.http.post(action, data={**fields, "reason": "an audit \x00 \u202e"}).status_code == 303
    assert watch.picture().entries == world.app().entries() != first.entries
    controls.release_hold(world.app("Bo"), "0.1.1")
    assert watch.picture().entries == world.app().entries()
    assert "an audit" in desk.page("/trains/0.1.1?lang=en")
    made = add_token(world.app(), "@rosa", Role.VIEWER)
    kept = doors(world.app())
    secret = kept.begin("@rosa", made.token.id, world.clock.now(), 12)
    assert kept.session_of(secret) is not None
    revoke_token(world.app(), "@rosa")
    assert kept.session_of(secret) is None
    for path in ("/", "/ledger", "/metrics", "/people", "/api/v1/ledger", "/api/v1/board", "/feed.atom", "/readyz"):
        assert Desk(world, role=Role.ADMIN).http.get(path).status_code == 200, path
