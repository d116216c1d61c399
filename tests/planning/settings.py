"""Small settings in which every plan can be tried: whole minutes, small values, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import strategies as st

from gridtide.model import Quality, Series, Signal, Slot
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.planning.solvers import exact_segments
from gridtide.planning.solvers.costs import Curve, curve
from gridtide.planning.solvers.solution import Solution
from gridtide.slots import to_instant

T0 = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
CI = Signal.CI_LIFECYCLE_CONSUMED
CFE = Signal.CFE_PRODUCED
# A kWh a minute, so that a minute costs the value of its slot.
POWER = 60.0
# Limits under which `price_search`, `segment_programme` or `uneven_grid` finds the segments.
PROGRAMMES: tuple[dict[str, int], ...] = (
    {},
    {"MOST_ROWS": 0},
    {"MOST_ROWS": 0, "MOST_STATES": 0},
)


def solved_by(programme: dict[str, int], curve: Curve, job: Job) -> Solution:
    """The exact plan in segments, found by one of the `PROGRAMMES`."""
    with pytest.MonkeyPatch.context() as patch:
        for name, most in programme.items():
            patch.setattr(exact_segments, name, most)
        return exact_segments.cheapest(curve, job)


def at(minutes: float) -> datetime:
    return T0 + minutes * MINUTE


def us(minutes: float) -> int:
    return to_instant(at(minutes))


def minutes_of(solution: Solution) -> list[int]:
    """The minutes in which a draft runs, each checked to be whole."""
    found = []
    for part in solution.parts:
        start, rest = divmod(part.start - us(0), 60_000_000)
        length, more = divmod(part.end - part.start, 60_000_000)
        assert rest == more == 0
        found += range(start, start + length)
    return found


@dataclass(frozen=True)
class Setting:
    """A series and the spans in which a job may run, in minutes after T0."""

    series: Series
    spans: list[tuple[int, int]]
    goal: Goal = field(default_factory=Goal)

    @property
    def curve(self) -> Curve:
        spans = [(us(start), us(end)) for start, end in self.spans]
        return curve(Outlook(self.series), self.goal, spans)

    @property
    def rates(self) -> dict[int, Fraction]:
        """What a kWh counts in each free minute: written without the code under test."""
        free = {minute for start, end in self.spans for minute in range(start, end)}
        found = {}
        for slot in self.series.slots:
            if slot.value is not None:
                value = Fraction(slot.value)
                first, last = (slot.start - T0) // MINUTE, (slot.end - T0) // MINUTE
                for minute in free & set(range(first, last)):
                    found[minute] = value if self.series.signal is CI else 1 - value
        return found

    @property
    def joins(self) -> set[int]:
        """Free minutes that the one before runs on into."""
        rates = self.rates
        return {
            minute
            for minute in rates
            if minute - 1 in rates
            and not any(start == minute for start, _ in self.spans)
            and any(
                slot.start == at(minute) or slot.start < at(minute) < slot.end
                for slot in self.series.slots
            )
        }


# Few small values make ties common.
INTENSITIES = st.one_of(st.none(), *[st.integers(0, 4).map(float)] * 3)
FRACTIONS = st.one_of(st.none(), *[st.sampled_from([0.0, 0.25, 0.5, 0.75])] * 3)


@st.composite
def settings(draw: st.DrawFn, longest: int = 14) -> Setting:
    """At most `longest` minutes: slots of mixed lengths, gaps, unknown values, closed times."""
    signal = draw(st.sampled_from([CI, CI, CFE]))
    slots: list[Slot] = []
    clock = 0
    while clock < longest:
        clock += draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
        length = min(draw(st.sampled_from([1, 2, 2, 3, 4])), longest - clock)
        if length <= 0:
            break
        value = draw(INTENSITIES if signal is CI else FRACTIONS)
        slots.append(Slot(at(clock), at(clock + length), value, Quality.FORECAST))
        clock += length
    start, end = draw(st.integers(0, 3)), longest - draw(st.integers(0, 3))
    shut = draw(st.integers(start, end))
    reopen = min(end, shut + draw(st.sampled_from([0, 0, 1, 2])))
    spans = [(start, end)] if reopen == shut else [(start, shut), (reopen, end)]
    goal = Goal() if signal is CI else Goal(Objective.CFE)
    return Setting(
        Series("DE", signal, tuple(slots)),
        [(low, high) for low, high in spans if low < high],
        goal,
    )


@dataclass(frozen=True)
class Rules:
    """What segments keep to, in minutes and kWh."""

    work: int
    least: int = 1
    most: int | None = None
    pause_kwh: Fraction = Fraction(0)
    pause_time: int = 0
    restart_kwh: Fraction = Fraction(0)
    restart_time: int = 0
    marks: tuple[int, ...] | None = None
    weights: Sequence[Fraction] = ()


def least_cost(setting: Setting, rules: Rules) -> Fraction | None:
    """By trying every list of segments; ``None`` where there is none."""
    return min(_tried(setting.rates, setting.joins, rules, 0, 0, 0), default=None)


@dataclass(frozen=True)
class Progressed:
    """A job at T0: minutes of work done, of its running segment, and segments so far."""

    done: int
    segments: int
    running: bool
    ran: int


def least_rest(setting: Setting, rules: Rules, state: Progressed) -> Fraction | None:
    """What the rest of a job that has started counts at least; ``None``: there is no way."""
    costs = _ran_on(setting, rules, state) if state.running else _paused(setting, rules, state)
    return min(costs, default=None)


def _paused(setting: Setting, rules: Rules, state: Progressed) -> Iterator[Fraction]:
    # What is left may be too little for a segment as long as requested: then it is one.
    least = min(rules.least, rules.work - state.done)
    rules = replace(rules, least=least)
    return _tried(setting.rates, setting.joins, rules, 0, state.done, state.segments)


def _ran_on(setting: Setting, rules: Rules, state: Progressed) -> Iterator[Fraction]:
    """Running on for some minutes, perhaps none, then another segment or the end."""
    rates, joins, cost = setting.rates, setting.joins, Fraction(0)
    if rules.most is not None and state.segments > rules.most:
        return
    for length in range(rules.work - state.done + 1):
        done = state.done + length
        if length:
            minute = length - 1
            if minute not in rates or (minute and minute not in joins):
                return
            cost += rates[minute] * (rules.weights[done - 1] if rules.weights else 1)
        if done == rules.work:
            yield cost
            return
        if state.ran + length < rules.least or not rates:
            continue
        if rules.marks is not None and done not in rules.marks:
            continue
        used = range(length, length + rules.pause_time)
        if not all(m in rates and (m == 0 or m in joins) for m in used):
            continue
        own = length - 1 if length else min(rates)
        toll = _overhead(rates, joins, rules.pause_kwh, rules.pause_time, length, own)
        for rest in _tried(rates, joins, rules, used.stop, done, state.segments):
            yield cost + toll + rest


def _tried(
    rates: dict[int, Fraction],
    joins: set[int],
    rules: Rules,
    begin: int,
    done: int,
    segments: int,
) -> Iterator[Fraction]:
    """Costs of all ways to do the rest of the work from minute `begin` on."""
    if rules.most is not None and segments >= rules.most:
        return
    lost = rules.restart_time if segments else 0
    for first in range(begin, max(rates, default=-1) + 1):
        for length in range(rules.least, rules.work - done + 1):
            finished = done + length == rules.work
            if not finished and rules.marks is not None and done + length not in rules.marks:
                continue
            after = 0 if finished else rules.pause_time
            used = range(first, first + lost + length + after)
            if not all(m in rates and (m == first or m in joins) for m in used):
                continue
            cost = Fraction(0)
            if segments:
                cost += _overhead(rates, joins, rules.restart_kwh, lost, first, first)
            for i in range(length):
                weight = rules.weights[done + i] if rules.weights else 1
                cost += rates[first + lost + i] * weight
            if finished:
                yield cost
                continue
            worked = first + lost + length
            cost += _overhead(rates, joins, rules.pause_kwh, after, worked, worked - 1)
            later = _tried(rates, joins, rules, worked + after, done + length, segments + 1)
            yield from (cost + each for each in later)


def _overhead(
    rates: dict[int, Fraction], joins: set[int], kwh: Fraction, time: int, begin: int, own: int
) -> Fraction:
    """Energy drawn evenly from `begin` on; or at that instant, where minutes join in the
    cheaper of the two, else in its own.
    """
    if time:
        return sum((rates[begin + i] * kwh / time for i in range(time)), Fraction(0))
    beside = {own, begin, begin - 1} if begin in joins else {own}
    return min(rates[minute] for minute in beside) * kwh
