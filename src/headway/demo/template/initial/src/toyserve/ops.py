"""The small operations of a transformer. The last axis is the width."""

import numpy as np


def rms_norm(x: np.ndarray, gain: np.ndarray) -> np.ndarray:
    return x * (gain / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5))


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1.0 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def rotary(context: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of all positions: two arrays of shape (context, width / 2)."""
    rates = 10_000.0 ** (-np.arange(0, width, 2) / width)
    angles = np.outer(np.arange(context), rates)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def rotate(x: np.ndarray, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
    """Rotate pairs of (heads, tokens, width) by their positions' angles."""
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate((a * cos - b * sin, a * sin + b * cos), axis=-1)
