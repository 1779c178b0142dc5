"""Git, read-only."""
