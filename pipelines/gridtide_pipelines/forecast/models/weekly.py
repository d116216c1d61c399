"""Model ``weekly``: repeat last week's hours; an unknown hour is taken from the week before.

An hour unknown in all weeks is drawn between its neighbours, as naive does: whoever asks for
this model by name has no other to fall back on.
"""

from __future__ import annotations

from datetime import timedelta

from gridtide_pipelines.forecast.models.naive import Repeating

MODEL = Repeating("weekly@1", period=timedelta(days=7), depth=4, fills=True)
