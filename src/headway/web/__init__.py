"""The board in a browser."""
