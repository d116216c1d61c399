"""A decision knows nothing of the truth, and of no forecast that came to be known after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridtide.planning import Job, Kind
from gridtide_pipelines.policies.backtest import Case, Scored, simulate
from gridtide_pipelines.policies.execution import replan_at_each
from gridtide_pipelines.policies.policies import Occurrence, Policy, make_policies

HOUR = timedelta(hours=1)
START = datetime(2021, 1, 1, tzinfo=UTC)
HOURS = 10
COMES, LATEST = START + 2 * HOUR, START + HOURS * HOUR
PAUSING = Job(3 * HOUR, Kind.INTERRUPTIBLE)
ONCE_DECIDED = ["now", "hour-06", "best-window", "pause", "place", "place-and-time", "follow"]
MakeCase = Callable[..., Case]
Runs = dict[tuple[int, int], list[float]]

VALUES = st.lists(st.integers(1, 900).map(float), min_size=HOURS, max_size=HOURS)
# Issued at hour 0 to 5, known up to five hours after; each covers ten hours.
RUNS = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda of: (of[0], of[0] + of[1])),
    VALUES,
    max_size=4,
)
quietly = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def run(scenario: list[Case], policies: tuple[Policy, ...]) -> list[Scored]:
    outcome, _ = simulate(scenario, policies, [(COMES, LATEST)])
    assert outcome.left_out == ()
    return list(outcome.scored)


def known(runs: Runs, at: int) -> Runs:
    return {when: values for when, values in runs.items() if when[1] <= at}


@quietly
@given(VALUES, VALUES, VALUES, RUNS, RUNS)
def test_a_policy_that_decides_once_is_deaf_to_all_that_comes_later(
    case: MakeCase,
    first: list[float],
    truth: list[float],
    other: list[float],
    runs: Runs,
    later: Runs,
) -> None:
    policies = make_policies(ONCE_DECIDED, PAUSING)
    seen = {(0, 0): first, **known(runs, 2)}
    unseen = {when: values for when, values in later.items() if when[1] > 2}
    before = [case(zone, truth, seen) for zone in ("DE", "FR")]
    after = [case(zone, other, seen | unseen) for zone in ("DE", "FR")]
    for one, two in zip(run(before, policies), run(after, policies), strict=True):
        decided = [
            (each.start, each.end, each.segments, each.regions, each.planned, each.note)
            for each in (one, two)
        ]
        assert decided[0] == decided[1], one.policy


@quietly
@given(VALUES, VALUES, RUNS, RUNS, st.integers(3, 8))
def test_what_replanning_has_run_by_an_hour_does_not_change_with_what_is_known_after_it(
    case: MakeCase, first: list[float], truth: list[float], runs: Runs, later: Runs, hour: int
) -> None:
    (policy,) = make_policies(["replan"], PAUSING)
    seen = {(0, 0): first, **known(runs, hour)}
    unseen = {when: values for when, values in later.items() if when[1] > hour}
    at = START + HOUR * hour
    spans = []
    for all_runs in (seen, seen | unseen):
        scenario = case("DE", truth, all_runs)
        slots = ran(scenario, policy)
        spans.append([(start, min(end, at)) for start, end in slots if start < at])
    assert spans[0] == spans[1]


def ran(scenario: Case, policy: Policy) -> list[tuple[datetime, datetime]]:
    """What has run in the end, as `replan_at_each` lays it."""
    plan, _ = policy.decide(Occurrence(COMES, LATEST), scenario.issues.at(COMES).outlook)
    slots = replan_at_each(policy.job, plan, scenario.issues.between(COMES, LATEST))
    return [(each.start, each.end) for each in slots]
