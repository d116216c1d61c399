"""Mimer simulated: the CSV of one area and fuel; see the source's module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.svk import DAY, HOUR, OFFSET, PERIOD, SOURCE, SUM, ZONES
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, zone_publisher
from gridtide_pipelines.replay.values import by_codes, labels

FUELS: Final = {"hydro": "VA", "nuclear": "KK", "solar": "SE", "wind": "VI"}


def zones_of(request: Request) -> Sequence[str]:
    """Return the area that is requested."""
    zone = ZONES.get(dict(request.params).get("ConstraintAreaId", ""))
    return [zone] if zone in SOURCE.zones else []


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the kWh of a fuel in the hours of the days that are over."""
    params = dict(request.params)
    start, last = (
        datetime.strptime(params[name], "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC) - OFFSET
        for name in ("PeriodFrom", "PeriodTo")
    )
    starts, fuels = by_codes(zones[0], start, min(last + DAY, now), HOUR, FUELS, "OK")
    energy = [1000 * each for each in fuels.get(params["ProductionSortId"], [])]
    stamps = labels(starts, "%Y-%m-%d %H:%M", OFFSET)
    rows = zip(stamps, energy, strict=True) if energy else ()
    published = labels([now], "%Y-%m-%d %H:%M", OFFSET)[0]
    lines = [f"{stamp};{_decimal(kwh)};{published}" for stamp, kwh in rows]
    head = [f"{PERIOD};Avräknad (kWh);Publiceringstidpunkt;"] if lines else []
    return _csv([*head, *lines], sum(energy))


def _csv(lines: Sequence[str], total: float) -> Reply:
    text = "\n".join((*lines, f"{SUM};{_decimal(total)};"))
    return Reply(text.encode("utf-8-sig"), content_type="text/csv")


def _decimal(value: float) -> str:
    return f"{value:.3f}".replace(".", ",")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _csv([], 0.0), zones_of)
