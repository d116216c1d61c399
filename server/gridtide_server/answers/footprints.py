"""What a job drew and emitted, by the history of its region. No clock, no HTTP."""

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
from gridtide_server.answers import regions
from gridtide_server.answers.history import LONGEST, signal_of
from gridtide_server.answers.windows import placed
from gridtide_server.service import Moment
from gridtide_server.view import View
from gridtide_store.regions import Resolution
from gridtide_store.snapshot import Observed
from gridtide_store.vocabulary import CERTAINTY

NOWHERE: dict[str, Any] = dict.fromkeys(
    ("region", "zone", "zone_name", "resolved_by", "signal", "unit", "quality", "source")
) | {"licence": None, "simulated": False, "data_age_seconds": None}


def footprinted(view: View, asked: FootprintRequest, moment: Moment) -> FootprintAnswer:
    """The answer of ``/v1/footprint``.

    Raises:
        BadInput: as the functions of `gridtide.accounting`, or rows too far apart.
        UnknownRegion: the region resolves to no zone.
        NoData: the zone has no such signal.
    """
    if asked.region is None:
        return reckoned(asked, moment)
    return _told(asked, moment, *_by_history(view, regions.one(asked.region), asked, moment))


def reckoned(asked: FootprintRequest, moment: Moment) -> FootprintAnswer:
    """The answer to a question that names the intensity itself, so that no history is needed.

    Raises:
        BadInput: as `gridtide.accounting.emissions` and `gridtide.accounting.sci`.
    """
    return _told(asked, moment, Metered(total=_by_given(asked), rows=()), NOWHERE)


def _told(
    asked: FootprintRequest, moment: Moment, metered: Metered, where: Mapping[str, Any]
) -> FootprintAnswer:
    total = metered.total
    mean = None if total.gross_g is None or not total.kwh else total.gross_g / total.kwh
    mean = asked.g_per_kwh if mean is None else mean
    return FootprintAnswer(
        **{each.name: getattr(total, each.name) for each in fields(total)},
        g_per_kwh=mean,
        equivalents=() if total.gross_g is None else tuple(equivalents(total.gross_g)),
        sci=_sci(asked, total.kwh, mean),
        gain=_gain(asked, mean),
        rows=metered.rows,
        **where,
        as_of=moment.as_of,
        replay=moment.replay,
    )


def _by_given(asked: FootprintRequest) -> Footprint:
    intensity = asked.g_per_kwh or 0.0
    if asked.requests is not None:
        return inference(
            asked.requests,
            kwh_per_request=asked.kwh_per_request or 0.0,
            g_per_kwh=intensity,
            pue=asked.pue,
            net_g_per_kwh=asked.net_g_per_kwh,
        )
    return training(
        in_hours(asked.hours or timedelta(0)),
        power_kw=asked.power_kw or 0.0,
        g_per_kwh=intensity,
        processors=_processors(asked),
        pue=asked.pue,
        net_g_per_kwh=asked.net_g_per_kwh,
    )


def _by_history(
    view: View, place: Resolution, asked: FootprintRequest, moment: Moment
) -> tuple[Metered, dict[str, Any]]:
    rows = _rows(asked)
    signal = signal_of(view, place, asked.signal, moment)
    series, found = _series(view, place, signal, rows, moment)
    metered = integrate(rows, series, pue=asked.pue, clean=asked.clean)
    counted = _counted(found, rows)
    origin = view.origin(set(found.source[counted].tolist()))
    qualities = {Quality(each) for each in found.quality[counted].tolist()}
    return metered, {
        **placed(place),
        "signal": signal,
        "unit": signal.unit,
        "quality": max(qualities, key=CERTAINTY.index, default=None),
        "simulated": origin.simulated,
        "source": origin.source or None,
        "licence": origin.licence,
        "data_age_seconds": moment.since(view.newest_end(place.zone, signal, moment.as_of)),
    }


def _rows(asked: FootprintRequest) -> tuple[Row, ...]:
    if asked.rows is not None:
        return asked.rows
    hours, start = asked.hours or timedelta(0), asked.start
    assert start is not None  # noqa: S101  # `FootprintRequest` has seen to it
    if hours <= timedelta(0):
        raise BadInput(f"hours are {in_hours(hours):g}; give a number above 0")
    kwh = in_hours(hours) * _processors(asked) * (asked.power_kw or 0.0)
    return ((start, start + hours, kwh),)


def _series(
    view: View, place: Resolution, signal: Signal, rows: Sequence[Row], moment: Moment
) -> tuple[Series, Observed]:
    if not rows:
        raise BadInput("there is no row; give at least one, with start, end and kwh")
    start, end = min(row[0] for row in rows), max(row[1] for row in rows)
    if end - start > LONGEST:
        raise BadInput(
            f"the rows reach from {format_time(start)} to {format_time(end)}, over "
            f"{LONGEST.days} days; ask in parts"
        )
    # From a slot that began before it and goes on into the rows.
    found = view.snapshot.observations(
        place.zone, signal, start - timedelta(days=1), end, as_of=moment.as_of
    )
    slots = zip(
        found.start_us.tolist(), found.end_us.tolist(), found.value.tolist(), strict=True
    )
    return Series(
        place.zone,
        signal,
        tuple(
            Slot(to_moment(begin), to_moment(stop), value, Quality.MEASURED)
            for begin, stop, value in slots
            if value == value  # a value withdrawn is NaN, and a gap
        ),
    ), found


def _counted(found: Observed, rows: Sequence[Row]) -> NDArray[np.bool_]:
    """Which known slots lie in the time of any row."""
    starts = np.array([to_instant(start) for start, *_ in rows], dtype=np.int64)
    ends = np.array([to_instant(end) for _, end, _ in rows], dtype=np.int64)
    low = np.searchsorted(found.end_us, starts, side="right")
    high = np.searchsorted(found.start_us, ends, side="left")
    # How many rows begin at a slot less those that end before it.
    changes = np.zeros(len(found.start_us) + 1, dtype=np.int64)
    inside = low < high
    np.add.at(changes, low[inside], 1)
    np.add.at(changes, high[inside], -1)
    return (np.cumsum(changes)[:-1] > 0) & ~np.isnan(found.value)


def _sci(asked: FootprintRequest, kwh: float, mean: float | None) -> float | None:
    if asked.per is None or mean is None:
        return None
    return sci(kwh, mean, embodied=asked.embodied_g or 0.0, per=asked.per)


def _gain(asked: FootprintRequest, mean: float | None) -> Gain | None:
    if asked.before is None or asked.hours is None or mean is None:
        return None
    after = Factors(
        hours=in_hours(asked.hours),
        power_kw=asked.power_kw or 0.0,
        g_per_kwh=mean,
        processors=_processors(asked),
        pue=asked.pue,
    )
    return gain(asked.before, after)


def _processors(asked: FootprintRequest) -> float:
    return 1.0 if asked.processors is None else asked.processors
