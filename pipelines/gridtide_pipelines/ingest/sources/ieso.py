"""Generation, demand, interchange, prices and forecasts of Ontario, from IESO.

Docs:       https://www.ieso.ca/en/Power-Data/Data-Directory (reports at reports-public.ieso.ca)
Licence:    IESO terms of use: free use, IESO is to be named.
Unit:       MW, the mean of the interval; prices in CAD/MWh.
Slots:      1 h (interchange 5 min) in EST all year, hours and intervals numbered by their END:
            hour 1 is 05:00 to 06:00 UTC on every day of the year, and every day has 24.
Limits:     one file a report and day; a file that is not there is a 404. Days of
            GenOutputCapability are kept for three months, older hours are in the file of a
            year, GenOutputbyFuelHourly, which does not tell batteries from other units.
Revisions:  a file is reissued during its day and for some days; without a version in its name
            it is the newest.
Units:      GenOutputCapability lists units of 20 MW and more, so it lacks most solar power. A
            unit without a value in any hour does not run and is left out; where one has values,
            but not of an hour that others have, its fuel's sum is partial. Batteries are filed
            as OTHER and known by their names; only their discharge is reported.
Quality:    values that GenOutputbyFuelHourly marks as estimated in part (-1, -2) are kept.
Flows:      IntertieScheduleFlow; a positive flow leaves Ontario. Quebec has nine ties, Manitoba
            two, and Michigan and Minnesota are both MISO: they are added.
Forecasts:  VGForecastSummary, the newest run: the rows OntarioTotal, market participants plus
            embedded generation; unknown where one of the two is absent.
Price:      Day ahead, DAHourlyOntarioZonalPrice, the zonal price of Ontario; since 2025-05.
Last seen:  2025-02 (recorded bodies of four reports; the others written).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from xml.etree.ElementTree import Element

import polars as pl

from gridtide_pipelines.ingest.delimited import read_csv
from gridtide_pipelines.ingest.limits import at_most
from gridtide_pipelines.ingest.local_time import local_days, read_number
from gridtide_pipelines.ingest.newest import CONFLICT
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.source import (
    PARTIAL,
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.statements import Statement, add_codes, fuel_signal
from gridtide_pipelines.ingest.xml import read_xml
from gridtide_store.vocabulary import generation

NAME, ZONE = "ieso", "CA-ON"
EST: Final = timedelta(hours=-5)
HOUR, FIVE, DAY = timedelta(hours=1), timedelta(minutes=5), timedelta(days=1)
MOST_VALUES: Final = 100_000  # a year of fuels has 62,000
KEPT: Final = timedelta(days=85)  # then the file of a day is deleted

FUELS: Final[Mapping[str, str]] = {
    "NUCLEAR": "nuclear",
    "GAS": "gas",
    "HYDRO": "hydro",
    "WIND": "wind",
    "SOLAR": "solar",
    "BIOFUEL": "biomass",
    "OTHER": "unknown",
}
BODIES: Final = ("IMODocBody", "DocBody")
BATTERY: Final = re.compile("BESS|BATTERY|STORAGE")
TIES: Final[Mapping[str, str]] = {
    "MANITOBA": "CA-MB",
    "MANITOBA SK": "CA-MB",
    "MICHIGAN": "US-MIDW-MISO",
    "MINNESOTA": "US-MIDW-MISO",
    "NEW-YORK": "US-NY-NYIS",
    "PQ": "CA-QC",
}


def requests(query: Query) -> Sequence[Group]:
    """Return a group for the file of each day, or of the year where days are not kept."""
    if query.kind is Kind.FORECAST:
        path = "/public/VGForecastSummary/PUB_VGForecastSummary.xml"
        return [[Request("GET", path, kind=query.kind, zones=query.zones)]]
    spans: dict[str, Span] = {}
    for day, span in local_days(Span(query.start, query.end), EST):
        if query.kind is Kind.PRICE:
            name = f"DAHourlyOntarioZonalPrice_{day:%Y%m%d}.xml"
        elif query.kind is Kind.FLOW:
            name = f"IntertieScheduleFlow_{day:%Y%m%d}.xml"
        elif query.kind is Kind.LOAD:
            name = f"Demand_{day.year}.csv"
        elif query.now - span.start < KEPT:
            name = f"GenOutputCapability_{day:%Y%m%d}.xml"
        else:
            name = f"GenOutputbyFuelHourly_{day.year}.xml"
        path = f"/public/{name.partition('_')[0]}/PUB_{name}"
        spans[path] = Span(spans.get(path, span).start, span.end)
    return [
        [Request("GET", path, kind=query.kind, zones=query.zones, span=span)]
        for path, span in spans.items()
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse every value of the reports, Ontario's or that of a border."""
    with check_shape(NAME):
        found = (
            each if each.body == index else replace(each, body=index)
            for index, body in enumerate(bodies)
            for each in at_most(_statements(body), MOST_VALUES)
        )
        return add_codes(found, NAME, partial=False)


def _say(
    signal: str,
    code: str,
    start: datetime,
    value: float | None,
    *,
    length: timedelta = HOUR,
    zone: str = ZONE,
    issued_at: datetime | None = None,
    flag: str | None = None,
    order: str = "",
) -> Statement:
    return Statement(
        *(zone, signal, code, start, start + length, value),
        issued_at=issued_at,
        flag=flag,
        order=order,
    )


def _statements(body: Body) -> Iterator[Statement]:
    if body.content.lstrip().startswith((b"\\", b"Date")):
        yield from _demand(body.content)
        return
    root = read_xml(body.content)
    document = next((each for each in root if each.tag in BODIES), None)
    if document is None:
        raise ValueError(f"an XML body of {root.tag} without a report")
    readers = {
        "Generators": _units,
        "DailyData": _fuels,
        "Energies": _constrained,
        "IntertieZone": _ties,
        "HourlyPriceComponents": _prices,
    }
    found = [reader for tag, reader in readers.items() if document.find(tag) is not None]
    yield from found[0](document) if found else _forecast(document, body)


def _units(document: Element) -> Iterator[Statement]:
    """Yield the sum of the units of each fuel and hour."""
    day = _day(document, "Date")
    running: dict[tuple[str, str], dict[str, dict[int, set[float]]]] = {}
    for unit in document.iter("Generator"):
        name, code = _text(unit, "GeneratorName"), _text(unit, "FuelType")
        battery = code == "OTHER" and BATTERY.search(name.upper())
        fuel = "battery_storage" if battery else FUELS.get(code, "unknown")
        for output in unit.iter("Output"):
            hour, value = int(_text(output, "Hour")), _number(output, "EnergyMW")
            if value is not None:
                units = running.setdefault((code, generation(fuel)), {})
                units.setdefault(name, {}).setdefault(hour, set()).add(value)
    for (code, signal), units in running.items():
        for hour in sorted({hour for hours in units.values() for hour in hours}):
            said = [hours[hour] for hours in units.values() if hour in hours]
            twice = any(len(values) > 1 for values in said)  # one unit, with two values
            flags = {_flag(code): True, CONFLICT: twice, PARTIAL: len(said) < len(units)}
            flag = ";".join(each for each, holds in flags.items() if each and holds) or None
            value = None if twice else sum(next(iter(values)) for values in said)
            start = read_number(day, hour, HOUR, EST)
            # Units tell more than the file of a year, in which OTHER has batteries.
            yield _say(signal, code, start, value, flag=flag, order="units")


def _fuels(document: Element) -> Iterator[Statement]:
    for daily in document.iter("DailyData"):
        day = _day(daily, "Day")
        for hourly in daily.iter("HourlyData"):
            start = read_number(day, int(_text(hourly, "Hour")), HOUR, EST)
            for fuel in hourly.iter("FuelTotal"):
                code, values = _text(fuel, "Fuel"), fuel.find("EnergyValue")
                value = None if values is None else _number(values, "Output")
                signal, flag = fuel_signal(code, FUELS)
                yield Statement(ZONE, signal, code, start, start + HOUR, value, flag=flag)


def _constrained(document: Element) -> Iterator[Statement]:
    day, hour = _day(document, "DeliveryDate"), int(_text(document, "DeliveryHour"))
    start = read_number(day, hour, HOUR, EST)
    for interval in document.iter("IntervalEnergy"):
        at = start + (_interval(interval) - 1) * FIVE
        for quantity in interval.iter("MQ"):
            if _text(quantity, "MarketQuantity").upper() == "ONTARIO DEMAND":
                value = _number(quantity, "EnergyMW")
                yield _say("load", "load", at, value, length=FIVE)


def _ties(document: Element) -> Iterator[Statement]:
    day = _day(document, "Date")
    for tie in document.iter("IntertieZone"):
        name = _text(tie, "IntertieZoneName")
        other = TIES.get(name.partition(".")[0])
        zone, flag = f"{ZONE}->{other or name}", None if other else f"unmapped_code:{name}"
        for actual in tie.iter("Actual"):
            start = read_number(day, int(_text(actual, "Hour")), HOUR, EST)
            at = start + (_interval(actual) - 1) * FIVE
            value = _number(actual, "Flow")
            yield _say("flow", name, at, value, length=FIVE, zone=zone, flag=flag)


def _prices(document: Element) -> Iterator[Statement]:
    day = _day(document, "DeliveryDate")
    for hour in document.iter("HourlyPriceComponents"):
        start = read_number(day, int(_text(hour, "PricingHour")), HOUR, EST)
        yield _say("price_cad", "price", start, _number(hour, "ZonalPrice"))


def _forecast(document: Element, body: Body) -> Iterator[Statement]:
    stamp = datetime.fromisoformat(_text(document, "ForecastTimeStamp"))
    issued_at = min(stamp.replace(tzinfo=UTC) - EST, body.known_at)
    said: dict[str, dict[tuple[str, datetime], set[float | None]]] = {}
    for organization in document.iter("OrganizationData"):
        values = said.setdefault(_text(organization, "OrganizationType"), {})
        for fuel in organization.iter("FuelData"):
            signal = generation(FUELS[_text(fuel, "FuelType").upper()])
            for resource in fuel.iter("ResourceData"):
                if _text(resource, "ZoneName").upper() == "ONTARIOTOTAL":
                    for start, value in _forecast_hours(resource):
                        values.setdefault((signal, start), set()).add(value)
    slots = {slot: None for values in said.values() for slot in values}
    for code, values in said.items():
        for signal, start in slots:
            for value in values.get((signal, start), (None,)):
                yield _say(signal, code, start, value, issued_at=issued_at)


def _forecast_hours(resource: Element) -> Iterator[tuple[datetime, float | None]]:
    for energy in resource.iter("EnergyForecast"):
        day = _day(energy, "ForecastDate")
        for interval in energy.iter("ForecastInterval"):
            hour = int(_text(interval, "ForecastHour"))
            yield read_number(day, hour, HOUR, EST), _number(interval, "MWOutput")


def _demand(content: bytes) -> Iterator[Statement]:
    lines = [line.strip().startswith(b"Date,") for line in content.splitlines()]
    columns = ("Date", "Hour", "Ontario Demand")
    table = read_csv(content, columns, skip=lines.index(True), line_ends=True)
    for day, hour, value in table.select(columns).iter_rows():
        start = read_number(date.fromisoformat(day), int(hour), HOUR, EST)
        yield _say("load", "load", start, number(value))


def _text(element: Element, tag: str) -> str:
    text = element.findtext(tag)
    if text is None or not text.strip():
        raise ValueError(f"{element.tag} without {tag}")
    return text.strip()


def _number(element: Element, tag: str) -> float | None:
    return number((element.findtext(tag) or "").strip() or None)


def _day(element: Element, tag: str) -> date:
    return date.fromisoformat(_text(element, tag))


def _interval(element: Element) -> int:
    if 1 <= (interval := int(_text(element, "Interval"))) <= HOUR // FIVE:
        return interval
    raise ValueError(f"interval {interval} of an hour")


def _flag(code: str) -> str | None:
    return None if code in FUELS else f"unmapped_code:{code}"


SOURCE = Source(
    name=NAME,
    title="IESO public reports",
    base_url="https://reports-public.ieso.ca",
    kinds=frozenset({Kind.GENERATION, Kind.LOAD, Kind.FLOW, Kind.FORECAST, Kind.PRICE}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=HOUR,
    max_span=timedelta(days=366),
    refetch=(Tier(2 * DAY), Tier(14 * DAY, DAY)),
    lag=2 * HOUR,
    day_ahead=True,
    licence="IESO terms of use",
    licence_url="https://www.ieso.ca/en/Terms-of-Use",
    attribution="Independent Electricity System Operator (IESO)",
    not_published=frozenset({404}),
    whole_files=True,
    min_interval=timedelta(seconds=1),
)
