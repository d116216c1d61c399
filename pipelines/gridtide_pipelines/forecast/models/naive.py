"""Yesterday again: the last 24 hours repeated; an hour unknown comes from a day before.

An hour unknown on all days is drawn between its neighbours: the last model must serve a zone
that lacks one kind of hour.
"""

from __future__ import annotations

from datetime import timedelta

from gridtide_pipelines.forecast.repeating import Repeating

MODEL = Repeating("naive@1", period=timedelta(days=1), depth=7, fills=True)
