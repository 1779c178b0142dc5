"""What most tests of picks begin with."""

from __future__ import annotations

import pytest
from worlds import World, cut

from headway.model.commit import Commit


@pytest.fixture
def world() -> World:
    return cut()


@pytest.fixture
def fix(world: World) -> Commit:
    return world.commit("[Bugfix] Mend decode")
