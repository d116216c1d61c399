"""Elastic jobs against a linear programme, against pausing, and by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.solvers import elastic, interruptible
from tests.examples import examples
from tests.planning.settings import CI, HOUR, MINUTE, POWER, T0, Setting, settings, us

TABLE = ((1.0, 1.0), (2.0, 1.75), (3.0, 2.25), (4.0, 2.5))
CHIPS = st.sampled_from(
    [
        Elastic(1, fractional_workers=True),
        Elastic(2, fractional_workers=True),
        Elastic(2.5, 0.5, fractional_workers=True),
        Elastic(3, throughput=TABLE, fractional_workers=True),
        Elastic(4, 2, throughput=TABLE, fractional_workers=True),
        Elastic(6, base=4, fractional_workers=True),
        Elastic(4, throughput=((1, 1), (2, 2), (4, 3)), fractional_workers=True),
    ]
)
WHOLE = st.sampled_from(
    [
        Elastic(1),
        Elastic(3),
        Elastic(3.9, 0.5),
        Elastic(4, 2),
        Elastic(3, throughput=TABLE),
        Elastic(4, 1.5, throughput=TABLE),
        Elastic(3, throughput=((1.5, 1.2), (2.5, 1.7), (3.5, 2.0)), base=1.25),
    ]
)


@examples(150)
@given(settings(), st.integers(1, 20), WHOLE)
def test_whole_workers_at_every_moment_and_no_mix_of_them_counts_less(
    setting: Setting, work: int, workers: Elastic
) -> None:
    # In each minute a share of time at each whole number of workers: that is every schedule.
    rates = [float(rate) for rate in setting.rates.values()]
    sizes = [n for n in range(1, 7) if workers.minimum <= n <= workers.maximum]
    job = Job(work * MINUTE, Kind.ELASTIC, power=POWER, workers=workers)
    found = rates and linprog(
        [rate * n / workers.base for rate in rates for n in sizes],
        A_eq=[[workers.speed(n) for _ in rates for n in sizes]],
        b_eq=[work],
        A_ub=[
            [1.0 if k == i else 0.0 for k in range(len(rates)) for _ in sizes]
            for i in range(len(rates))
        ],
        b_ub=[1.0] * len(rates),
    )
    if not found or not found.success:
        with pytest.raises(NoFeasibleWindow):
            elastic.cheapest(setting.curve, job, workers)
        return
    solution = elastic.cheapest(setting.curve, job, workers)
    assert solution.cost == pytest.approx(found.fun, rel=1e-9, abs=1e-9)
    done = sum(
        (end - start) * workers.speed(each or 0) for start, end, _, each in solution.parts
    )
    assert done == pytest.approx(job.work, abs=10)
    assert {part.workers for part in solution.parts} <= set(sizes)
    assert all(before.end <= after.start for before, after in pairwise(solution.parts))
    spent = sum(
        float(setting.rates[minute])
        * (part.workers or 0)
        / workers.base
        * (min(part.end, us(minute + 1)) - max(part.start, us(minute)))
        for part in solution.parts
        for minute in setting.rates
        if part.start < us(minute + 1) and part.end > us(minute)
    )
    assert spent / 60e6 == pytest.approx(solution.cost, abs=1e-4)


def test_a_fraction_of_a_worker_is_more_of_them_for_a_part_of_the_slot() -> None:
    job = Job(4 * HOUR, Kind.ELASTIC, workers=Elastic(3, throughput=TABLE[:3]))
    solution = elastic.cheapest(hourly(2, 3.5, 3.5, 9).curve, job, job.workers or Elastic(1))
    assert [(part.start, part.end, part.workers) for part in solution.parts] == [
        (us(0), us(30), 3),
        (us(30), us(60), 2),
        (us(60), us(180), 1),
    ]
    assert solution.cost == pytest.approx(2 * 2.5 + 3.5 + 3.5)


@pytest.mark.parametrize(
    ("workers", "message"),
    [
        (lambda: Elastic(0.5), "no whole number of workers lies from 0 to 0.5"),
        (lambda: Elastic(2.9, 2.1), "no whole number of workers lies from 2.1 to 2.9"),
        (lambda: Elastic(4, 1.5, ramp=1.7), "never reaches 2 whole workers"),
        (lambda: Elastic(4, ramp=0.5), "never reaches 1 whole workers"),
    ],
)
def test_no_whole_worker_is_refused_with_what_to_set(
    workers: Callable[[], Elastic], message: str
) -> None:
    with pytest.raises(BadInput, match=f"{message}.*fractional_workers"):
        workers()


def programme(setting: Setting, work: int, workers: Elastic) -> float | None:
    """The least by a linear programme: in each minute, shares of time at each size."""
    rates = list(setting.rates.values())
    table = dict(workers.throughput) or {workers.maximum: workers.maximum / workers.base}
    sizes = sorted({workers.minimum, workers.maximum, *table} - {0})
    sizes = [size for size in sizes if workers.minimum <= size <= workers.maximum]
    speeds = [speed(size, table) for size in sizes]
    if not rates:
        return None
    count = len(sizes)
    found = linprog(
        [float(rate) * size / workers.base for rate in rates for size in sizes],
        A_eq=[[each for _ in rates for each in speeds]],
        b_eq=[work],
        A_ub=[
            [
                1.0 if i * count <= k < (i + 1) * count else 0.0
                for k in range(len(rates) * count)
            ]
            for i in range(len(rates))
        ],
        b_ub=[1.0] * len(rates),
    )
    return float(found.fun) if found.success else None


def speed(size: float, table: dict[float, float]) -> float:
    points = [(0.0, 0.0), *sorted(table.items())]
    for (left, slow), (right, fast) in pairwise(points):
        if left <= size <= right:
            return slow + (fast - slow) * (size - left) / (right - left)
    raise AssertionError(size)


@examples(150)
@given(settings(), st.integers(1, 20), CHIPS)
def test_a_linear_programme_finds_nothing_that_counts_less(
    setting: Setting, work: int, workers: Elastic
) -> None:
    expected = programme(setting, work, workers)
    job = Job(work * MINUTE, Kind.ELASTIC, power=POWER, workers=workers)
    if expected is None:
        with pytest.raises(NoFeasibleWindow):
            elastic.cheapest(setting.curve, job, workers)
        return
    solution = elastic.cheapest(setting.curve, job, workers)
    assert solution.cost == pytest.approx(expected, rel=1e-9, abs=1e-9)
    done = sum(
        (end - start) * workers.speed(each or 0) for start, end, _, each in solution.parts
    )
    assert done == pytest.approx(job.work, abs=10)
    for part in solution.parts:
        assert part.workers is not None
        assert workers.minimum - 1e-9 <= part.workers <= workers.maximum + 1e-9
        assert part.power_kw == pytest.approx(POWER * part.workers / workers.base)
    for before, after in pairwise(solution.parts):
        assert before.end <= after.start


@examples(100)
@given(settings(), st.integers(1, 9))
def test_at_most_1x_is_pausing(setting: Setting, work: int) -> None:
    stretchy = Job(work * MINUTE, Kind.ELASTIC, power=POWER, workers=Elastic(1))
    pausing = Job(work * MINUTE, Kind.INTERRUPTIBLE, power=POWER)
    try:
        expected = interruptible.cheapest(setting.curve, pausing)
    except NoFeasibleWindow:
        with pytest.raises(NoFeasibleWindow):
            elastic.cheapest(setting.curve, stretchy, Elastic(1))
        return
    found = elastic.cheapest(setting.curve, stretchy, Elastic(1))
    assert found.cost == pytest.approx(expected.cost)
    assert [(p.start, p.end, p.power_kw) for p in found.parts] == [
        (p.start, p.end, p.power_kw) for p in expected.parts
    ]


def test_a_part_of_a_slot_leans_on_what_runs_after_it() -> None:
    job = Job(1.5 * HOUR, Kind.ELASTIC, workers=Elastic(1))
    solution = elastic.cheapest(hourly(9, 2, 1, 9).curve, job, Elastic(1))
    assert [(part.start, part.end) for part in solution.parts] == [(us(90), us(180))]


def hourly(*values: float) -> Setting:
    return Setting(Series.regular("DE", CI, T0, HOUR, values), [(0, 60 * len(values))])


def test_workers_go_where_a_unit_of_work_counts_least() -> None:
    # A second worker adds 3/4 of the speed of the first: at 2 g its work counts 2 / 0.75 = 2.67
    # g, less than a first worker's at 3.5 g; a third adds half: 4 g, more than that. A second
    # worker at 3.5 g counts 4.67 g. So of 4 h, two workers at 2 g do 1.75, one worker at both
    # 3.5 g does 2, and what is left, 0.25, is half an hour of a third worker.
    table = ((1, 1), (2, 1.75), (3, 2.25))
    workers = Elastic(3, throughput=table, fractional_workers=True)
    job = Job(4 * HOUR, Kind.ELASTIC, workers=workers)
    solution = elastic.cheapest(hourly(2, 3.5, 3.5, 9).curve, job, workers)
    assert solution.cost == pytest.approx(2 * 2.5 + 3.5 + 3.5)
    assert [(part.start, part.workers) for part in solution.parts] == [
        (us(0), 2.5),
        (us(60), 1),
    ]


def test_too_much_work_says_how_much_time_the_most_workers_need() -> None:
    job = Job(10 * HOUR, Kind.ELASTIC, workers=Elastic(2))
    with pytest.raises(NoFeasibleWindow, match=r"no time for a job of 5 h .* for 3 h in all"):
        elastic.cheapest(hourly(1, 2, 3).curve, job, Elastic(2))


def test_at_a_rate_below_0_an_elastic_job_runs_on_the_most_workers() -> None:
    workers = Elastic(4, throughput=TABLE)
    job = Job(HOUR, Kind.ELASTIC, workers=workers)
    found = elastic.cheapest(hourly(1, -2).curve, job, workers)
    (part,) = found.parts
    assert (part.start, part.workers) == (us(60), 4)
    assert found.cost == pytest.approx(-2 * 4 / workers.speed(4))
    # On a linear throughput the energy is the same wherever it is drawn.
    assert elastic.cheapest(hourly(1, -2).curve, job, Elastic(1)).cost == pytest.approx(-2)
