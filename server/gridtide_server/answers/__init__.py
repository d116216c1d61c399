"""Responses computed from a view of a snapshot. No clock, no HTTP."""
