"""What is known of the past of a zone: a range with its gaps, or the latest slot."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from gridtide.errors import BadInput, NoData, StaleData
from gridtide.model import Quality, Signal, format_time, parse_hours
from gridtide.schema.requests import IntensityRequest
from gridtide.schema.responses import Intensity, IntensitySlot
from gridtide.slots import to_instant, to_moment
from gridtide.windows import default_signal
from gridtide_server.answers.gaps import missing
from gridtide_server.answers.windows import placed
from gridtide_server.service import Moment
from gridtide_server.view import END_OF_TIME, View
from gridtide_store.regions import Resolution
from gridtide_store.snapshot import Observed

# Five years; in slots, two and a half years of quarter hours.
LONGEST = timedelta(days=1830)
MOST_SLOTS = 100_000


def intensity(
    view: View,
    place: Resolution,
    asked: IntensityRequest,
    moment: Moment,
    *,
    max_age: timedelta,
) -> Intensity:
    """The answer of ``/v1/zones/{zone}/intensity``.

    Args:
        max_age: how long ago a latest slot may have ended where the question does not say.

    Raises:
        StaleData: the latest slot ended longer ago.
        BadInput: an end without a start or not after it, or a range too long for one answer.
        NoData: the zone has no such signal, or nothing in the range.
    """
    signal = signal_of(view, place, asked.signal, moment)
    age = moment.since(view.newest_end(place.zone, signal, moment.as_of))
    stale = False
    if asked.start is None:
        if asked.end is not None:
            raise BadInput("end is given without start; give both, or none for the latest slot")
        found = view.latest(place.zone, signal, moment.as_of)
        if found is None:
            raise _nothing(view, place, signal, "", moment)
        slots = _slots(found)
        stale = age is not None and age > max_age.total_seconds()
        accepted = max_age if asked.max_age is None else parse_hours(asked.max_age)
        if age is not None and age > accepted.total_seconds():
            raise _too_old(place, signal, slots[0], age, accepted)
    elif asked.max_age is not None:
        raise BadInput("max_age is for the latest slot; leave it out of a range, or the range")
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
        data_age_seconds=age,
        as_of=moment.as_of,
        replay=moment.replay,
        stale=stale,
        slots=tuple(slots),
    )


def is_settled(view: View, place: Resolution, asked: IntensityRequest, moment: Moment) -> bool:
    """Whether a range lies before the moment and so does all that is known of the zone.

    Then the answer no longer moves with the moment.
    """
    past = asked.start is not None and asked.end is not None and asked.end <= moment.as_of
    return past and view.knows_all(place.zone, moment.as_of)


def signal_of(view: View, place: Resolution, asked: Signal | None, moment: Moment) -> Signal:
    """The signal asked for, or the usual one of the zone's history as known at the moment.

    Raises:
        NoData: the zone had no history of it then.
    """
    there = view.observed_at(place.zone, moment.as_of)
    if asked is None and there:
        return default_signal(there)
    if asked is None or asked not in there:
        what = f"values of {asked}" if asked else "values"
        when = f" as of {format_time(moment.as_of)}"
        has = (
            f"it has {', '.join(sorted(there))}"
            if there
            else "`gridtide zones` lists those that do"
        )
        raise NoData(
            f"{place.zone} ({place.zone_name}) has no {what} here{when}; {has}",
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
        between = f"between {format_time(start)} and {format_time(end)} "
        raise _nothing(view, place, signal, between, moment)
    bounds = list(zip(found.start_us.tolist(), found.end_us.tolist(), strict=True))
    # Of a range that has ended every slot counts, so that its answer stays the same.
    until = END_OF_TIME if end <= moment.as_of else moment.as_of
    gaps = list(missing(bounds, to_instant(start), to_instant(end), until=to_instant(until)))
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
        IntensitySlot(
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
    return IntensitySlot(
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


def _too_old(
    place: Resolution, signal: Signal, slot: IntensitySlot, age: float, accepted: timedelta
) -> StaleData:
    hours = accepted / timedelta(hours=1)
    return StaleData(
        f"{place.zone} ({place.zone_name}): the latest value of {signal} is of the slot "
        f"{format_time(slot.start)} to {format_time(slot.end)}; the newest data ended "
        f"{age / 3600:,.1f} h ago, and at most {hours:g} h are accepted. Run "
        "`gridtide refresh`, or accept older values with max_age in hours (in the shell: "
        "--max-age)",
        slot_start=format_time(slot.start),
        slot_end=format_time(slot.end),
        data_age_seconds=age,
        max_age_seconds=accepted.total_seconds(),
    )


def _nothing(
    view: View, place: Resolution, signal: Signal, where: str, moment: Moment
) -> NoData:
    """The error of a question without a value, in words that nobody knew later only."""
    span = view.span(place.zone, signal, moment.as_of)
    known = (
        f"it is known from {format_time(span[0])} to {format_time(span[1])}"
        if span
        else "no value of it was known then"
    )
    when = format_time(moment.as_of)
    return NoData(f"{place.zone}: no value of {signal} {where}as of {when}; {known}")
