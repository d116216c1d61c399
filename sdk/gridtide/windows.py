"""Find the cleanest window, and the region with the cleanest one. Pure functions.

The mean of a slot holds over the whole slot; nothing is interpolated between slots. A window
never covers a gap or an unknown value. What is cleaner follows from the signal: less
carbon intensity, more carbon-free energy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from gridtide.errors import BadInput, NoCommonSignal, NoData, NoFeasibleWindow
from gridtide.model import (
    DEFAULT_ORDER,
    NO_REGION,
    Length,
    Series,
    Signal,
    When,
    format_time,
    parse_hours,
    utc,
)
from gridtide.slots import (
    check_deadline,
    find_cleanest,
    mean_between,
    to_instant,
    to_microseconds,
    to_moment,
)
from gridtide.values import read_number, read_word, refuse


@dataclass(frozen=True, slots=True)
class Window:
    """A run for a job, ``[start, end)`` in UTC, and the signal's mean over it."""

    start: datetime
    end: datetime
    mean: float


@dataclass(frozen=True, slots=True)
class RegionWindow:
    """The window of one region, or the `reason` why it has none."""

    region: str
    window: Window | None
    reason: str | None = None


def best_window(
    series: Series,
    duration: Length,
    *,
    earliest: When | None = None,
    deadline: When | None = None,
) -> Window:
    """Find the cleanest unbroken run of `duration` from `earliest` on, ended by `deadline`.

    The result is exact: no other start, on the edge of a slot or off it, has a cleaner mean.
    Values count as equal where they differ by less than 1e-9 of their unit; ties go to the
    earliest start. Without `earliest` and `deadline` the series itself is the bound.

    Raises:
        BadInput: a time without offset, a duration that is not positive, or a deadline before
            the earliest start.
        NoFeasibleWindow: no such run exists; the message says how long a run is possible.
    """
    span = to_microseconds(parse_hours(duration, name="duration"))
    _check_series("series", series)
    low = None if earliest is None else to_instant(utc(earliest, name="earliest"))
    high = None if deadline is None else to_instant(utc(deadline, name="deadline"))
    if low is not None and high is not None:
        check_deadline(low, high)
    best = find_cleanest(
        series.runs, span, low, high, lower_is_cleaner=series.signal.lower_is_cleaner
    )
    if best is None:
        raise no_window(series, span, low, high)
    start, run = best
    return Window(to_moment(start), to_moment(start + span), run.mean(start, start + span))


def mean_over(series: Series, start: When, end: When) -> float | None:
    """Return the exact mean over ``[start, end)``; ``None`` where any part is unknown.

    Raises:
        BadInput: a time without offset, or an end that is not after the start.
    """
    first, last = to_instant(utc(start, name="start")), to_instant(utc(end, name="end"))
    if last <= first:
        raise BadInput(
            f"end {format_time(to_moment(last))} is not after start "
            f"{format_time(to_moment(first))}; give a later end"
        )
    _check_series("series", series)
    return mean_between(series.runs, first, last)


def best_region(
    series: Mapping[str, Series], duration: Length, *, start: When
) -> list[RegionWindow]:
    """Rank regions by the mean over ``[start, start + duration)``, cleanest first.

    `series` is by region, all of one signal. Ties stay in the given order; a region whose
    forecast does not cover the run comes last, with the reason.

    Raises:
        BadInput: no region, a naive `start`, or a duration that is not positive.
        NoCommonSignal: the series are not of one signal.
        NoFeasibleWindow: no region covers the run.
    """
    begin, span = utc(start, name="start"), parse_hours(duration, name="duration")
    try:
        end = begin + span
    except OverflowError as error:
        raise BadInput(
            f"a run of {span} from {format_time(begin)} on ends beyond the calendar; give less"
        ) from error
    return _ranked(series, span, earliest=begin, deadline=end)


def best_region_and_window(
    series: Mapping[str, Series],
    duration: Length,
    *,
    earliest: When | None = None,
    deadline: When | None = None,
) -> list[RegionWindow]:
    """Rank regions by the mean of their own best window, cleanest first.

    As `best_region`, with the window of each region found by `best_window`; of equal means
    the earlier window comes first.

    Raises:
        BadInput: no region, or what `best_window` refuses.
        NoCommonSignal: the series are not of one signal.
        NoFeasibleWindow: no region has such a run.
    """
    return _ranked(series, duration, earliest=earliest, deadline=deadline)


def saving(mean: float, mean_now: float | None, signal: Signal) -> float | None:
    """Return what `mean` gains over `mean_now`; positive is cleaner, ``None`` is unknown.

    An intensity's saving is the fraction ``(mean_now - mean) / mean_now``, unknown at a
    `mean_now` of 0 or less; a CFE fraction's is ``mean - mean_now``, in fraction points.
    """
    mean, signal = read_number(mean, "mean"), read_word(Signal, signal, "signal")
    if mean_now is None:
        return None
    mean_now = read_number(mean_now, "mean_now")
    if not signal.lower_is_cleaner:
        return mean - mean_now
    return (mean_now - mean) / mean_now if mean_now > 0 else None


def default_signal(available: Iterable[Signal]) -> Signal:
    """Return the default signal: the first of `DEFAULT_ORDER` that is available.

    Raises:
        NoData: none of them; the message names those that are available.
    """
    there = set(available)
    for signal in DEFAULT_ORDER:
        if signal in there:
            return signal
    raise NoData(
        "the default signals, lifecycle intensity, are not available; "
        + (f"give one of {', '.join(sorted(there))}" if there else "nor is any other")
    )


def common_signal(available: Mapping[str, Iterable[Signal]]) -> Signal:
    """Return the first signal of `DEFAULT_ORDER` that all regions have.

    Raises:
        BadInput: no region.
        NoCommonSignal: they share none of them; message and ``extra["signals"]`` say which
            region has what.
    """
    if not available:
        raise BadInput(NO_REGION)
    signals = {region: sorted(set(there)) for region, there in available.items()}
    for signal in DEFAULT_ORDER:
        if all(signal in there for there in signals.values()):
            return signal
    raise NoCommonSignal(
        "the regions share no signal to compare them on: "
        + "; ".join(f"{name} has {', '.join(has) or 'none'}" for name, has in signals.items())
        + ". Leave some regions out, or give a signal that all of them have",
        signals=signals,
    )


def one_signal(signals: Mapping[str, Signal]) -> Signal:
    """Return the signal that all regions are of.

    Raises:
        NoCommonSignal: they are of several; message and ``extra["signals"]`` say which region
            is of what.
    """
    if len(set(signals.values())) > 1:
        raise NoCommonSignal(
            "regions can only be compared on one signal, not on "
            + ", ".join(f"{signal} ({region})" for region, signal in signals.items()),
            signals={region: [signal] for region, signal in signals.items()},
        )
    return next(iter(signals.values()))


def _check_series(name: str, series: object) -> None:
    if not isinstance(series, Series):
        refuse(series, name, "a Series")


def _ranked(
    series: Mapping[str, Series],
    duration: Length,
    *,
    earliest: When | None,
    deadline: When | None,
) -> list[RegionWindow]:
    if not isinstance(series, Mapping):
        refuse(series, "series", "a mapping of region to Series")
    if not series:
        raise BadInput(NO_REGION)
    for region, one in series.items():
        _check_series(f"series[{region!r}]", one)
    signal = one_signal({region: one.signal for region, one in series.items()})
    found: list[tuple[float, datetime, RegionWindow]] = []
    without: list[RegionWindow] = []
    sign = 1 if signal.lower_is_cleaner else -1
    for region, one in series.items():
        try:
            window = best_window(one, duration, earliest=earliest, deadline=deadline)
        except NoFeasibleWindow as error:
            without.append(RegionWindow(region, None, str(error)))
        else:
            found.append(
                (sign * round(window.mean, 9), window.start, RegionWindow(region, window))
            )
    if not found:
        raise NoFeasibleWindow("; ".join(map(_of_region, without)))
    found.sort(key=lambda entry: entry[:2])
    return [window for *_, window in found] + without


def _of_region(found: RegionWindow) -> str:
    """Return the reason, with the region before it where it names only the zone."""
    reason = found.reason or ""
    return reason if reason.startswith(f"{found.region}: ") else f"{found.region}: {reason}"


def no_window(series: Series, span: int, low: int | None, high: int | None) -> NoFeasibleWindow:
    """Return the error: why a run of `span` is not possible, and what to request instead."""
    return NoFeasibleWindow(_why_not(series, span, low, high))


def _why_not(series: Series, span: int, low: int | None, high: int | None) -> str:
    refused = f"{series.zone}: no unbroken run of {_hours(span)} of {series.signal}"
    if low is not None and high is not None and high - low < span:
        return (
            f"{refused}: from earliest to deadline there are only {_hours(high - low)}; "
            "ask for fewer hours or a later deadline"
        )
    if not series.runs:
        return f"{refused}: no slot of it is known; bring the zone up to date first"
    known = f"it is known {_span(series.runs[0].edges[0], series.runs[-1].edges[-1])}"
    gaps = [_span(before.edges[-1], after.edges[0]) for before, after in pairwise(series.runs)]
    if gaps:
        more = f" and {len(gaps) - 3} more gaps" if len(gaps) > 3 else ""
        known += f", but not {', '.join(gaps[:3])}{more}"
    free = [
        (
            run.edges[0] if low is None else max(low, run.edges[0]),
            run.edges[-1] if high is None else min(high, run.edges[-1]),
        )
        for run in series.runs
    ]
    start, end = max(free, key=lambda part: part[1] - part[0])
    if end <= start:
        return f"{refused} within the bounds: {known}; move earliest or deadline"
    return (
        f"{refused}: {known}; the longest possible run is {_hours(end - start)}, "
        f"{_span(start, end)}: ask for at most that, or for other bounds"
    )


def _hours(span: int) -> str:
    return f"{span / 3.6e9:g} h"


def _span(start: int, end: int) -> str:
    return f"from {format_time(to_moment(start))} to {format_time(to_moment(end))}"
