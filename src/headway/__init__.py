"""Headway: release trains for fast-moving Python projects."""

__version__ = "0.1.0"
