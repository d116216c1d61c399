"""Generation, demand, price and interconnection of Australia's regions, from OpenElectricity.

Docs:       https://docs.openelectricity.org.au and https://data.openelectricity.org.au/v4/stats
Licence:    CC BY-NC 4.0 for some of its plans, CC BY 4.0 for others; which one holds for the
            files is not certain, so the narrower one is assumed.
Unit:       MW, the mean of the interval; AUD/MWh.
Slots:      5 min, labelled by START with the offset of the market, +10:00 (NEM) and +08:00
            (WEM) all year.
Limits:     a file of seven days for each region, without a key. It wants a User-Agent. The file
            of a request for generation brings demand, price and flow with it.
Revisions:  rooftop solar is interpolated from 30 min, and missing at the newest slots.
Shapes:     the files state a series as start, interval and values; the API (v4, with a key) as
            pairs of time and value. Both are read, with names in lower or upper case.
Sums:       series that are one fuel are added. One that has no value where another has makes
            the sum partial: it is printed, and stored as unknown. Where one of them has longer
            slots (rooftops of half hours, in older files) the sum is of those.
Storage:    PUMPS and BATTERY_CHARGING are what they consume, so they count negative. A battery
            series without a value beside the other is a time without a battery in that
            direction. The WEM has a net series ``battery``, too, which does not agree with the
            two: it is read only where not both are there, and never added.
Flows:      imports minus exports of a region with one neighbour (QLD, SA, TAS). Forecasts of
            rooftop solar alone are not read, as they are not those of solar power.
Last seen:  2026-02 (recorded bodies of both shapes, the files written from the older one).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import polars as pl

from gridtide_pipelines.ingest.limits import at_most
from gridtide_pipelines.ingest.local_time import read_instant
from gridtide_pipelines.ingest.parsing import check_shape, number, readings, with_values
from gridtide_pipelines.ingest.source import (
    PARTIAL,
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Tier,
)
from gridtide_pipelines.ingest.statements import read_answer, rows_of
from gridtide_store.vocabulary import generation

NAME: Final = "openelectricity"
WEEK: Final = timedelta(days=7)
MOST_SERIES, MOST_VALUES = 300, 9000  # of a body, and of one series
MOST_TOGETHER: Final = 300_000  # a week of all regions has 131,000
REGIONS: Final[Mapping[str, str]] = {
    "AU-NSW": "NSW1",
    "AU-QLD": "QLD1",
    "AU-SA": "SA1",
    "AU-TAS": "TAS1",
    "AU-VIC": "VIC1",
    "AU-WA": "WEM",
}
ZONES: Final = {code: zone for zone, code in REGIONS.items()}
NEIGHBOURS: Final = {"AU-QLD": "AU-NSW", "AU-SA": "AU-VIC", "AU-TAS": "AU-VIC"}

FUELS: Final[Mapping[str, str]] = {
    "BIOENERGY": "biomass",
    "BIOENERGY_BIOGAS": "biomass",
    "BIOENERGY_BIOMASS": "biomass",
    "COAL": "coal",
    "COAL_BLACK": "coal",
    "COAL_BROWN": "coal",
    "DISTILLATE": "oil",
    "GAS": "gas",
    "GAS_CCGT": "gas",
    "GAS_OCGT": "gas",
    "GAS_RECIP": "gas",
    "GAS_STEAM": "gas",
    "GAS_WCMG": "gas",
    "HYDRO": "hydro",
    "NUCLEAR": "nuclear",
    "PUMPS": "hydro_storage",
    "SOLAR": "solar",
    "SOLAR_ROOFTOP": "solar",
    "SOLAR_THERMAL": "solar",
    "SOLAR_UTILITY": "solar",
    "WIND": "wind",
    "WIND_OFFSHORE": "wind",
}
CHARGING, DISCHARGING, NET = "BATTERY_CHARGING", "BATTERY_DISCHARGING", "BATTERY"
CONSUME: Final = ("PUMPS", CHARGING)
IMPORTS, EXPORTS, DEMAND, PRICE = "IMPORTS", "EXPORTS", "DEMAND", "PRICE"
NO_FUELS: Final = re.compile(
    "IMPORTS|EXPORTS|INTERCONNECTOR|AGGREGATOR_.*|DEMAND|PRICE|BATTERY.*"
)
UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

# What one series says: values by the start and end of a slot.
_Slot: TypeAlias = tuple[datetime, datetime]
Values: TypeAlias = dict[_Slot, float | None]


def requests(query: Query) -> Sequence[Group]:
    """Return a request for the file of each zone."""
    groups = []
    for zone in query.zones:
        place = "WEM" if zone == "AU-WA" else f"NEM/{REGIONS[zone]}"
        path = f"/v4/stats/au/{place}/power/7d.json"
        groups.append([Request("GET", path, kind=query.kind, zones=(zone,))])
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse every series of the bodies: fuels, demand, price and flow of each region."""
    with check_shape(NAME):
        rows = []
        for index, body in enumerate(bodies):
            series: dict[str, dict[str, Values]] = defaultdict(lambda: defaultdict(dict))
            left = MOST_TOGETHER
            for region, code, values in _series(body.content):
                left -= len(values)
                if left < 0:
                    raise ValueError(f"more than {MOST_TOGETHER} values in a body")
                series[ZONES.get(region, region)][code].update(values)
            rows += [(*row, index) for zone in series for row in _rows(zone, series[zone])]
        frame = readings(
            zone=[row[0] for row in rows],
            signal=[row[1] for row in rows],
            start=[row[2][0] for row in rows],
            end=[row[2][1] for row in rows],
            value=[row[3] for row in rows],
            flag=[row[4] for row in rows],
            body=[row[5] for row in rows],
        )
    return with_values(NAME, [frame])


def _series(content: bytes) -> Iterator[tuple[str, str, Values]]:
    """Yield region, code and values of each series in a body of either shape."""
    document = read_answer(content)
    if document is None:
        return
    if document.get("success") is False:
        raise ValueError("the publisher says that the request did not succeed")
    for entry in at_most(rows_of(document["data"]), MOST_SERIES):
        if "results" in entry:
            length = _interval(entry["interval"])
            metric = entry["metric"].upper()
            for result in at_most(entry["results"], MOST_SERIES):
                columns = result["columns"]
                region = columns.get("region") or entry["network_code"]
                code = columns["fueltech"].upper() if metric == "POWER" else metric
                yield region.upper(), code, _pairs(result["data"], length)
        elif "history" in entry:
            history = entry["history"]
            first, length = read_instant(history["start"]), _interval(history["interval"])
            code = entry.get("fuel_tech") or entry["id"].rpartition(".")[2]
            if entry["type"] in ("power", "price", "demand"):
                region = (entry.get("region") or entry["network"]).upper()
                yield region, code.upper(), _listed(history["data"], first, length)
        else:
            raise ValueError(f"neither results nor history in {sorted(entry)}")


def _pairs(data: Sequence[Sequence[Any]], length: timedelta) -> Values:
    starts = [(read_instant(label), value) for label, value in at_most(data, MOST_VALUES)]
    return {(start, start + length): number(value) for start, value in starts}


def _listed(data: Sequence[Any], first: datetime, length: timedelta) -> Values:
    return {
        (first + n * length, first + (n + 1) * length): number(value)
        for n, value in enumerate(at_most(data, MOST_VALUES))
    }


_Row: TypeAlias = tuple[str, str, _Slot, float | None, str | None]


def _rows(zone: str, series: Mapping[str, Values]) -> Iterator[_Row]:
    by_fuel: dict[str, list[Values]] = defaultdict(list)
    odd = sorted(code for code in series if code not in FUELS and not NO_FUELS.fullmatch(code))
    for code in sorted(series):
        if code in FUELS or code in odd:
            by_fuel[FUELS.get(code, "unknown")].append(_signed(code, series[code]))
    for fuel, given in by_fuel.items():
        parts = _in_longest(given) if any(given) else given
        unmapped = [f"unmapped_code:{code}" for code in odd] if fuel == "unknown" else []
        for slot in sorted(set().union(*parts)):
            known = [part[slot] for part in parts if part.get(slot) is not None]
            partial = [PARTIAL] if 0 < len(known) < len(parts) else []
            flag = ";".join((*unmapped, *partial)) or None
            yield zone, generation(fuel), slot, _total(known), flag
    for slot, value in _batteries(series).items():
        yield zone, generation("battery_storage"), slot, value, None
    for code, signal in ((DEMAND, "load"), (PRICE, "price_aud")):
        for slot, value in series.get(code, {}).items():
            yield zone, signal, slot, value, None
    if zone in NEIGHBOURS:
        for slot, value in series.get(IMPORTS, {}).items():
            exported = series.get(EXPORTS, {}).get(slot)
            if value is not None and exported is not None:
                yield f"{NEIGHBOURS[zone]}->{zone}", "flow", slot, value - exported, None


def _in_longest(parts: Sequence[Values]) -> Sequence[Values]:
    """Return the parts of a sum in the longest slots that one of them has, where it has them.

    Each has the mean of the shorter ones that fill it, unknown where one is missing.
    """
    longest = max(end - start for part in parts for start, end in part)
    wide = sorted({slot for part in parts for slot in part if slot[1] - slot[0] == longest})
    starts = [start for start, _ in wide]
    found: list[Values] = []
    for part in parts:
        inner: dict[_Slot, list[tuple[timedelta, float | None]]] = defaultdict(list)
        mine: Values = {}
        for (start, end), value in part.items():
            place = bisect_right(starts, start) - 1
            if place >= 0 and end <= wide[place][1]:
                inner[wide[place]].append((end - start, value))
            else:
                mine[start, end] = value
        found.append(mine | {slot: _mean(values, longest) for slot, values in inner.items()})
    return found


def _mean(values: Sequence[tuple[timedelta, float | None]], whole: timedelta) -> float | None:
    """Return the mean of values that fill a slot; None where one of them is missing."""
    known = [(length, value) for length, value in values if value is not None]
    if sum((length for length, _ in known), timedelta(0)) < whole:
        return None
    return sum(value * (length / whole) for length, value in known)


def _batteries(series: Mapping[str, Values]) -> Values:
    """Return discharge less charge of each slot; the net series where not both are there."""
    given, taken = series.get(DISCHARGING, {}), _signed(CHARGING, series.get(CHARGING, {}))
    net = series.get(NET, {})
    found: Values = {}
    for slot in sorted({*given, *taken, *net}):
        both = [each[slot] for each in (given, taken) if each.get(slot) is not None]
        if len(both) < 2 and net.get(slot) is not None:
            both = [net[slot]]
        found[slot] = _total(both)
    return found


def _signed(code: str, values: Values) -> Values:
    if code not in CONSUME:
        return values
    return {slot: None if value is None else -abs(value) for slot, value in values.items()}


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _interval(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,4})([mhd])", text)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"unknown interval {text!r}")
    return int(found[1]) * UNITS[found[2]]


SOURCE = Source(
    name=NAME,
    title="OpenElectricity",
    base_url="https://data.openelectricity.org.au",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset(REGIONS),
    codes=REGIONS,
    requests=requests,
    parse=parse,
    step=timedelta(minutes=5),
    max_span=WEEK,
    reach=WEEK,
    refetch=(Tier(timedelta(days=2)), Tier(WEEK, timedelta(days=1))),
    lag=timedelta(minutes=30),
    licence="CC-BY-NC-4.0",
    licence_url="https://creativecommons.org/licenses/by-nc/4.0/",
    attribution="OpenElectricity",
    restricted=True,
    per_zone=True,
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=16 * 2**20,
)
