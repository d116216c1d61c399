"""Footprints as JSON: what is asked, and what a service answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Annotated

from gridtide.accounting.emissions import Row, refuse_offset
from gridtide.accounting.sci import Factors
from gridtide.errors import BadInput
from gridtide.model import Signal, format_time
from gridtide.schema.decoding import define_shape
from gridtide.schema.definition import Field
from gridtide.schema.energy_rows import ROW, ROWS
from gridtide.schema.forms import Form, hours_up_to, in_hours
from gridtide.values import (
    Reader,
    instance_of,
    optional,
    read_number,
    settle,
)

# Of all processors together, if need be.
HOURS = hours_up_to(1e10)
# What each way to say how much energy it was needs, of which one must be given.
WAYS = {
    "rows": ("rows", "region"),
    "hours": ("hours", "power_kw"),
    "requests": ("requests", "kwh_per_request"),
}
# What else goes with one way only, and what goes with all.
WITH = {"rows": ("clean",), "hours": ("start", "processors", "before")}
NUMBERS = (
    "power_kw",
    "processors",
    "requests",
    "kwh_per_request",
    "g_per_kwh",
    "net_g_per_kwh",
    "embodied_g",
    "per",
)
COMMON = ("pue", "region", "g_per_kwh", "net_g_per_kwh", "embodied_g", "per", "signal", "as_of")


READERS: Mapping[str, Reader] = {
    "pue": read_number,
    "before": optional(instance_of(Factors, "Factors")),
    **dict.fromkeys(NUMBERS, optional(read_number)),
}


@dataclass(frozen=True, kw_only=True)
class FootprintRequest:
    """Energy of one job, and how its grams are to be counted.

    One of `rows`, `hours` and `requests` says how much it was, `region` or `g_per_kwh` how
    dirty.

    Raises:
        BadInput: none of these or too many, a member of another way, or an offset.
    """

    rows: Annotated[tuple[Row, ...] | None, Field("metered energy before PUE")] = None
    hours: Annotated[timedelta | None, Field("how long it ran", at_most=1e10)] = None
    power_kw: Annotated[
        float | None, Field("average power of one processor, before PUE", unit="kW")
    ] = None
    processors: Annotated[float | None, Field("how many; left out: 1")] = None
    start: Annotated[
        datetime | None, Field("when it began; needed with hours and a region")
    ] = None
    requests: Annotated[float | None, Field("how many requests it answered")] = None
    kwh_per_request: Annotated[
        float | None, Field("energy of each, before PUE", unit="kWh")
    ] = None
    pue: Annotated[float, Field("energy drawn per energy of the job; left out: 1")] = 1.0
    region: Annotated[str | None, Field("whose intensity at the time counts")] = None
    g_per_kwh: Annotated[
        float | None, Field("the intensity, instead of a region's", unit="gCO2e/kWh")
    ] = None
    net_g_per_kwh: Annotated[
        float | None, Field("the intensity left after hourly clean purchases", unit="gCO2e/kWh")
    ] = None
    clean: Annotated[
        tuple[Row, ...] | None, Field("clean energy bought in the same grid, by hour")
    ] = None
    embodied_g: Annotated[
        float | None, Field("grams of making what it ran on, for the SCI", unit="gCO2e")
    ] = None
    per: Annotated[float | None, Field("functional units it was for, for the SCI")] = None
    before: Annotated[
        Factors | None, Field("what it was before, for where the gain comes from")
    ] = None
    offset_g: Annotated[float | None, Field("refused: offsets are no part of a footprint")] = (
        None
    )
    signal: Annotated[Signal | None, Field("which signal; left out: the usual one")] = None
    as_of: Annotated[
        datetime | None, Field("answer as it would have been at this moment; left out: now")
    ] = None

    def __post_init__(self) -> None:
        refuse_offset(self.offset_g)
        settle(self, **READERS)
        given = [way for way in WAYS if getattr(self, way) is not None]
        if len(given) != 1:
            raise BadInput(
                "give one of rows (with start, end, kwh), hours (with power_kw) and requests "
                f"(with kwh_per_request); got {' and '.join(given) or 'none'}"
            )
        (way,) = given
        for name in WAYS[way]:
            if getattr(self, name) is None:
                raise BadInput(f"a footprint of {way} needs {name}; give it")
        own = {*WAYS[way], *COMMON, *WITH.get(way, ())}
        other = [
            each.name
            for each in fields(self)
            if each.name not in own and getattr(self, each.name) is not None
        ]
        if other:
            raise BadInput(f"a footprint of {way} has no use for {', '.join(other)}; drop it")
        self._check_intensity(way)
        if self.start is not None and self.hours is not None:
            self._check_end(self.start, self.hours)
        if (self.embodied_g is None) != (self.per is None):
            raise BadInput(
                "embodied_g and per go together: grams of making what it ran on, and how many "
                "functional units it was for; give both, 0 where there are none to count"
            )

    @staticmethod
    def _check_end(start: datetime, hours: timedelta) -> None:
        try:
            _ = start + hours
        except OverflowError as error:
            raise BadInput(
                f"{in_hours(hours):g} hours from {format_time(start)} on end beyond the "
                "calendar; give processors for hours that ran side by side"
            ) from error

    def _check_intensity(self, way: str) -> None:
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
        elif way == "requests" or (way == "hours" and self.start is None):
            raise BadInput(
                f"a footprint of {way} by a region's intensity needs its time: "
                + ("give start" if way == "hours" else "give rows, or g_per_kwh")
            )


# A number of hours in Python.
_FACTOR_HOURS = Form(lambda value, where: in_hours(HOURS.read(value, where)), HOURS.schema)
FACTORS = define_shape(Factors, {"hours": _FACTOR_HOURS})
FOOTPRINT = define_shape(FootprintRequest, {"rows": ROWS, "clean": ROWS})
SHAPES = (FOOTPRINT, ROW, FACTORS)
