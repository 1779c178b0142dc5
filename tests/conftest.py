"""Its being here puts this folder on the import path, for the makers that tests of all kinds share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import chromium
from ledgerpg import NoPostgres, running


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What runs keep for the next is kept apart from the user's own, also by children."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """For tests that ``needs_chromium`` marks."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The socket folder of a running PostgreSQL."""
    try:
        server = running()
        home = server.__enter__()
    except NoPostgres as e:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL here: {e}")
    try:
        yield home
    finally:
        server.__exit__(None, None, None)


@pytest.fixture
def database(postgres: Path) -> Callable[[], str]:
    """Makes empty databases; gives their addresses."""
    import psycopg

    def make() -> str:
        with psycopg.connect(host=str(postgres), user="headway", dbname="postgres", autocommit=True) as c:
            (count,) = c.execute("SELECT count(*) FROM pg_database").fetchone()
            name = f"t{count}"
            c.execute(f"CREATE DATABASE {name}")
        return f"postgresql://headway@/{name}?host={postgres}"

    return make
