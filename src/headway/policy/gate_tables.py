"""Further evidence that a policy asks of a candidate: ``[[gates]]`` (B4)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headway.policy.table import Positive, Table, Words

Finite = Annotated[float, Field(allow_inf_nan=False)]
_Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class EvidenceGate(Table):
    """B4: evidence beyond the test, bound to the candidate's tag, commit and wheel: a full test suite, an accuracy
    evaluation, a smoke test. Either Headway runs ``command``, or CI runs ``check`` and its result is reported by
    ``headway gate report``. Fields of the command: {python} {version} {commit} {wheel} {result}.
    """

    name: str = Field(description="Its name in lower case: letters, digits, `-`, `_`, `.`.")
    command: str = Field("", description="Run where only the tested wheel and `requires` are installed.")
    requires: Words = Field((), description="Requirements of the command itself.")
    paths: Words = Field(
        (), description="Paths of the repository that are laid beside it (never the package's own source)."
    )
    timeout_s: Positive = Field(3600, description="Limit of one run.")
    check: str = Field("", description="Name of a CI check, in place of a command.")
    required: bool = Field(True, description="No decision without it; else it is run and told only.")
    metric: str = Field(
        "",
        description="Measured: key of the number in the JSON that the command writes to {result}; `a/b` is b inside a.",
    )
    expected: Finite | None = Field(None, description="Value that the number is held against, with `tolerance`.")
    tolerance: _Tolerance | None = Field(None, description="How far it may be from `expected`, either way.")
    tolerance_kind: Literal["absolute", "relative"] = Field(
        "absolute", description="`relative`: a fraction of `expected`, 0.02 = 2 %."
    )
    at_least: Finite | None = Field(None, description="The number may not be below this.")
    at_most: Finite | None = Field(None, description="The number may not be above this.")

    @property
    def measured(self) -> bool:
        """Whether a number decides, not the command's or the CI's word alone."""
        return (self.expected, self.at_least, self.at_most) != (None, None, None)

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The lowest and highest number that passes; ``None``: no bound on that side."""
        low, high = [self.at_least], [self.at_most]
        if self.expected is not None and self.tolerance is not None:
            share = abs(self.expected) if self.tolerance_kind == "relative" else 1.0
            low.append(self.expected - self.tolerance * share)
            high.append(self.expected + self.tolerance * share)
        return (
            max((x for x in low if x is not None), default=None),
            min((x for x in high if x is not None), default=None),
        )

    @property
    def source(self) -> tuple[str, str]:
        """Which part of a result says where it is from, and what it must say: another command is another test."""
        return ("check", self.check) if self.check else ("command", self.command)
