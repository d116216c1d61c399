"""Values of ENTSO-E's documents: codes, contracts and auctions to rows of values. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from gridtide_pipelines.ingest.source import PARTIAL
from gridtide_pipelines.ingest.sources.entsoe_documents import (
    Series,
    Slot,
    read_acknowledgement,
    read_series,
    text_of,
)
from gridtide_store.vocabulary import generation

FUELS: Final = {
    "B01": "biomass",
    "B02": "coal",  # lignite
    "B03": "gas",  # gas from coal
    "B04": "gas",
    "B05": "coal",  # hard coal
    "B06": "oil",
    "B07": "coal",  # oil shale
    "B08": "coal",  # peat
    "B09": "geothermal",
    "B10": "hydro_storage",
    "B11": "hydro",
    "B12": "hydro",
    "B13": "unknown",  # marine
    "B14": "nuclear",
    "B15": "unknown",  # other renewable
    "B16": "solar",
    "B17": "biomass",  # waste
    "B18": "wind",
    "B19": "wind",
    "B20": "unknown",  # other
    "B25": "battery_storage",
}
ACTUAL: Final = "A16"
TOTAL_CONTRACT: Final = "A05"


class Row(NamedTuple):
    """A value of one area, or of one exchange ``from->to``; ``issued_at`` of a forecast."""

    area: str
    signal: str
    start: datetime
    length: timedelta
    value: float | None
    issued_at: datetime | None
    flag: str | None
    body: int


def read_rows(document: Element, body: int, issued_at: datetime) -> Iterator[Row]:
    """Return the values of one document, under the codes of its areas.

    Args:
        body: number of the body that the document is from.
        issued_at: of a forecast.

    Raises:
        ValueError: it is no document of these types, or refuses the request.
    """
    kind = document.tag
    if kind == "Acknowledgement_MarketDocument":
        read_acknowledgement(document)
        return
    if kind not in ("GL_MarketDocument", "Publication_MarketDocument"):
        raise ValueError(f"a {kind[:60]}, which is no market document")
    item = text_of(document, "type")
    process = document.findtext("process.processType", "")
    series = [read_series(each) for each in document.iter("TimeSeries")]
    match item:
        case "A75":
            yield from _by_fuel(series, body, None, generation)
        case "A69":
            yield from _by_fuel(series, body, issued_at, generation)
        case "A71":
            yield from _by_fuel(series, body, issued_at, lambda _: generation("total"))
        case "A65" if process == ACTUAL:
            yield from _sums(series, "load", body, None)
        case "A65":
            yield from _sums(series, "load", body, issued_at)
        case "A11":
            yield from _sums(_total(series), "flow", body, None)
        case "A09":
            yield from _sums(_total(series), "flow", body, issued_at)
        case "A44":
            yield from _prices(series, body)
        case _:
            raise ValueError(f"document type {item[:20]!r} is not one of those that are read")


def _by_fuel(
    series: Sequence[Series],
    body: int,
    issued_at: datetime | None,
    signal_of: Callable[[str], str],
) -> Iterator[Row]:
    """Add the codes of each fuel; what consumes counts negative.

    Where one of the codes that generate is missing, the sum is flagged as partial: codes end at
    different times, and the rest must not pass for the whole. A pump that is not named rests.
    """
    sums: dict[tuple[str, str], dict[tuple[datetime, timedelta], float | None]]
    sums, flags = defaultdict(dict), dict[tuple[str, str], str]()
    times: dict[tuple[str, str], dict[str, set[datetime]]] = defaultdict(dict)
    for each in series:
        fuel = FUELS.get(each.code, "unknown")
        key = each.area, signal_of(fuel)
        if each.code and each.code not in FUELS:
            flags[key] = f"unmapped_code:{each.code}"
        _add(sums[key], each, -1.0 if each.consumes else 1.0)
        if not each.consumes:
            known = times[key].setdefault(each.code, set())
            known.update(slot.start for slot in each.slots)
    for key, slots in sums.items():
        everywhere = set.intersection(*times[key].values()) if key in times else set()
        for (start, length), value in sorted(slots.items()):
            found = [flags[key]] if key in flags else []
            found += [PARTIAL] if key in times and start not in everywhere else []
            yield Row(*key, start, length, value, issued_at, ";".join(found) or None, body)


def _sums(
    series: Sequence[Series], signal: str, body: int, issued_at: datetime | None
) -> Iterator[Row]:
    sums: dict[str, dict[tuple[datetime, timedelta], float | None]] = defaultdict(dict)
    for each in series:
        _add(sums[each.area], each, 1.0)
    for area, slots in sums.items():
        for (start, length), value in sorted(slots.items()):
            yield Row(area, signal, start, length, value, issued_at, None, body)


def _add(
    slots: dict[tuple[datetime, timedelta], float | None], series: Series, sign: float
) -> None:
    for slot in series.slots:
        key = slot.start, slot.length
        value = None if slot.value is None else sign * slot.value
        if key in slots:
            before = slots[key]
            value = None if value is None or before is None else before + value
        slots[key] = value


def _total(series: Sequence[Series]) -> Sequence[Series]:
    """The series of the total contract, where any is; else all."""
    total = [each for each in series if each.contract == TOTAL_CONTRACT]
    return total or series


def _prices(series: Sequence[Series], body: int) -> Iterator[Row]:
    """The first auction of each area, in the finest resolution there is of each time."""
    chosen: dict[tuple[str, str], list[Slot]] = defaultdict(list)
    first = {
        area: min(each.sequence for each in series if each.area == area)
        for area in {each.area for each in series}
    }
    for each in series:
        if not each.currency:
            raise ValueError("a price without a currency")
        if each.sequence == first[each.area]:
            chosen[each.area, f"price_{each.currency}"] += each.slots
    for (area, signal), slots in chosen.items():
        taken: set[datetime] = set()
        for slot in sorted(slots, key=lambda slot: (slot.length, slot.start)):
            minutes = [
                slot.start + timedelta(minutes=k)
                for k in range(0, int(slot.length.total_seconds() // 60), 5)
            ]
            if taken.isdisjoint(minutes):
                taken.update(minutes)
                yield Row(area, signal, slot.start, slot.length, slot.value, None, None, body)
