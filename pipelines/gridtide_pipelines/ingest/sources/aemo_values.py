"""What the tables of AEMO's reports say, as rows by region. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, TypeAlias

from gridtide_pipelines.ingest.parsing import number
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
# Zone, signal, slot, value, flag, body, and when a forecast was issued.
Row: TypeAlias = tuple[str, str, Slot, float | None, str | None, int, datetime | None]


MOST_RECORDS: Final = 300_000  # a day of all units has 130,000


@dataclass(slots=True)
class Found:
    """What the reports of a group say, by slot; what comes later replaces what came before."""

    records: int = 0
    scada: dict[tuple[str, Slot], tuple[float | None, int]] = field(default_factory=dict)
    rooftop: dict[tuple[str, Slot], tuple[int, float | None, int]] = field(default_factory=dict)
    runs: dict[tuple[str, str, Slot], tuple[int, float | None, int]] = field(
        default_factory=dict
    )
    ahead: dict[tuple[str, Slot, datetime], tuple[float | None, int]] = field(
        default_factory=dict
    )


def read_report(report: bytes, index: int, known_at: datetime, found: Found) -> None:
    """Add what one report says.

    Raises:
        ValueError: it has none of the tables that are read, or there are too many records.
    """
    seen = False
    for table, record in records(report, TABLES):
        seen = True
        found.records += 1
        if found.records > MOST_RECORDS:
            raise ValueError(f"more than {MOST_RECORDS} records in one answer")
        end = instant(record.get("SETTLEMENTDATE") or record["INTERVAL_DATETIME"])
        half = table in (ROOFTOP, AHEAD, OPERATIONAL)
        half |= table.startswith("TRADING") and end <= FIVE_MINUTES_SINCE
        slot = (end - (HALF if half else FIVE), end)
        if table == SCADA:
            found.scada[record["DUID"], slot] = (_value(record, "SCADAVALUE"), index)
        elif table == AHEAD:
            issued_at = min(instant(record["LOAD_DATE"]), known_at)
            value = _value(record, "OPERATIONAL_DEMAND_POE50")
            found.ahead[record["REGIONID"], slot, issued_at] = (value, index)
        elif table == ROOFTOP:
            if record["REGIONID"] in ZONES:
                rank = TYPES.index(record["TYPE"]) if record["TYPE"] in TYPES else -1
                entry = (rank, _value(record, "POWER"), index)
                before = found.rooftop.get((record["REGIONID"], slot))
                if before is None or rank >= before[0]:
                    found.rooftop[record["REGIONID"], slot] = entry
        else:
            _add_run(table, record, slot, index, found)
    if not seen and not _has_table(report):
        raise ValueError("a report without a table that is read here")


def _has_table(report: bytes) -> bool:
    names = [f"I,{name.replace('.', ',')},".encode() for name in TABLES]
    return any(line.startswith(tuple(names)) for line in report.splitlines())


def _add_run(
    table: str, record: Mapping[str, str], slot: Slot, index: int, found: Found
) -> None:
    column = next(
        name
        for name in ("RRP", "METEREDMWFLOW", "TOTALDEMAND", "OPERATIONAL_DEMAND")
        if name in record
    )
    signal = {"RRP": "price_aud", "METEREDMWFLOW": "flow"}.get(column, "load")
    place = record.get("INTERCONNECTORID") or record["REGIONID"]
    intervened = int(record.get("INTERVENTION") or 0)
    rank = -intervened if signal == "price_aud" else intervened
    before = found.runs.get((signal, place, slot))
    if before is None or rank >= before[0]:
        found.runs[signal, place, slot] = (rank, _value(record, column), index)


def _value(record: Mapping[str, str], column: str) -> float | None:
    return number(record[column] or None)


def rows_of(found: Found) -> Iterator[Row]:
    """Yield what was found by region, signal and slot."""
    yield from _mix(found)
    yield from _others(found)


def _mix(found: Found) -> Iterator[Row]:
    """Yield generation by region, fuel and slot."""
    sums: dict[tuple[str, str, Slot], list[tuple[float | None, int]]] = defaultdict(list)
    bodies: dict[Slot, int] = {}
    for (duid, slot), (value, index) in found.scada.items():
        bodies[slot] = index
        unit = units().get(duid)
        if unit is None:
            yield duid, generation("unknown"), slot, value, f"unmapped_code:{duid}", index, None
            continue
        region, fuel, consumes = unit
        signed = -abs(value) if consumes and value is not None else value
        sums[region, fuel, slot].append((signed, index))
    if not sums:
        for (region, slot), (_, value, index) in sorted(found.rooftop.items()):
            yield ZONES[region], generation("solar"), slot, value, PARTIAL, index, None
    for region, fuel, slot in _lacking(found):
        sums[region, fuel, slot].append((None, bodies[slot]))
    # Every region has rooftops, and not every one has larger plants.
    for region, slot in sorted({(region, slot) for region, _, slot in sums}):
        _, value, index = found.rooftop.get((region, _half_hour(slot)), (0, None, bodies[slot]))
        sums[region, "solar", slot].append((value, index))
    for (region, fuel, slot), parts in sums.items():
        known = [value for value, _ in parts if value is not None]
        flag = PARTIAL if known and len(known) < len(parts) else None
        total = sum(known) if known else None
        index = max(each for _, each in parts)
        yield ZONES.get(region, region), generation(fuel), slot, total, flag, index, None


def _lacking(found: Found) -> set[tuple[str, str, Slot]]:
    """Return region, fuel and slot of the sums that lack a unit.

    That is one without a record in a slot, and with one in another within `NEAR`: it has not
    come or gone for good, so what it generates is not known there.
    """
    slots = sorted({slot for _, slot in found.scada})
    places = {slot: place for place, slot in enumerate(slots)}
    starts = [start for start, _ in slots]
    present: dict[str, set[int]] = defaultdict(set)
    for duid, slot in found.scada:
        present[duid].add(places[slot])
    lacking = set()
    for duid in present.keys() & units().keys():
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
    flows: dict[tuple[str, Slot], list[tuple[float | None, int, str | None]]] = defaultdict(
        list
    )
    for (signal, place, slot), (_, value, index) in found.runs.items():
        if signal != "flow":
            yield ZONES.get(place, place), signal, slot, value, None, index, None
        elif place in LINKS:
            flows["->".join(LINKS[place]), slot].append((value, index, None))
        else:
            flows[place, slot].append((value, index, f"unmapped_code:{place}"))
    for (pair, slot), parts in flows.items():
        known = [value for value, _, _ in parts if value is not None]
        total = sum(known) if len(known) == len(parts) else None
        yield pair, "flow", slot, total, parts[0][2], max(each for _, each, _ in parts), None
    for (region, slot, issued_at), (value, index) in found.ahead.items():
        yield ZONES.get(region, region), "load", slot, value, None, index, issued_at


@cache
def units() -> Mapping[str, tuple[str, str, bool]]:
    """Return region, fuel, and whether it only consumes, of each unit by its DUID."""
    return {
        row["duid"]: (row["region"], row["fuel"], row["consumes"] == "1")
        for row in read_table("aemo_units.csv")
    }
