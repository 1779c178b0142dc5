"""Causal self-attention with rotary positions."""

import numpy as np

from toyserve.cache import LayerCache
from toyserve.config import ModelConfig
from toyserve.ops import rotary, rotate, softmax


class Attention:
    def __init__(self, config: ModelConfig, rng: np.random.Generator) -> None:
        self.heads, self.head_width = config.heads, config.head_width
        scale = config.width**-0.5
        self.w_in = matrix(rng, config.width, 3 * config.width, 2 * scale)
        self.w_out = matrix(rng, config.width, config.width, 4 * scale)
        self.cos, self.sin = rotary(config.context, config.head_width)

    def __call__(self, x: np.ndarray, cache: LayerCache) -> np.ndarray:
        """Attend from new tokens, shape (tokens, width), to all tokens of the sequence so far."""
        start, count = cache.length, len(x)
        q, k, v = (self._split(part) for part in np.split(x @ self.w_in, 3, axis=-1))
        cos, sin = self.cos[start : start + count], self.sin[start : start + count]
        keys, values = cache.append(rotate(k, cos, sin), v)
        scores = rotate(q, cos, sin) @ keys.transpose(0, 2, 1) * self.head_width**-0.5
        if count > 1:
            future = np.arange(start + count) > np.arange(start, start + count)[:, None]
            scores = np.where(future, np.float32(-1e9), scores)
        mixed = softmax(scores) @ values
        return mixed.transpose(1, 0, 2).reshape(count, -1) @ self.w_out

    def _split(self, x: np.ndarray) -> np.ndarray:
        """(tokens, width) to (heads, tokens, head width)."""
        return x.reshape(len(x), self.heads, self.head_width).transpose(1, 0, 2)


def matrix(rng: np.random.Generator, rows: int, columns: int, scale: float) -> np.ndarray:
    """Random weights of standard deviation ``scale``."""
    flat = rng.random((rows, columns), dtype=np.float32) - np.float32(0.5)
    return flat * np.float32(scale * 12**0.5)
