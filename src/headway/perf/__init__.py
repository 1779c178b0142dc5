"""What a measurement needs."""
