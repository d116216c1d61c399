"""Numbers no job has: refused by name, never a fault in the middle of a plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, GridtideError
from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.batch.schedule import Request, plan_batch
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.costs import CostSeries
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.planning.problem.opening_hours import Days, Weekly
from gridtide.planning.problem.recurrence import Recurring
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.problem.state import Progress
from tests.examples import examples
from tests.planning.settings import CI, HOUR, T0

SERIES = Series.regular("DE", CI, T0, HOUR, [3, 2, 1, 2, 5])
OUTLOOK = Outlook(SERIES)
EUROS = CostSeries.regular("EUR", T0, HOUR, [1, 2, 3, 4, 5])
DAYS = timedelta(days=50_000)  # 1.2 million hours
LATE = datetime(9999, 12, 31, tzinfo=UTC)
HUGE = (1e16, 1e200, 1e308, 10**400)


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize(
    "make",
    [
        lambda x: Bounds(slack=x),
        lambda x: Bounds(slack_fraction=x),
        lambda x: Recurring("@daily", x),
        lambda x: Recurring("@daily", slack_fraction=x),
        lambda x: Job(HOUR, power=x),
        lambda x: PowerProfile(((HOUR, x),)),
        lambda x: Cost(x),
        lambda x: Elastic(x),
        lambda x: Elastic(2, base=x),
        lambda x: Elastic(2, ramp=x),
        lambda x: Elastic(2, throughput=((1, 1), (2, x))),
        lambda x: Goal(budget_grams=x),
        lambda x: Goal(threshold=-x),
        lambda x: Goal(Objective.WEIGHTED, EUROS, carbon_weight=x, cost_weight=1),
        lambda x: Cap(kw=x),
        lambda x: CandidateRegion("DE", OUTLOOK, pue=x),
        lambda x: CandidateRegion("DE", OUTLOOK, intensity=x),
        lambda x: CandidateRegions(
            (CandidateRegion("DE", OUTLOOK),), current_region="DE", data_gb=x, kwh_per_gb=1
        ),
        lambda x: CandidateRegions(
            (CandidateRegion("DE", OUTLOOK),), current_region="DE", kwh_per_gb=x
        ),
        lambda x: Progress(T0, grams=x),
        lambda x: Progress(T0, running=True, workers=x),
    ],
)
def test_a_number_beyond_any_job_is_bad_input(
    make: Callable[[float], object], number: float
) -> None:
    with pytest.raises(BadInput, match=r"give|check|leave|beyond"):
        make(number)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Job(DAYS), "1200000.0 hours, longer than any job; give at most 1,000,000"),
        (lambda: Job(timedelta.max), "longer than any job"),
        (lambda: PowerProfile(((timedelta.max, 1), (timedelta.max, 1))), "longer than any job"),
        (lambda: Cost(1, DAYS), "time is 1200000.0 hours, longer than any job"),
        (lambda: Bounds(slack=DAYS), "slack is .* longer than any job"),
        (lambda: Recurring("@daily", timedelta.max), "longer than any job"),
        (lambda: Progress(T0, done=DAYS), "done is .* longer than any job"),
        (lambda: Bounds(earliest=LATE), "earliest is .*9999-12-31T.*; give a time from 1970"),
        (lambda: Bounds(deadline=LATE), "deadline is .*9999-12-31T.*; give a time from 1970"),
        (
            lambda: Bounds(blackouts=((T0, LATE),)),
            "blackouts.* is .*9999-12-31T.*; give a time from",
        ),
        (lambda: Progress(LATE), "progress.at is .*9999-12-31T.*; give a time from 1970"),
        (lambda: Days("UTC", date(2026, 1, 1), date.max), "outside 1970 to 2199"),
        (lambda: Days("UTC", date.min, date(2026, 1, 1)), "outside 1970 to 2199"),
        (lambda: Bounds(next_working_day=time(9, tzinfo=UTC)), "give that as zone"),
        (lambda: Job(HOUR, power=1e-300), "too small.*check its unit"),
        (
            lambda: plan(Job(HOUR), SERIES, now=datetime.min.replace(tzinfo=UTC)),
            "now is .*1970",
        ),
        (lambda: plan(Job(HOUR), SERIES, now=LATE), "now is .*; give a time from 1970"),
        (lambda: plan_batch([Request(Job(HOUR), SERIES)], {}, now=LATE), "now is .*1970"),
        (lambda: Bounds(slack=48).limits(LATE, HOUR), "now is .*; give a time from 1970"),
        (lambda: Bounds().allowed(LATE, HOUR, LATE), "now is .*; give a time from 1970"),
        (lambda: Recurring("@daily", 1).occurrences(LATE, LATE), "after is .*1970"),
        (lambda: plan(Job(HOUR), SERIES, now=T0, alternatives=-1), "alternatives is -1; give"),
        (lambda: Elastic(1e-300), "too small.*check their unit"),
        (lambda: Elastic(2, base=1e-300), "too small.*check their unit"),
    ],
)
def test_what_no_calendar_and_no_division_holds_is_bad_input(
    make: Callable[[], object], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        make()


def test_times_are_counted_up_to_the_last_year_of_which_there_is_data() -> None:
    eve = datetime(2199, 12, 31, tzinfo=UTC)
    assert Recurring("@daily", 1).occurrences(eve, LATE) == [eve]
    assert len(Recurring("* 0 * * *", 1, "Europe/Berlin").occurrences(eve, LATE)) == 60
    opening = Weekly.parse("Europe/Berlin", "daily 00:00-24:00")
    assert Bounds(opening=opening).allowed(eve, HOUR, LATE) == [(eve, eve + 24 * HOUR)]


def test_a_fraction_of_slack_is_refused_where_it_meets_a_long_job() -> None:
    with pytest.raises(BadInput, match="over a century; give less, or a time"):
        plan(Job(2 * HOUR), SERIES, Bounds(slack_fraction=1e6), now=T0)
    assert plan(Job(HOUR), SERIES, Bounds(slack_fraction=1e5), now=T0).end == T0 + 3 * HOUR


def test_a_job_that_is_over_at_once_is_refused() -> None:
    # An hour on 1e9 workers takes 3.6 microseconds; rounded to 4, it would draw a ninth more.
    with pytest.raises(BadInput, match="less than a millisecond"):
        plan(Job(HOUR, Kind.ELASTIC, workers=Elastic(1e9)), SERIES, now=T0)
    made = plan(Job(HOUR, Kind.ELASTIC, workers=Elastic(1e6)), SERIES, now=T0)
    assert made.kwh == pytest.approx(1)


# Up to what is allowed, and down to what is.
NUMBERS = st.sampled_from([0.0, 1e-308, 1e-15, 1e-9, 0.5, 1.0, 2.0, 1e9, 1e12, 1e15])


@examples(300)
@given(st.sampled_from(Kind), st.lists(NUMBERS, min_size=6, max_size=6), st.data())
def test_whatever_the_constructors_take_is_planned_or_refused_by_name(
    kind: Kind, numbers: list[float], data: st.DataObject
) -> None:
    power, pue, slack, cost, most, base = numbers
    length = data.draw(st.sampled_from([HOUR, timedelta(microseconds=1), 1_000_000 * HOUR]))
    try:
        job = Job(
            length,
            kind,
            power=power,
            restart_cost=Cost(cost) if kind is Kind.SEGMENTS else Cost(),
            workers=Elastic(most, base=base) if kind is Kind.ELASTIC else None,
        )
        places = CandidateRegions((CandidateRegion("DE", OUTLOOK, pue=pue),))
        made = plan(job, places, Bounds(slack=slack), now=T0)
    except GridtideError:
        return  # any other error fails the test
    if length < HOUR:
        return  # a microsecond is the least that an elastic job takes
    assert made.kwh == pytest.approx(job.kwh * pue + (made.segments - 1) * cost * pue, rel=1e-2)
