"""AESO simulated: the report of the newest five minutes, and forecasts; see the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.aeso import (
    DAY,
    FIVE,
    FORECASTS,
    HOUR,
    LABEL,
    LIKELY,
    REPORT,
    SOURCE,
    TIES,
    TIMEZONE,
    ZONE,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import (
    Publisher,
    json_reply,
    table_reply,
    zone_publisher,
)
from gridtide_pipelines.replay.values import ahead, by_codes, flow, labels, load, newest

PATHS: Final = {f"{FORECASTS}/{fuel}_rpt_longterm.csv": fuel for fuel in ("wind", "solar")}
FUELS: Final = {
    "gas": ("COGENERATION", "COMBINED CYCLE"),
    "hydro": "HYDRO",
    "battery_storage": "ENERGY STORAGE",
    "solar": "SOLAR",
    "wind": "WIND",
    "biomass": "OTHER",
}
FORECAST: Final = 7 * DAY


def kind_of(request: Request) -> Kind | None:
    """Return the kind of the report or a forecast."""
    if request.path == REPORT:
        return Kind.GENERATION
    return Kind.FORECAST if request.path in PATHS else None


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the report, or a forecast of seven days."""
    if request.kind is Kind.FORECAST:
        return _forecast(PATHS[request.path], now)
    span = newest(now, FIVE)
    (start,), values = by_codes(ZONE, *span, FIVE, FUELS, "OTHER")
    (used,) = load(ZONE, *span, FIVE)[1]
    power = {code: column[0] for code, column in values.items()}
    ties = {
        name: round(float(flow(ZONE, other, [start])[0]), 1) for name, other in TIES.items()
    }
    rows = [
        (),
        (f"Last Update : {labels([start], '%b %d, %Y %H:%M', TIMEZONE)[0]}",),
        (),
        ("Alberta Total Net Generation", sum(power.values())),
        ("Alberta Internal Load (AIL)", used),
        (),
        *((code, 9999, value, 0) for code, value in _with_total(power)),
        (),
        *_with_total(ties),
    ]
    return table_reply(("Current Supply Demand Report",), rows, quoted=True)


def _with_total(values: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    yield from values.items()
    yield "TOTAL", round(sum(values.values()), 1)


def _forecast(fuel: str, now: datetime) -> Reply:
    start = now.replace(minute=0, second=0, microsecond=0) + HOUR
    starts, values = ahead(ZONE, fuel, start, midnight(now.date() + FORECAST, TIMEZONE), HOUR)
    stamps = labels(starts, "%Y-%m-%d %H:%M", TIMEZONE)
    return table_reply((LABEL, LIKELY), zip(stamps, values, strict=True))


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply({}), kind_of=kind_of)
