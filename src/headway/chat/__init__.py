"""Commands that people write into comments: where they stand, what they say, and the words of the answers. Pure."""
