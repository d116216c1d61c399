"""What a service is asked about plans, each question one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from gridtide.errors import ApiError, BadInput
from gridtide.model import Signal
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.recurrence import Recurring
from gridtide.planning.problem.state import Progress
from gridtide.schema import bounds as _bounds  # noqa: F401  # defines the shape of its class
from gridtide.schema import jobs as _jobs  # noqa: F401  # as above
from gridtide.schema import objectives as _objectives  # noqa: F401  # as above
from gridtide.schema import recurrence
from gridtide.schema.decoding import Member, Shape, define_shape
from gridtide.schema.definition import Field
from gridtide.schema.forms import TEXT, Form, list_of
from gridtide.schema.plan_responses import PlanAnswer
from gridtide.schema.regions import PLACE_OR_REGION, PLACES, Candidates, as_candidates
from gridtide.values import instance_of, optional, read_text, read_whole

Json = dict[str, Any]
JOB = instance_of(Job, "a Job")
BOUNDS = instance_of(Bounds, "Bounds")
GOAL = instance_of(Goal, "a Goal")
RECURRING = instance_of(Recurring, "a Recurring")
MOST_ALTERNATIVES = 20


@dataclass(frozen=True)
class PlanRequest:
    """A job, where and when it may run, and what the plan is to reach.

    Attributes:
        bounds: ``None``: from now to the end of the forecast.
        goal: ``None``: least carbon or most CFE, as the signal goes.
        signal: ``None``: the usual one.
        as_of: ``None``: now.
        alternatives: how many other plans to name.
        recurring: when the job comes back; the plan is that of the next time.

    Raises:
        BadInput: a count of alternatives out of range.
    """

    job: Annotated[Job, Field("what is to be run")]
    where: Annotated[Candidates, Field(local=True)]
    bounds: Annotated[Bounds | None, Field("when it may run; left out: from now on")] = None
    goal: Annotated[
        Goal | None, Field("left out: least carbon, or most carbon-free energy")
    ] = None
    signal: Annotated[Signal | None, Field("which signal; left out: the usual one")] = None
    as_of: Annotated[
        datetime | None,
        Field("answer as it would have been at this moment; left out: now"),
    ] = None
    alternatives: Annotated[
        int, Field(f"how many other plans to name, 0 to {MOST_ALTERNATIVES}; left out: 3")
    ] = 3
    recurring: Annotated[
        Recurring | None,
        Field("when it comes back: the plan is that of the next time"),
    ] = None

    def __post_init__(self) -> None:
        if not 0 <= self.alternatives <= MOST_ALTERNATIVES:
            raise BadInput(
                f"alternatives is {self.alternatives}; give 0 to {MOST_ALTERNATIVES}"
            )

    def bounds_at(self, now: datetime) -> Bounds:
        """The bounds of the job when asked for at `now`.

        Raises:
            BadInput: as `recurrence.bounds_at`.
        """
        return recurrence.bounds_at(self.recurring, self.bounds, now) or Bounds()


def read_where(
    region: str | None, regions: tuple[Any, ...] | None, candidates: Candidates | None
) -> Candidates:
    """Return the candidates of the one of three fields that is given.

    Raises:
        BadInput: none of them, or several; an empty list.
    """
    given = [each for each in (region, regions, candidates) if each is not None]
    if len(given) != 1:
        raise BadInput(
            "give one of region, regions and candidates"
            + ("" if given else ": there is no region to choose from")
        )
    return as_candidates(given[0])


def write_where(where: object) -> Json:
    """Return the field that names the regions, the shortest that says all."""
    wire = PLACES.write(as_candidates(where))
    if set(wire) > {"regions"}:
        return {"candidates": wire}
    named = wire["regions"]
    if len(named) == 1 and isinstance(named[0], str):
        return {"region": named[0]}
    return {"regions": named}


WHERE = {
    "region": Member(TEXT, "one region"),
    "regions": Member(list_of(PLACE_OR_REGION), "several, by name or as objects with pue"),
    "candidates": Member(PLACES.form, "several, with rules for choosing", former=("places",)),
}


def _plan(
    region: str | None = None,
    regions: tuple[Any, ...] | None = None,
    candidates: Candidates | None = None,
    **fields: Any,  # noqa: ANN401  # of PlanRequest
) -> PlanRequest:
    return PlanRequest(where=read_where(region, regions, candidates), **fields)


@dataclass(frozen=True)
class ReplanRequest:
    """The rest of a job, to be planned by the forecasts of now.

    Attributes:
        progress: fields of `gridtide.planning.replanner.Progress`; without `at`, now.
    """

    plan: Annotated[PlanAnswer, Field("the plan as it was answered")]
    request: Annotated[PlanRequest, Field("the request it answered", former=("asked",))]
    progress: Annotated[Mapping[str, Any], Field("the state of the job")]


def _answered(value: object, where: str) -> PlanAnswer:
    try:
        return PlanAnswer.from_json(value)  # type: ignore[arg-type]  # it says what is wrong
    except ApiError as error:
        raise BadInput(f"{where} is no plan as /v1/plan answers it: {error}") from error


_STATE = define_shape(Progress)
# The service knows what time it is.
PROGRESS: Shape[Any] = Shape(
    _STATE.name,
    _STATE.about,
    {**_STATE.members, "at": replace(_STATE.members["at"], required=False)},
    dict,
)
PLAN = define_shape(
    PlanRequest, make=_plan, more=WHERE, spread=lambda request: write_where(request.where)
)
REPLAN = define_shape(
    ReplanRequest,
    {
        "plan": Form(_answered, {"$ref": "#/components/schemas/Plan"}),
        "progress": PROGRESS.form,
    },
)
SHAPES = (PLAN, REPLAN, PROGRESS)


def plan_to_json(
    job: Job,
    where: object,
    bounds: Bounds | None,
    goal: Goal | None,
    *,
    signal: str | None,
    as_of: datetime | None,
    alternatives: int,
    recurring: Recurring | None = None,
) -> Json:
    """The JSON object of a question; what is as by default is left out.

    Raises:
        BadInput: no region, or what is none.
    """
    JOB(job, "job")
    optional(BOUNDS)(bounds, "bounds")
    optional(GOAL)(goal, "goal")
    optional(RECURRING)(recurring, "recurring")
    others = read_whole(alternatives, "alternatives")
    known = None if signal is None else read_text(signal, "signal")
    wire = PLAN.write(
        PlanRequest(job, as_candidates(where), bounds, goal, None, as_of, others, recurring)
    )
    # A newer service may know a signal that this SDK does not.
    return wire if known is None else {**wire, "signal": known}
