"""The history of a zone: a range with its gaps, or the latest slot. No clock, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from gridtide.errors import BadInput, NoData, StaleData
from gridtide.model import Signal, format_time, parse_hours
from gridtide.schema.requests import IntensityRequest
from gridtide.schema.responses import Intensity, IntensitySlot
from gridtide.windows import default_signal
from gridtide_server.answers.aggregates import (
    aggregate,
    aggregate_signal,
    latest,
    members_of,
    not_one_zone,
)
from gridtide_server.answers.estimates import estimates_of
from gridtide_server.answers.regions import location_of, without_publisher
from gridtide_server.answers.slots import (
    LONGEST,
    MOST_SLOTS,
    check_range,
    to_slots,
    too_long,
    with_gaps,
)
from gridtide_server.service import Moment
from gridtide_server.view import END_OF_TIME, View
from gridtide_store.catalogue import ZoneRecord
from gridtide_store.regions import Resolution

# An aggregate reads the values and load of up to 59 zones for each slot.
LONGEST_OF_AGGREGATE = timedelta(days=366)


def build_intensity(
    view: View,
    region: Resolution,
    request: IntensityRequest,
    moment: Moment,
    *,
    max_age: timedelta,
) -> Intensity:
    """Build the response of ``/v1/zones/{zone}/intensity``.

    Args:
        max_age: how long ago the latest slot may have ended, if the request does not say.

    Raises:
        StaleData: the latest slot ended longer ago.
        BadInput: an end without a start or not after it, or a range too long for one answer.
        NoData: the zone has no such signal, or nothing in the range.
    """
    if request.start is None and request.end is not None:
        raise BadInput("end is given without start; give both, or none for the latest slot")
    if request.start is not None and request.max_age is not None:
        raise BadInput("max_age is for the latest slot; leave it out of a range, or the range")
    if members := members_of(view, region.zone, moment.as_of):
        return _build_aggregate(view, region, members, request, moment, max_age)
    signal = choose_signal(view, region, request.signal, moment)
    age = moment.since(view.newest_end(region.zone, signal, moment.as_of))
    stale = False
    if request.start is None:
        found = view.latest(region.zone, signal, moment.as_of)
        if found is None:
            raise _no_value(view, region, signal, "", moment)
        slots = to_slots(found)
        stale = _check_age(region, signal, request, slots[0], age, max_age)
    else:
        slots = _range(view, region, signal, request, moment)
    origin = view.origin({slot.source for slot in slots if slot.source is not None})
    return Intensity(
        **location_of(region),
        signal=signal,
        unit=signal.unit,
        simulated=origin.simulated,
        source=origin.source,
        licence=origin.licence,
        data_age_seconds=age,
        **moment.shared,
        stale=stale,
        aggregate=None,
        estimates=estimates_of(
            region.zone, signal, ((each.value, each.source) for each in slots)
        ),
        slots=tuple(slots),
    )


def _build_aggregate(
    view: View,
    region: Resolution,
    members: Sequence[ZoneRecord],
    request: IntensityRequest,
    moment: Moment,
    max_age: timedelta,
) -> Intensity:
    """Build the response for an aggregate from the history of its zones."""
    signal = aggregate_signal(view, region.zone, members, request.signal, moment.as_of)
    stale = False
    if request.start is None:
        found = latest(view, members, signal, moment.as_of)
        if not found.slots:
            raise _no_value(view, region, signal, "", moment)
        age = moment.since(found.slots[0].end)
        stale = _check_age(region, signal, request, found.slots[0], age, max_age)
    else:
        end = request.end or moment.as_of
        check_range(request.start, end, moment, LONGEST_OF_AGGREGATE)
        found = aggregate(view, members, signal, request.start, end, moment.as_of)
        if rest := found.slots[MOST_SLOTS:]:
            raise too_long(request.start, rest[0].start, f"at most {MOST_SLOTS} slots")
        if all(slot.value is None for slot in found.slots):
            between = f"between {format_time(request.start)} and {format_time(end)} "
            raise _no_value(view, region, signal, between, moment)
        newest = [view.newest_end(each.key, signal, moment.as_of) for each in members]
        age = moment.since(max((end for end in newest if end is not None), default=None))
    origin = view.origin({slot.source for slot in found.slots if slot.source is not None})
    return Intensity(
        **location_of(region),
        signal=signal,
        unit=signal.unit,
        simulated=origin.simulated,
        source=origin.source,
        licence=origin.licence,
        data_age_seconds=age,
        **moment.shared,
        stale=stale,
        aggregate=found.of,
        estimates=found.estimates,
        slots=found.slots,
    )


def is_settled(
    view: View, region: Resolution, request: IntensityRequest, moment: Moment
) -> bool:
    """Return whether a range and all knowledge of the zone lie before the moment.

    Then the response no longer changes with the moment.
    """
    past = request.start is not None and request.end is not None and request.end <= moment.as_of
    members = members_of(view, region.zone, moment.as_of)
    zones = [each.key for each in members] or [region.zone]
    return past and all(view.knows_all(zone, moment.as_of) for zone in zones)


def choose_signal(
    view: View, region: Resolution, requested: Signal | None, moment: Moment
) -> Signal:
    """Return the requested signal, or the default one of the history known at the moment.

    Raises:
        NoData: the zone had no history of it then.
    """
    there = view.observed_at(region.zone, moment.as_of)
    if requested is None and there:
        return default_signal(there)
    if requested is None or requested not in there:
        if not there and (error := without_publisher(region)) is not None:
            raise error
        if members := members_of(view, region.zone, moment.as_of):
            raise not_one_zone(region, members)
        what = f"values of {requested}" if requested else "values"
        when = f" as of {format_time(moment.as_of)}"
        has = (
            f"it has {', '.join(sorted(there))}"
            if there
            else "`gridtide zones` lists those that do"
        )
        raise NoData(
            f"{region.zone} ({region.zone_name}) has no {what} here{when}; {has}",
            signals=sorted(there),
        )
    return requested


def _check_age(
    region: Resolution,
    signal: Signal,
    request: IntensityRequest,
    slot: IntensitySlot,
    age: float | None,
    max_age: timedelta,
) -> bool:
    """Refuse a latest slot that is too old; return whether it is older than the default."""
    accepted = max_age if request.max_age is None else parse_hours(request.max_age)
    if age is not None and age > accepted.total_seconds():
        raise _too_old(region, signal, slot, age, accepted)
    return age is not None and age > max_age.total_seconds()


def _range(
    view: View,
    region: Resolution,
    signal: Signal,
    request: IntensityRequest,
    moment: Moment,
) -> list[IntensitySlot]:
    start, end = request.start or moment.as_of, request.end or moment.as_of
    check_range(start, end, moment, LONGEST)
    found = view.snapshot.observations(region.zone, signal, start, end, as_of=moment.as_of)
    if bool(np.isnan(found.value).all()):
        between = f"between {format_time(start)} and {format_time(end)} "
        raise _no_value(view, region, signal, between, moment)
    # In a range that has ended every slot counts, so that the response stays the same.
    until = END_OF_TIME if end <= moment.as_of else moment.as_of
    return with_gaps(found, start, end, until=until)


def _too_old(
    region: Resolution, signal: Signal, slot: IntensitySlot, age: float, accepted: timedelta
) -> StaleData:
    hours = accepted / timedelta(hours=1)
    return StaleData(
        f"{region.zone} ({region.zone_name}): the latest value of {signal} is of the slot "
        f"{format_time(slot.start)} to {format_time(slot.end)}; the newest data ended "
        f"{age / 3600:,.1f} h ago, and at most {hours:g} h are accepted. Run "
        "`gridtide refresh`, or accept older values with max_age in hours (in the shell: "
        "--max-age)",
        slot_start=format_time(slot.start),
        slot_end=format_time(slot.end),
        data_age_seconds=age,
        max_age_seconds=accepted.total_seconds(),
    )


def _no_value(
    view: View, region: Resolution, signal: Signal, where: str, moment: Moment
) -> NoData:
    """Return the error for a request without a value; it says only what was known then."""
    span = view.span(region.zone, signal, moment.as_of)
    known = (
        f"it is known from {format_time(span[0])} to {format_time(span[1])}"
        if span
        else "no value of it was known then"
    )
    when = format_time(moment.as_of)
    return NoData(f"{region.zone}: no value of {signal} {where}as of {when}; {known}")
