"""Up to when comments were heard: kept for one repository; a damaged file is none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headway.effects.heard import keep_heard
from headway.sources.heard import read_heard

AT = datetime(2025, 1, 27, 10, tzinfo=UTC)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "state" / "heard.json"
    assert read_heard(path, "toy/kit") is None
    keep_heard(path, "toy/kit", AT)
    assert read_heard(path, "toy/kit") == AT
    assert read_heard(path, "toy/other") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"repository": "toy/kit"}',
        '{"repository": "toy/kit", "upto": 3}',
        '{"repository": "toy/kit", "upto": "2025-01-27T10:00:00"}',
    ],
)
def test_a_damaged_file_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "heard.json"
    path.write_text(text)
    assert read_heard(path, "toy/kit") is None
