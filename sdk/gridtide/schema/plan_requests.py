"""What a service is asked about plans, each question one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from gridtide.errors import ApiError, BadInput
from gridtide.model import Signal, format_time
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.recurrence import Recurring
from gridtide.planning.problem.state import Progress
from gridtide.schema import bounds, jobs, objectives, recurrence, regions
from gridtide.schema.decoding import Member, Shape
from gridtide.schema.forms import (
    BOOLEAN,
    HOURS,
    INTEGER,
    MOMENT,
    NUMBER,
    TEXT,
    Form,
    list_of,
    one_of,
)
from gridtide.schema.plan_responses import PlanAnswer
from gridtide.schema.regions import Candidates, as_candidates
from gridtide.values import instance_of, optional, read_text, read_whole

Json = dict[str, Any]
JOB = instance_of(Job, "a Job")
BOUNDS = instance_of(Bounds, "Bounds")
GOAL = instance_of(Goal, "a Goal")
RECURRING = instance_of(Recurring, "a Recurring")
MOST_ALTERNATIVES = 20


@dataclass(frozen=True)
class PlanAsked:
    """A job to be planned by a service.

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

    job: Job
    where: Candidates
    bounds: Bounds | None = None
    goal: Goal | None = None
    signal: Signal | None = None
    as_of: datetime | None = None
    alternatives: int = 3
    recurring: Recurring | None = None

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


def place_members(
    region: str | None, regions: tuple[Any, ...] | None, places: Candidates | None
) -> Candidates:
    """The candidates of the one of three members that is given.

    Raises:
        BadInput: none of them, or several; an empty list.
    """
    given = [each for each in (region, regions, places) if each is not None]
    if len(given) != 1:
        raise BadInput(
            "give one of region, regions and places"
            + ("" if given else ": there is no region to choose from")
        )
    return as_candidates(given[0])


def _plan(
    region: str | None = None,
    regions: tuple[Any, ...] | None = None,
    places: Candidates | None = None,
    **members: Any,  # noqa: ANN401  # as in PLAN
) -> PlanAsked:
    return PlanAsked(where=place_members(region, regions, places), **members)


SIGNAL_MEMBER = Member(one_of(Signal), "which signal; left out: the usual one")
AS_OF_MEMBER = Member(MOMENT, "answer as it would have been at this moment; left out: now")
RECURRING_MEMBER = Member(
    recurrence.RECURRING.form, "when it comes back: the plan is that of the next time"
)
PLACE_MEMBERS = {
    "region": Member(TEXT, "one region"),
    "regions": Member(
        list_of(regions.PLACE_OR_REGION), "several, by name or as objects with pue"
    ),
    "places": Member(regions.PLACES.form, "several, with rules for choosing"),
}


@dataclass(frozen=True)
class ReplanAsked:
    """The rest of a job to be planned by a service.

    Attributes:
        plan: as it was answered.
        asked: what it was asked for.
        progress: members of `gridtide.planning.replanner.Progress`; without `at`, now.
    """

    plan: PlanAnswer
    asked: PlanAsked
    progress: Mapping[str, Any]


def _answered(value: object, where: str) -> PlanAnswer:
    try:
        return PlanAnswer.from_json(value)  # type: ignore[arg-type]  # it says what is wrong
    except ApiError as error:
        raise BadInput(f"{where} is no plan as /v1/plan answers it: {error}") from error


PROGRESS: Shape[Mapping[str, Any]] = Shape(
    "Progress",
    "Where a job stands.",
    {
        "at": Member(MOMENT, "the moment; left out: now"),
        "done": Member(HOURS, "work done, in hours at the job's own size"),
        "running": Member(BOOLEAN, "whether it runs right now"),
        "running_for": Member(HOURS, "for how many hours without a pause, if it runs"),
        "pieces": Member(INTEGER, "how many times it has started; left out: 1"),
        "region": Member(TEXT, "where it ran last, or runs; left out: where the plan begins"),
        "grams": Member(NUMBER, "what it has emitted so far, for a carbon budget"),
        "chips": Member(
            NUMBER, "size at which it runs now (kind elastic); left out: as planned, or 0"
        ),
    },
    dict,
)
PLAN: Shape[PlanAsked] = Shape(
    "PlanAsked",
    "A job, where and when it may run, and what the plan is to reach.",
    {
        "job": Member(jobs.JOB.form, "what is to be run", required=True),
        **PLACE_MEMBERS,
        "bounds": Member(bounds.BOUNDS.form, "when it may run; left out: from now on"),
        "recurring": RECURRING_MEMBER,
        "goal": Member(
            objectives.GOAL.form, "left out: least carbon, or most carbon-free energy"
        ),
        "signal": SIGNAL_MEMBER,
        "as_of": AS_OF_MEMBER,
        "alternatives": Member(
            INTEGER, f"how many other plans to name, 0 to {MOST_ALTERNATIVES}; left out: 3"
        ),
    },
    _plan,
)

REPLAN: Shape[ReplanAsked] = Shape(
    "ReplanAsked",
    "The rest of a job, to be planned by the forecasts of now.",
    {
        "plan": Member(
            Form(_answered, {"$ref": "#/components/schemas/Plan"}),
            "the plan as it was answered",
            required=True,
        ),
        "asked": Member(PLAN.form, "the question it answered", required=True),
        "progress": Member(PROGRESS.form, "where the job stands", required=True),
    },
    ReplanAsked,
)
SHAPES = (PLAN, REPLAN, PROGRESS)


def plan_to_json(
    job: Job,
    where: object,
    bounds_: Bounds | None,
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
    optional(BOUNDS)(bounds_, "bounds")
    optional(GOAL)(goal, "goal")
    optional(RECURRING)(recurring, "recurring")
    others = read_whole(alternatives, "alternatives")
    wire: Json = {"job": jobs.job_to_json(job), **where_to_json(where)}
    if bounds_ is not None:
        wire["bounds"] = bounds.bounds_to_json(bounds_)
    if recurring is not None:
        wire["recurring"] = recurrence.recurring_to_json(recurring)
    if goal is not None:
        wire["goal"] = objectives.goal_to_json(goal)
    if signal is not None:
        wire["signal"] = read_text(signal, "signal")
    if as_of is not None:
        wire["as_of"] = format_time(as_of)
    if others != 3:
        wire["alternatives"] = others
    return wire


def where_to_json(where: object) -> Json:
    """The member that names the regions, the shortest that says all."""
    asked = regions.candidates_to_json(as_candidates(where))
    if set(asked) > {"places"}:
        return {"places": asked}
    named = [each["region"] if set(each) == {"region"} else each for each in asked["places"]]
    if len(named) == 1 and isinstance(named[0], str):
        return {"region": named[0]}
    return {"regions": named}


def progress_to_json(progress: Progress) -> Json:
    """The JSON object of progress; what is as by default is left out."""
    wire: Json = {"at": format_time(progress.at)}
    for each in fields(Progress):
        value = getattr(progress, each.name)
        if each.name != "at" and value != each.default:
            wire[each.name] = jobs.in_hours(value) if isinstance(value, timedelta) else value
    return wire
