"""How the next token is chosen."""

import numpy as np


class Sampler:
    def choose(self, logits: np.ndarray) -> int:
        """The most likely token."""
        return int(np.argmax(logits))
