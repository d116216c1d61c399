"""What the tables of AEMO's reports say, as rows by region. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import chain
from typing import Final, TypeAlias, TypeVar

from gridtide_pipelines.ingest.newest import CONFLICT
from gridtide_pipelines.ingest.source import PARTIAL
from gridtide_pipelines.ingest.sources.aemo_reports import OFFSET, instant, records
from gridtide_store.catalogue import read_table
from gridtide_store.vocabulary import generation

FIVE, HALF, DAY = timedelta(minutes=5), timedelta(minutes=30), timedelta(days=1)
NEAR: Final = timedelta(hours=2)
FIVE_MINUTES_SINCE: Final = datetime(2021, 10, 1, tzinfo=UTC) - OFFSET

REGIONS: Final[Mapping[str, str]] = {
    "AU-NSW": "NSW1",
    "AU-QLD": "QLD1",
    "AU-SA": "SA1",
    "AU-TAS": "TAS1",
    "AU-VIC": "VIC1",
}
ZONES: Final = {code: zone for zone, code in REGIONS.items()}
LINKS: Final[Mapping[str, tuple[str, str]]] = {
    "N-Q-MNSP1": ("AU-NSW", "AU-QLD"),
    "NSW1-QLD1": ("AU-NSW", "AU-QLD"),
    "T-V-MNSP1": ("AU-TAS", "AU-VIC"),
    "V-S-MNSP1": ("AU-VIC", "AU-SA"),
    "V-SA": ("AU-VIC", "AU-SA"),
    "VIC1-NSW1": ("AU-VIC", "AU-NSW"),
}
TYPES: Final = ("DAILY", "SATELLITE", "MEASUREMENT")  # of rooftop solar, the best last

SETTLED = ("SETTLEMENTDATE", "INTERVENTION")
SCADA, ROOFTOP = "DISPATCH.UNIT_SCADA", "ROOFTOP.ACTUAL"
AHEAD, OPERATIONAL = "OPERATIONAL_DEMAND.FORECAST", "OPERATIONAL_DEMAND.ACTUAL"
TABLES: Final[Mapping[str, Sequence[str]]] = {
    SCADA: ("SETTLEMENTDATE", "DUID", "SCADAVALUE"),
    ROOFTOP: ("INTERVAL_DATETIME", "REGIONID", "POWER", "TYPE"),
    "DISPATCH.REGIONSUM": (*SETTLED, "REGIONID", "TOTALDEMAND"),
    "DISPATCH.INTERCONNECTORRES": (*SETTLED, "INTERCONNECTORID", "METEREDMWFLOW"),
    "DISPATCH.PRICE": (*SETTLED, "REGIONID", "RRP"),
    "TRADING.INTERCONNECTORRES": ("SETTLEMENTDATE", "INTERCONNECTORID", "METEREDMWFLOW"),
    "TRADING.PRICE": ("SETTLEMENTDATE", "REGIONID", "RRP"),
    AHEAD: ("INTERVAL_DATETIME", "LOAD_DATE", "REGIONID", "OPERATIONAL_DEMAND_POE50"),
    OPERATIONAL: ("INTERVAL_DATETIME", "REGIONID", "OPERATIONAL_DEMAND"),
}

Slot: TypeAlias = tuple[datetime, datetime]
# Rank, number of the report, value, body, and flag of what a report states.
Entry: TypeAlias = tuple[int, int, float | None, int, str | None]
Key = TypeVar("Key")
# Value, body and flag of what is added.
Part: TypeAlias = tuple[float | None, int, str | None]
# How many are added, how many of these have no value, the sum of the others, the last body,
# and whether one of them is in conflict.
Sum: TypeAlias = tuple[int, int, float, int, bool]
NOTHING: Final[Sum] = (0, 0, 0.0, 0, False)
# Zone, signal, slot, value, flag, body, and when a forecast was issued.
Row: TypeAlias = tuple[str, str, Slot, float | None, str | None, int, datetime | None]


MOST_RECORDS: Final = 300_000  # a day of all units has 130,000


@dataclass(slots=True)
class Found:
    """What the reports of a group say, by slot; what comes later replaces what came before."""

    records: int = 0
    reports: int = 0
    scada: dict[tuple[str, Slot], Entry] = field(default_factory=dict)
    rooftop: dict[tuple[str, Slot], Entry] = field(default_factory=dict)
    runs: dict[tuple[str, str, Slot], Entry] = field(default_factory=dict)
    ahead: dict[tuple[str, Slot, datetime], Entry] = field(default_factory=dict)


def _put(entries: dict[Key, Entry], key: Key, entry: Entry) -> None:
    """Keep the entry of the best rank, of these that of the newest report.

    Where one report states two values, which of them holds is not known.
    """
    before = entries.get(key)
    if before is None or entry[:2] > before[:2]:
        entries[key] = entry
    elif entry[:2] == before[:2] and entry[2] != before[2]:
        entries[key] = (*entry[:2], None, entry[3], CONFLICT)


def read_report(report: bytes, index: int, known_at: datetime, found: Found) -> None:
    """Add what one report says.

    Raises:
        ValueError: it has none of the tables that are read, or there are too many records.
    """
    found.reports += 1
    count = before = found.records
    number = found.reports

    def entry(value: float | None, rank: int = 0) -> Entry:
        return rank, number, value, index, None

    for count, (table, record) in enumerate(records(report, TABLES), before + 1):
        if count > MOST_RECORDS:
            raise ValueError(f"more than {MOST_RECORDS} records in one answer")
        if table == SCADA:  # by far the most
            key = record["DUID"], _five(record["SETTLEMENTDATE"])
            text = record["SCADAVALUE"]
            _put(found.scada, key, (0, number, float(text) if text else None, index, None))
            continue
        end = instant(record.get("SETTLEMENTDATE") or record["INTERVAL_DATETIME"])
        half = table in (ROOFTOP, AHEAD, OPERATIONAL)
        half |= table.startswith("TRADING") and end <= FIVE_MINUTES_SINCE
        slot = _slot(end, HALF if half else FIVE)
        if table == AHEAD:
            issued_at = min(instant(record["LOAD_DATE"]), known_at)
            value = _value(record, "OPERATIONAL_DEMAND_POE50")
            _put(found.ahead, (record["REGIONID"], slot, issued_at), entry(value))
        elif table == ROOFTOP:
            if record["REGIONID"] in ZONES:
                rank = TYPES.index(record["TYPE"]) if record["TYPE"] in TYPES else -1
                place = record["REGIONID"]
                _put(found.rooftop, (place, slot), entry(_value(record, "POWER"), rank))
        else:
            signal, column, rank = _run(record)
            place = record.get("INTERCONNECTORID") or record["REGIONID"]
            _put(found.runs, (signal, place, slot), entry(_value(record, column), rank))
    found.records = count
    if count == before and not _has_table(report):
        raise ValueError("a report without a table that is read here")


@lru_cache(maxsize=4096)
def _slot(end: datetime, length: timedelta) -> Slot:
    """Return the slot that ends then; one object each, which is compared at once."""
    return end - length, end


@lru_cache(maxsize=4096)
def _five(label: str) -> Slot:
    """Return the five minutes that end at a label."""
    return _slot(instant(label), FIVE)


def _has_table(report: bytes) -> bool:
    names = [f"I,{name.replace('.', ',')},".encode() for name in TABLES]
    return any(line.startswith(tuple(names)) for line in report.splitlines())


def _run(record: Mapping[str, str]) -> tuple[str, str, int]:
    """Return the signal and column of a record, and the rank of its run."""
    column = next(
        name
        for name in ("RRP", "METEREDMWFLOW", "TOTALDEMAND", "OPERATIONAL_DEMAND")
        if name in record
    )
    signal = {"RRP": "price_aud", "METEREDMWFLOW": "flow"}.get(column, "load")
    intervened = int(record.get("INTERVENTION") or 0)
    return signal, column, -intervened if signal == "price_aud" else intervened


def _value(record: Mapping[str, str], column: str) -> float | None:
    text = record[column]
    return float(text) if text else None


def rows_of(found: Found) -> Iterator[Row]:
    """Return what was found by region, signal and slot."""
    return chain(_mix(found), _others(found))


def _mix(found: Found) -> Iterator[Row]:
    """Yield generation by region, fuel and slot."""
    sums: dict[tuple[str, str], dict[Slot, Sum]] = defaultdict(dict)
    bodies: dict[Slot, int] = {}
    known = units()
    for (duid, slot), (_, _, value, index, flag) in found.scada.items():
        bodies[slot] = index
        unit = known.get(duid)
        if unit is None:
            new = f"unmapped_code:{duid}"
            flags = f"{flag};{new}" if flag else new
            yield duid, generation("unknown"), slot, value, flags, index, None
            continue
        region, fuel, consumes = unit
        signed = -abs(value) if consumes and value is not None else value
        _add(sums[region, fuel], slot, signed, index, flag)
    if not sums:
        for (region, slot), (_, _, value, index, flag) in sorted(found.rooftop.items()):
            flags = f"{flag};{PARTIAL}" if flag else PARTIAL
            yield ZONES[region], generation("solar"), slot, value, flags, index, None
    for region, fuel, slot in _lacking(found):
        _add(sums[region, fuel], slot, None, bodies[slot], None)
    # Every region has rooftops, and not every one has larger plants.
    slots: dict[str, dict[Slot, Sum]] = defaultdict(dict)
    for (region, _), each in sums.items():
        slots[region] |= each
    for region, there in slots.items():
        solar = sums[region, "solar"]
        if not found.rooftop and not solar:
            solar |= {slot: (1, 1, 0.0, bodies[slot], False) for slot in there}
            continue
        for slot in there:
            entry = found.rooftop.get((region, _half_hour(slot)))
            if entry:
                _add(solar, slot, *entry[2:])
            else:
                _add(solar, slot, None, bodies[slot], None)
    for (region, fuel), each in sums.items():
        zone, signal = ZONES.get(region, region), generation(fuel)
        for slot, (count, lacks, total, index, wrong) in each.items():
            value = None if wrong or lacks == count else total
            flag = CONFLICT if wrong else PARTIAL if 0 < lacks < count else None
            yield zone, signal, slot, value, flag, index, None


def _add(
    sums: dict[Slot, Sum], slot: Slot, value: float | None, index: int, flag: str | None
) -> None:
    count, lacks, total, last, wrong = sums.get(slot, NOTHING)
    if value is None:
        lacks += 1
    else:
        total += value
    last = index if index > last else last
    sums[slot] = count + 1, lacks, total, last, wrong or flag is not None


def _lacking(found: Found) -> set[tuple[str, str, Slot]]:
    """Return region, fuel and slot of the sums that lack a unit.

    That is one without a record in a slot, and with one in another within `NEAR`: it has not
    come or gone for good, so what it generates is not known there.
    """
    there = {slot for _, slot in found.scada}
    if len(found.scada) == len(there) * len({duid for duid, _ in found.scada}):
        return set()
    slots = sorted(there)
    places = {slot: place for place, slot in enumerate(slots)}
    starts = [start for start, _ in slots]
    present: dict[str, set[int]] = defaultdict(set)
    for duid, slot in found.scada:
        present[duid].add(places[slot])
    lacking = set()
    for duid in present.keys() & units().keys():
        if len(present[duid]) == len(slots):
            continue
        region, fuel, _ = units()[duid]
        done = 0
        for place in sorted(present[duid]):
            first = bisect_left(starts, starts[place] - NEAR)
            after = bisect_right(starts, starts[place] + NEAR)
            absent = set(range(max(first, done), after)) - present[duid]
            lacking |= {(region, fuel, slots[each]) for each in absent}
            done = max(done, after)
    return lacking


def _half_hour(slot: Slot) -> Slot:
    """Return the half hour that a slot lies in."""
    start = slot[0] - timedelta(minutes=slot[0].minute % 30)
    return start, start + HALF


def _others(found: Found) -> Iterator[Row]:
    """Yield demand, prices, flows and forecasts."""
    flows: dict[tuple[str, Slot], list[Part]] = defaultdict(list)
    for (signal, place, slot), (_, _, value, index, flag) in found.runs.items():
        if signal != "flow":
            yield ZONES.get(place, place), signal, slot, value, flag, index, None
        elif place in LINKS:
            flows["->".join(LINKS[place]), slot].append((value, index, flag))
        else:
            new = f"unmapped_code:{place}"
            flows[place, slot].append((value, index, f"{flag};{new}" if flag else new))
    for (pair, slot), parts in flows.items():
        known = [value for value, _, _ in parts if value is not None]
        total = sum(known) if len(known) == len(parts) else None
        flag = ";".join(each for _, _, each in parts if each) or None
        yield pair, "flow", slot, total, flag, max(each for _, each, _ in parts), None
    for (region, slot, issued_at), (_, _, value, index, flag) in found.ahead.items():
        yield ZONES.get(region, region), "load", slot, value, flag, index, issued_at


@cache
def units() -> Mapping[str, tuple[str, str, bool]]:
    """Return region, fuel, and whether it only consumes, of each unit by its DUID."""
    return {
        row["duid"]: (row["region"], row["fuel"], row["consumes"] == "1")
        for row in read_table("aemo_units.csv")
    }
