"""The published price of a zone: a range with its gaps, or of now. No clock, no HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from gridtide.errors import BadInput, NoData
from gridtide.model import format_time
from gridtide.schema.prices import Price, PriceRequest
from gridtide.schema.responses import IntensitySlot
from gridtide.slots import to_instant
from gridtide_server.answers.prices import no_price, price_signal
from gridtide_server.answers.regions import location_of
from gridtide_server.answers.slots import LONGEST, check_range, to_slots, with_gaps
from gridtide_server.prices import currency_of
from gridtide_server.service import Moment
from gridtide_server.view import View
from gridtide_store.regions import Resolution
from gridtide_store.vocabulary import unit_of

MICROSECOND = timedelta(microseconds=1)


def build_price(view: View, region: Resolution, request: PriceRequest, moment: Moment) -> Price:
    """Build the response of ``/v1/zones/{zone}/price``.

    Raises:
        BadInput: an end without a start or not after it, or a range too long for one answer.
        NoData: the zone has no such price, none now, or none in the range.
    """
    if request.start is None and request.end is not None:
        raise BadInput("end is given without start; give both, or none for the present slot")
    signal, until = _choose(view, region, request.currency, moment)
    if request.start is None:
        slots = _present(view, region, signal, moment)
    else:
        end = request.end or max(until, request.start + MICROSECOND)
        slots = _range(view, region, signal, request.start, end, until, moment)
    known = [slot for slot in slots if slot.value is not None]
    if not known:
        raise NoData(
            f"{region.zone}: no value of {signal} there as of {format_time(moment.as_of)}; it "
            f"is known until {format_time(until)}: give start and end within what is known"
        )
    origin = view.origin({slot.source for slot in known if slot.source is not None})
    received = max(slot.known_at for slot in known if slot.known_at is not None)
    return Price(
        **location_of(region),
        signal=signal,
        currency=currency_of(signal),
        unit=unit_of(signal),
        until=until,
        simulated=origin.simulated,
        source=origin.source,
        licence=origin.licence,
        data_age_seconds=moment.since(received),
        **moment.shared,
        slots=tuple(slots),
    )


def _choose(
    view: View, region: Resolution, currency: str | None, moment: Moment
) -> tuple[str, datetime]:
    """Return the price signal and the end of what is known of it.

    Raises:
        NoData: the zone has no price, or none in the currency.
    """
    found = {
        signal: end
        for signal in view.prices.signals(region.zone)
        if (end := view.prices.end(region.zone, signal, moment.as_of)) is not None
    }
    if not found:
        raise no_price(view, region, moment.as_of)
    if currency is None:
        signal = min(sorted(found), key=lambda each: -found[each].timestamp())
        return signal, found[signal]
    signal = price_signal(currency)
    if signal not in found:
        raise NoData(
            f"{region.zone} has no price in {currency_of(signal)} here; it has one in "
            f"{', '.join(map(currency_of, found))}",
            signals=sorted(found),
        )
    return signal, found[signal]


def _present(
    view: View, region: Resolution, signal: str, moment: Moment
) -> list[IntensitySlot]:
    """Return the slot in which the moment lies, if its price is known."""
    price, at = view.prices.around(region.zone, signal, moment.as_of), to_instant(moment.as_of)
    if price is None:
        return []
    seen = price.observed
    here = np.flatnonzero((seen.start_us <= at) & (seen.end_us > at))
    return to_slots(seen.at(int(here[0]))) if len(here) else []


def _range(
    view: View,
    region: Resolution,
    signal: str,
    start: datetime,
    end: datetime,
    until: datetime,
    moment: Moment,
) -> list[IntensitySlot]:
    """Return the slots that start in a range; what is missing of it up to `until` is null."""
    check_range(start, end, moment, LONGEST)
    found = view.snapshot.observations(region.zone, signal, start, end, as_of=moment.as_of)
    if not len(found.start_us):
        return []
    return with_gaps(found, start, end, until=until)
