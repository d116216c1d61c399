"""Jobs as JSON."""

from __future__ import annotations

from datetime import timedelta

from gridtide.planning.problem.job import Cost, Job, PowerProfile
from gridtide.planning.problem.scaling import Elastic
from gridtide.schema.decoding import Member, Shape, define_shape
from gridtide.schema.forms import HOURS, NUMBER, Form, either, in_hours, list_of


def _step(hours: timedelta, kw: float) -> tuple[timedelta, float]:
    return hours, kw


def _speed(workers: float, speed: float) -> tuple[float, float]:
    return workers, speed


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


def _write_power(power: PowerProfile | float) -> object:
    if not isinstance(power, PowerProfile):
        return power
    return [{"hours": in_hours(length), "kw": kilowatts} for length, kilowatts in power.steps]


_READ_POWER: Form[PowerProfile | float] = either(
    (lambda value: isinstance(value, int | float) and not isinstance(value, bool), NUMBER),
    (
        lambda value: isinstance(value, list),
        Form(lambda value, where: PowerProfile(_STEPS.read(value, where)), _STEPS.schema),
    ),
    what="a number of kW, or a list of steps with hours and kw,",
)
POWER = Form(_READ_POWER.read, _READ_POWER.schema, _write_power)
SPEED = Shape(
    "Speed",
    "How fast a job gets on with a number of workers.",
    {
        "workers": Member(NUMBER, "how many", required=True, former=("chips",)),
        "speed": Member(NUMBER, "progress per time, 1 at base", required=True),
    },
    _speed,
)
_READ_SPEEDS = list_of(SPEED.form, 1000)
SPEEDS = Form(
    _READ_SPEEDS.read,
    _READ_SPEEDS.schema,
    lambda table: [{"workers": workers, "speed": speed} for workers, speed in table],
)
COST = define_shape(Cost)
WORKERS = define_shape(Elastic, {"throughput": SPEEDS})
JOB = define_shape(Job, {"power": POWER})
SHAPES = (JOB, POWER_STEP, COST, WORKERS, SPEED)
