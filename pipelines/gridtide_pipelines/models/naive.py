"""Yesterday again: the last 24 hours repeated; an hour unknown comes from a day before."""

from __future__ import annotations

from datetime import timedelta

from gridtide_pipelines.repeating import Repeating

MODEL = Repeating("naive@1", period=timedelta(days=1), depth=7)
