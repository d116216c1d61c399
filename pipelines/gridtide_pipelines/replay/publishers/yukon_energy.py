"""Yukon Energy simulated: the chart of the last day; see the source's module."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.yukon_energy import DAY, HOUR, OFFSET, SOURCE, ZONE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, page_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, labels, newest

FUELS: Final = {"hydro": "hydro", "wind": "wind", "solar": "solar"}
THERMAL: Final = "thermal"


def render(_: Sequence[str], __: Request, now: datetime) -> Reply:
    """Return the hours of the last day, in a script of the page."""
    starts, values = by_codes(ZONE, *newest(now, HOUR, DAY // HOUR), HOUR, FUELS, THERMAL)
    columns = (values.get(code, [0.0] * len(starts)) for code in (*FUELS, THERMAL))
    return _chart(zip(labels(starts, "%Y-%m-%dT%H:%M:%S", OFFSET), *columns, strict=True))


def _chart(rows: Iterable[Sequence[object]]) -> Reply:
    text = json.dumps([list(row) for row in rows])
    return page_reply(f"<script>var rows_chart_past_day = parseDates({text});</script>")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _chart([]))
