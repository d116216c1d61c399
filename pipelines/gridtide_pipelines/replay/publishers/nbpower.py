"""NB Power simulated: the page of the newest five minutes, and the forecast; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.nbpower import (
    DAY,
    FIVE,
    HOUR,
    LOAD,
    OFFSETS,
    PAGE,
    SOURCE,
    TIES,
    TIMEZONE,
    ZONE,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, page_reply, zone_publisher
from gridtide_pipelines.replay.values import ahead, flow, labels, load, newest

CLOCKS: Final = {f"-0{-offset // HOUR}00": clock for clock, offset in OFFSETS.items()}
FORECAST: Final = 3 * DAY


def kind_of(request: Request) -> Kind | None:
    """Return the kind of the page or of a file."""
    if request.path == PAGE:
        return Kind.LOAD
    return Kind.FORECAST if request.path.endswith(".csv") else None


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the page, or the forecast from this hour on."""
    if request.kind is Kind.FORECAST:
        start = now.replace(minute=0, second=0, microsecond=0)
        starts, values = ahead(ZONE, "load", start, start + FORECAST, HOUR)
        stamps = labels(starts, "%Y%m%d%H%M%S%z", TIMEZONE)
        rows = [
            f"{stamp[:14]}{CLOCKS[stamp[14:]]},{value},0\n"
            for stamp, value in zip(stamps, values, strict=True)
        ]
        return Reply("".join(rows).encode(), content_type="text/csv")
    span = newest(now, FIVE)
    starts, (used,) = load(ZONE, *span, FIVE)
    others = list(TIES.values())
    cells = {LOAD: round(used)} | {
        name: round(float(flow(ZONE, other, starts)[0]) / others.count(other))
        for name, other in TIES.items()
    }
    rows = ["".join(f"<td>{each}</td>" for each in part) for part in (cells, cells.values())]
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    (stamp,) = labels(starts, "%b %d, %Y %H:%M:%S", TIMEZONE)
    return page_reply(f"<table>{table}</table><i>{stamp} Atlantic Time.</i>")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, Reply(b"", 404), kind_of=kind_of)
