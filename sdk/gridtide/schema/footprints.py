"""Requests for footprints, and their responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Annotated, ClassVar, Literal

from gridtide.accounting.emissions import EnergyRow, Row, RowFootprint, refuse_offset
from gridtide.accounting.sci import Equivalent, Factors, Gain
from gridtide.errors import BadInput
from gridtide.model import Quality, Signal, format_region, format_time
from gridtide.schema.definition import Field
from gridtide.schema.encode import in_hours
from gridtide.schema.estimates import Estimates
from gridtide.schema.requests import AsOf, ChosenSignal
from gridtide.schema.responses import DataAge, Response
from gridtide.schema.result import Record, Shown, Tabular
from gridtide.schema.validate import validate
from gridtide.values import read_list, read_moment, read_number, refuse

MOST_ROWS = 100_000
# Of all processors together, if need be.
MOST_HOURS = 1e10
# The fields that say how much energy it was, of which one must be given; each with the fields
# that it needs and those that it may have beside the fields of all.
ENERGY = {
    "rows": (("region",), ("clean",)),
    "hours": (("power_kw",), ("start", "processors", "before")),
    "requests": (("kwh_per_request",), ()),
}


@dataclass(frozen=True, kw_only=True)
class FootprintRequest:
    """Energy of one job, and how its grams are to be counted.

    One of `rows`, `hours` and `requests` says how much it was, `region` or `g_per_kwh` how
    dirty.

    Raises:
        BadInput: none of these or too many, a field of another one, or an offset.
    """

    rows: Annotated[
        tuple[Row, ...] | None,
        Field("metered energy before PUE", encoded=tuple[EnergyRow, ...], most=MOST_ROWS),
    ] = None
    hours: Annotated[timedelta | None, Field("how long it ran", at_most=MOST_HOURS)] = None
    power_kw: Annotated[
        float | None, Field("average power of one processor, before PUE", unit="kW")
    ] = None
    processors: Annotated[float | None, Field("how many; left out: 1")] = None
    start: Annotated[
        datetime | None, Field("when it began; required with hours and a region")
    ] = None
    requests: Annotated[float | None, Field("how many requests it answered")] = None
    kwh_per_request: Annotated[
        float | None, Field("energy of each, before PUE", unit="kWh")
    ] = None
    pue: Annotated[float, Field("energy drawn per energy of the job")] = 1.0
    region: Annotated[str | None, Field("the region whose intensity at the time counts")] = None
    g_per_kwh: Annotated[
        float | None, Field("the intensity, instead of a region's", unit="gCO2e/kWh")
    ] = None
    net_g_per_kwh: Annotated[
        float | None, Field("the intensity left after hourly clean purchases", unit="gCO2e/kWh")
    ] = None
    clean: Annotated[
        tuple[Row, ...] | None,
        Field(
            "clean energy bought in the same grid, as rows; what is bought in an hour covers "
            "no more than what is drawn in that hour",
            encoded=tuple[EnergyRow, ...],
            most=MOST_ROWS,
        ),
    ] = None
    embodied_g: Annotated[
        float | None,
        Field("emissions of making what it ran on, for the SCI", unit="gCO2e"),
    ] = None
    per: Annotated[float | None, Field("functional units it was for, for the SCI")] = None
    before: Annotated[
        Factors | None, Field("what it was before, for where the gain comes from")
    ] = None
    offset_g: Annotated[float | None, Field("refused: offsets are not part of a footprint")] = (
        None
    )
    signal: ChosenSignal = None
    as_of: AsOf = None

    def __post_init__(self) -> None:
        refuse_offset(self.offset_g)
        validate(
            self,
            rows=read_rows,
            clean=read_rows,
            region=lambda region, _: format_region(region),
        )
        given = [name for name in ENERGY if getattr(self, name) is not None]
        if len(given) != 1:
            raise BadInput(
                "give one of rows (with start, end, kwh), hours (with power_kw) and requests "
                f"(with kwh_per_request); got {' and '.join(given) or 'none'}"
            )
        self._check_fields(given[0])
        self._check_intensity(given[0])
        if self.start is not None and self.hours is not None:
            _check_end(self.start, self.hours)
        if (self.embodied_g is None) != (self.per is None):
            raise BadInput(
                "embodied_g and per go together: grams of making what it ran on, and how many "
                "functional units it was for; give both, 0 where there are none to count"
            )

    def _check_fields(self, energy: str) -> None:
        for name in ENERGY[energy][0]:
            if getattr(self, name) is None:
                raise BadInput(f"a footprint of {energy} needs {name}; give it")
        of_others = {
            name
            for other, (needed, more) in ENERGY.items()
            if other != energy
            for name in (*needed, *more)
        } - {"region", *ENERGY[energy][0], *ENERGY[energy][1]}
        wrong = [
            each.name
            for each in fields(self)
            if each.name in of_others and getattr(self, each.name) is not None
        ]
        if wrong:
            raise BadInput(f"a footprint of {energy} does not use {', '.join(wrong)}; drop it")

    def _check_intensity(self, energy: str) -> None:
        if (self.region is None) == (self.g_per_kwh is None):
            raise BadInput(
                "give a region, whose intensity at the time counts, or g_per_kwh; one of them"
            )
        if self.region is None:
            if self.signal is not None or self.start is not None:
                raise BadInput("signal and start go with a region; drop them or name one")
        elif self.net_g_per_kwh is not None:
            raise BadInput(
                "net_g_per_kwh goes with g_per_kwh; with a region and rows give clean"
            )
        elif energy == "requests" or (energy == "hours" and self.start is None):
            raise BadInput(
                f"a footprint of {energy} by a region's intensity needs its time: "
                + ("give start" if energy == "hours" else "give rows, or g_per_kwh")
            )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FootprintAnswer(Response, Shown, Tabular, Record):
    """What a job drew and emitted; fields of a region are null where none was named."""

    SCHEMA_NAME: ClassVar[str] = "Footprint"

    kwh: Annotated[float, Field("energy from the grid, PUE included", unit="kWh")]
    gross_g: Annotated[
        float | None,
        Field("by the grid's intensity; null where it is unknown for any part", unit="gCO2e"),
    ]
    net_g: Annotated[
        float | None,
        Field(
            "less hourly purchases of clean energy; null where these or the intensity are "
            "unknown",
            unit="gCO2e",
        ),
    ]
    known_kwh: Annotated[
        float,
        Field(
            "energy whose intensity is known; of a row that is known in part, that part",
            unit="kWh",
        ),
    ]
    known_g: Annotated[float, Field("gross emissions of known_kwh", unit="gCO2e")]
    g_per_kwh: Annotated[
        float | None,
        Field("mean intensity, by energy; null where any of it is unknown", unit="gCO2e/kWh"),
    ]
    per_request_g: Annotated[
        float | None, Field("gross emissions of one request", unit="gCO2e")
    ]
    equivalents: Annotated[
        tuple[Equivalent, ...], Field("of gross_g; empty where that is unknown")
    ]
    sci: Annotated[
        float | None,
        Field(
            "software carbon intensity (ISO/IEC 21031:2024) per functional unit, if requested",
            unit="gCO2e",
        ),
    ]
    gain: Annotated[Gain | None, Field("how many times less than before, if requested")]
    rows: Annotated[tuple[RowFootprint, ...], Field("as requested, each with its grams")]
    region: Annotated[str | None, Field("the region of the request")]
    zone: Annotated[str | None, Field("key of the zone that answers")]
    zone_name: Annotated[str | None, Field("its name")]
    resolved_by: Annotated[str | None, Field("how the zone was found")]
    certainty: Annotated[
        Literal["exact", "inside", "mostly"] | None,
        Field("whether the region is the zone, inside it, or mostly in it"),
    ]
    meaning: Annotated[str | None, Field("what the region is, in words")]
    signal: Annotated[Signal | None, Field("which quantity under which accounting rule")]
    unit: Annotated[str | None, Field("unit of the signal")]
    quality: Annotated[Quality | None, Field("of the least certain slot that counts")]
    simulated: Annotated[bool, Field("whether the values are of the built-in simulated grid")]
    source: Annotated[str | None, Field("publishers of the history, comma-separated")]
    licence: Annotated[str | None, Field("terms of those")]
    data_age_seconds: DataAge
    estimates: Estimates = ()


def read_rows(rows: object, name: str) -> tuple[Row, ...]:
    """Return rows as they may be given, checked as far as JSON needs it.

    Raises:
        BadInput: not triples of two aware times and a number.
    """
    return read_list(_read_row, rows, name)


def _read_row(row: object, name: str) -> Row:
    unordered = isinstance(row, str | Set | Mapping)
    parts = () if unordered or not isinstance(row, Iterable) else tuple(row)
    if len(parts) != 3:
        refuse(row, name, "(start, end, kWh) with aware times")
    start, end, kwh = parts
    if type(kwh) is float and isfinite(kwh):
        plain = type(start) is type(end) is datetime
        if plain and start.tzinfo is end.tzinfo is UTC:
            return start, end, kwh  # most by far, with nothing left to read
    return (
        read_moment(start, f"{name}.start", day=True),
        read_moment(end, f"{name}.end", day=True),
        read_number(kwh, f"{name}.kwh"),
    )


def _check_end(start: datetime, hours: timedelta) -> None:
    try:
        _ = start + hours
    except OverflowError as error:
        raise BadInput(
            f"{in_hours(hours):g} hours from {format_time(start)} on end beyond the calendar; "
            "give processors for hours that ran side by side"
        ) from error
