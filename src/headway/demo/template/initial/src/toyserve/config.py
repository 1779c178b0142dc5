"""The models that can be served."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelConfig:
    name: str
    layers: int
    width: int
    heads: int
    hidden: int
    context: int = 1024
    seed: int = 0

    @property
    def head_width(self) -> int:
        return self.width // self.heads


_ALL = (
    ModelConfig("toy-small", layers=8, width=384, heads=6, hidden=768),
    ModelConfig("toy-large", layers=12, width=384, heads=6, hidden=768),
)

MODELS = {config.name: config for config in _ALL}
