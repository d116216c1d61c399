"""Model ``weekly``: repeat last week's hours; an unknown hour is taken from the week before.

An hour unknown in all weeks is interpolated between its neighbours, as in naive: a user
who names this model has no other to fall back on.
"""

from __future__ import annotations

from datetime import timedelta

from gridtide_pipelines.forecast.models.naive import Repeating

MODEL = Repeating("weekly@1", period=timedelta(days=7), depth=4, fills=True)
