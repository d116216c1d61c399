"""Policies by name, and the names and combinations that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridtide.errors import BadInput
from gridtide.planning import Cost, Elastic, Job, Kind
from gridtide_pipelines.policies.policies import Occurrence, make_policies, next_hour

HOUR = timedelta(hours=1)
JOB = Job(4 * HOUR, power=2.0)
PIECES = Job(4 * HOUR, Kind.SEGMENTS, power=2.0, restart_cost=Cost(kwh=1))


def test_policies_come_in_the_order_named_each_once() -> None:
    found = make_policies(["pause", "now", "hour-07", "pause"], JOB)
    assert [each.name for each in found] == ["pause", "now", "hour-07"]


@pytest.mark.parametrize(
    ("name", "kind", "free"),
    [
        ("now", Kind.UNBROKEN, Kind.SEGMENTS),
        ("night", Kind.UNBROKEN, Kind.SEGMENTS),
        ("best-window", Kind.UNBROKEN, Kind.UNBROKEN),
        ("pause", Kind.SEGMENTS, Kind.SEGMENTS),
        ("threshold", Kind.SEGMENTS, Kind.SEGMENTS),
        ("replan", Kind.SEGMENTS, Kind.SEGMENTS),
    ],
)
def test_each_is_measured_against_what_the_job_may_do(
    name: str, kind: Kind, free: Kind
) -> None:
    (policy,) = make_policies([name], PIECES, threshold=1.0 if name == "threshold" else None)
    assert (policy.job.kind, policy.free.kind) == (kind, free)
    assert policy.job.power == 2.0


def test_pause_lets_an_unbroken_job_pause_and_another_be_as_it_is() -> None:
    (policy,) = make_policies(["pause"], JOB)
    assert policy.job == Job(4 * HOUR, Kind.INTERRUPTIBLE, power=2.0)
    elastic = Job(4 * HOUR, Kind.ELASTIC, workers=Elastic(2.0))
    assert make_policies(["pause"], elastic)[0].job == elastic


@pytest.mark.parametrize(
    ("names", "threshold", "job", "remedy"),
    [
        ([], None, JOB, "give one of now, night, hour-HH, best-window"),
        (["nigth"], None, JOB, "unknown policy 'nigth'; give one of now, night"),
        (["hour-24"], None, JOB, "give hour-00 to hour-23"),
        (["hour-x"], None, JOB, "unknown policy 'hour-x'"),
        (["threshold"], None, JOB, "--threshold 250"),
        (["now"], 5.0, JOB, "name it, or drop it"),
        (
            ["replan"],
            None,
            Job(4 * HOUR, Kind.SEGMENTS, restart_cost=Cost(time=HOUR)),
            "cost energy, not time",
        ),
    ],
)
def test_what_is_no_policy_is_refused_with_the_remedy(
    names: list[str], threshold: float | None, job: Job, remedy: str
) -> None:
    with pytest.raises(BadInput, match=remedy):
        make_policies(names, job, threshold=threshold)


@pytest.mark.parametrize(
    ("at", "zone", "hour", "start"),
    [
        ("2021-01-01T22:00", "UTC", 1, "2021-01-02T01:00"),
        ("2021-01-01T01:00", "UTC", 1, "2021-01-01T01:00"),
        ("2021-01-01T01:01", "UTC", 1, "2021-01-02T01:00"),
        ("2021-01-01T23:30", "Europe/Berlin", 1, "2021-01-02T00:00"),
        ("2021-07-01T12:00", "America/New_York", 1, "2021-07-02T05:00"),
        # The clocks skip 02:00 to 03:00 on 28 March: the hour comes when it is skipped.
        ("2021-03-28T00:00", "Europe/Berlin", 2, "2021-03-28T01:00"),
        # On 31 October 02:00 comes twice: the first counts, and after it the next day's.
        ("2021-10-30T12:00", "Europe/Berlin", 2, "2021-10-31T00:00"),
        ("2021-10-31T00:30", "Europe/Berlin", 2, "2021-11-01T01:00"),
    ],
)
def test_the_next_hour_is_read_from_the_zone_s_clock(
    at: str, zone: str, hour: int, start: str
) -> None:
    first, expected = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (at, start))
    assert next_hour(Occurrence(first, first + 24 * HOUR, zone), hour) == expected
