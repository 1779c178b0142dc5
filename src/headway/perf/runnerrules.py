"""Runner rules: which runner of a fleet serves which model (the data of the benchmark workflow's own generator)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

RULES_FILE = "runner-rules.json"
DEFAULT_SIZE = 8  # a model's tensor parallel size where its first entry sets none
Word = Annotated[str, Field(min_length=1)]


class RunnerRules(BaseModel):
    """``runner-rules.json``. A skip word leaves out every runner whose name it is a part of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = ""
    default_tensor_parallel_size: PositiveInt = DEFAULT_SIZE
    runners_by_tensor_parallel_size: dict[PositiveInt, tuple[Word, ...]]
    platform_by_runner: dict[str, str]
    skips_by_model: dict[str, tuple[Word, ...]] = Field(default_factory=dict)
    hardware_by_runner_substring: dict[Word, str] = Field(default_factory=dict)

    def runners(self, platform: str, size: int) -> tuple[str, ...]:
        """The runners of a platform that are listed for a tensor parallel size."""
        listed = self.runners_by_tensor_parallel_size.get(size, ())
        return tuple(dict.fromkeys(r for r in listed if self.platform_by_runner.get(r) == platform))

    def sizes(self, runner: str) -> tuple[int, ...]:
        """The tensor parallel sizes that a runner is listed for."""
        return tuple(sorted(n for n, listed in self.runners_by_tensor_parallel_size.items() if runner in listed))

    def skip_word(self, model: str, runner: str) -> str | None:
        """The model's skip word that leaves this runner out. Models are the same in upper and lower case."""
        skips = {name.casefold(): words for name, words in self.skips_by_model.items()}
        return next((word for word in skips.get(model.casefold(), ()) if word in runner), None)

    def hardware(self, runner: str) -> str | None:
        """What the runner is, by the first word that its name holds; ``None`` when no word says so."""
        return next((h for word, h in self.hardware_by_runner_substring.items() if word in runner), None)

    @property
    def listed(self) -> tuple[str, ...]:
        """Every runner that is listed for a size."""
        return tuple(dict.fromkeys(r for each in self.runners_by_tensor_parallel_size.values() for r in each))

    @property
    def without_platform(self) -> tuple[str, ...]:
        """Runners that nothing can run on, because no platform is given."""
        return tuple(r for r in self.listed if r not in self.platform_by_runner)

    @property
    def without_size(self) -> tuple[str, ...]:
        """Runners that nothing can run on, because they are listed for no size."""
        return tuple(r for r in self.platform_by_runner if r not in self.listed)


def assumed_rules(platforms: Iterable[str], sizes: Iterable[int]) -> RunnerRules:
    """What is assumed where no rules are known: each platform is one runner of its own name, for every size and every
    model of its serving files; what hardware that is, nobody said."""
    names = tuple(dict.fromkeys(platforms))
    return RunnerRules(
        runners_by_tensor_parallel_size=dict.fromkeys((*sizes, DEFAULT_SIZE), names),
        platform_by_runner={name: name for name in names},
    )
