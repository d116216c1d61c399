"""The rest of a job against every way to run it, from wherever it may stand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.decide.response import Plan
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.problem.state import Progress
from gridtide.planning.replanner import replan
from gridtide.planning.solvers import exact_segments
from tests.examples import examples
from tests.planning.settings import (
    CI,
    HOUR,
    MINUTE,
    POWER,
    PROGRAMMES,
    T0,
    Progressed,
    Rules,
    Setting,
    at,
    least_rest,
    settings,
)
from tests.planning.test_segments import job_under, rules

ENERGY = st.builds(
    Rules,
    st.integers(2, 8),
    most=st.sampled_from([None, 1, 2, 3, 4]),
    pause_kwh=st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]),
    restart_kwh=st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(2)]),
)


def requested(setting: Setting, job: Job) -> Plan:
    """A plan of `job` in the free time of `setting`, whatever it says itself."""
    flat = Series.regular("DE", setting.series.signal, T0, HOUR, [0.5])
    first = plan(Job(MINUTE, power=POWER), flat, now=T0, alternatives=0)
    assert first.problem is not None
    (start, shut), *more = setting.spans
    bounds = Bounds(
        earliest=at(start),
        deadline=at(more[0][1] if more else shut),
        blackouts=tuple((at(shut), at(reopen)) for reopen, _ in more),
    )
    problem = replace(first.problem, job=job, bounds=bounds)
    return replace(first, problem=problem)


def counted(found: Plan) -> float:
    if found.grams is not None:
        return found.grams
    return found.kwh * (1 - found.mean)


def lengths(found: Plan, power: set[float]) -> list[tuple[int, int]]:
    """(start, minutes) of each stretch of work, in minutes after T0."""
    spans: list[tuple[int, int]] = []
    for slot in found.slots:
        start, end = (slot.start - T0) // MINUTE, (slot.end - T0) // MINUTE
        if slot.power_kw not in power:
            continue
        if spans and sum(spans[-1]) == start:
            start, end = spans[-1][0], end
            spans.pop()
        spans.append((start, end - start))
    return spans


@st.composite
def begun(draw: st.DrawFn, limits: st.SearchStrategy[Rules]) -> tuple[Rules, Progressed]:
    """What segments keep to, and where the job stands; what is left draws energy."""
    rules = draw(limits.filter(lambda each: each.work > 1))
    drawing = [done for done in range(rules.work) if any(rules.weights[done:] or [1])]
    done, ran = draw(st.sampled_from(drawing)), draw(st.integers(0, rules.work - 1))
    running, pieces = draw(st.booleans()) or not done, draw(st.integers(1, 3))
    return rules, Progressed(done, pieces, running, min(done, ran) if running else 0)


def progress(state: Progressed) -> Progress:
    return Progress(
        T0,
        done=state.done * MINUTE,
        running=state.running,
        running_for=state.ran * MINUTE,
        segments=state.segments,
    )


def check(setting: Setting, limits: Rules, state: Progressed, job: Job) -> Plan | None:
    expected = least_rest(setting, limits, state)
    first = requested(setting, job)
    if expected is None:
        with pytest.raises(NoFeasibleWindow):
            replan(first, progress(state), setting.series)
        return None
    found = replan(first, progress(state), setting.series)
    assert counted(found) == pytest.approx(float(expected), abs=1e-9)
    return found


@examples(500)
@given(
    settings().filter(lambda setting: setting.spans),
    begun(ENERGY),
    st.sampled_from(PROGRAMMES),
)
def test_no_rest_is_cheaper_when_pauses_cost_energy(
    setting: Setting, begun: tuple[Rules, Progressed], programme: dict[str, int]
) -> None:
    limits, state = begun
    job = replace(job_under(limits), min_segment=None)
    state = replace(state, ran=limits.least)  # without a least length it may stop at once
    with pytest.MonkeyPatch.context() as patch:
        # Which of the two programmes answers.
        for name, most in programme.items():
            patch.setattr(exact_segments, name, most)
        found = check(setting, limits, state, job)
    if found is not None and limits.most is not None:
        spans = lengths(found, {POWER})
        carried = state.running and spans[0][0] == 0
        assert state.segments + len(spans) - carried <= limits.most


@examples(600)
@given(settings().filter(lambda setting: setting.spans), begun(rules()))
def test_no_rest_is_cheaper_under_all_limits(
    setting: Setting, begun: tuple[Rules, Progressed]
) -> None:
    limits, state = begun
    found = check(setting, limits, state, job_under(limits))
    if found is not None and not limits.weights and not limits.pause_time:
        spans = lengths(found, {POWER})
        assert sum(length for _, length in spans) >= limits.work - state.done


def alternating(count: int) -> Series:
    return Series.regular("DE", CI, T0, HOUR, [1.0, 2.0] * (count // 2))


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_a_running_segment_that_stops_was_one_of_those_allowed(
    programme: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in programme.items():
        monkeypatch.setattr(exact_segments, name, most)
    series = alternating(10)
    job = Job(3 * HOUR, Kind.SEGMENTS, max_segments=2, restart_cost=Cost(0.3))
    first = plan(job, series, now=T0)
    running = Progress(T0 + HOUR, done=HOUR, running=True, running_for=HOUR, segments=1)
    rest = replan(first, running, series)
    # On at 2 g, then 1 g: 3 g. A stop and a start are the second segment: 1 + 2 g and a
    # restart. A stop and two hours at 1 g, 2.6 g with the restarts, would be the third.
    assert rest.grams == pytest.approx(3)
    assert [(slot.start, slot.end) for slot in rest.slots] == [(T0 + HOUR, T0 + 3 * HOUR)]
