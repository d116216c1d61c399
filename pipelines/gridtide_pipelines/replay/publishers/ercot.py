"""ERCOT simulated: its dashboards, the listings of reports, and their files; see the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.ercot import (
    DASHBOARDS,
    DAY,
    FEEDS,
    FILE,
    HOUR,
    HUB,
    LISTING,
    REPORTS,
    SLOT,
    SOURCE,
    TIMEZONE,
    ZONE,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import (
    Publisher,
    json_reply,
    table,
    zip_reply,
    zone_publisher,
)
from gridtide_pipelines.replay.values import Series, ahead, by_codes, labels, load, prices

KINDS: Final = {each: kind for kind, names in (FEEDS | REPORTS).items() for each in names}
FUELS: Final = {
    "coal": "Coal and Lignite",
    "hydro": "Hydro",
    "nuclear": "Nuclear",
    "oil": "Other",
    "battery_storage": "Power Storage",
    "solar": "Solar",
    "wind": "Wind",
    "gas": "Natural Gas",
}
# Column of each report, and what it is of.
VALUES: Final = {
    "13028": ("STWPF_SYSTEM_WIDE", "wind"),
    "13483": ("STPPF_SYSTEM_WIDE", "solar"),
    "12312": ("SystemTotal", "load"),
    "12331": ("SettlementPointPrice", ""),
}
STORED: Final = "Power Storage"
STAMP: Final = "%Y-%m-%d %H:%M:%S%z"
LATE: Final = timedelta(minutes=4, seconds=56)  # of a label after the start of its slot
FORECAST: Final = 7 * DAY
SAID: Final = timedelta(hours=18, minutes=30)  # when prices of the next day are there, UTC


def kind_of(request: Request) -> Kind | None:
    """Return the kind of a dashboard, a listing or a file."""
    params = dict(request.params)
    if request.path.startswith(DASHBOARDS):
        return KINDS.get(request.path.removeprefix(DASHBOARDS).removesuffix(".json"))
    report = {LISTING: params.get("reportTypeId"), FILE: params.get("doclookupId")}
    return KINDS.get((report.get(request.path) or "")[:5])


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return two days of a dashboard, the newest files of a report, or one of them."""
    today = now.astimezone(ZoneInfo(TIMEZONE)).date()
    params = dict(request.params)
    if request.path == LISTING:
        return _listing(params["reportTypeId"], today, now)
    if request.path == FILE:
        report, day = params["doclookupId"][:5], params["doclookupId"][5:]
        return _report(report, datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date(), now)
    span = midnight(today - DAY, TIMEZONE), now
    if request.kind is Kind.LOAD:
        return _dashboard(_entries(load(ZONE, *span, SLOT), timedelta(0), "demand", forecast=0))
    starts, values = by_codes(ZONE, *span, SLOT, FUELS, "Other")
    if request.path.endswith("fuel-mix.json"):
        return _dashboard(_mix(starts, values))
    entries = _entries((starts, values[STORED]), SLOT, "netOutput")
    return json_reply(
        {
            name: {
                "data": [each for each in entries if str(each["timestamp"])[:10] == str(day)]
            }
            for name, day in (("previousDay", today - DAY), ("currentDay", today))
        }
    )


def _dashboard(data: object) -> Reply:
    return json_reply({"data": data})


def _entries(
    series: Series, late: timedelta, name: str, **more: object
) -> list[dict[str, object]]:
    stamps = labels([each + late for each in series[0]], STAMP, TIMEZONE)
    return [
        {name: value, **more, "timestamp": stamp}
        for stamp, value in zip(stamps, series[1], strict=True)
    ]


def _mix(
    starts: Sequence[datetime], values: Mapping[str, Sequence[float]]
) -> dict[str, dict[str, object]]:
    """Return the slots by day; of storage, discharge alone."""
    days: dict[str, dict[str, object]] = {}
    for row, stamp in enumerate(labels([each + LATE for each in starts], STAMP, TIMEZONE)):
        power = {code: {"gen": column[row]} for code, column in values.items()}
        power[STORED] = {"gen": max(power[STORED]["gen"], 0.0)}
        days.setdefault(stamp[:10], {})[stamp] = power
    return days


def _listing(report: str, today: date, now: datetime) -> Reply:
    """Return the newest file of a forecast, or the prices of yesterday to tomorrow."""
    days = [today]
    if KINDS[report] is Kind.PRICE:
        said = now >= midnight(now.date(), timedelta(0)) + SAID
        days = [today - DAY, today, *([today + DAY] if said else [])]
    return json_reply(
        {
            "ListDocsByRptTypeRes": {
                "DocumentList": [
                    {
                        "Document": {
                            "PublishDate": f"{day}T00:00:00-06:00",
                            "DocID": f"{report}{day:%Y%m%d}",
                            "FriendlyName": f"{report}_csv",
                        }
                    }
                    for day in days
                ]
            }
        }
    )


def _report(report: str, day: date, now: datetime) -> Reply:
    """Return a file in its ZIP: a forecast from the next hour on, or the prices of a day."""
    if KINDS[report] is Kind.PRICE:
        span = midnight(day, TIMEZONE), midnight(day + DAY, TIMEZONE)
        starts, values = prices(ZONE, *span, HOUR)
    else:
        following = now.replace(minute=0, second=0, microsecond=0) + HOUR
        end = midnight(day + FORECAST, TIMEZONE)
        starts, values = ahead(ZONE, VALUES[report][1], following, end, HOUR)
    local = [each.astimezone(ZoneInfo(TIMEZONE)) for each in starts]
    rows = [
        (f"{at:%m/%d/%Y}", at.hour + 1, HUB, value, "NY"[at.fold])
        for at, value in zip(local, values, strict=True)
    ]
    head = ("DeliveryDate", "HourEnding", "SettlementPoint", VALUES[report][0], "DSTFlag")
    made = labels([now], "%Y%m%d.%H%M%S", TIMEZONE)[0]
    return zip_reply({f"cdr.000{report}.0000000000000000.{made}.csv": table(head, rows)})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply({}), kind_of=kind_of)
