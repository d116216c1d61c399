"""One forecaster a file."""
