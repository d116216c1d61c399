"""Many questions at once: each answered, or refused, in its place."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gridtide.errors import GridtideError
from gridtide.planning_wire.asked import PlanAsked
from gridtide.planning_wire.batched import RunAsked, question_from_json
from gridtide_server import answers, problems, regions
from gridtide_server.decisions import Question, decide_region, decide_window
from gridtide_server.plans import planned
from gridtide_server.service import Moment, Service
from gridtide_server.view import View


def answered(service: Service, questions: Sequence[object]) -> bytes:
    """The JSON of ``/v1/batch``; all questions see one snapshot and one now."""
    now = service.moment()
    with service.reader.read() as view:
        parts = [_one(service, view, question, now) for question in questions]
    head = msgspec.json.encode({"as_of": now.as_of, "replay": now.replay})
    return b'{"answers":[' + b",".join(parts) + b"]," + head[1:]


def _one(service: Service, view: View, wire: object, now: Moment) -> bytes:
    try:
        kind, asked = question_from_json(wire)
        moment = now if asked.as_of is None else service.moment(asked.as_of)
        if isinstance(asked, PlanAsked):
            return planned(view, asked, moment).model_dump_json().encode()
        return _run(view, kind, asked, moment)
    except GridtideError as error:
        return msgspec.json.encode(problems.told(error))


def _run(view: View, kind: str, asked: RunAsked, moment: Moment) -> bytes:
    question = Question(
        hours=asked.hours,
        at=moment.as_of,
        earliest=asked.earliest,
        deadline=asked.deadline,
        signal=asked.signal,
    )
    if kind == "best_window":
        decision = decide_window(view, regions.one(asked.regions[0]), question)
        told = answers.best_window(view, decision, question, moment)
    else:
        ranking = decide_region(view, regions.several(asked.regions), question)
        told = answers.best_region(view, ranking, question, moment)
    return told.model_dump_json().encode()
