"""Energy and emissions of a job, by the history of its region. No clock, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridtide.accounting.emissions import (
    Footprint,
    Metered,
    Row,
    energy_kwh,
    inference,
    integrate,
    training,
)
from gridtide.accounting.sci import Factors, Gain, equivalents, gain, sci
from gridtide.errors import BadInput
from gridtide.model import Quality, Series, Signal, Slot, format_time
from gridtide.schema.encode import in_hours
from gridtide.schema.footprints import FootprintAnswer, FootprintRequest
from gridtide.slots import to_instant, to_moment
from gridtide_server.answers.estimates import estimates_of
from gridtide_server.answers.history import choose_signal
from gridtide_server.answers.regions import location_of, resolve_region
from gridtide_server.answers.slots import LONGEST
from gridtide_server.service import Moment
from gridtide_server.view import View
from gridtide_store.regions import Resolution
from gridtide_store.snapshot import Observed
from gridtide_store.vocabulary import CERTAINTY

NO_LOCATION: dict[str, Any] = dict.fromkeys(
    (
        *("region", "zone", "zone_name", "resolved_by", "certainty", "meaning"),
        *("signal", "unit", "quality", "source"),
    )
) | {"licence": None, "simulated": False, "data_age_seconds": None, "estimates": ()}


def build_footprint(view: View, request: FootprintRequest, moment: Moment) -> FootprintAnswer:
    """Build the response of ``/v1/footprint``.

    Raises:
        BadInput: as the functions of `gridtide.accounting`, or rows too far apart.
        UnknownRegion: the region resolves to no zone.
        NoData: the zone has no such signal.
    """
    if request.region is None:
        return build_given_footprint(request, moment)
    region = resolve_region(request.region)
    return _respond(request, moment, *_by_history(view, region, request, moment))


def build_given_footprint(request: FootprintRequest, moment: Moment) -> FootprintAnswer:
    """Build the response to a request that gives the intensity and so needs no history.

    Raises:
        BadInput: as `gridtide.accounting.emissions` and `gridtide.accounting.sci`.
    """
    return _respond(request, moment, Metered(total=_by_given(request), rows=()), NO_LOCATION)


def _respond(
    request: FootprintRequest, moment: Moment, metered: Metered, where: Mapping[str, Any]
) -> FootprintAnswer:
    total = metered.total
    mean = None if total.gross_g is None or not total.kwh else total.gross_g / total.kwh
    mean = request.g_per_kwh if mean is None else mean
    return FootprintAnswer(
        **{each.name: getattr(total, each.name) for each in fields(total)},
        g_per_kwh=mean,
        equivalents=() if total.gross_g is None else tuple(equivalents(total.gross_g)),
        sci=_sci(request, total.kwh, mean),
        gain=_gain(request, mean),
        rows=metered.rows,
        **where,
        **moment.shared,
    )


def _by_given(request: FootprintRequest) -> Footprint:
    intensity = request.g_per_kwh or 0.0
    if request.requests is not None:
        return inference(
            request.requests,
            kwh_per_request=request.kwh_per_request or 0.0,
            g_per_kwh=intensity,
            pue=request.pue,
            net_g_per_kwh=request.net_g_per_kwh,
        )
    return training(
        in_hours(request.hours or timedelta(0)),
        power_kw=request.power_kw or 0.0,
        g_per_kwh=intensity,
        processors=_processors(request),
        pue=request.pue,
        net_g_per_kwh=request.net_g_per_kwh,
    )


def _by_history(
    view: View, region: Resolution, request: FootprintRequest, moment: Moment
) -> tuple[Metered, dict[str, Any]]:
    rows = _rows(request)
    signal = choose_signal(view, region, request.signal, moment)
    series, found = _series(view, region, signal, rows, moment)
    metered = integrate(rows, series, pue=request.pue, clean=request.clean)
    counted = _counted(found, rows)
    origin = view.origin(set(found.source[counted].tolist()))
    qualities = {Quality(each) for each in found.quality[counted].tolist()}
    return metered, {
        **location_of(region),
        "signal": signal,
        "unit": signal.unit,
        "quality": max(qualities, key=CERTAINTY.index, default=None),
        "simulated": origin.simulated,
        "source": origin.source or None,
        "licence": origin.licence,
        "estimates": estimates_of(
            region.zone,
            signal,
            zip(found.value[counted], found.source[counted], strict=True),
        ),
        "data_age_seconds": moment.since(view.newest_end(region.zone, signal, moment.as_of)),
    }


def _rows(request: FootprintRequest) -> tuple[Row, ...]:
    if request.rows is not None:
        return request.rows
    hours, start = request.hours or timedelta(0), request.start
    assert start is not None  # noqa: S101  # `FootprintRequest` has seen to it
    if hours <= timedelta(0):
        raise BadInput(f"hours is {in_hours(hours):g}; give a number above 0")
    kwh = energy_kwh(
        in_hours(hours), processors=_processors(request), power_kw=request.power_kw or 0.0
    )
    return ((start, start + hours, kwh),)


def _series(
    view: View, region: Resolution, signal: Signal, rows: Sequence[Row], moment: Moment
) -> tuple[Series, Observed]:
    if not rows:
        raise BadInput("rows is empty; give at least one row with start, end and kwh")
    start, end = min(row[0] for row in rows), max(row[1] for row in rows)
    if end - start > LONGEST:
        raise BadInput(
            f"the rows reach from {format_time(start)} to {format_time(end)}, over "
            f"{LONGEST.days} days; ask in parts"
        )
    # A slot that begins before the first row may reach into it.
    found = view.snapshot.observations(
        region.zone, signal, start - timedelta(days=1), end, as_of=moment.as_of
    )
    slots = zip(
        found.start_us.tolist(), found.end_us.tolist(), found.value.tolist(), strict=True
    )
    return Series(
        region.zone,
        signal,
        tuple(
            Slot(to_moment(begin), to_moment(stop), value, Quality.MEASURED)
            for begin, stop, value in slots
            if value == value  # a value withdrawn is NaN, and a gap
        ),
    ), found


def _counted(found: Observed, rows: Sequence[Row]) -> NDArray[np.bool_]:
    """Return which known slots overlap a row."""
    starts = np.array([to_instant(start) for start, *_ in rows], dtype=np.int64)
    ends = np.array([to_instant(end) for _, end, _ in rows], dtype=np.int64)
    low = np.searchsorted(found.end_us, starts, side="right")
    high = np.searchsorted(found.start_us, ends, side="left")
    # How many rows begin at a slot, less those that ended before it.
    changes = np.zeros(len(found.start_us) + 1, dtype=np.int64)
    inside = low < high
    np.add.at(changes, low[inside], 1)
    np.add.at(changes, high[inside], -1)
    return (np.cumsum(changes)[:-1] > 0) & ~np.isnan(found.value)


def _sci(request: FootprintRequest, kwh: float, mean: float | None) -> float | None:
    if request.per is None or mean is None:
        return None
    return sci(kwh, mean, embodied=request.embodied_g or 0.0, per=request.per)


def _gain(request: FootprintRequest, mean: float | None) -> Gain | None:
    if request.before is None or request.hours is None or mean is None:
        return None
    after = Factors(
        hours=in_hours(request.hours),
        power_kw=request.power_kw or 0.0,
        g_per_kwh=mean,
        processors=_processors(request),
        pue=request.pue,
    )
    return gain(request.before, after)


def _processors(request: FootprintRequest) -> float:
    return 1.0 if request.processors is None else request.processors
