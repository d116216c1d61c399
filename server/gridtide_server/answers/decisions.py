"""When and where: questions about windows, answered from a view. No clock, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gridtide.errors import BadInput, NoCommonSignal, NoData, NoFeasibleWindow
from gridtide.model import DEFAULT_ORDER, Signal, format_time, parse_hours
from gridtide.windows import (
    Window,
    best_region_and_window,
    best_window,
    common_signal,
    mean_over,
    saving,
)
from gridtide_server.answers.current import current, usual_signal
from gridtide_server.view import Forecast, View
from gridtide_store.regions import Resolution

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What a job asks.

    Attributes:
        hours: its length, unbroken.
        at: the moment it is asked at: now, or another `as_of`. Only what was known then
            counts, and nothing starts before.
        earliest: not before this; one before `at` means `at`.
        deadline: it has ended by then.
        signal: None for the default.
    """

    hours: float
    at: datetime
    earliest: datetime | None = None
    deadline: datetime | None = None
    signal: Signal | None = None

    @property
    def duration(self) -> timedelta:
        """Length of the job."""
        return parse_hours(self.hours)

    @property
    def at_once(self) -> datetime:
        """When the job starts if nobody waits: `at`, rounded up to the second."""
        return next_second(self.at)

    @property
    def first(self) -> datetime:
        """The earliest start that counts."""
        return self.at_once if self.earliest is None else max(self.earliest, self.at_once)


@dataclass(frozen=True, slots=True)
class Decision:
    """The best window of one region, beside starting at once in it."""

    place: Resolution
    forecast: Forecast
    window: Window
    mean_now: float | None

    @property
    def saving(self) -> float | None:
        """Gain over starting at once; see `gridtide.windows.saving`."""
        return saving(self.window.mean, self.mean_now, self.forecast.series.signal)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A region without such a window, and why."""

    place: Resolution
    signal: Signal
    reason: str


def next_second(moment: datetime) -> datetime:
    """`moment`, rounded up to the second."""
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + SECOND


def decide_window(view: View, place: Resolution, question: Question) -> Decision:
    """The cleanest window of one region.

    Raises:
        BadInput: a deadline that is not after the earliest start.
        NoData: no forecast of the signal, or one that has ended.
        NoFeasibleWindow: no unbroken run of that length fits.
    """
    check(question)
    return decide_by(place, believed(view, place, question.signal, question.at), question)


def believed(view: View, place: Resolution, signal: Signal | None, at: datetime) -> Forecast:
    """The forecast that decides about one region, of the usual signal if none is named.

    Raises:
        NoData: no forecast of the signal, or one that has ended.
    """
    return current(view, place, signal or usual_signal(view, place, at), at)


def decide_by(place: Resolution, forecast: Forecast, question: Question) -> Decision:
    """The cleanest window by `forecast`, to a question that `check` has seen.

    Raises:
        NoFeasibleWindow: no unbroken run of that length fits.
    """
    duration = question.duration
    try:
        window = best_window(
            forecast.series,
            duration,
            earliest=question.first,
            deadline=question.deadline,
        )
    except NoFeasibleWindow as error:
        raise NoFeasibleWindow(str(error), forecast_end=forecast.end) from error
    return _decision(place, forecast, window, question, duration)


def decide_region(
    view: View, places: Sequence[Resolution], question: Question
) -> list[Decision | Refusal]:
    """Each region's own best window, cleanest first; those without one last.

    Raises:
        BadInput: as `decide_window`.
        NoCommonSignal: no two regions have a signal in common, or none the one asked for.
        NoData: no region has a forecast that reaches the moment asked at.
        NoFeasibleWindow: no region has an unbroken run of that length.
    """
    check(question)
    signal = common(view, places, question.signal, question.at)
    found: dict[str, Forecast] = {}
    refused: list[Refusal] = []
    for place in places:
        try:
            found[place.region] = current(view, place, signal, question.at)
        except NoData as error:
            refused.append(Refusal(place, signal, str(error)))
    if not found:
        raise NoData("; ".join(each.reason for each in refused))
    duration = question.duration
    try:
        choices = best_region_and_window(
            {region: forecast.series for region, forecast in found.items()},
            duration,
            earliest=question.first,
            deadline=question.deadline,
        )
    except NoFeasibleWindow as error:
        others = [each.reason for each in refused]
        raise NoFeasibleWindow("; ".join([str(error), *others])) from error
    by_name = {place.region: place for place in places}
    decided: list[Decision] = []
    for choice in choices:
        place = by_name[choice.region]
        if choice.window is None:
            refused.append(Refusal(place, signal, choice.reason or "no such window"))
        else:
            forecast = found[choice.region]
            decided.append(_decision(place, forecast, choice.window, question, duration))
    return [*decided, *refused]


def check(question: Question) -> None:
    """Refuse bounds in contradiction.

    Raises:
        BadInput: a deadline that is not after the earliest start.
    """
    if question.deadline is not None and question.deadline <= question.first:
        name = "earliest" if question.first == question.earliest else "now"
        raise BadInput(
            f"deadline {format_time(question.deadline)} is not after {name} "
            f"{format_time(question.first)}; the deadline is when the job must have ended"
        )


def common(
    view: View, places: Sequence[Resolution], asked: Signal | None, at: datetime
) -> Signal:
    """The one signal to compare on: the one `asked` for, or the usual one that most have.

    Regions without it are left to whoever compares, with the reason `current` gives. A usual
    signal counts for a region where its forecast has not ended.

    Raises:
        NoCommonSignal: no region has the one asked for, or no two share a usual one.
        NoData: no region has any forecast that reaches beyond `at`; the message names each.
    """

    def found(*signals: Signal) -> dict[str, list[Signal]]:
        return {p.region: sorted(view.forecasts(p.zone, at, signals)) for p in places}

    def living(*signals: Signal) -> dict[str, list[Signal]]:
        return {
            p.region: [
                signal
                for signal, forecast in view.forecasts(p.zone, at, signals).items()
                if forecast.end > at
            ]
            for p in places
        }

    if asked is not None:
        if any(found(asked).values()):
            return asked
        every = found(*Signal)
        if not any(every.values()):
            raise _without(view, places, at)
        raise NoCommonSignal(
            f"there is no forecast of {asked} for {', '.join(every)}; name a signal that they "
            "have",
            signals=every,
        )
    usual = living(*DEFAULT_ORDER)
    shared = max(DEFAULT_ORDER, key=lambda signal: sum(signal in has for has in usual.values()))
    having = sum(shared in has for has in usual.values())
    if having > 1 or having == len(places):
        return shared
    able = [region for region, has in living(*Signal).items() if has]
    if not able:
        raise _without(view, places, at)
    if having == len(able):
        return shared
    # The error says all that each region has.
    return common_signal(found(*Signal))


def _without(view: View, places: Sequence[Resolution], at: datetime) -> NoData:
    """The error where no region has a forecast, with the reason of each."""
    reasons = []
    for place in places:
        try:
            current(view, place, usual_signal(view, place, at), at)
        except NoData as error:
            reasons.append(error)
    if len(reasons) == 1:
        return reasons[0]
    return NoData("; ".join(map(str, reasons)))


def _decision(
    place: Resolution,
    forecast: Forecast,
    window: Window,
    question: Question,
    duration: timedelta,
) -> Decision:
    start = question.at_once
    mean_now = mean_over(forecast.series, start, start + duration)
    return Decision(place, forecast, window, mean_now)
