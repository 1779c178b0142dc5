"""What a person says of result files that do not say it themselves: which commit, which hardware, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headway.perf.imported import branch_as_stored
from headway.perf.recordv3 import VERSION


@dataclass(frozen=True, slots=True)
class Told:
    """``""`` and ``None``: not said. ``hardware`` is what record v3 calls a runner's type, ``device`` its name."""

    commit: str = ""
    branch: str = ""
    repo: str = ""
    model: str = ""
    hardware: str = ""
    device: str = ""
    backend: str = ""
    dtype: str = ""
    mode: str = ""
    test: str = ""
    engine: str = ""
    date: datetime | None = None

    def about(self, at: int | None = None) -> dict[str, Any]:
        """The fields of a record v3 about the run. ``at``: seconds since 1970, where the file says it."""
        if not at and self.date is not None:  # a file's own time is what it is known by
            at = int(self.date.timestamp())
        runner = {k: v for k, v in (("name", self.device), ("type", self.hardware)) if v}
        return {
            "timestamp": at or 0,
            "schema_version": VERSION,
            "repo": self.repo,
            "head_branch": branch_as_stored(self.branch),
            "head_sha": self.commit,
            "workflow_id": 0,
            "run_attempt": 0,
            "job_id": 0,
            **({"runners": [runner]} if runner else {}),
            **({"dependencies": {"engine": {"version": self.engine}}} if self.engine else {}),
        }

    def test_of(self, name: str, args: Mapping[str, Any], *, model: str, backend: str) -> dict[str, Any]:
        """The fields about the test: a benchmark's name and arguments, and the model that it was of."""
        benchmark: dict[str, Any] = {"name": name, "extra_info": {"args": dict(args)}}
        benchmark |= {k: v for k, v in (("mode", self.mode), ("dtype", self.dtype)) if v}
        if self.test:
            benchmark["extra_info"]["test"] = self.test
        used = self.backend or backend
        return {
            "name": name,
            "benchmark": benchmark,
            "model": {"name": self.model or model or "-", **({"backend": used} if used else {})},
        }
