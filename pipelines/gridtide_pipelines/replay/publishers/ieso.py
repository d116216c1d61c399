"""IESO simulated: the files of a day and of a year, and the newest forecast; see the source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.ieso import DAY, EST, FIVE, HOUR, SOURCE, TIES, ZONE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, table, zone_publisher
from gridtide_pipelines.replay.values import ahead, by_codes, flow, labels, load, mix, prices

NAMED: Final = re.compile(r"/public/(\w+)/PUB_\1(?:_(\d+))?\.(?:xml|csv)")
KINDS: Final = {
    "GenOutputCapability": Kind.GENERATION,
    "GenOutputbyFuelHourly": Kind.GENERATION,
    "IntertieScheduleFlow": Kind.FLOW,
    "Demand": Kind.LOAD,
    "VGForecastSummary": Kind.FORECAST,
    "DAHourlyOntarioZonalPrice": Kind.PRICE,
}
FUELS: Final = {
    "nuclear": "NUCLEAR",
    "gas": "GAS",
    "hydro": "HYDRO",
    "wind": "WIND",
    "solar": "SOLAR",
    "biomass": "BIOFUEL",
    "oil": "OTHER",
}
ORGANIZATIONS: Final = ("MARKET PARTICIPANT", "EMBEDDED")
FORECAST: Final = 2 * DAY


def kind_of(request: Request) -> Kind | None:
    """Return the kind of a report."""
    found = NAMED.fullmatch(request.path)
    return KINDS.get(found[1]) if found else None


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return a report of a day or a year, as far as it is over."""
    found = NAMED.fullmatch(request.path)
    if found is None:
        return PUBLISHER.refusal
    report, digits = found[1], found[2] or ""
    today = (now + EST).date()
    if report == "VGForecastSummary":
        return _xml(report, _forecast(today, now))
    first = date(int(digits[:4]), int(digits[4:6] or "1"), int(digits[6:] or "1"))
    after = first + DAY if digits[4:] else first.replace(year=first.year + 1)
    start, end = midnight(first, EST), min(midnight(after, EST), now)
    if report == "DAHourlyOntarioZonalPrice":
        return _xml(report, _element("DeliveryDate", first) + _prices(first))
    if report == "Demand":
        return _demand(start, end)
    if report == "IntertieScheduleFlow":
        return _xml(report, _element("Date", first) + _ties(start, end))
    starts, values = by_codes(ZONE, start, end, HOUR, FUELS, "OTHER")
    if report == "GenOutputCapability":
        hours = [
            (code, [_fields(Hour=row + 1, EnergyMW=value) for row, value in enumerate(column)])
            for code, column in values.items()
        ]
        units = "".join(
            _element(
                "Generator",
                _fields(GeneratorName=f"{code} UNIT", FuelType=code)
                + _element("Outputs", _all("Output", each)),
            )
            for code, each in hours
        )
        return _xml(report, _element("Date", first) + _element("Generators", units))
    days: dict[str, list[str]] = {}
    for row, label in enumerate(labels(starts, "%Y-%m-%d %H", EST)):
        fuels = _all(
            "FuelTotal",
            (
                _fields(Fuel=code) + _element("EnergyValue", _fields(Output=column[row]))
                for code, column in values.items()
            ),
        )
        days.setdefault(label[:10], []).append(_fields(Hour=int(label[11:]) + 1) + fuels)
    return _xml(
        report,
        _all("DailyData", (_fields(Day=d) + _all("HourlyData", h) for d, h in days.items())),
    )


def _demand(start: datetime, end: datetime) -> Reply:
    starts, values = load(ZONE, start, end, HOUR)
    rows = [
        (label[:10], int(label[11:]) + 1, round(value * 1.05), round(value))
        for label, value in zip(labels(starts, "%Y-%m-%d %H", EST), values, strict=True)
    ]
    head = ("Date", "Hour", "Market Demand", "Ontario Demand")
    lead = rb"\\Hourly Demand Report,,," + b"\n"
    return Reply(lead + table(head, rows), content_type="text/csv")


def _prices(day: date) -> str:
    _, values = prices(ZONE, midnight(day, EST), midnight(day + DAY, EST), HOUR)
    hours = (_fields(PricingHour=n, ZonalPrice=each) for n, each in enumerate(values, start=1))
    return _all("HourlyPriceComponents", hours)


def _ties(start: datetime, end: datetime) -> str:
    """Return the ties of Ontario: those with one neighbour have equal parts."""
    starts = mix(ZONE, start, end, FIVE)["start"].to_list()
    zones = []
    for name, other in TIES.items():
        power = flow(ZONE, other, starts) / list(TIES.values()).count(other)
        actual = (
            _fields(Hour=row // 12 + 1, Interval=row % 12 + 1, Flow=round(float(value), 2))
            for row, value in enumerate(power)
        )
        named = _fields(IntertieZoneName=name)
        zones.append(named + _element("Actuals", _all("Actual", actual)))
    return _all("IntertieZone", zones)


def _forecast(today: date, now: datetime) -> str:
    start = now.replace(minute=0, second=0, microsecond=0) + HOUR
    parts = []
    for fuel in ("solar", "wind"):
        starts, values = ahead(ZONE, fuel, start, midnight(today + FORECAST, EST), HOUR)
        days: dict[str, list[str]] = {}
        for label, value in zip(labels(starts, "%Y-%m-%d %H", EST), values, strict=True):
            hour = _fields(ForecastHour=int(label[11:]) + 1, MWOutput=round(value / 2, 2))
            days.setdefault(label[:10], []).append(hour)
        energies = (
            _fields(ForecastDate=day) + _all("ForecastInterval", hours)
            for day, hours in days.items()
        )
        resource = _fields(ZoneName="OntarioTotal") + _all("EnergyForecast", energies)
        named = _fields(FuelType=fuel.capitalize())
        parts.append(_element("FuelData", named + _element("ResourceData", resource)))
    said = _fields(ForecastTimeStamp=labels([now], "%Y-%m-%dT%H:%M:%S", EST)[0])
    return said + _all(
        "OrganizationData",
        (_fields(OrganizationType=each) + "".join(parts) for each in ORGANIZATIONS),
    )


def _element(tag: str, inner: object) -> str:
    return f"<{tag}>{inner}</{tag}>"


def _all(tag: str, inner: Iterable[object]) -> str:
    return "".join(_element(tag, each) for each in inner)


def _fields(**fields: object) -> str:
    return "".join(_element(tag, value) for tag, value in fields.items())


def _xml(report: str, inner: str) -> Reply:
    text = f'<Document docID="{report}">{_element("DocBody", inner)}</Document>'
    return Reply(text.encode(), content_type="application/xml")


PUBLISHER: Final[Publisher] = zone_publisher(
    SOURCE,
    render,
    _xml("GenOutputCapability", "<Date>2026-01-01</Date><Generators/>"),
    kind_of=kind_of,
)
