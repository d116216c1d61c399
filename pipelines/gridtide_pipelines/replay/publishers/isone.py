"""ISO New England simulated: CSV reports, and the forms of load and flows; see the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.isone import (
    DAY,
    DAY_STAMP,
    FORM,
    NEIGHBOURS,
    REPORTS,
    SLOT,
    SOURCE,
    TIES,
)
from gridtide_pipelines.ingest.sources.isone_reports import HOUR, TIMEZONE, ZONE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import (
    Publisher,
    json_reply,
    page_reply,
    table_reply,
    zone_publisher,
)
from gridtide_pipelines.replay.publishers.isone_api import FUELS as CODES
from gridtide_pipelines.replay.publishers.isone_api import STAMP
from gridtide_pipelines.replay.values import ahead, by_codes, flow, labels, load, mix

FUELS: Final = CODES | {"gas": "Natural Gas"}
FILES: Final = {"wphf": "wind", "sphf": "solar"}
MIX: Final = "/transform/csv/genfuelmix"
FORECAST: Final = 7 * DAY
NAMES_OF_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def kind_of(request: Request) -> Kind | None:
    """Return the kind of a report, of the page before it, or of a form."""
    if request.path in (MIX, f"{REPORTS}gen-fuel-mix"):
        return Kind.GENERATION
    if request.path != FORM:
        return Kind.FORECAST if request.path.endswith(("forecast", *FILES)) else None
    form = _form(request)
    if form.get("requestType") == "externalflow":
        return Kind.FLOW
    return Kind.LOAD if "actual" in form else Kind.FORECAST


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return a page, a report, or the answer to a form."""
    if request.path.startswith(REPORTS):
        return page_reply("ISO Express")
    if request.path == MIX:
        return _mix(dict(request.params), now)
    if request.path != FORM:
        return _forecast(FILES[request.path.rpartition("/")[2]], now)
    form = _form(request)
    day = datetime.strptime(form["startDate"], DAY_STAMP).replace(tzinfo=UTC).date()
    start, end = midnight(day, TIMEZONE), midnight(day + DAY, TIMEZONE)
    if request.kind is Kind.FORECAST:
        starts, values = ahead(ZONE, "load", start, end + DAY, HOUR)
        made = labels([now], STAMP, TIMEZONE)[0]
        rows = _entries(starts, values, "Mw", CreationDate=made)
        return json_reply([{"data": {"forecast": rows}}])
    if request.kind is Kind.LOAD:
        starts, values = load(ZONE, start, min(end, now), SLOT)
        return json_reply([{"data": {"actual": _entries(starts, values, "Mw")}}])
    starts = mix(ZONE, start, min(end, now), SLOT)["start"].to_list()
    ties = {
        place: _entries(
            starts, (flow(ZONE, other, starts) / len(TIES[other])).tolist(), "Actual"
        )
        for place, other in NEIGHBOURS.items()
    }
    return json_reply([{"data": ties}])


def _form(request: Request) -> Mapping[str, str]:
    return {
        name.removeprefix("_nstmp_"): value for name, value in (*request.params, *request.form)
    }


def _entries(
    starts: Sequence[datetime], values: Sequence[float], name: str, **more: str
) -> list[dict[str, object]]:
    return [
        {name: round(value, 2), "BeginDate": label, **more}
        for label, value in zip(labels(starts, STAMP, TIMEZONE), values, strict=True)
    ]


def _mix(params: Mapping[str, str], now: datetime) -> Reply:
    """Return the report of some local days; in the double hour the rows step back once."""
    first, last = (
        datetime.strptime(params[bound], "%Y%m%d").replace(tzinfo=UTC).date()
        for bound in ("start", "end")
    )
    span = midnight(first, TIMEZONE), min(midnight(last + DAY, TIMEZONE), now)
    starts, values = by_codes(ZONE, *span, SLOT, FUELS, "Other")
    rows = [
        ("D", label[:10], label[11:], code, column[row])
        for row, label in enumerate(labels(starts, "%m/%d/%Y %H:%M:%S", TIMEZONE))
        for code, column in values.items()
    ]
    return _report("Dispatch Fuel Mix", ("Date", "Time", "Fuel Category", "Gen Mw"), rows, now)


def _forecast(fuel: str, now: datetime) -> Reply:
    """Return the report of seven days, a column each: the hours before it are empty."""
    today = now.astimezone(ZoneInfo(TIMEZONE)).date()
    start = now.replace(minute=0, second=0, microsecond=0) + HOUR
    end = midnight(today + FORECAST, TIMEZONE)
    cells: dict[str, dict[date, float]] = {f"{hour:02}": {} for hour in range(1, 25)}
    for at, value in zip(*ahead(ZONE, fuel, start, end, HOUR), strict=True):
        local = at.astimezone(ZoneInfo(TIMEZONE))
        cells.setdefault(f"{local.hour + 1:02}{'X' * local.fold}", {})[local.date()] = value
    days = [today + n * DAY for n in range(FORECAST.days)]
    rows: list[tuple[object, ...]] = [
        ("D", "Day", "", *(NAMES_OF_DAYS[day.weekday()] for day in days)),
        ("D", "Date", "Hour Ending", *(f"{day:%m/%d/%Y}" for day in days)),
        *(("D", "", hour, *(cells[hour].get(day) for day in days)) for hour in sorted(cells)),
    ]
    title = f"ISO New England Inc. Seven Day {fuel.capitalize()} Power Forecast Report"
    return _report(title, ("", "", *(f"Day {n + 1}" for n in range(len(days)))), rows, now)


def _report(
    title: str, head: Sequence[str], rows: Sequence[tuple[object, ...]], now: datetime
) -> Reply:
    made = now.astimezone(ZoneInfo(TIMEZONE))
    lines = [
        ("C", f"Report generated {made:%m/%d/%Y %H:%M:%S} {made.tzname()}"),
        ("H", *head),
        *rows,
        ("T", f"{len(rows)} lines"),
    ]
    return table_reply(("C", title), lines, quoted=True)


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply([]), kind_of=kind_of)
