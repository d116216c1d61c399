"""The questions of a batch, each with its kind, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridtide.errors import BadInput, TooManyQuestions
from gridtide.model import MOST_QUESTIONS, Signal, hours_of
from gridtide.schema.decoding import HOURS_NUMBER, MOMENT, TEXT, Form, Member, Shape, list_of
from gridtide.schema.footprints import FOOTPRINT, FootprintAsked
from gridtide.schema.plan_requests import (
    AS_OF_MEMBER,
    PLAN,
    REPLAN,
    SIGNAL_MEMBER,
    PlanAsked,
    ReplanAsked,
)


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
    if not regions:
        raise BadInput("there is no region to choose from; name at least one")
    return RunAsked(regions, hours_of(hours), **members)


def _kind(name: str) -> Member:
    form = Form(TEXT.read, {"const": name})
    return Member(form, "which question this is", required=True)


def _of_kind(shape: Shape[Any], name: str, kind: str) -> Shape[Any]:
    """`shape` with its kind."""

    def make(kind: str, **members: Any) -> object:  # noqa: ANN401  # chosen by it
        return shape.make(**members)

    return Shape(name, shape.about, {"kind": _kind(kind), **shape.members}, make)


_RUN = {
    "hours": Member(HOURS_NUMBER, "how long the job runs, unbroken", required=True),
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
Asked = RunAsked | PlanAsked | ReplanAsked | FootprintAsked
QUESTIONS: Mapping[str, Shape[Any]] = {
    "best_window": _of_kind(BEST_WINDOW, "BestWindowQuestion", "best_window"),
    "best_region": _of_kind(BEST_REGION, "BestRegionQuestion", "best_region"),
    "plan": _of_kind(PLAN, "PlanQuestion", "plan"),
    "replan": _of_kind(REPLAN, "ReplanQuestion", "replan"),
    "footprint": _of_kind(FOOTPRINT, "FootprintQuestion", "footprint"),
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


def question_from_json(wire: object) -> tuple[str, Asked]:
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
