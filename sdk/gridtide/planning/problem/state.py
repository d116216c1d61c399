"""The state of a running job, and the whole problem that is planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from gridtide.errors import BadInput
from gridtide.model import Length, When
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import CandidateRegions
from gridtide.schema.definition import Field
from gridtide.schema.validate import validate


@dataclass(frozen=True)
class Progress:
    """State of a job when it is planned again.

    Attributes:
        at: the moment, now.
        done: work done, in run time at the job's own power; a number is hours.
        running: whether it runs right now.
        running_for: how long it has run without a pause, if it runs.
        segments: how many segments it has begun.
        region: where it ran last, or runs; by default where the plan begins.
        grams: what it has emitted so far, for a carbon budget.
        workers: the workers it uses now (kind elastic). By default 0 when it does not run, else
            the workers of the plan at that moment, or the base where the plan has none.

    Raises:
        BadInput: a naive time, or progress that is not possible.
    """

    at: Annotated[datetime, Field("the moment; left out: now", supplied=True)]
    done: Annotated[
        timedelta, Field("work done, in hours at the job's own power", at_least=0)
    ] = timedelta(0)
    running: Annotated[bool, Field("whether it runs right now")] = False
    running_for: Annotated[
        timedelta, Field("for how many hours without a pause, if it runs", at_least=0)
    ] = timedelta(0)
    segments: Annotated[int, Field("segments begun so far", at_least=1, former=("pieces",))] = 1
    region: Annotated[
        str | None, Field("where it ran last, or runs; left out: where the plan begins")
    ] = None
    grams: Annotated[
        float, Field("what it has emitted so far, for a carbon budget", unit="gCO2e")
    ] = 0.0
    workers: Annotated[
        float | None,
        Field(
            "workers it uses now (kind elastic); left out: as planned, or 0",
            at_least=0,
            former=("chips",),
        ),
    ] = None

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            at: When,
            done: Length = timedelta(0),
            running: bool = False,  # noqa: FBT001, FBT002  # a field
            running_for: Length = timedelta(0),
            segments: int = 1,
            region: str | None = None,
            grams: float = 0.0,
            workers: float | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self, "progress")
        if self.workers is not None and not ((self.workers > 0) == self.running):
            raise BadInput(
                f"progress at {self.workers} workers, {'' if self.running else 'not '}running: "
                "a job that runs is on more than 0 workers, one that does not is on 0; leave "
                "workers out to go by the plan"
            )

    @property
    def started(self) -> bool:
        """Whether it has run at all."""
        return self.running or self.done > timedelta(0)


@dataclass(frozen=True)
class JobState:
    """State of a job when the rest of it is planned.

    Attributes:
        at: the moment, microseconds.
        started: whether it ran before, so that its next start is a restart.
        running: whether it runs right up to `at`.
        ran: how long it has then run without a pause, microseconds.
        segments: how many segments it has had, the running one counted.
        may_stop: whether it may pause at `at`.
        workers: workers of an elastic job up to `at`, 0 where it is paused.
    """

    at: int = 0
    started: bool = False
    running: bool = False
    ran: int = 0
    segments: int = 0
    may_stop: bool = True
    workers: float = 0.0

    def segments_left(self, most: int | None) -> int | None:
        """Return how many of `most` segments remain, the running one counted."""
        return None if most is None else most - self.segments + self.running


NOT_STARTED = JobState()


@dataclass(frozen=True)
class PlanningProblem:
    """A job, where and when it may run, and the objective.

    Attributes:
        now: when the plan was requested.
        alternatives: how many other plans are wanted.
        state: state of the job then.
    """

    job: Job
    regions: CandidateRegions
    bounds: Bounds
    goal: Goal
    now: datetime
    alternatives: int = 3
    state: JobState = NOT_STARTED
