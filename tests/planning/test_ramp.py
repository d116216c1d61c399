"""Elastic jobs that change size by steps, against another programme and by hand."""

from __future__ import annotations

import sys
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.errors import NoSolver, SolverFailed
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.problem.state import JobState
from gridtide.planning.solvers import elastic, ramp
from gridtide.planning.solvers.highs import Programme
from gridtide.planning.solvers.solution import Solution
from tests.examples import examples
from tests.planning.settings import CI, HOUR, T0, Setting, us

TABLE = ((1.0, 1.0), (2.0, 1.75), (3.0, 2.25))


def hourly(*values: float | None) -> Setting:
    series = Series.regular("DE", CI, T0, HOUR, values)
    return Setting(series, [(0, 60 * len(values))])


def sizes(solution: Solution, hours: int) -> list[float]:
    """Workers by hour; the size must hold all hour long."""
    found = [0.0] * hours
    for start, end, _, workers in solution.parts:
        assert (start - us(0)) % 3_600_000_000 == (end - us(0)) % 3_600_000_000 == 0
        for hour in range((start - us(0)) // 3_600_000_000, (end - us(0)) // 3_600_000_000):
            found[hour] = workers or 0.0
    return found


def least(
    values: list[float | None], work: float, workers: Elastic, step: float, now: float = 0.0
) -> float | None:
    """The least over all ways to be on or off by hour, by workers and speed."""
    points = [(0.0, 0.0), *(workers.throughput or ((workers.maximum, workers.maximum),))]
    lines = [
        ((b - d) / (a - c), d - (b - d) / (a - c) * c) for (c, d), (a, b) in pairwise(points)
    ]
    count, best = len(values), None
    patterns = product((False, True), repeat=count) if workers.minimum else [[True] * count]
    for pattern in patterns:
        rows: list[list[float]] = []
        bounds: list[float] = []
        for hour in range(count):
            for slope, shift in lines:
                row = [0.0] * 2 * count
                row[hour], row[count + hour] = -slope, 1.0
                rows.append(row)
                bounds.append(shift)
        for hour in range(count + 1):
            for sign in (1, -1):
                row = [0.0] * 2 * count
                if hour < count:
                    row[hour] = sign
                if hour:
                    row[hour - 1] = -sign
                rows.append(row)
                bounds.append(step if hour else step + sign * now)
        limits = [
            (workers.minimum, workers.maximum) if on and value is not None else (0, 0)
            for on, value in zip(pattern, values, strict=True)
        ]
        speeds = [(0, None) if value is not None else (0, 0) for value in values]
        found = linprog(
            [*(value or 0.0 for value in values), *[0.0] * count],
            A_ub=rows,
            b_ub=bounds,
            A_eq=[[0.0] * count + [1.0] * count],
            b_eq=[work],
            bounds=limits + speeds,
        )
        if found.success and (best is None or found.fun < best):
            best = float(found.fun)
    return best


@examples(120)
@given(
    st.lists(st.none() | st.integers(0, 5).map(float), min_size=1, max_size=6),
    st.integers(1, 16),
    st.sampled_from(
        [
            Elastic(2, fractional_workers=True),
            Elastic(3, throughput=TABLE, fractional_workers=True),
            Elastic(3, 1, throughput=TABLE, fractional_workers=True),
        ]
    ),
    st.sampled_from([1.0, 1.5, 3.0]),
    st.sampled_from([0.0, 0.0, 1.0, 1.75, 2.0, 3.0]),
)
def test_another_programme_finds_nothing_that_counts_less(
    values: list[float | None], quarters: int, workers: Elastic, step: float, now: float
) -> None:
    now = min(now, workers.maximum)
    state = JobState(at=us(0), started=now > 0, running=now > 0, workers=now)
    expected = least(values, quarters / 4, workers, step, now)
    job = Job(quarters / 4 * HOUR, Kind.ELASTIC, workers=workers)
    if expected is None:
        with pytest.raises(NoFeasibleWindow, match=r"allow (more of either|a larger ramp)"):
            ramp.cheapest(hourly(*values).curve, job, workers, step, state)
        return
    solution = ramp.cheapest(hourly(*values).curve, job, workers, step, state)
    assert solution.cost == pytest.approx(expected, abs=1e-6)
    found = sizes(solution, len(values))
    assert all(abs(a - b) <= step + 1e-6 for a, b in pairwise([now, *found, 0]))
    assert all(size < 1e-6 or size >= workers.minimum - 1e-6 for size in found)
    assert all(size == 0 for size, value in zip(found, values, strict=True) if value is None)
    assert sum(workers.speed(size) for size in found) >= quarters / 4 - 1e-6


@examples(60)
@given(
    st.lists(st.none() | st.integers(0, 5).map(float), min_size=1, max_size=5),
    st.integers(1, 24),
    st.sampled_from([Elastic(2), Elastic(3, throughput=TABLE), Elastic(3, 1.5)]),
    st.integers(1, 3),
    st.sampled_from([0.0, 1.0, 3.0]),
)
def test_no_list_of_whole_workers_counts_less(
    values: list[float | None], quarters: int, workers: Elastic, step: int, now: float
) -> None:
    now = min(now, workers.maximum)
    state = JobState(at=us(0), started=now > 0, running=now > 0, workers=now)
    least_size = 2 if workers.minimum else 1
    whole = [0, *range(least_size, int(workers.maximum) + 1)]
    costs = [
        sum(size * (value or 0.0) for size, value in zip(way, values, strict=True))
        for way in product(whole, repeat=len(values))
        if all(size == 0 or value is not None for size, value in zip(way, values, strict=True))
        and sum(workers.speed(size) for size in way) >= quarters / 4 - 1e-9
        and all(abs(a - b) <= step for a, b in pairwise([now, *way, 0]))
    ]
    job = Job(quarters / 4 * HOUR, Kind.ELASTIC, workers=workers)
    if not costs:
        with pytest.raises(NoFeasibleWindow):
            ramp.cheapest(hourly(*values).curve, job, workers, step, state)
        return
    solution = ramp.cheapest(hourly(*values).curve, job, workers, step, state)
    assert solution.cost == pytest.approx(min(costs), abs=1e-6)
    assert set(sizes(solution, len(values))) <= set(whole)


def test_a_ramp_as_large_as_all_workers_is_none() -> None:
    workers = Elastic(3, throughput=TABLE)
    setting = hourly(2, 3.5, 3.5, 9, 1)
    job = Job(4 * HOUR, Kind.ELASTIC, workers=workers)
    free = elastic.cheapest(setting.curve, job, workers)
    assert ramp.cheapest(setting.curve, job, workers, 3).cost == pytest.approx(free.cost)


def test_a_ramp_widens_the_hours_beside_the_clean_one() -> None:
    # 4 h at up to 2 workers, one more or less an hour: 1, 2, 1 around the clean hour, by hand.
    job = Job(4 * HOUR, Kind.ELASTIC, workers=Elastic(2))
    solution = ramp.cheapest(hourly(9, 2, 1, 3, 9).curve, job, Elastic(2), 1)
    assert sizes(solution, 5) == pytest.approx([0, 1, 2, 1, 0])
    assert solution.cost == pytest.approx(2 + 2 + 3)


def test_what_comes_down_slower_than_its_work_ends_runs_on_till_it_has() -> None:
    # From 3 workers, one less an hour: 2, 1, 0 is the least it can do, 3 h for 1 h of work.
    job = Job(HOUR, Kind.ELASTIC, workers=Elastic(3))
    state = JobState(at=us(0), started=True, running=True, workers=3)
    solution = ramp.cheapest(hourly(5, 1, 1, 1).curve, job, Elastic(3), 1, state)
    assert sizes(solution, 4) == pytest.approx([2, 1, 0, 0])
    assert solution.cost == pytest.approx(2 * 5 + 1)
    with pytest.raises(NoFeasibleWindow, match="from 3 workers on; allow more of either"):
        ramp.cheapest(hourly(5, None, 1).curve, job, Elastic(3), 1, state)
    with pytest.raises(NoFeasibleWindow, match="runs on 3 workers and may not run on"):
        ramp.cheapest(hourly(None, 1, 1, 1).curve, job, Elastic(3), 1, state)


def test_a_rate_below_0_would_reward_waste_and_is_refused() -> None:
    workers = Elastic(3, throughput=TABLE)
    job = Job(HOUR, Kind.ELASTIC, workers=workers)
    with pytest.raises(BadInput, match="leave the ramp out"):
        ramp.cheapest(hourly(1, -2).curve, job, workers, 1)


def test_without_a_solver_the_error_names_both_remedies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    job = Job(HOUR, Kind.ELASTIC, workers=Elastic(2))
    with pytest.raises(NoSolver, match=r"pip install 'gridtide\[lp\]'.* or ask a service"):
        ramp.cheapest(hourly(1, 2).curve, job, Elastic(2), 1)


def test_a_programme_without_an_end_is_said_to_have_failed() -> None:
    endless = Programme("a programme")
    endless.variable(-1.0)
    with pytest.raises(SolverFailed, match=r"a programme: .*; ask for a shorter time"):
        endless.solve()
