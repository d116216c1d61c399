"""Energy and emissions of a job, from what it ran on or from metered rows. Pure.

After Patterson et al. 2021 (arXiv:2104.10350): energy is hours x processors x average power x
PUE, and emissions are energy x intensity. Gross takes the grid's intensity, net the intensity
that is left after hourly local purchases of clean energy. Offsets belong to neither: they
happen elsewhere, and the SCI specification (ISO/IEC 21031:2024) rules them out by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import fsum, inf, isfinite
from typing import Annotated, ClassVar, NamedTuple

from gridtide.accounting.clean_energy import Known, unmatched
from gridtide.errors import BadInput
from gridtide.model import Length, Series, format_time, utc
from gridtide.planning.solvers.cancellation import check_cancelled
from gridtide.schema.definition import Field
from gridtide.schema.result import Record, Tabular
from gridtide.slots import to_instant
from gridtide.values import read_hours, read_list, read_number, refuse, shown

Row = tuple[datetime, datetime, float]  # start, end, kWh


class EnergyRow(NamedTuple):
    """Energy drawn evenly from start to before end."""

    start: Annotated[datetime, Field("the start; a date is its start, UTC", day=True)]
    end: Annotated[datetime, Field("the end; a date is its start, UTC", day=True)]
    kwh: Annotated[float, Field("energy", unit="kWh")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint(Record):
    """What a job drew and emitted.

    Attributes:
        kwh: energy from the grid, PUE included.
        gross_g: by the grid's intensity; ``None`` where it is unknown for any part.
        net_g: less hourly purchases of clean energy; ``None`` where these or the intensity are
            unknown.
        known_kwh: the energy whose intensity is known; of a row that is known in part, that
            part.
        known_g: gross emissions of that.
        per_request_g: of inference, gross; else ``None``.
    """

    kwh: float
    gross_g: float | None
    net_g: float | None
    known_kwh: float
    known_g: float
    per_request_g: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFootprint(Record):
    """One row with PUE, and what it emitted; null where the intensity is unknown in part."""

    SCHEMA_NAME: ClassVar[str] = "EnergyGrams"

    start: Annotated[datetime, Field("start of the row")]
    end: Annotated[datetime, Field("end of the row")]
    kwh: Annotated[float, Field("energy, PUE included", unit="kWh")]
    g_per_kwh: Annotated[float | None, Field("intensity of that time", unit="gCO2e/kWh")]
    gross_g: Annotated[float | None, Field("its emissions", unit="gCO2e")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered(Tabular, Record):
    """The rows in the order they came, and their sum."""

    total: Footprint
    rows: tuple[RowFootprint, ...]


def energy_kwh(
    hours: Length, *, processors: float = 1.0, power_kw: float, pue: float = 1.0
) -> float:
    """Energy drawn from the grid, kWh: `power_kw` is the average of one processor.

    Raises:
        BadInput: a number below 0 or not finite, also what comes of them, or a PUE below 1.
    """
    run = _check("hours", read_hours(hours, "hours"), 0.0)
    processors = _check("processors", processors, 0.0)
    power_kw = _check("power_kw", power_kw, 0.0)
    pue = _check("pue", pue, 1.0)
    return finite("the energy in kWh", run * processors * power_kw * pue)


def emissions_g(kwh: float, g_per_kwh: float) -> float:
    """Emissions of `kwh` at an intensity, g: gross or net as the intensity is.

    Raises:
        BadInput: a number below 0 or not finite, also what comes of them.
    """
    kwh, g_per_kwh = _check("kwh", kwh, 0.0), _check("g_per_kwh", g_per_kwh, 0.0)
    return finite("the emissions in g", kwh * g_per_kwh)


def training(
    hours: Length,
    *,
    power_kw: float,
    g_per_kwh: float,
    processors: float = 1.0,
    pue: float = 1.0,
    net_g_per_kwh: float | None = None,
    offset_g: float | None = None,
) -> Footprint:
    """Return the footprint of one run: `processors` for `hours`, each at `power_kw` on average.

    Raises:
        BadInput: a number below 0 or not finite, a PUE below 1, or an offset.
    """
    refuse_offset(offset_g)
    kwh = energy_kwh(hours, processors=processors, power_kw=power_kw, pue=pue)
    return _footprint(kwh, g_per_kwh, net_g_per_kwh)


def inference(
    requests: float,
    *,
    kwh_per_request: float,
    g_per_kwh: float,
    pue: float = 1.0,
    net_g_per_kwh: float | None = None,
    offset_g: float | None = None,
) -> Footprint:
    """Return the footprint of `requests`, each at `kwh_per_request` before PUE.

    Raises:
        BadInput: a number below 0 or not finite, a PUE below 1, or an offset.
    """
    refuse_offset(offset_g)
    requests = _check("requests", requests, 0.0)
    kwh_per_request = _check("kwh_per_request", kwh_per_request, 0.0)
    pue = _check("pue", pue, 1.0)
    each = emissions_g(kwh_per_request * pue, g_per_kwh)
    return _footprint(requests * kwh_per_request * pue, g_per_kwh, net_g_per_kwh, each)


def integrate(
    rows: Iterable[Row],
    series: Series,
    *,
    pue: float = 1.0,
    clean: Iterable[Row] | None = None,
    offset_g: float | None = None,
) -> Metered:
    """Return the footprint of metered energy, each row by the intensity of its own time.

    Args:
        rows: (start, end, kWh before PUE), in any order; they may overlap, as meters do. The
            energy of one is drawn evenly over it, so slots are split at its ends.
        series: carbon intensity.
        clean: clean energy bought in the same grid, (start, end, kWh); what is bought in an
            hour of the clock (UTC) covers no more than what is drawn in that hour.

    Raises:
        BadInput: a naive time, a row that does not end after it starts, energy below 0 or not
            finite, a series that is not an intensity, or an offset.
    """
    refuse_offset(offset_g)
    pue = _check("pue", pue, 1.0)
    if not isinstance(series, Series):
        refuse(series, "series", "a Series")
    if not series.signal.lower_is_cleaner:
        raise BadInput(
            f"{series.zone}: {series.signal} is not a carbon intensity; give one, in g/kWh"
        )
    moments, checked = _checked("row", rows)
    drawn = [(start, end, kwh * pue) for start, end, kwh in checked]
    finite("the energy of all rows in kWh", sum(kwh for *_, kwh in drawn))
    known = Known(series.runs)
    found = []
    energy, grams = list[float](), list[float]()
    for (begin, stop), (start, end, kwh) in zip(moments, drawn, strict=True):
        check_cancelled()
        mean = known.mean(start, end)
        gross = None if mean is None else mean * kwh
        if gross is None:
            for part, emitted in known.parts(start, end, kwh):
                energy.append(part)
                grams.append(emitted)
        else:
            energy.append(kwh)
            grams.append(gross)
        found.append(
            RowFootprint(start=begin, end=stop, kwh=kwh, g_per_kwh=mean, gross_g=gross)
        )
    finite("the emissions of all rows in g", sum(grams))
    known_g = fsum(grams)
    complete = all(row.gross_g is not None for row in found)
    net = None
    if complete:
        _, bought = _checked("clean purchase", () if clean is None else clean)
        net = known_g if clean is None else unmatched(known, drawn, bought)
    total = Footprint(
        kwh=fsum(kwh for *_, kwh in drawn),
        gross_g=known_g if complete else None,
        net_g=net,
        known_kwh=fsum(energy),
        known_g=known_g,
    )
    return Metered(total=total, rows=tuple(found))


def gains(footprints: Sequence[float]) -> list[float]:
    """Return the factor by which each of `footprints` is less than the one before it.

    Their product is the total gain; the factors divide it into its steps.

    Raises:
        BadInput: a footprint that is not above 0.
    """
    grams = read_list(read_number, footprints, "footprints")
    for value in grams:
        if value <= 0:
            raise BadInput(f"a footprint is {value}; a ratio needs numbers above 0")
    return [finite("a gain", before / after) for before, after in pairwise(grams)]


def finite(name: str, value: float) -> float:
    """Return `value`, computed from finite numbers.

    Raises:
        BadInput: it is not finite.
    """
    if not isfinite(value):
        raise BadInput(f"{name} comes to more than a number can hold; give smaller numbers")
    return value


def refuse_offset(offset_g: float | None) -> None:
    """Raise where an offset is given, of 0 too.

    Raises:
        BadInput: always, unless it is ``None``.
    """
    if offset_g is not None:
        amount = f"{offset_g:g}" if isinstance(offset_g, float) else shown(offset_g)
        raise BadInput(
            f"an offset of {amount} g does not belong in a footprint: report it beside the "
            "grams. What is bought as clean energy in the same grid and hour goes in as "
            "`clean`, or as the net intensity"
        )


def _footprint(
    kwh: float, g_per_kwh: float, net_g_per_kwh: float | None, each: float | None = None
) -> Footprint:
    gross = emissions_g(kwh, g_per_kwh)
    net = None if net_g_per_kwh is None else emissions_g(kwh, net_g_per_kwh)
    return Footprint(
        kwh=kwh, gross_g=gross, net_g=net, known_kwh=kwh, known_g=gross, per_request_g=each
    )


def _checked(
    name: str, rows: Iterable[Row]
) -> tuple[list[tuple[datetime, datetime]], list[tuple[int, int, float]]]:
    """Return the times of each row in UTC, and each row with instants for them."""
    give = "rows of (start, end, kWh) with aware times"
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        refuse(rows, f"{name}s", give)
    moments, checked = [], []
    for row in rows:
        check_cancelled()
        try:
            start, end, kwh = row
        except (TypeError, ValueError):
            refuse(row, f"a {name}", give)
        if isinstance(start, str) and isinstance(row, Mapping):  # its keys
            refuse(row, f"a {name}", give)
        begin, stop = utc(start, name=name), utc(end, name=name)
        first, last = to_instant(begin), to_instant(stop)
        if last <= first:
            raise BadInput(f"{name} from {format_time(begin)} does not end after it starts")
        if type(kwh) is not float or not 0.0 <= kwh < inf:  # else words are built for each
            kwh = _check(f"{name} from {format_time(begin)}, kWh", kwh, 0.0)
        moments.append((begin, stop))
        checked.append((first, last, kwh))
    return moments, checked


def _check(name: str, value: float, least: float) -> float:
    number = read_number(value, name, f"a finite number of {least:g} or more")
    if number < least:
        refuse(value, name, f"a finite number of {least:g} or more")
    return number
