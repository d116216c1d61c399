"""Scheduling policies, tried on the past: what `gridtide simulate` compares."""
