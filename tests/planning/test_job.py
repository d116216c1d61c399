"""What a job, its power and its sizes refuse, and what follows from them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gridtide.errors import BadInput
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.scaling import Elastic

HOUR = timedelta(hours=1)
STEPS = PowerProfile(((HOUR, 2.0), (HOUR / 2, 0.5)))


@pytest.mark.parametrize("duration", [timedelta(0), -HOUR])
def test_a_job_needs_a_length_above_0(duration: timedelta) -> None:
    with pytest.raises(BadInput, match="give more than 0"):
        Job(duration)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"kind": "sometimes"}, "give one of unbroken, interruptible, segments, elastic"),
        ({"power": 0.0}, "draws no energy; give a power above 0"),
        ({"power": -1.0}, "draws no energy"),
        ({"power": float("nan")}, "give a finite number"),
        ({"power": PowerProfile(((HOUR, 0.0),))}, "draws no energy"),
        (
            {"power": PowerProfile(((9 * HOUR, 1.0),))},
            "the power profile lasts 9:00:00, longer than the job's 8:00:00; shorten",
        ),
        ({"min_segment": HOUR}, "min_segment belong to kind segments, this job is unbroken"),
        ({"kind": "interruptible", "restart_cost": Cost(1)}, "restart_cost belong to kind"),
        ({"kind": "segments", "min_segment": 9 * HOUR}, "at most the duration, 8:00:00"),
        ({"kind": "segments", "min_segment": timedelta(0)}, "give more than 0"),
        ({"kind": "segments", "max_segments": 0}, "give 1 or more"),
        ({"kind": "segments", "checkpoints": (2 * HOUR, HOUR)}, "must ascend between 0 and"),
        ({"kind": "segments", "checkpoints": (8 * HOUR,)}, "both excluded"),
        ({"kind": "elastic"}, "is elastic and has no workers"),
        ({"workers": Elastic(2)}, "is unbroken and has workers"),
        ({"kind": "elastic", "workers": Elastic(2), "power": STEPS}, "give one power in kW"),
    ],
)
def test_members_that_contradict_each_other_are_refused_with_what_to_do(
    members: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        Job(8 * HOUR, **members)


def test_the_last_step_of_a_profile_holds_until_the_job_ends() -> None:
    job = Job(3 * HOUR, power=STEPS)
    hour = 3_600_000_000
    assert job.steps == ((0, hour, 2.0), (hour, 3 * hour, 0.5))
    # By hand: 1 h at 2 kW and 2 h at 0.5 kW.
    assert job.kwh == pytest.approx(3)
    assert Job(3 * HOUR, power=0.5).kwh == pytest.approx(1.5)


@pytest.mark.parametrize("steps", [(), ((timedelta(0), 1.0),), ((HOUR, -1.0),)])
def test_a_profile_without_length_or_with_a_power_below_0_is_refused(steps: Any) -> None:  # noqa: ANN401
    with pytest.raises(BadInput):
        PowerProfile(steps)


@pytest.mark.parametrize("cost", [(-1.0, timedelta(0)), (0.0, -HOUR), (float("inf"), HOUR)])
def test_a_pause_costs_0_or_more(cost: tuple[float, timedelta]) -> None:
    with pytest.raises(BadInput, match=r"give 0 or more|give a finite number"):
        Cost(*cost)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"maximum": 0.0}, "maximum is 0.0; give more than 0"),
        ({"maximum": 1.0, "minimum": 2.0}, "minimum is 2; give at most the maximum, 1"),
        ({"maximum": 1.0, "base": 0.0}, "base is 0.0; give more than 0"),
        ({"maximum": float("nan")}, "finite"),
        ({"maximum": 4.0, "minimum": 2.0, "ramp": 1.0}, "never reaches the minimum"),
        ({"maximum": 4.0, "ramp": 0.0}, "ramp is 0.0; give more than 0"),
        ({"maximum": 2.0, "throughput": ((1.0, 1.0), (2.0, 2.5))}, "is not concave"),
        ({"maximum": 2.0, "throughput": ((1.0, 1.0), (2.0, 0.9))}, "not below 0"),
        ({"maximum": 2.0, "throughput": ((2.0, 2.0), (1.0, 1.0))}, "must ascend"),
        ({"maximum": 4.0, "throughput": ((1.0, 1.0), (2.0, 1.5))}, "ends at 2.0 workers"),
        (
            {"maximum": 4.0, "throughput": ((0.0, 0.0),)},
            "has no workers above 0; give the speed",
        ),
        ({"maximum": 2.0, "throughput": ((1.0, 2.0), (2.0, 3.0))}, "divide its speeds by that"),
    ],
)
def test_workers_that_make_no_sense_are_refused_with_what_to_do(
    members: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        Elastic(**members)


def test_speed_is_straight_between_the_points_of_the_table() -> None:
    workers = Elastic(4, base=2, throughput=((1, 0.6), (2, 1), (4, 1.5)))
    assert [workers.speed(each) for each in (0, 0.5, 1, 2, 3, 4)] == pytest.approx(
        [0, 0.3, 0.6, 1, 1.25, 1.5]
    )
    assert workers.speed(5) == pytest.approx(1.75)  # beyond the table its last line goes on
    assert Elastic(8, base=4).speed(6) == 1.5


def test_knees_end_where_more_workers_add_no_speed() -> None:
    table = ((1.0, 1.0), (2.0, 1.5), (3.0, 1.5))
    assert Elastic(3, throughput=table).knees() == ((0, 0), (1, 1), (2, 1.5))
    shared = Elastic(2, 1.5, throughput=table, fractional_workers=True)
    assert shared.knees() == ((0, 0), (1.5, 1.25), (2, 1.5))


def test_kinds_are_read_from_their_names() -> None:
    assert Job(HOUR, Kind("pieces")).kind is Kind.SEGMENTS
