"""Schedules of many jobs under caps as JSON: what is asked, and what a service answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, ClassVar

from gridtide.errors import BadInput
from gridtide.model import Signal
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.recurrence import Recurring
from gridtide.schema import recurrence
from gridtide.schema.decoding import define_shape
from gridtide.schema.definition import Field
from gridtide.schema.display import Shown
from gridtide.schema.frames import Tabular
from gridtide.schema.plan_requests import (
    BOUNDS,
    GOAL,
    JOB,
    RECURRING,
    WHERE,
    read_where,
    write_where,
)
from gridtide.schema.plan_responses import PlanAnswer
from gridtide.schema.records import Record
from gridtide.schema.regions import Candidates, Where, as_candidates
from gridtide.schema.responses import AsOf, Replay
from gridtide.values import instance_of, optional, read_list, read_text, refuse, settle

Json = dict[str, Any]
MOST_JOBS = 200


@dataclass(frozen=True)
class JobRequest:
    """One job of a schedule: where and when it may run; as `gridtide.planning.Request`.

    Raises:
        BadInput: slack of more than a century.
    """

    job: Annotated[Job, Field("what is to be run")]
    where: Annotated[Where, Field(local=True)]
    bounds: Annotated[Bounds | None, Field("when it may run; left out: from now on")] = None
    recurring: Annotated[
        Recurring | None, Field("when it comes back: the plan is that of the next time")
    ] = None

    def __post_init__(self) -> None:
        settle(
            self,
            job=JOB,
            where=lambda where, name: as_candidates(where),
            bounds=optional(BOUNDS),
            recurring=optional(RECURRING),
        )

    def bounds_at(self, now: datetime) -> Bounds | None:
        """The bounds of the job when asked for at `now`.

        Raises:
            BadInput: as `recurrence.bounds_at`.
        """
        return recurrence.bounds_at(self.recurring, self.bounds, now)

    @property
    def candidates(self) -> Candidates:
        """Its regions."""
        return as_candidates(self.where)


@dataclass(frozen=True)
class ScheduleRequest:
    """Jobs to be planned together by a service.

    Raises:
        BadInput: a cap for a region that no job may run in.
    """

    jobs: Annotated[tuple[JobRequest, ...], Field("the jobs", most=MOST_JOBS)]
    caps: Annotated[Mapping[str, Cap], Field("by region, named as the jobs do")]
    goal: Annotated[Goal | None, Field("of all; left out: as for a plan")] = None
    signal: Annotated[Signal | None, Field("which signal; left out: the usual one")] = None
    as_of: Annotated[
        datetime | None, Field("answer as it would have been at this moment; left out: now")
    ] = None

    def __post_init__(self) -> None:
        known = {each.name for job in self.jobs for each in job.candidates.candidates}
        if unknown := sorted(set(self.caps) - known):
            raise BadInput(
                f"there is a cap for {', '.join(unknown)}, where no job may run; name the "
                "region as the jobs do"
            )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ScheduleAnswer(Shown, Tabular, Record):
    """Plans of many jobs together, in their order; all within the capacity limits."""

    SCHEMA_NAME: ClassVar[str] = "Schedule"

    plans: Annotated[tuple[PlanAnswer, ...], Field("One for each job.")]
    total: Annotated[float, Field("What is minimised, over all jobs.")]
    least: Annotated[float, Field("Lower bound: no plans for all of them reach less.")]
    exact: Annotated[bool, Field("Whether these plans are known to be the best.")]
    method: Annotated[str, Field("programme, search or one by one.")]
    sentence: Annotated[str, Field("The method, and how far from the best at most.")]
    as_of: AsOf
    replay: Replay


def _request(
    job: Job,
    region: str | None = None,
    regions: tuple[Any, ...] | None = None,
    candidates: Candidates | None = None,
    bounds: Bounds | None = None,
    recurring: Recurring | None = None,
) -> JobRequest:
    return JobRequest(job, read_where(region, regions, candidates), bounds, recurring)


REQUEST = define_shape(
    JobRequest, make=_request, more=WHERE, spread=lambda request: write_where(request.where)
)
CAP = define_shape(Cap)
SCHEDULE = define_shape(ScheduleRequest)
SHAPES = (SCHEDULE, REQUEST, CAP)


def schedule_to_json(
    requests: Iterable[JobRequest],
    caps: Mapping[str, Cap],
    goal: Goal | None,
    *,
    signal: str | None,
    as_of: datetime | None,
) -> Json:
    """The JSON object of a question; what is as by default is left out.

    Raises:
        BadInput: a job without a region, or a cap for none of the regions.
    """
    asked = ScheduleRequest(
        read_list(instance_of(JobRequest, "a JobRequest"), requests, "requests"),
        read_caps(caps),
        optional(GOAL)(goal, "goal"),
    )
    wire = SCHEDULE.write(replace(asked, as_of=as_of))
    # A newer service may know a signal that this SDK does not.
    return wire if signal is None else {**wire, "signal": signal}


def read_caps(caps: object) -> dict[str, Cap]:
    """Caps by region.

    Raises:
        BadInput: no mapping, or one of it is no cap.
    """
    if not isinstance(caps, Mapping):
        refuse(caps, "caps", "a mapping of region to Cap")
    cap = instance_of(Cap, "a Cap")
    return {
        read_text(name, "a region of caps"): cap(each, f"caps[{name!r}]")
        for name, each in caps.items()
    }
