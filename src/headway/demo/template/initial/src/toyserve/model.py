"""A decoder-only transformer with random weights."""

from collections.abc import Sequence

import numpy as np

from toyserve.attention import Attention, matrix
from toyserve.cache import LayerCache
from toyserve.config import ModelConfig
from toyserve.ops import rms_norm, silu
from toyserve.tokenizer import VOCABULARY

Cache = list[LayerCache]


class Block:
    def __init__(self, config: ModelConfig, rng: np.random.Generator) -> None:
        self.gain = np.ones((2, config.width), np.float32)
        self.attention = Attention(config, rng)
        self.w_up = matrix(rng, config.width, config.hidden, config.width**-0.5)
        self.w_down = matrix(rng, config.hidden, config.width, config.hidden**-0.5)

    def __call__(self, x: np.ndarray, cache: LayerCache) -> np.ndarray:
        x = x + self.attention(rms_norm(x, self.gain[0]), cache)
        return x + silu(rms_norm(x, self.gain[1]) @ self.w_up) @ self.w_down


class Transformer:
    def __init__(self, config: ModelConfig) -> None:
        rng = np.random.default_rng(config.seed)
        self.config = config
        self.embedding = matrix(rng, VOCABULARY, config.width, 1.0)
        self.blocks = [Block(config, rng) for _ in range(config.layers)]
        self.gain = np.ones(config.width, np.float32)
        self.head = matrix(rng, config.width, VOCABULARY, 3 * config.width**-0.5)

    def new_cache(self) -> Cache:
        return [LayerCache(self.config) for _ in self.blocks]

    def forward(self, tokens: Sequence[int], cache: Cache) -> np.ndarray:
        """Logits after the last of the new tokens, shape (vocabulary,); the cache grows by them."""
        x = self.embedding[np.asarray(tokens, np.intp)]
        for block, layer in zip(self.blocks, cache, strict=True):
            x = block(x, layer)
        return rms_norm(x[-1], self.gain) @ self.head + PRINTABLE


def _printable() -> np.ndarray:
    """Added to logits, so that random weights write text: only printable ASCII is possible."""
    bias = np.full(VOCABULARY, -np.inf, np.float32)
    bias[32:127] = 0.0
    return bias


PRINTABLE = _printable()
