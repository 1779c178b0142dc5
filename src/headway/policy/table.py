"""What every table of a policy is, and the types of its values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Words = tuple[str, ...]
Positive = Annotated[int, Field(gt=0)]
NotNegative = Annotated[int, Field(ge=0)]
Days = Annotated[int, Field(ge=0, le=365)]
CategoryName = Literal["regression", "critical", "new-feature-fix", "docs", "release-branch"]


class Table(BaseModel):
    """A table of the file: frozen, and no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)
