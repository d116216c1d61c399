"""Simulated grids: not real data, always available, the same every time."""
