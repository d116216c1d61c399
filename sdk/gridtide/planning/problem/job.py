"""The job: how long it runs, whether it may pause or scale, and the power it draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from gridtide.errors import BadInput
from gridtide.model import Length
from gridtide.planning.problem import LARGEST, SMALLEST
from gridtide.planning.problem.scaling import Elastic
from gridtide.schema.definition import Field
from gridtide.schema.validate import validate
from gridtide.slots import to_microseconds
from gridtide.values import read_number

HOUR = 3_600_000_000  # microseconds


class Kind(StrEnum):
    """Whether a job may pause or change its workers."""

    UNBROKEN = "unbroken"  # runs without a pause
    INTERRUPTIBLE = "interruptible"  # may pause anywhere, at no cost
    SEGMENTS = "segments"  # may pause, with limits and overheads
    ELASTIC = "elastic"  # may pause and change its number of workers

    @classmethod
    def _missing_(cls, value: object) -> Kind | None:
        return cls.SEGMENTS if value == "pieces" else None  # its former name


KindName = Kind | Literal["unbroken", "interruptible", "segments", "pieces", "elastic"]
"""A kind, or its name; `pieces` is the former name of `segments`."""


class PowerStep(NamedTuple):
    """One step of a power profile; the last one holds until the job ends."""

    hours: Annotated[timedelta, Field("its length", above=0)]
    kw: Annotated[float, Field("power before PUE", unit="kW", at_least=0)]


@dataclass(frozen=True, slots=True)
class PowerProfile:
    """Power over the progress of the job: steps of (length, kW), in order.

    The last step holds until the job ends; a pause stops the profile as it stops the job.
    """

    SHORT: ClassVar[str] = "steps"

    steps: Annotated[
        tuple[tuple[timedelta, float], ...],
        Field("steps, in order", encoded=tuple[PowerStep, ...], most=10_000),
    ]

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(self, steps: Iterable[tuple[Length, float]]) -> None: ...

    def __post_init__(self) -> None:
        validate(self)
        if not self.steps:
            raise BadInput("a power profile needs at least one step of (length, kW)")

    @property
    def length(self) -> timedelta:
        """Sum of the lengths."""
        return sum((length for length, _ in self.steps), timedelta(0))


@dataclass(frozen=True, slots=True)
class Cost:
    """Overhead of one pause or one restart: energy in all, and time without progress.

    Where `time` is above 0 the energy is drawn evenly over it; otherwise in the slot of that
    moment, at an edge of two slots in the cleaner one.
    """

    kwh: Annotated[float, Field("energy, in all", unit="kWh", at_least=0)] = 0.0
    time: Annotated[timedelta, Field("time without progress", name="hours", at_least=0)] = (
        timedelta(0)
    )

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(self, kwh: float = 0.0, time: Length = timedelta(0)) -> None: ...

    def __post_init__(self) -> None:
        validate(self)


NO_COST = Cost()


@dataclass(frozen=True)
class Job:
    """A job with `duration` of work at its own power.

    Attributes:
        duration: run time without pauses; a number is hours.
        kind: whether it may pause or scale.
        power: kW while it runs, or a profile over its progress. Before PUE.
        min_segment: shortest segment of work between two pauses (kind segments).
        max_segments: most segments (kind segments).
        pause_cost: overhead of each pause (kind segments).
        restart_cost: overhead before each start but the first (kind segments).
        workers: workers it may use (kind elastic).
        checkpoints: progress at which it may pause, and only there (kind segments).

    Raises:
        BadInput: a value out of range, two that contradict each other, or one that belongs to
            another kind.
    """

    duration: Annotated[timedelta, Field("run time without pauses", name="hours", above=0)]
    kind: Annotated[
        Kind,
        Field(
            "unbroken; interruptible: pauses anywhere, at no cost; segments: pauses under "
            "limits and at a cost; elastic: changes its number of workers"
        ),
    ] = Kind.UNBROKEN
    power: Annotated[
        PowerProfile | float,
        Field(
            "before PUE: one number, or steps over its progress, of which the last one holds "
            "to the end",
            unit="kW",
        ),
    ] = field(default=1.0, kw_only=True)
    min_segment: Annotated[
        timedelta | None,
        Field(
            "shortest segment of work between two pauses (kind segments)", former=("min_piece",)
        ),
    ] = field(default=None, kw_only=True)
    max_segments: Annotated[
        int | None, Field("most segments (kind segments)", at_least=1, former=("max_pieces",))
    ] = field(default=None, kw_only=True)
    pause_cost: Annotated[Cost, Field("overhead of each pause (kind segments)")] = field(
        default=NO_COST, kw_only=True
    )
    restart_cost: Annotated[
        Cost, Field("overhead of each start but the first (kind segments)")
    ] = field(default=NO_COST, kw_only=True)
    workers: Annotated[
        Elastic | None,
        Field("numbers of workers it may use (kind elastic)", former=("chips",)),
    ] = field(default=None, kw_only=True)
    checkpoints: Annotated[
        tuple[timedelta, ...],
        Field(
            "hours of progress at which it may pause, and only there (kind segments)",
            most=10_000,
        ),
    ] = field(default=(), kw_only=True)

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            duration: Length,
            kind: KindName = Kind.UNBROKEN,
            *,
            power: PowerProfile | float = 1.0,
            min_segment: Length | None = None,
            max_segments: int | None = None,
            pause_cost: Cost = NO_COST,
            restart_cost: Cost = NO_COST,
            workers: Elastic | None = None,
            checkpoints: Iterable[Length] = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self, power=_power)
        self._check_power()
        self._check_kind()
        self._check_segments()

    @property
    def work(self) -> int:
        """`duration` in microseconds."""
        return to_microseconds(self.duration)

    @property
    def steps(self) -> tuple[tuple[int, int, float], ...]:
        """(from, to, kW) over the progress in microseconds, covering the whole duration."""
        if not isinstance(self.power, PowerProfile):
            return ((0, self.work, self.power),)
        done, steps = 0, []
        for length, kilowatts in self.power.steps:
            steps.append((done, done + to_microseconds(length), kilowatts))
            done = steps[-1][1]
        first, _, kilowatts = steps[-1]
        steps[-1] = (first, self.work, kilowatts)
        return tuple(steps)

    @property
    def kwh(self) -> float:
        """Energy of the work itself, without pauses and before PUE."""
        return sum((end - start) * kilowatts for start, end, kilowatts in self.steps) / HOUR

    def _check_power(self) -> None:
        if isinstance(self.power, PowerProfile):
            if self.power.length > self.duration:
                raise BadInput(
                    f"the power profile lasts {self.power.length}, longer than the job's "
                    f"{self.duration}; shorten the profile or lengthen the job"
                )
            most = max(kilowatts for _, kilowatts in self.power.steps)
        elif not -LARGEST <= self.power <= LARGEST:
            raise BadInput(
                f"power is {self.power} kW; give a finite number above 0, to {LARGEST:g}"
            )
        else:
            most = self.power
        if most <= 0:
            raise BadInput("the job draws no energy; give a power above 0 kW")
        if most < SMALLEST:
            raise BadInput(f"power is {most:g} kW, too small to be a power; check its unit")

    def _check_kind(self) -> None:
        of_segments = {
            "min_segment": self.min_segment is not None,
            "max_segments": self.max_segments is not None,
            "pause_cost": self.pause_cost != NO_COST,
            "restart_cost": self.restart_cost != NO_COST,
            "checkpoints": bool(self.checkpoints),
        }
        if self.kind is not Kind.SEGMENTS and any(of_segments.values()):
            given = ", ".join(name for name, there in of_segments.items() if there)
            raise BadInput(
                f"{given} belong to kind segments, this job is {self.kind}; change one"
            )
        if (self.kind is Kind.ELASTIC) != (self.workers is not None):
            raise BadInput(
                f"this job is {self.kind} and has {'' if self.workers else 'no '}workers; an "
                "elastic job needs them, another kind takes none"
            )
        if self.kind is Kind.ELASTIC and len({kw for *_, kw in self.steps}) > 1:
            raise BadInput(
                "an elastic job draws power in proportion to its workers; give one power in kW "
                "at its base, not a profile"
            )

    def _check_segments(self) -> None:
        if (
            self.min_segment is not None
            and not timedelta(0) < self.min_segment <= self.duration
        ):
            raise BadInput(
                f"min_segment is {self.min_segment}; give more than 0, at most "
                f"the duration, {self.duration}"
            )
        moments = (timedelta(0), *self.checkpoints, self.duration)
        if self.checkpoints and any(later <= earlier for earlier, later in pairwise(moments)):
            raise BadInput(
                "checkpoints must ascend between 0 and the duration, both excluded; got "
                + ", ".join(map(str, self.checkpoints))
            )


def _power(value: object, name: str) -> PowerProfile | float:
    if isinstance(value, PowerProfile):
        return value
    return read_number(value, name, "a finite number of kW, or a PowerProfile")
