"""The questions of a batch, each with its kind, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import Any

from gridtide.calls import region_text
from gridtide.errors import BadInput, TooManyQuestions
from gridtide.model import MOST_QUESTIONS, Signal, format_time, parse_hours
from gridtide.planning.bounds import Bounds
from gridtide.planning.goal import Goal
from gridtide.planning.job import Job
from gridtide.planning_wire.asked import (
    AS_OF_MEMBER,
    PLAN,
    SIGNAL_MEMBER,
    PlanAsked,
    where_to_json,
)
from gridtide.planning_wire.bounds import bounds_to_json
from gridtide.planning_wire.candidates import (
    Candidate,
    Candidates,
    candidates_to_json,
    place_to_json,
)
from gridtide.planning_wire.goals import goal_to_json
from gridtide.planning_wire.jobs import in_hours, job_to_json
from gridtide.planning_wire.shapes import MOMENT, NUMBER, TEXT, Form, Member, Shape, list_of

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunAsked:
    """What ``best_window`` (one region) and ``best_region`` are asked."""

    regions: tuple[str, ...]
    hours: float
    earliest: datetime | None = None
    deadline: datetime | None = None
    signal: Signal | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchAsked:
    """Questions as they came; each is read on its own, so that one may be wrong."""

    questions: tuple[object, ...]


def _window(region: str, **members: Any) -> RunAsked:  # noqa: ANN401  # as in BEST_WINDOW
    return _run((region,), **members)


def _run(regions: tuple[str, ...], hours: float, **members: Any) -> RunAsked:  # noqa: ANN401  # as in BEST_REGION
    parse_hours(hours)
    if not regions:
        raise BadInput("there is no region to choose from; name at least one")
    return RunAsked(regions, hours, **members)


def _kind(name: str) -> Member:
    form = Form(TEXT.read, {"const": name})
    return Member(form, "which question this is", required=True)


def _of_kind(shape: Shape[Any], name: str, kind: str) -> Shape[Any]:
    """`shape` with its kind."""

    def make(kind: str, **members: Any) -> object:  # noqa: ANN401  # chosen by it
        return shape.make(**members)

    return Shape(name, shape.about, {"kind": _kind(kind), **shape.members}, make)


_RUN = {
    "hours": Member(NUMBER, "how long the job runs, unbroken", required=True),
    "earliest": Member(MOMENT, "not before this moment; left out, or past: now"),
    "deadline": Member(MOMENT, "the job has ended by this moment"),
    "signal": SIGNAL_MEMBER,
    "as_of": AS_OF_MEMBER,
}
BEST_WINDOW: Shape[RunAsked] = Shape(
    "BestWindowAsked",
    "When to start a job in one region.",
    {"region": Member(TEXT, "one region", required=True), **_RUN},
    _window,
)
BEST_REGION: Shape[RunAsked] = Shape(
    "BestRegionAsked",
    "Where and when to start a job, among several regions.",
    {"regions": Member(list_of(TEXT), "regions, at most 500", required=True), **_RUN},
    _run,
)
QUESTIONS: Mapping[str, Shape[RunAsked] | Shape[PlanAsked]] = {
    "best_window": _of_kind(BEST_WINDOW, "BestWindowQuestion", "best_window"),
    "best_region": _of_kind(BEST_REGION, "BestRegionQuestion", "best_region"),
    "plan": _of_kind(PLAN, "PlanQuestion", "plan"),
}


def _questions(value: object, where: str) -> tuple[object, ...]:
    if isinstance(value, list) and len(value) > MOST_QUESTIONS:
        raise TooManyQuestions(
            f"{where}: {len(value)} questions in one call; at most {MOST_QUESTIONS}: "
            "ask in parts"
        )
    return _ANYTHING.read(value, where)


_ANYTHING: Form[tuple[object, ...]] = list_of(Form(lambda value, where: value, {}))
BATCH: Shape[BatchAsked] = Shape(
    "BatchAsked",
    "Up to 1,000 questions.",
    {
        "questions": Member(
            Form(
                _questions,
                {
                    "type": "array",
                    "maxItems": MOST_QUESTIONS,
                    "items": {
                        "anyOf": [dict(shape.form.schema) for shape in QUESTIONS.values()]
                    },
                },
            ),
            "the questions, each with its kind",
            required=True,
        )
    },
    BatchAsked,
)
SHAPES = (BATCH, *QUESTIONS.values())


def question_from_json(wire: object) -> tuple[str, RunAsked | PlanAsked]:
    """One question of a batch and its kind.

    Raises:
        BadInput: no such kind, or as its shape says.
    """
    kind = wire.get("kind") if isinstance(wire, Mapping) else None
    shape = QUESTIONS.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise BadInput(
            f"kind is {kind!r:.60}; each question is an object with a kind, one of "
            f"{', '.join(QUESTIONS)}"
        )
    return str(kind), shape.read(wire)


def batch_to_json(questions: Iterable[Mapping[str, Any]]) -> Json:
    """The JSON object of a batch of questions with values of JSON or of `gridtide.planning`.

    Nothing is checked here but their number: what is wrong with one question the service says
    in its place, and answers the others. What no JSON can say is written as Python shows it.

    Raises:
        TooManyQuestions: more than 1,000.
    """
    asked = list(questions)
    if len(asked) > MOST_QUESTIONS:
        raise TooManyQuestions(
            f"{len(asked)} questions in one call; at most {MOST_QUESTIONS}: ask in parts"
        )
    return {"questions": [_question(each) for each in asked]}


def _question(question: object) -> Any:  # noqa: ANN401  # any JSON value
    if not isinstance(question, Mapping):
        return _plain(question)
    wire: Json = {}
    for name, value in question.items():
        if name == "where":
            wire |= _where(value)
        elif name == "region":
            wire[name] = _region(value)
        elif name == "regions" and isinstance(value, Iterable):
            named = [value] if isinstance(value, str) else value
            wire[name] = [_region(each) for each in named]
        else:
            wire[str(name)] = _plain(value)
    return wire


def _where(where: object) -> Json:
    try:
        return where_to_json(where)
    except BadInput:
        return {"regions": _plain(where)}


def _region(region: object) -> Any:  # noqa: ANN401  # any JSON value
    try:
        return region_text(region) if isinstance(region, tuple) else _plain(region)
    except BadInput:
        return _plain(region)


def _plain(value: object) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, float):
        return value if isfinite(value) else repr(value)
    if value is None or isinstance(value, bool | int):
        return value
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    return f"{value!r:.80}"


def _moment(moment: datetime) -> str:
    # A naive time is the service's to refuse, in the place of its question.
    return moment.isoformat() if moment.utcoffset() is None else format_time(moment)


_WRITERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (StrEnum, lambda word: word.value),
    (str, str),
    (datetime, _moment),
    (timedelta, in_hours),
    (Job, job_to_json),
    (Bounds, bounds_to_json),
    (Goal, goal_to_json),
    (Candidate, place_to_json),
    (Candidates, candidates_to_json),
)
