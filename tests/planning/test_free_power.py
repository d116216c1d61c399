"""Elastic jobs in what is left of a cap on power, by hand."""

from __future__ import annotations

import pytest

from gridtide.errors import NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.solvers import elastic, ramp
from gridtide.planning.solvers.elastic import FreePower
from tests.planning.settings import CI, HOUR, T0, Setting, us


def hourly(*values: float) -> Setting:
    series = Series.regular("DE", CI, T0, HOUR, values)
    return Setting(series, [(0, 60 * len(values))])


def test_power_that_comes_free_inside_a_slot_is_drawn_from_then_on() -> None:
    # The second hour is cleaner, but only its second half is free.
    curve, workers = hourly(200, 100).curve, Elastic(2)
    job = Job(HOUR, Kind.ELASTIC, workers=workers)
    free_power = [FreePower(us(0), us(60), 2.0), FreePower(us(90), us(120), 2.0)]
    draft = elastic.cheapest(curve, job, workers, free_power)
    assert [(part.start, part.end, part.workers) for part in draft.parts] == [
        (us(90), us(120), 2.0)
    ]
    with pytest.raises(NoFeasibleWindow):
        elastic.cheapest(curve, job, workers, [FreePower(us(90), us(119), 2.0)])


def test_power_below_the_fewest_workers_is_none() -> None:
    curve, workers = hourly(100, 200, 300).curve, Elastic(3, 2)
    job = Job(2 * HOUR, Kind.ELASTIC, workers=workers)
    free_power = [FreePower(us(0), us(60), 1.5), FreePower(us(60), us(180), 2.0)]
    draft = elastic.cheapest(curve, job, workers, free_power)
    assert [(part.start, part.end, part.workers) for part in draft.parts] == [
        (us(60), us(120), 2.0)
    ]


@pytest.mark.parametrize("first", [0.0, 1.0])
def test_a_ramp_has_the_power_that_is_free_from_the_start_of_a_slot_on(first: float) -> None:
    # Little power up to the second hour has no say in that hour.
    pytest.importorskip("scipy")
    curve, workers = hourly(300, 100, 200).curve, Elastic(3, ramp=3)
    job = Job(3 * HOUR, Kind.ELASTIC, workers=workers)
    free_power = [FreePower(us(0), us(60), first), FreePower(us(60), us(180), 3.0)]
    draft = ramp.cheapest(curve, job, workers, 3.0, free_power=free_power)
    assert [(part.start, part.end, part.workers) for part in draft.parts] == [
        (us(60), us(120), 3.0)
    ]
