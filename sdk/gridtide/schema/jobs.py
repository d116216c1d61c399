"""Jobs as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.scaling import Elastic
from gridtide.schema.decoding import Member, Shape
from gridtide.schema.forms import (
    BOOLEAN,
    HOURS,
    INTEGER,
    NUMBER,
    SIZE,
    Form,
    either,
    list_of,
    one_of,
)

Json = dict[str, Any]


def _step(hours: timedelta, kw: float) -> tuple[timedelta, float]:
    return hours, kw


def _speed(chips: float, speed: float) -> tuple[float, float]:
    return chips, speed


def _cost(kwh: float = 0.0, hours: timedelta = timedelta(0)) -> Cost:
    return Cost(kwh, hours)


def _job(hours: timedelta, **members: Any) -> Job:  # noqa: ANN401  # as in JOB
    return Job(hours, **members)


POWER_STEP = Shape(
    "PowerStep",
    "One step of a power profile; the last one holds until the job ends.",
    {
        "hours": Member(HOURS, "its length", required=True),
        "kw": Member(NUMBER, "power in kW, before PUE", required=True),
    },
    _step,
)
_STEPS = list_of(POWER_STEP.form, 10_000)
POWER: Form[PowerProfile | float] = either(
    (lambda value: isinstance(value, int | float) and not isinstance(value, bool), NUMBER),
    (
        lambda value: isinstance(value, list),
        Form(lambda value, where: PowerProfile(_STEPS.read(value, where)), _STEPS.schema),
    ),
    what="a number of kW, or a list of steps with hours and kw,",
)
COST = Shape(
    "Cost",
    "What one pause or one restart takes.",
    {
        "kwh": Member(NUMBER, "energy, in all"),
        "hours": Member(HOURS, "time without progress"),
    },
    _cost,
)
SPEED = Shape(
    "Speed",
    "How fast a job gets on at a size.",
    {
        "chips": Member(NUMBER, "the size", required=True),
        "speed": Member(NUMBER, "progress per time, 1 at base", required=True),
    },
    _speed,
)
CHIPS = Shape(
    "Chips",
    "Sizes an elastic job may take: none at all, or from minimum to maximum.",
    {
        "maximum": Member(SIZE, "most chips", required=True),
        "minimum": Member(NUMBER, "fewest chips while it runs; left out: 0"),
        "base": Member(SIZE, "chips at which hours and power hold; left out: 1"),
        "ramp": Member(NUMBER, "largest change from one slot to the next; left out: no limit"),
        "throughput": Member(
            list_of(SPEED.form, 1000), "speeds, ascending, concave; left out: as chips"
        ),
        "fractional_workers": Member(
            BOOLEAN, "whether it may run on a part of a worker; left out: whole workers"
        ),
    },
    Elastic,
)
JOB: Shape[Job] = Shape(
    "Job",
    "What is to be run.",
    {
        "hours": Member(HOURS, "run time without pauses", required=True),
        "kind": Member(
            one_of(Kind),
            "how it may be laid into time; left out: unbroken",
        ),
        "power": Member(POWER, "kW before PUE, or a profile over its progress; left out: 1"),
        "min_piece": Member(HOURS, "shortest piece of work between two pauses, in hours"),
        "max_pieces": Member(INTEGER, "most pieces"),
        "pause_cost": Member(COST.form, "what each pause takes before it"),
        "restart_cost": Member(COST.form, "what each start but the first takes before it"),
        "chips": Member(CHIPS.form, "sizes of an elastic job"),
        "checkpoints": Member(
            list_of(HOURS, 10_000), "hours of progress, the only places where it may pause"
        ),
    },
    _job,
)
SHAPES = (JOB, POWER_STEP, COST, CHIPS, SPEED)


def job_from_json(wire: object, where: str = "job") -> Job:
    """The job of a JSON object.

    Raises:
        BadInput: a member unknown, missing or out of range.
    """
    return JOB.read(wire, where)


def job_to_json(job: Job) -> Json:
    """The JSON object of a job; what is as by default is left out."""
    wire: Json = {"hours": in_hours(job.duration), "kind": job.kind.value}
    if isinstance(job.power, PowerProfile):
        wire["power"] = [
            {"hours": in_hours(length), "kw": kilowatts}
            for length, kilowatts in job.power.steps
        ]
    else:
        wire["power"] = job.power
    if job.min_piece is not None:
        wire["min_piece"] = in_hours(job.min_piece)
    if job.max_pieces is not None:
        wire["max_pieces"] = job.max_pieces
    for name, cost in (("pause_cost", job.pause_cost), ("restart_cost", job.restart_cost)):
        if cost != Cost():
            wire[name] = {"kwh": cost.kwh, "hours": in_hours(cost.time)}
    if job.chips is not None:
        wire["chips"] = _chips_to_json(job.chips)
    if job.checkpoints:
        wire["checkpoints"] = [in_hours(mark) for mark in job.checkpoints]
    return wire


def in_hours(span: timedelta) -> float:
    """A length of time as a number of hours, from which it is read back to the microsecond."""
    return span / timedelta(hours=1)


def _chips_to_json(chips: Elastic) -> Json:
    wire: Json = {"maximum": chips.maximum, "minimum": chips.minimum, "base": chips.base}
    if chips.ramp is not None:
        wire["ramp"] = chips.ramp
    if chips.throughput:
        wire["throughput"] = [
            {"chips": size, "speed": speed} for size, speed in chips.throughput
        ]
    if chips.fractional_workers:
        wire["fractional_workers"] = True
    return wire
