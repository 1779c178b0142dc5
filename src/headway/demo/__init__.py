"""A whole train on a toy project."""
