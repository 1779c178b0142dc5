"""Readers that make up a Snapshot."""
