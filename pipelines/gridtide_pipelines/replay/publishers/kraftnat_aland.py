"""Kraftnat Aland simulated: the chart of the last 24 hours; see the source's module."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.kraftnat_aland import QUARTER, SERIES, SOURCE, TIMEZONE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, zone_publisher
from gridtide_pipelines.replay.values import by_codes, newest
from gridtide_store.vocabulary import generation

OIL, WIND, LOAD = generation("oil"), generation("wind"), "load"
SLOTS: Final = 96  # a day


def render(zones: Sequence[str], _: Request, now: datetime) -> Reply:
    """Return the chart; what is not generated on the islands comes over no border here."""
    span = newest(now, QUARTER, SLOTS)
    starts, values = by_codes(zones[0], *span, QUARTER, {"oil": OIL, "wind": WIND}, OIL)
    labels = [f"{each.astimezone(TIMEZONE):%H:%M}" for each in starts]
    load = [oil + wind for oil, wind in zip(values[OIL], values[WIND], strict=True)]
    nothing = [0.0] * len(starts)
    columns = {**values, LOAD: load}
    return _page([labels, *(columns.get(signal, nothing) for _, signal in SERIES)])


def _page(lists: Sequence[Sequence[object]]) -> Reply:
    script = ",".join(f"{{data: {json.dumps(each)}}}" for each in lists)
    page = f"<html><body><script>var x = [{script}];</script></body></html>"
    return Reply(page.encode(), content_type="text/html")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _page([[]] * (1 + len(SERIES))))
