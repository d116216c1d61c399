"""The calls about plans, beside those of `gridtide.calls`: each a POST that only asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from gridtide.accounting.emissions import Row
from gridtide.calls import Call, Json, Region, aware, region_text
from gridtide.errors import BadInput
from gridtide.model import Length, Signal, When
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.recurrence import Recurring
from gridtide.planning.problem.state import Progress
from gridtide.schema.batch_responses import Batch
from gridtide.schema.encoding import batch_to_json
from gridtide.schema.footprints import (
    HOURS,
    FootprintAnswer,
    FootprintAsked,
    footprint_to_json,
    rows_of,
)
from gridtide.schema.plan_requests import SIGNAL_MEMBER, plan_to_json, progress_to_json
from gridtide.schema.plan_responses import PlanAnswer
from gridtide.schema.regions import Where
from gridtide.schema.schedules import JobRequest, ScheduleAnswer, schedule_to_json
from gridtide.values import instance_of, read_length, read_text


def plan(
    job: Job,
    where: Where,
    bounds: Bounds | None,
    goal: Goal | None,
    *,
    signal: Signal | str | None,
    as_of: When | None,
    alternatives: int,
    recurring: Recurring | None,
) -> Call[PlanAnswer]:
    """When and where to run a job of any kind."""
    body = plan_to_json(
        job,
        where,
        bounds,
        goal,
        signal=signal,
        as_of=None if as_of is None else aware("as_of", as_of),
        alternatives=alternatives,
        recurring=recurring,
    )
    return _planned("/v1/plan", body, asked=body)


def replan(plan: PlanAnswer, progress: Progress) -> Call[PlanAnswer]:
    """The rest of a job.

    Raises:
        BadInput: the plan does not know what it was asked for.
    """
    instance_of(PlanAnswer, "a plan as plan or replan answered it")(plan, "plan")
    instance_of(Progress, "a Progress")(progress, "progress")
    if plan.asked is None:
        raise BadInput(
            "this plan does not know what it was asked for; write plans with "
            "to_json(asked=True), or ask for a plan of the work that is left"
        )
    asked: Json = json.loads(plan.asked)
    return replanned(
        {"plan": plan.to_json(), "asked": asked, "progress": progress_to_json(progress)}
    )


def replanned(body: Json) -> Call[PlanAnswer]:
    """The rest of a job, of the JSON of the question."""
    return _planned("/v1/replan", body, asked=body["asked"])


def batch(questions: Iterable[Mapping[str, Any]]) -> Call[Batch]:
    """Many questions at once."""
    body = batch_to_json(questions)
    asked: list[object] = body["questions"]
    return Call("/v1/batch", (), lambda wire: Batch.of(asked, wire), encoded(body))


def schedule(
    requests: Iterable[JobRequest],
    caps: Mapping[str, Cap],
    goal: Goal | None,
    *,
    signal: Signal | str | None,
    as_of: When | None,
) -> Call[ScheduleAnswer]:
    """Many jobs together."""
    body = schedule_to_json(
        requests,
        caps,
        goal,
        signal=None if signal is None else read_text(signal, "signal"),
        as_of=None if as_of is None else aware("as_of", as_of),
    )
    return Call("/v1/schedule", (), ScheduleAnswer.from_json, encoded(body))


def footprint(
    rows: Iterable[Row] | None,
    *,
    region: Region | None,
    hours: Length | None,
    start: When | None,
    clean: Iterable[Row] | None,
    signal: Signal | str | None,
    as_of: When | None,
    **members: Any,  # noqa: ANN401  # as in FootprintAsked
) -> Call[FootprintAnswer]:
    """What a job drew and emitted."""
    asked = FootprintAsked(
        rows=None if rows is None else rows_of(rows, "rows"),
        region=None if region is None else region_text(region),
        hours=None if hours is None else _hours(hours),
        start=None if start is None else aware("start", start),
        clean=None if clean is None else rows_of(clean, "clean"),
        signal=None if signal is None else SIGNAL_MEMBER.form.read(signal, "signal"),
        as_of=None if as_of is None else aware("as_of", as_of),
        **members,
    )
    body = footprint_to_json(asked)
    return Call("/v1/footprint", (), FootprintAnswer.from_json, encoded(body))


def _hours(hours: Length) -> timedelta:
    # Through the form, for its bound.
    return HOURS.read(read_length(hours, "hours") / timedelta(hours=1), "hours")


def encoded(body: Json) -> bytes:
    """The JSON of a body.

    Raises:
        BadInput: NaN or infinity in it, or what no JSON can say.
    """
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise BadInput(
            f"the question cannot be written as JSON ({error}); numbers must be finite, and "
            "what is unknown is None"
        ) from error


def _planned(path: str, body: Json, *, asked: Json) -> Call[PlanAnswer]:
    kept = encoded(asked)
    return Call(
        path,
        (),
        lambda wire: replace(PlanAnswer.from_json(wire), asked=kept),
        encoded(body),
    )
