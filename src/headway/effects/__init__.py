"""The only place that changes the world outside."""
