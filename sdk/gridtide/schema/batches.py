"""Batches: many requests in one call, each with its kind, and their responses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from numbers import Real
from typing import Annotated, Any, Literal

from gridtide.errors import ApiError, BadInput, GridtideError, TooManyQuestions
from gridtide.model import MOST_QUESTIONS, format_region, format_time
from gridtide.schema.decode import decode_fields, decode_request
from gridtide.schema.definition import Field
from gridtide.schema.encode import encode_request
from gridtide.schema.footprints import FootprintAnswer, FootprintRequest
from gridtide.schema.plans import PlanAnswer, PlanRequest, ReplanRequest
from gridtide.schema.problems import Problem, error_of
from gridtide.schema.regions import RequestedRegions
from gridtide.schema.requests import BestRegionRequest, BestWindowRequest
from gridtide.schema.responses import BestRegion, BestWindow, Response
from gridtide.schema.result import Record, Shown
from gridtide.values import plain_scalar, read_number, refuse

KIND = Field("which request this is")


@dataclass(frozen=True, slots=True, kw_only=True)
class BestWindowQuestion(BestWindowRequest):
    """When to start a job in one region."""

    kind: Annotated[Literal["best_window"], KIND]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestRegionQuestion(BestRegionRequest):
    """Where and when to start a job, among several regions."""

    kind: Annotated[Literal["best_region"], KIND]


@dataclass(frozen=True)
class PlanQuestion(PlanRequest):
    """A job, where and when it may run, and what the plan is to reach."""

    kind: Annotated[Literal["plan"], KIND] = field(kw_only=True)


@dataclass(frozen=True)
class ReplanQuestion(ReplanRequest):
    """The rest of a job, to be planned by the forecasts of now."""

    kind: Annotated[Literal["replan"], KIND] = field(kw_only=True)


@dataclass(frozen=True, kw_only=True)
class FootprintQuestion(FootprintRequest):
    """Energy of one job, and how its grams are to be counted."""

    kind: Annotated[Literal["footprint"], KIND]


Question = (
    BestWindowQuestion | BestRegionQuestion | PlanQuestion | ReplanQuestion | FootprintQuestion
)
Answer = BestWindow | BestRegion | PlanAnswer | FootprintAnswer
KINDS: Mapping[str, tuple[type[Question], type[Answer]]] = {
    "best_window": (BestWindowQuestion, BestWindow),
    "best_region": (BestRegionQuestion, BestRegion),
    "plan": (PlanQuestion, PlanAnswer),
    "replan": (ReplanQuestion, PlanAnswer),
    "footprint": (FootprintQuestion, FootprintAnswer),
}
One = Answer | GridtideError


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Up to 1,000 requests; each is decoded on its own, so that one may be wrong.

    Raises:
        TooManyQuestions: more than 1,000.
    """

    questions: Annotated[
        tuple[object, ...],
        Field(
            "the requests, each with its kind and the fields of that request",
            encoded=tuple[Question, ...],
            raw=True,
            most=MOST_QUESTIONS,
        ),
    ]

    def __post_init__(self) -> None:
        if len(self.questions) > MOST_QUESTIONS:
            raise TooManyQuestions(
                f"questions: {len(self.questions)} in one call; at most {MOST_QUESTIONS}: "
                "split the batch"
            )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Batch(Response, Shown, Record):
    """Responses in the order of the requests; where one has none, its problem.

    Iterate over it for each: what the method of its kind would have returned, or the error it
    would have raised.

    Attributes:
        wire: the JSON object as it came.
    """

    answers: Annotated[
        tuple[One, ...],
        Field(
            "in the order of the questions; where one has none, its problem",
            encoded=tuple[
                BestRegion | BestWindow | PlanAnswer | FootprintAnswer | Problem, ...
            ],
        ),
    ]
    wire: Annotated[Mapping[str, Any], Field(local=True)]

    def __iter__(self) -> Iterator[One]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    @classmethod
    def of(cls, questions: Sequence[object], wire: Mapping[str, Any]) -> Batch:
        """Decode the response of ``/v1/batch`` to these questions, JSON.

        Raises:
            ApiError: not as many answers, or one that cannot be decoded.
        """
        answers = wire.get("answers")
        if not (isinstance(answers, list) and len(answers) == len(questions)):
            raise ApiError(f"the service did not answer each of {len(questions)} questions")
        try:
            shared = decode_fields(Response, wire, strict=False)
        except BadInput as error:
            raise ApiError(f"the service's batch cannot be decoded: {error}") from error
        return cls(answers=tuple(map(_decode_answer, questions, answers)), wire=wire, **shared)

    def to_json(self, *, with_request: bool = False) -> dict[str, Any]:
        """Return the JSON object, as the service sent it.

        Args:
            with_request: whether to add the request to each plan, as `PlanAnswer.to_json` does.
        """
        answers = [
            {**wire, "request": json.loads(one.request)}
            if with_request and isinstance(one, PlanAnswer) and one.request is not None
            else wire
            for one, wire in zip(self.answers, self.wire["answers"], strict=True)
        ]
        return {**self.wire, "answers": answers, "as_of": format_time(self.as_of)}


def decode_question(value: object) -> Question:
    """Decode one request of a batch, by its kind.

    Raises:
        BadInput: an unknown kind, or as `decode_request`.
    """
    # A dictionary is known without the slow test for a mapping.
    is_object = type(value) is dict or isinstance(value, Mapping)
    kind = value.get("kind") if is_object else None  # type: ignore[attr-defined]  # a mapping
    if not (isinstance(kind, str) and kind in KINDS):
        raise BadInput(
            f"kind is {kind!r:.60}; each question is an object with a kind, one of "
            f"{', '.join(KINDS)}"
        )
    return decode_request(KINDS[kind][0], value)


def encode_batch(questions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the JSON object of questions with values of JSON or of `gridtide.planning`.

    Only their number is checked here: what is wrong with one question the service says in its
    place, and answers the others. What JSON cannot hold is written as Python shows it.

    Raises:
        TooManyQuestions: more than 1,000.
    """
    if isinstance(questions, str | bytes | Mapping) or not isinstance(questions, Iterable):
        refuse(questions, "questions", "a list of mappings, each with a kind")
    request = BatchRequest(tuple(questions))
    return {"questions": [_encode_question(each) for each in request.questions]}


def _decode_answer(question: object, wire: object) -> One:
    request = question if isinstance(question, Mapping) else {}
    kind = request.get("kind")
    if not isinstance(wire, Mapping):
        raise ApiError(f"the service answered {wire!r:.80} to a question")
    if "code" in wire and "status" in wire:
        status = wire["status"] if isinstance(wire["status"], int) else 500
        return error_of(status, {}, wire, address=f"a question of kind {kind}")
    if not (isinstance(kind, str) and kind in KINDS):
        raise ApiError(f"the service answered a question of kind {kind!r:.80}, unknown here")
    answer = KINDS[kind][1].from_json(wire)
    if isinstance(answer, PlanAnswer):
        own = {name: value for name, value in request.items() if name != "kind"}
        first = own.get("request", own.get("asked")) if kind == "replan" else own
        return replace(answer, request=json.dumps(first, ensure_ascii=False).encode())
    return answer


def _encode_question(question: object) -> Any:  # noqa: ANN401  # any JSON value
    if not isinstance(question, Mapping):
        return _plain(question)
    wire: dict[str, Any] = {}
    for name, value in question.items():
        if name == "where":
            wire |= _encode_where(value)
        elif isinstance(value, PlanAnswer):
            known = {} if value.request is None else {"request": json.loads(value.request)}
            wire |= {**known, str(name): value.to_json()}
        elif name == "region":
            wire[name] = _region(value)
        elif name == "regions" and isinstance(value, Iterable):
            named = [value] if isinstance(value, str) else value
            wire[name] = [_region(each) for each in named]
        elif name in ("rows", "clean") and isinstance(value, Iterable):
            wire[name] = [_row(each) for each in value]
        else:
            wire[str(name)] = _plain(value)
    return wire


def _row(row: object) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(row, tuple) and len(row) == 3:
        return dict(zip(("start", "end", "kwh"), map(_plain, row), strict=True))
    return _plain(row)


def _encode_where(where: object) -> dict[str, Any]:
    try:
        return dict(encode_request(RequestedRegions.of(where)))
    except BadInput:
        return {"regions": _plain(where)}


def _region(region: object) -> Any:  # noqa: ANN401  # any JSON value
    try:
        return format_region(region) if isinstance(region, tuple) else _plain(region)
    except BadInput:
        return _plain(region)


def _plain(value: object) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, float):
        return float(value) if isfinite(value) else repr(value)
    if value is None or isinstance(value, bool | int):
        return value
    try:
        if (scalar := plain_scalar(value)) is not value:
            return _plain(scalar)
        if isinstance(value, Real | Decimal):
            return read_number(value, "a number")
    except BadInput:
        return f"{value!r:.80}"  # the service refuses it, in the place of its question
    if isinstance(value, datetime) and value.utcoffset() is None:
        return value.isoformat()  # as above
    if isinstance(value, str | date | time | timedelta) or is_dataclass(value):
        return encode_request(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    return f"{value!r:.80}"
