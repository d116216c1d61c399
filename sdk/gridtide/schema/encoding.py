"""Questions of a batch as Python has them, written as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from numbers import Real
from typing import Any

from gridtide.accounting.sci import Factors
from gridtide.errors import BadInput, TooManyQuestions
from gridtide.model import MOST_QUESTIONS, format_region, format_time, utc
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.recurrence import Recurring
from gridtide.planning.problem.state import Progress
from gridtide.schema.decoding import shape_of
from gridtide.schema.forms import in_hours
from gridtide.schema.plan_requests import write_where
from gridtide.schema.plan_responses import PlanAnswer
from gridtide.schema.regions import Candidate, Candidates
from gridtide.values import plain_scalar, read_number, refuse

Json = dict[str, Any]


def batch_to_json(questions: Iterable[Mapping[str, Any]]) -> Json:
    """The JSON object of a batch of questions with values of JSON or of `gridtide.planning`.

    Nothing is checked here but their number: what is wrong with one question the service says
    in its place, and answers the others. What no JSON can say is written as Python shows it.

    Raises:
        TooManyQuestions: more than 1,000.
    """
    if isinstance(questions, str | bytes | Mapping) or not isinstance(questions, Iterable):
        refuse(questions, "questions", "a list of mappings, each with a kind")
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
        elif isinstance(value, PlanAnswer):
            wire |= _planned(str(name), value)
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


def _planned(name: str, plan: PlanAnswer) -> Json:
    """A plan to be replanned, and what it was asked for."""
    asked = {} if plan.asked is None else {"request": json.loads(plan.asked)}
    return {**asked, name: plan.to_json()}


def _where(where: object) -> Json:
    try:
        return write_where(where)
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
    return moment.isoformat() if moment.utcoffset() is None else format_time(utc(moment))


_WRITERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (StrEnum, lambda word: word.value),
    (str, str),
    (datetime, _moment),
    (timedelta, in_hours),
    (Job, lambda value: shape_of(Job).write(value)),
    (Bounds, lambda value: shape_of(Bounds).write(value)),
    (Goal, lambda value: shape_of(Goal).write(value)),
    (Recurring, lambda value: shape_of(Recurring).write(value)),
    (Candidate, lambda value: shape_of(Candidate).write(value)),
    (Candidates, lambda value: shape_of(Candidates).write(value)),
    (Progress, lambda value: shape_of(Progress).write(value)),
    (Factors, asdict),
)
