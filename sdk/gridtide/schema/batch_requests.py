"""The questions of a batch, each with its kind, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from gridtide.errors import BadInput, TooManyQuestions
from gridtide.model import MOST_QUESTIONS
from gridtide.schema.decoding import Member, Shape, shape_of
from gridtide.schema.footprints import FOOTPRINT, FootprintRequest
from gridtide.schema.forms import TEXT, Form, list_of
from gridtide.schema.plan_requests import (
    PLAN,
    REPLAN,
    PlanRequest,
    ReplanRequest,
)
from gridtide.schema.requests import BestRegionRequest, BestWindowRequest
from gridtide.schema.twins import convert_request


@dataclass(frozen=True, slots=True)
class BatchAsked:
    """Questions as they came; each is read on its own, so that one may be wrong."""

    questions: tuple[object, ...]


def _kind(name: str) -> Member:
    form = Form(TEXT.read, {"const": name})
    return Member(form, "which question this is", required=True)


def _of_kind(shape: Shape[Any], name: str, kind: str) -> Shape[Any]:
    """`shape` with its kind."""

    def make(kind: str, **members: Any) -> object:  # noqa: ANN401  # chosen by it
        return shape.make(**members)

    return Shape(name, shape.about, {"kind": _kind(kind), **shape.members}, make)


Asked = BestWindowRequest | BestRegionRequest | PlanRequest | ReplanRequest | FootprintRequest
QUESTIONS: Mapping[str, Shape[Any]] = {
    "best_window": _of_kind(shape_of(BestWindowRequest), "BestWindowQuestion", "best_window"),
    "best_region": _of_kind(shape_of(BestRegionRequest), "BestRegionQuestion", "best_region"),
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


_FAST = {
    "best_window": (BestWindowRequest, "best_window"),
    "best_region": (BestRegionRequest, "best_region"),
}


@cache
def _converter(kind: type[Any], tag: str) -> Callable[[object], Any]:
    return convert_request(kind, tag)


def question_from_json(wire: object) -> tuple[str, Asked]:
    """One question of a batch and its kind.

    Raises:
        BadInput: no such kind, or as its shape says.
    """
    kind = wire.get("kind") if isinstance(wire, Mapping) else None
    fast = _FAST.get(kind) if isinstance(kind, str) else None
    if isinstance(kind, str) and fast is not None:
        try:
            return kind, _converter(*fast)(wire)
        except (ValueError, BadInput):
            pass  # the shape says what is wrong, or takes what is too unusual here
    shape = QUESTIONS.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise BadInput(
            f"kind is {kind!r:.60}; each question is an object with a kind, one of "
            f"{', '.join(QUESTIONS)}"
        )
    return str(kind), shape.read(wire)
