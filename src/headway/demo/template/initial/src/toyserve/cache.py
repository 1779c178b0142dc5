"""What a sequence keeps between steps: keys and values of each layer."""

import numpy as np

from toyserve.config import ModelConfig


class LayerCache:
    def __init__(self, config: ModelConfig) -> None:
        shape = (config.heads, config.context, config.head_width)
        self.length = 0
        self._keys = np.empty(shape, np.float32)
        self._values = np.empty(shape, np.float32)

    def append(self, keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Add those of new tokens, shape (heads, tokens, width); all so far are returned."""
        end = self.length + keys.shape[1]
        self._keys[:, self.length : end] = keys
        self._values[:, self.length : end] = values
        self.length = end
        return self._keys[:, :end], self._values[:, :end]
