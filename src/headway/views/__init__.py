"""Read models for people."""
