"""Frozen nouns. No I/O."""
