"""AEMO's WEM simulated: facilities, the listing of days, and their files; see the source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.aemo_wem import (
    DATA,
    DAY,
    ENERGY,
    FACILITIES,
    FACILITY,
    FIVE,
    FIVE_MINUTES_SINCE,
    HALF,
    HOUR,
    LISTING,
    OFFSET,
    SOURCE,
    START,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import (
    Publisher,
    json_reply,
    table_reply,
    zone_publisher,
)
from gridtide_pipelines.replay.values import by_codes, by_slot, labels

# A facility of each fuel, and the fuel in the list of facilities.
UNITS: Final = {
    "battery_storage": ("BESS1", "Battery"),
    "biomass": ("BIO1", "Biomass"),
    "coal": ("COAL_G1", "Coal"),
    "gas": ("GAS_G1", "Gas"),
    "hydro": ("HYDRO_G1", "Hydro"),
    "oil": ("DIESEL_G1", "Diesel"),
    "solar": ("SUN_PV1", "Solar"),
    "wind": ("WIND_WF1", "Wind"),
}
FUELS: Final = {fuel: unit for fuel, (unit, _) in UNITS.items()}
REST: Final = "GAS_G1"
KEPT: Final = 60  # days that are listed
DAYS: Final = re.compile(r"FacilityScada_(\d{8})\.json")
MONTHS: Final = re.compile(rf"{DATA}/facility-scada/facility-scada-(\d{{4}}-\d\d)\.csv")


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the facilities, the listing of days that are over, or the file of one."""
    if request.path == FACILITIES:
        return table_reply((FACILITY, "Primary Fuel"), UNITS.values())
    if request.path == LISTING:
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return _listing([today - age * DAY for age in range(KEPT, 0, -1)])
    if named := MONTHS.fullmatch(request.path):
        return _month(zones[0], datetime.strptime(named[1], "%Y-%m").replace(tzinfo=UTC), now)
    (text,) = DAYS.findall(request.path)
    day = datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
    starts, values = by_codes(zones[0], day, min(day + DAY, now), FIVE, FUELS, REST)
    stamps = labels(starts, "%Y-%m-%dT%H:%M:%S+08:00", OFFSET)
    rows = [
        {"dispatchInterval": stamp, "code": unit, "quantity": round(mw * (FIVE / HOUR), 6)}
        for stamp, (_, power) in zip(stamps, by_slot(starts, values), strict=True)
        for unit, mw in power.items()
    ]
    return json_reply({"data": {"facilityScadaDispatchIntervals": rows}})


def _month(zone: str, start: datetime, now: datetime) -> Reply:
    """Return the half hours of a month before October 2023."""
    after = (start + 31 * DAY).replace(day=1)
    span = start, min(after, FIVE_MINUTES_SINCE, now)
    starts, values = by_codes(zone, *span, HALF, FUELS, REST)
    rows = [
        (stamp, unit, round(mw * (HALF / HOUR), 4))
        for stamp, (_, power) in zip(
            labels(starts, "%Y-%m-%d %H:%M:%S", OFFSET), by_slot(starts, values), strict=True
        )
        for unit, mw in power.items()
    ]
    return table_reply((START, FACILITY, ENERGY), rows)


def _listing(days: Sequence[datetime]) -> Reply:
    links = "".join(f'<a href="FacilityScada_{day:%Y%m%d}.json"></a>' for day in days)
    page = f"<html><head><title>{LISTING}</title></head><body>{links}</body></html>"
    return Reply(page.encode(), content_type="text/html")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _listing([]))
