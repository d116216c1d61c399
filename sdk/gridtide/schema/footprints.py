"""Footprints as JSON: what is asked, and what a service answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from gridtide.accounting.emissions import Row, refuse_offset
from gridtide.accounting.sci import Factors
from gridtide.errors import BadInput
from gridtide.model import Signal, format_time
from gridtide.schema.decoding import Member, Shape
from gridtide.schema.energy_rows import ROW, ROWS, rows_to_json
from gridtide.schema.forms import MOMENT, NUMBER, TEXT, hours_up_to
from gridtide.schema.jobs import in_hours
from gridtide.schema.plan_requests import AS_OF_MEMBER, SIGNAL_MEMBER
from gridtide.values import (
    Reader,
    instance_of,
    optional,
    read_number,
    settle,
)

Json = dict[str, Any]
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
class FootprintAsked:
    """Energy of one job, and how its grams are to be counted.

    One of `rows`, `hours` and `requests` says how much it was, `region` or `g_per_kwh` how
    dirty.

    Raises:
        BadInput: none of these or too many, a member of another way, or an offset.
    """

    rows: tuple[Row, ...] | None = None
    hours: timedelta | None = None
    power_kw: float | None = None
    processors: float | None = None
    start: datetime | None = None
    requests: float | None = None
    kwh_per_request: float | None = None
    pue: float = 1.0
    region: str | None = None
    g_per_kwh: float | None = None
    net_g_per_kwh: float | None = None
    clean: tuple[Row, ...] | None = None
    embodied_g: float | None = None
    per: float | None = None
    before: Factors | None = None
    offset_g: float | None = None
    signal: Signal | None = None
    as_of: datetime | None = None

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


def _factors(hours: timedelta, **members: float) -> Factors:
    return Factors(hours=in_hours(hours), **members)


FACTORS: Shape[Factors] = Shape(
    "Factors",
    "What a footprint is the product of.",
    {
        "hours": Member(HOURS, "how long it ran", required=True),
        "power_kw": Member(NUMBER, "average of one processor", required=True),
        "g_per_kwh": Member(NUMBER, "intensity", required=True),
        "processors": Member(NUMBER, "how many; left out: 1"),
        "pue": Member(NUMBER, "energy drawn per energy of the processors; left out: 1"),
    },
    _factors,
)
FOOTPRINT: Shape[FootprintAsked] = Shape(
    "FootprintAsked",
    "Energy of a job, and how its grams are to be counted.",
    {
        "rows": Member(ROWS, "metered energy before PUE"),
        "hours": Member(HOURS, "how long it ran"),
        "power_kw": Member(NUMBER, "average power of one processor, before PUE"),
        "processors": Member(NUMBER, "how many; left out: 1"),
        "start": Member(MOMENT, "when it began; needed with hours and a region"),
        "requests": Member(NUMBER, "how many requests it answered"),
        "kwh_per_request": Member(NUMBER, "energy of each, before PUE"),
        "pue": Member(NUMBER, "energy drawn per energy of the job; left out: 1"),
        "region": Member(TEXT, "whose intensity at the time counts"),
        "g_per_kwh": Member(NUMBER, "the intensity, instead of a region's"),
        "net_g_per_kwh": Member(NUMBER, "the intensity left after hourly clean purchases"),
        "clean": Member(ROWS, "clean energy bought in the same grid, by hour"),
        "embodied_g": Member(NUMBER, "grams of making what it ran on, for the SCI"),
        "per": Member(NUMBER, "functional units it was for, for the SCI"),
        "before": Member(FACTORS.form, "what it was before, for where the gain comes from"),
        "offset_g": Member(NUMBER, "refused: offsets are no part of a footprint"),
        "signal": SIGNAL_MEMBER,
        "as_of": AS_OF_MEMBER,
    },
    lambda **members: FootprintAsked(**members),
)
SHAPES = (FOOTPRINT, ROW, FACTORS)


def footprint_to_json(asked: FootprintAsked) -> Json:
    """The JSON object of a question; what is as by default is left out."""
    wire: Json = {}
    for each in fields(FootprintAsked):
        value = getattr(asked, each.name)
        if value == each.default:
            continue
        if isinstance(value, tuple):
            wire[each.name] = rows_to_json(value)
        elif isinstance(value, timedelta):
            wire[each.name] = in_hours(value)
        elif isinstance(value, datetime):
            wire[each.name] = format_time(value)
        elif isinstance(value, Factors):
            wire[each.name] = {one.name: getattr(value, one.name) for one in fields(value)}
        else:
            wire[each.name] = str(value) if isinstance(value, Signal) else value
    return wire
