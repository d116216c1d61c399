"""The history of an aggregate: the mean of its zones, weighted by load. No clock, no HTTP.

A slot is as long as the longest of its zones' slots, an hour at most; finer slots are averaged
by time, and one that is longer or not whole is unknown. A zone weighs as its load in the
slot; where none is published, as our rough estimate of its load over a year
(catalogue/yearly_load.csv: rounded, of no publisher). The mean is over the zones whose
value is known, beside which stands what share of the load they have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from gridtide.errors import NoData
from gridtide.model import DEFAULT_ORDER, Quality, Signal, format_time
from gridtide.schema.aggregates import AggregateOf, Member
from gridtide.schema.estimates import EstimateOf
from gridtide.schema.responses import IntensitySlot
from gridtide.slots import to_instant, to_moment
from gridtide_server.answers.estimates import estimates_of
from gridtide_server.view import View
from gridtide_store import catalogue
from gridtide_store.catalogue import ZoneRecord
from gridtide_store.estimates import yearly_load
from gridtide_store.regions import Resolution
from gridtide_store.snapshot import Observed
from gridtide_store.vocabulary import CERTAINTY, LOAD

HOUR = timedelta(hours=1)
HOUR_US = 3_600_000_000
# How far back the latest slot is searched for, and how much less may be known in it than in the
# slot of which most is known: zones publish at different times.
RECENT = timedelta(days=3)
NEARLY = 0.9
# Decimals of the mean; values of zones have as many.
DECIMALS = 2
SHARE_DECIMALS = 4

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Aggregated:
    """The slots of an aggregate, by start, and what they are made of."""

    slots: tuple[IntensitySlot, ...]
    of: AggregateOf
    estimates: tuple[EstimateOf, ...]


def members_of(view: View, zone: str, as_of: datetime) -> tuple[ZoneRecord, ...]:
    """Return the zones that answer for `zone`: none where it has a history of its own."""
    members = catalogue.load().members(zone)
    return () if members and view.observed_at(zone, as_of) else members


def not_one_zone(region: Resolution, members: Sequence[ZoneRecord]) -> NoData:
    """Return the error for an aggregate where one of its zones is needed, as for a decision."""
    members = [each for each in members if each.ended is None]
    keys = [each.key for each in members]
    return NoData(
        f"{region.zone} ({region.zone_name}) is an aggregate of {len(keys)} zones, and a job "
        f"runs in one of them; pass one, or several to compare them: {', '.join(keys)}",
        zones=keys,
        nearest=_largest_first(members),
    )


def aggregate_signal(
    view: View,
    zone: str,
    members: Sequence[ZoneRecord],
    requested: Signal | None,
    as_of: datetime,
) -> Signal:
    """Return the requested signal, or the default one that the zones with most load have.

    Raises:
        NoData: none of the zones has it.
    """
    load = yearly_load()
    known: dict[Signal, float] = {}
    for member in members:
        for signal in view.observed_at(member.key, as_of):
            known[signal] = known.get(signal, 0.0) + load[member.key]
    if requested in known:
        return requested
    usual = [signal for signal in DEFAULT_ORDER if signal in known]
    if requested is None and usual:
        return max(usual, key=lambda signal: known[signal])
    what = f"values of {requested}" if requested else "values"
    has = f"they have {', '.join(sorted(known))}" if known else "run `gridtide refresh`"
    raise NoData(
        f"{zone} is an aggregate, and none of its zones has {what} here as of "
        f"{format_time(as_of)} ({', '.join(each.key for each in members)}); {has}",
        signals=sorted(known),
        zones=[each.key for each in members],
        nearest=_largest_first(members),
    )


def _largest_first(members: Sequence[ZoneRecord]) -> list[dict[str, object]]:
    """Return the zones to pass in place of an aggregate: ``UK`` mostly means ``GB``."""
    load = yearly_load()
    order = sorted(members, key=lambda each: -load[each.key])
    return [{"region": each.key, "zone": each.key, "name": each.name} for each in order]


def aggregate(
    view: View,
    members: Sequence[ZoneRecord],
    signal: Signal,
    start: datetime,
    end: datetime,
    as_of: datetime,
) -> Aggregated:
    """Return the slots of an aggregate that start in a range, gaps included."""
    found = [
        view.snapshot.observations(each.key, signal, start - HOUR, end + HOUR, as_of=as_of)
        for each in members
    ]
    step = _step(found)
    first = -(-to_instant(start) // step) * step
    count = max(0, -(-(to_instant(end) - first) // step))
    until = to_instant(as_of)
    count = min(count, max(0, -(-(until - first) // step)))
    loads_found = [
        view.snapshot.observations(each.key, LOAD, start - HOUR, end + HOUR, as_of=as_of)
        for each in members
    ]
    values, loads = (
        np.array([_on_grid(each, first, step, count) for each in series])
        for series in (found, loads_found)
    )
    typical = np.array([yearly_load()[each.key] for each in members])
    published = ~np.isnan(loads)
    weights = np.where(published, np.maximum(loads, 0.0), typical[:, None])
    weights *= np.array([_lifetime(each, first, step, count) for each in members])
    known = ~np.isnan(values)
    summed, total = (weights * known).sum(axis=0), weights.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(summed > 0, np.nansum(values * weights, axis=0) / summed, np.nan)
        shares = np.where(total > 0, summed / total, 0.0)
    means = means.round(DECIMALS if signal.lower_is_cleaner else SHARE_DECIMALS)
    slots = _slots(
        found, _newest([*found, *loads_found], first, step, count), means, first, step
    )
    of_load = weights.mean(axis=1) if count else typical
    return Aggregated(
        slots,
        AggregateOf(
            known_share=tuple(float(each) for each in shares.round(SHARE_DECIMALS)),
            zones=tuple(
                Member(
                    zone=each.key,
                    name=each.name,
                    load_share=round(float(of_load[i] / of_load.sum()), SHARE_DECIMALS),
                    known_slots=int(known[i].sum()),
                    weighed_by="load" if published[i].all() and count else "estimated load",
                    source=_sources(found[i]),
                )
                for i, each in enumerate(members)
            ),
        ),
        tuple(
            estimate
            for each, series in zip(members, found, strict=True)
            for estimate in estimates_of(
                each.key, signal, zip(series.value, series.source, strict=True)
            )
        ),
    )


def _lifetime(member: ZoneRecord, first: int, step: int, count: int) -> NDArray[np.bool_]:
    """Return in which slots there is such a zone: authorities merge, and new ones come."""
    starts = first + step * np.arange(count)
    began, ended = (
        to_instant(datetime(each.year, each.month, each.day, tzinfo=UTC)) if each else None
        for each in (member.began, member.ended)
    )
    return (starts >= (began or starts.min(initial=0))) & (ended is None or starts < ended)


def latest(
    view: View, members: Sequence[ZoneRecord], signal: Signal, as_of: datetime
) -> Aggregated:
    """Return the newest ended slot of which nearly as much is known as of any in three days.

    It has no slot where nothing is known of these days.
    """
    ends = [view.newest_end(each.key, signal, as_of) for each in members]
    last = max((end for end in ends if end is not None), default=None)
    if last is None:
        return aggregate(view, members, signal, as_of, as_of, as_of)
    found = aggregate(view, members, signal, last - RECENT, last, as_of)
    ended = [i for i, slot in enumerate(found.slots) if slot.end <= as_of]
    shares = found.of.known_share
    most = max((shares[i] for i in ended), default=0.0)
    newest = max((i for i in ended if shares[i] >= NEARLY * most > 0), default=None)
    if newest is None:
        return aggregate(view, members, signal, as_of, as_of, as_of)
    slot = found.slots[newest]
    return aggregate(view, members, signal, slot.start, slot.end, as_of)


def _step(found: Sequence[Observed]) -> int:
    """Return the length of the slots: the longest of any zone's usual ones, an hour at most."""
    lengths = [
        int(np.median(each.end_us - each.start_us)) for each in found if len(each.start_us)
    ]
    within = [length for length in lengths if length <= HOUR_US and HOUR_US % length == 0]
    return max(within, default=HOUR_US)


def _on_grid(found: Observed, first: int, step: int, count: int) -> Floats:
    """Return the means over `count` slots of length `step`; NaN where one is not whole."""
    position, inside = _positions(found, first, step, count)
    length = (found.end_us - found.start_us)[inside]
    covered = np.bincount(position, length, count)
    summed = np.bincount(position, found.value[inside] * length, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(covered == step, summed / covered, np.nan)
    return means


def _newest(found: Sequence[Observed], first: int, step: int, count: int) -> Ints:
    """Return when the newest input of each slot was known, microseconds since 1970."""
    newest = np.zeros(count, dtype=np.int64)
    for each in found:
        position, inside = _positions(each, first, step, count)
        np.maximum.at(newest, position, each.known_at_us[inside])
    return newest


def _positions(
    found: Observed, first: int, step: int, count: int
) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the positions of the known slots, and which these are."""
    position = (found.start_us - first) // step
    inside = (
        (position >= 0) & (position < count) & (found.end_us <= first + (position + 1) * step)
    )
    inside &= ~np.isnan(found.value)
    return position[inside], inside


def _slots(
    found: Sequence[Observed], newest: Ints, means: Floats, first: int, step: int
) -> tuple[IntensitySlot, ...]:
    """Return a slot for each mean; unknown ones have null and nothing else."""
    count = len(means)
    # What is computed from published values is derived at best.
    worst = np.full(count, CERTAINTY.index(Quality.DERIVED))
    names = sorted({name for each in found for name in set(each.source.tolist())})
    has = np.zeros((count, len(names)), dtype=np.bool_)
    for each in found:
        position, inside = _positions(each, first, step, count)
        for number, quality in enumerate(CERTAINTY):
            np.maximum.at(worst, position[each.quality[inside] == quality], number)
        for number, name in enumerate(names):
            has[position[each.source[inside] == name], number] = True
    together, which = np.unique(has, axis=0, return_inverse=True)
    texts = [
        ", ".join(name for name, there in zip(names, row, strict=True) if there)
        for row in together.tolist()
    ]
    return tuple(
        IntensitySlot(
            start=to_moment(first + i * step),
            end=to_moment(first + (i + 1) * step),
            value=None if mean != mean else mean,
            quality=None if mean != mean else CERTAINTY[int(worst[i])],
            known_at=None if mean != mean else to_moment(int(newest[i])),
            source=None if mean != mean else texts[int(which[i])],
        )
        for i, mean in enumerate(means.tolist())
    )


def _sources(found: Observed) -> str | None:
    known = set(found.source[~np.isnan(found.value)].tolist())
    return ", ".join(sorted(known)) or None
