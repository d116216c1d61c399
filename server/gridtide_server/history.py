"""What is known of the past of a zone: a range with its gaps, or the latest slot."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from gridtide.errors import BadInput, NoData
from gridtide.model import Quality, Signal, format_time
from gridtide.runs import to_instant, to_moment
from gridtide.windows import default_signal
from gridtide_server.answers import placed
from gridtide_server.gaps import missing
from gridtide_server.parameters import IntensityAsked
from gridtide_server.service import Moment
from gridtide_server.view import View
from gridtide_server.wire import Intensity, IntensitySlot
from gridtide_store.regions import Resolution
from gridtide_store.snapshot import Observed

# Five years; in slots, two and a half years of quarter hours.
LONGEST = timedelta(days=1830)
MOST_SLOTS = 100_000


def intensity(
    view: View, place: Resolution, asked: IntensityAsked, moment: Moment
) -> Intensity:
    """The answer of ``/v1/zones/{zone}/intensity``.

    Raises:
        BadInput: an end without a start or not after it, or a range too long for one answer.
        NoData: the zone has no such signal, or nothing in the range.
    """
    signal = signal_of(view, place, asked.signal, moment)
    if asked.start is None:
        if asked.end is not None:
            raise BadInput("end is given without start; give both, or none for the latest slot")
        found = view.latest(place.zone, signal, moment.as_of)
        if found is None:
            raise _nothing(view, place, signal, f"as of {format_time(moment.as_of)}")
        slots = _slots(found.slots)[found.position : found.position + 1]
    else:
        slots = _range(view, place, signal, asked.start, asked.end or moment.as_of, moment)
    origin = view.origin({slot.source for slot in slots if slot.source is not None})
    return Intensity(
        **placed(place),
        signal=signal,
        unit=signal.unit,
        simulated=origin.simulated,
        source=origin.source,
        licence=origin.licence,
        data_age_seconds=moment.since(view.newest_end(place.zone, signal, moment.as_of)),
        as_of=moment.as_of,
        replay=moment.replay,
        slots=slots,
    )


def signal_of(view: View, place: Resolution, asked: Signal | None, moment: Moment) -> Signal:
    """The signal asked for, or the usual one of the zone's history.

    Raises:
        NoData: the zone has no history of it.
    """
    there = view.observed(place.zone)
    if asked is None and there:
        return default_signal(there)
    if asked is None or asked not in there:
        what = f"values of {asked}" if asked else "values"
        has = (
            f"it has {', '.join(sorted(there))}"
            if there
            else "`gridtide zones` lists those that do"
        )
        raise NoData(
            f"{place.zone} ({place.zone_name}) has no {what} here; {has}",
            signals=sorted(there),
        )
    return asked


def _range(
    view: View,
    place: Resolution,
    signal: Signal,
    start: datetime,
    end: datetime,
    moment: Moment,
) -> list[IntensitySlot]:
    if end <= start:
        raise BadInput(
            f"end {format_time(end)} is not after start {format_time(start)}"
            + ("; the range lies ahead of as_of" if start >= moment.as_of else "")
        )
    if end - start > LONGEST:
        raise _too_long(start, start + LONGEST, f"at most {LONGEST.days} days an answer")
    found = view.snapshot.observations(place.zone, signal, start, end, as_of=moment.as_of)
    if bool(np.isnan(found.value).all()):
        between = f"between {format_time(start)} and {format_time(end)}"
        raise _nothing(view, place, signal, f"{between} as of {format_time(moment.as_of)}")
    bounds = list(zip(found.start_us.tolist(), found.end_us.tolist(), strict=True))
    gaps = list(
        missing(bounds, to_instant(start), to_instant(end), until=to_instant(moment.as_of))
    )
    if (count := len(bounds) + len(gaps)) > MOST_SLOTS:
        part = start + (end - start) * (MOST_SLOTS / count)
        raise _too_long(
            start, part.replace(microsecond=0), f"{count} slots; at most {MOST_SLOTS}"
        )
    slots = _slots(found) + [_gap(*each) for each in gaps]
    slots.sort(key=lambda slot: slot.start)
    return slots


def _slots(found: Observed) -> list[IntensitySlot]:
    columns = zip(
        found.start_us.tolist(),
        found.end_us.tolist(),
        found.value.tolist(),
        found.quality.tolist(),
        found.known_at_us.tolist(),
        found.source.tolist(),
        strict=True,
    )
    return [
        IntensitySlot.model_construct(
            start=to_moment(start),
            end=to_moment(end),
            value=None if value != value else value,
            quality=Quality(quality),
            known_at=to_moment(known_at),
            source=source,
        )
        for start, end, value, quality, known_at, source in columns
    ]


def _gap(start: int, end: int) -> IntensitySlot:
    return IntensitySlot.model_construct(
        start=to_moment(start),
        end=to_moment(end),
        value=None,
        quality=None,
        known_at=None,
        source=None,
    )


def _too_long(start: datetime, part: datetime, why: str) -> BadInput:
    return BadInput(
        f"the range is too long for one answer ({why}); ask in parts, first "
        f"start={format_time(start)}&end={format_time(part)}, then start={format_time(part)}"
    )


def _nothing(view: View, place: Resolution, signal: Signal, where: str) -> NoData:
    span = view.span(place.zone, signal)
    known = (
        f"it is known from {format_time(span[0])} to {format_time(span[1])}"
        if span
        else "no value of it has ever been known"
    )
    return NoData(f"{place.zone}: no value of {signal} {where}; {known}")
