"""Schedules of many jobs under caps as JSON: what is asked, and what a service answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from gridtide.errors import BadInput
from gridtide.model import Signal, format_time
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.recurrence import Recurring
from gridtide.schema import bounds, jobs, objectives, recurrence
from gridtide.schema.decoding import Member, Shape
from gridtide.schema.definition import Field
from gridtide.schema.display import Shown
from gridtide.schema.forms import INTEGER, NUMBER, by_name, list_of
from gridtide.schema.frames import Tabular
from gridtide.schema.plan_requests import (
    AS_OF_MEMBER,
    BOUNDS,
    GOAL,
    JOB,
    PLACE_MEMBERS,
    RECURRING,
    RECURRING_MEMBER,
    SIGNAL_MEMBER,
    place_members,
    where_to_json,
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

    job: Job
    where: Where
    bounds: Bounds | None = None
    recurring: Recurring | None = None

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
class ScheduleAsked:
    """Jobs to be planned together by a service.

    Raises:
        BadInput: a cap for a region that no job may run in.
    """

    jobs: tuple[JobRequest, ...]
    caps: Mapping[str, Cap]
    goal: Goal | None = None
    signal: Signal | None = None
    as_of: datetime | None = None

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
    places: Candidates | None = None,
    bounds: Bounds | None = None,
    recurring: Recurring | None = None,
) -> JobRequest:
    return JobRequest(job, place_members(region, regions, places), bounds, recurring)


REQUEST: Shape[JobRequest] = Shape(
    "JobRequest",
    "One job of a schedule: where and when it may run.",
    {
        "job": Member(jobs.JOB.form, "what is to be run", required=True),
        **PLACE_MEMBERS,
        "bounds": Member(bounds.BOUNDS.form, "when it may run; left out: from now on"),
        "recurring": RECURRING_MEMBER,
    },
    _request,
)
CAP: Shape[Cap] = Shape(
    "Cap",
    "What jobs may be at the same time in one region.",
    {
        "jobs": Member(INTEGER, "most jobs; left out: no cap"),
        "kw": Member(NUMBER, "most power of all before PUE; left out: no cap"),
    },
    Cap,
)
SCHEDULE: Shape[ScheduleAsked] = Shape(
    "ScheduleAsked",
    "Jobs to be planned together.",
    {
        "jobs": Member(list_of(REQUEST.form, MOST_JOBS), "the jobs", required=True),
        "caps": Member(by_name(CAP.form), "by region, named as the jobs do", required=True),
        "goal": Member(objectives.GOAL.form, "of all; left out: as for a plan"),
        "signal": SIGNAL_MEMBER,
        "as_of": AS_OF_MEMBER,
    },
    ScheduleAsked,
)
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
    asked = ScheduleAsked(
        read_list(instance_of(JobRequest, "a JobRequest"), requests, "requests"),
        read_caps(caps),
        optional(GOAL)(goal, "goal"),
    )
    wire: Json = {
        "jobs": [_request_to_json(each) for each in asked.jobs],
        "caps": {region: _cap_to_json(cap) for region, cap in asked.caps.items()},
    }
    if goal is not None:
        wire["goal"] = objectives.goal_to_json(goal)
    if signal is not None:
        wire["signal"] = signal
    if as_of is not None:
        wire["as_of"] = format_time(as_of)
    return wire


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


def _request_to_json(request: JobRequest) -> Json:
    wire: Json = {"job": jobs.job_to_json(request.job), **where_to_json(request.where)}
    if request.bounds is not None:
        wire["bounds"] = bounds.bounds_to_json(request.bounds)
    if request.recurring is not None:
        wire["recurring"] = recurrence.recurring_to_json(request.recurring)
    return wire


def _cap_to_json(cap: Cap) -> Json:
    return {name: value for name in ("jobs", "kw") if (value := getattr(cap, name)) is not None}
