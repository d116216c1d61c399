"""Last week again: the same hours a week earlier; one unknown comes from a week before."""

from __future__ import annotations

from datetime import timedelta

from gridtide_pipelines.repeating import Repeating

MODEL = Repeating("weekly@1", period=timedelta(days=7), depth=4)
