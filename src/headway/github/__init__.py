"""What Headway asks of GitHub's REST API. Readers and effects share it."""
