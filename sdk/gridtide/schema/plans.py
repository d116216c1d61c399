"""Requests for plans and schedules, and their responses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from gridtide.errors import ApiError, BadInput
from gridtide.model import Quality, Signal, When
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.decide.response import Plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.recurrence import Recurring
from gridtide.planning.problem.state import PlanningProblem, Progress
from gridtide.schema.decode import decode_response
from gridtide.schema.definition import Field
from gridtide.schema.priced import PriceUsed
from gridtide.schema.regions import Candidates, RequestedRegions, Where, as_candidates
from gridtide.schema.requests import AsOf, ChosenSignal
from gridtide.schema.responses import Located, Origin, Response
from gridtide.schema.result import Record, Shown, Tabular
from gridtide.schema.validate import check_named, validate

MOST_ALTERNATIVES, MOST_JOBS = 20, 200
DAY = timedelta(days=1)
# A day of February 29 comes back after eight years at most; so many days are searched in turn.
SEARCHED = (1, 8, 64, 512, 4096)

# Fields that a plan and a job of a schedule share.
ToRun = Annotated[Job, Field("the job to run")]
InRegions = Annotated[Candidates, Field(flat=True, encoded=RequestedRegions)]
Within = Annotated[
    Bounds | None, Field("when it may run; left out: from now to the end of the forecast")
]
Again = Annotated[
    Recurring | None, Field("when the job comes back; the plan is that of the next time")
]
ToReach = Annotated[
    Goal | None,
    Field("what is minimised; left out: carbon, or energy that is not carbon-free"),
]


@dataclass(frozen=True)
class PlanRequest:
    """A job, where and when it may run, and what the plan is to reach.

    Attributes:
        bounds: ``None``: from now to the end of the forecast.
        goal: ``None``: least carbon or most CFE, as the signal goes.
        recurring: when the job comes back; the plan is that of the next time.

    Raises:
        BadInput: a value of another type, or a count of alternatives out of range.
    """

    job: ToRun
    where: InRegions
    bounds: Within = None
    goal: ToReach = None
    signal: ChosenSignal = None
    as_of: AsOf = None
    alternatives: Annotated[
        int, Field("how many other plans to name", at_least=0, at_most=MOST_ALTERNATIVES)
    ] = 3
    recurring: Again = None

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            job: Job,
            where: Where,
            bounds: Bounds | None = None,
            goal: Goal | None = None,
            signal: Signal | str | None = None,
            as_of: When | None = None,
            alternatives: int = 3,
            recurring: Recurring | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self, where=lambda where, _: as_candidates(where))

    def bounds_at(self, now: datetime) -> Bounds:
        """Return the bounds of the job when it is requested at `now`.

        Raises:
            BadInput: as `next_bounds`.
        """
        return next_bounds(self.recurring, self.bounds, now) or Bounds()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PlanAnswer(Response, Origin, Plan, Located):
    """When and where a job runs, and why.

    Attributes:
        request: JSON of the request, for `replan`; the service does not send it.
    """

    SCHEMA_NAME: ClassVar[str] = "Plan"

    quality: Annotated[Quality, Field("forecast, or simulated")]
    prices: Annotated[
        tuple[PriceUsed, ...],
        Field("published prices that were counted, one for each zone that is used"),
    ] = ()
    problem: Annotated[PlanningProblem | None, Field(local=True)] = field(
        default=None, repr=False
    )
    request: Annotated[bytes | None, Field(local=True)] = field(
        default=None, repr=False, compare=False
    )

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """Decode a plan, as the service or ``gridtide plan --json`` wrote it.

        Raises:
            ApiError: a field is missing or is not what it should be.
        """
        plan = decode_response(cls, wire)
        request = wire.get("request", wire.get("asked"))  # its former name
        if request is None:
            return plan
        if not isinstance(request, Mapping):
            raise ApiError(f"the plan's request is {request!r:.80}, not a JSON object")
        return replace(plan, request=json.dumps(request, ensure_ascii=False).encode())

    def to_json(self, *, with_request: bool = False) -> dict[str, Any]:
        """Return the JSON object, as the service sends it.

        Args:
            with_request: whether to add the request, where it is known, so that `from_json`
                gives a plan that `replan` takes.
        """
        wire = super(PlanAnswer, self).to_json()
        if with_request and self.request is not None:
            wire["request"] = json.loads(self.request)
        return wire


@dataclass(frozen=True)
class ReplanRequest:
    """The rest of a job, to be planned by the forecasts of now.

    Attributes:
        progress: fields of `gridtide.planning.Progress`; without `at`, now.
    """

    plan: Annotated[PlanAnswer, Field("the plan, as it was answered")]
    request: Annotated[PlanRequest, Field("the request it answered", former=("asked",))]
    progress: Annotated[Mapping[str, Any], Field("the state of the job", encoded=Progress)]


@dataclass(frozen=True)
class JobRequest:
    """One job of a schedule: where and when it may run; as `gridtide.planning.Request`.

    Raises:
        BadInput: a value of another type, or no region.
    """

    job: ToRun
    where: InRegions
    bounds: Within = None
    recurring: Again = None

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            job: Job,
            where: Where,
            bounds: Bounds | None = None,
            recurring: Recurring | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self, where=lambda where, _: as_candidates(where))

    def bounds_at(self, now: datetime) -> Bounds | None:
        """Return the bounds of the job when it is requested at `now`.

        Raises:
            BadInput: as `next_bounds`.
        """
        return next_bounds(self.recurring, self.bounds, now)


@dataclass(frozen=True)
class ScheduleRequest:
    """Jobs to be planned together by a service.

    Raises:
        BadInput: a value of another type, or a cap for a region that no job may run in.
    """

    jobs: Annotated[tuple[JobRequest, ...], Field("the jobs", most=MOST_JOBS)]
    caps: Annotated[
        Mapping[str, Cap],
        Field("capacity limits by region, named as the jobs do; a region without one has none"),
    ]
    goal: ToReach = None
    signal: ChosenSignal = None
    as_of: AsOf = None

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            jobs: Iterable[JobRequest],
            caps: Mapping[str, Cap],
            goal: Goal | None = None,
            signal: Signal | str | None = None,
            as_of: When | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self)
        regions = (each.region for job in self.jobs for each in job.where.regions)
        check_named("caps", self.caps, dict.fromkeys(regions))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ScheduleAnswer(Response, Shown, Tabular, Record):
    """Plans of many jobs together, in their order; all within the capacity limits."""

    SCHEMA_NAME: ClassVar[str] = "Schedule"

    plans: Annotated[tuple[PlanAnswer, ...], Field("one for each job, without alternatives")]
    total: Annotated[float, Field("what is minimised, over all jobs")]
    least: Annotated[float, Field("lower bound: no plans for all of them reach less")]
    exact: Annotated[bool, Field("whether these plans are known to be the best")]
    method: Annotated[
        str,
        Field("programme (linear), search (integer programme in limited time) or one by one"),
    ]
    sentence: Annotated[str, Field("the method, and how far from the best at most")]


def next_bounds(
    recurring: Recurring | None, bounds: Bounds | None, now: datetime
) -> Bounds | None:
    """Return the bounds of a job requested at `now`; of the next time, if it comes back.

    That is the first time at which `bounds` allow a start.

    Raises:
        BadInput: both have a slack, or the job does not come back.
    """
    if recurring is None:
        return bounds
    bounds = bounds or Bounds()
    if not (bounds.slack is None and bounds.slack_fraction is None):
        raise BadInput("recurring has a slack of its own; leave that of the bounds out")
    after = now if bounds.earliest is None else max(now, bounds.earliest)
    for days in SEARCHED:
        if found := recurring.occurrences(after, after + days * DAY):
            return replace(
                bounds,
                earliest=found[0],
                slack=recurring.slack,
                slack_fraction=recurring.slack_fraction,
            )
    raise BadInput(
        f"cron {recurring.cron!r} does not name a day in the next {SEARCHED[-1]} days"
    )
