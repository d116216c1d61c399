"""Simulated grids: not real data, always there, the same every time."""
