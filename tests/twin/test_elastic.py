"""Elastic jobs in numpy: equal to the SDK's greedy and to linear programmes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridtide.errors import BadInput
from gridtide.model import Series, Signal
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.solvers import elastic as of_the_sdk
from gridtide.planning.solvers.costs import Curve, Stretch
from gridtide_pipelines.reproduce.planners.elastic import Knees, least, spread
from gridtide_pipelines.reproduce.planners.whole_steps import Floats

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINEAR_2 = ((0.0, 0.0), (2.0, 2.0))
FALLING_OFF = tuple((float(workers), workers**0.9) for workers in range(5))
LEVELS = st.sampled_from([0.0, 1.0, 7.5, 40.0, 41.0])
ROW = st.lists(LEVELS, min_size=3, max_size=9)
KNEES = st.sampled_from([((0.0, 0.0), (1.0, 1.0)), LINEAR_2, FALLING_OFF])


def programme(row: list[float], work: float, knees: Knees, ramp: float | None) -> float | None:
    """Least cost by scipy: a variable for each slot and segment between two knees."""
    segments = list(pairwise(knees))
    slots = range(len(row))
    cost, speeds, bounds = [], [], []
    for value in row:
        for (left, slow), (right, fast) in segments:
            cost.append(value)
            speeds.append((fast - slow) / (right - left))
            bounds.append((0.0, right - left))
    size = np.kron(np.eye(len(row)), np.ones(len(segments)))
    upper, most = None, None
    if ramp is not None:
        steps = np.vstack([size[0], *(size[i] - size[i - 1] for i in slots[1:]), -size[-1]])
        upper, most = np.vstack([steps, -steps]), np.full(2 * len(steps), ramp)
    found = linprog(cost, upper, most, [speeds], [work], bounds)
    return found.fun if found.status == 0 else None


@given(st.lists(ROW, min_size=1, max_size=3), KNEES, st.floats(0.25, 6))
def test_spreading_costs_what_the_linear_programme_says(
    rows: list[list[float]], knees: Knees, work: float
) -> None:
    values = np.array([row[:3] for row in rows])
    assume(work <= 3 * knees[-1][1])
    workers = spread(values, work, knees)
    for row, spent in zip(values, workers, strict=True):
        assert (row * spent).sum() == pytest.approx(programme(list(row), work, knees, None))
        done = sum(np.interp(each, *np.transpose(knees)) for each in spent)
        assert done == pytest.approx(work)


@given(ROW, KNEES, st.floats(0.25, 6))
def test_spreading_is_that_of_the_sdk(row: list[float], knees: Knees, work: float) -> None:
    hours = timedelta(hours=work)
    assume(hours <= len(row) * knees[-1][1] * HOUR)
    series = Series.regular("DE", Signal.CI_LIFECYCLE_CONSUMED, START, HOUR, list(row))
    elastic = Elastic(maximum=knees[-1][0], throughput=knees[1:] if len(knees) > 2 else ())
    run = series.runs[0]
    curve = Curve("DE", (Stretch(run, run.edges[0], run.edges[-1]),))
    solution = of_the_sdk.cheapest(curve, Job(hours, Kind.ELASTIC, workers=elastic), elastic)
    workers = spread(np.array([row]), hours / HOUR, elastic.knees())
    assert (np.array(row) * workers[0]).sum() == pytest.approx(solution.cost, abs=1e-6)


@settings(deadline=None)
@given(
    st.lists(st.lists(LEVELS, min_size=7, max_size=7), min_size=1, max_size=3),
    st.sampled_from([(LINEAR_2, 0.5), (LINEAR_2, 1.0), (FALLING_OFF, 1.0), (LINEAR_2, 2.0)]),
    st.floats(0.25, 5),
)
def test_with_a_ramp_the_cost_is_that_of_the_linear_programme(
    rows: list[list[float]], policy: tuple[Knees, float], work: float
) -> None:
    knees, ramp = policy
    expected = [programme(row, work, knees, ramp) for row in rows]
    assume(None not in expected)
    found = least(np.array(rows), work, knees, ramp)
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def test_a_ramp_by_hand() -> None:
    # One slot of work in steps of a half: up 0.5, on at 0.5 would need two slots; 0.5 + 0.5.
    values = np.array([[4.0, 1.0, 2.0, 9.0]])
    assert least(values, 1.0, LINEAR_2, 0.5).tolist() == pytest.approx([0.5 * 1 + 0.5 * 2])


def test_a_ramp_as_large_as_the_job_is_no_limit() -> None:
    values = np.array([[5.0, 1.0, 8.0, 2.0]])
    unlimited = (values * spread(values, 3.0, LINEAR_2)).sum(axis=1)
    assert least(values, 3.0, LINEAR_2, 2.0).tolist() == pytest.approx(unlimited.tolist())


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda values: spread(values, 9.0, LINEAR_2), "do not fit into 4 slots"),
        (lambda values: spread(values, 0.0, LINEAR_2), "do not fit"),
        (lambda values: spread(-values, 1.0, LINEAR_2), "below 0"),
        (lambda values: spread(values * np.nan, 1.0, LINEAR_2), "unknown"),
        (lambda values: least(values, 4.0, LINEAR_2, 0.5), "with a ramp of 0.5"),
        (lambda values: least(values, 1.0, LINEAR_2, 0.3), "linear programme"),
        (lambda values: least(values, 9.0, LINEAR_2, 0.5), "do not fit into 4 slots"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    ask: Callable[[Floats], object], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        ask(np.array([[4.0, 1.0, 2.0, 9.0]]))
