"""Many questions at once: each answered, or refused, in its place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from gridtide.errors import GridtideError
from gridtide.model import Signal
from gridtide.schema.batches import decode_question
from gridtide.schema.encode import encode
from gridtide.schema.footprints import FootprintRequest
from gridtide.schema.plans import PlanRequest, ReplanRequest
from gridtide.schema.requests import BestRegionRequest, BestWindowRequest, WindowRequest
from gridtide.schema.result import Record
from gridtide_server import problems
from gridtide_server.answers import regions, windows
from gridtide_server.answers.decisions import (
    Question,
    believed,
    check,
    decide_by,
    decide_region,
)
from gridtide_server.answers.footprints import footprinted
from gridtide_server.answers.plans import planned, replanned
from gridtide_server.queue import TimeBudget
from gridtide_server.service import Moment, Service
from gridtide_server.view import Forecast, View
from gridtide_store.errors import Damaged, Unusable
from gridtide_store.regions import Resolution

QUICK = ("best_window", "best_region")
Known = tuple[Resolution, Forecast, dict[str, Any]]


def answered(service: Service, questions: Sequence[object], budget: TimeBudget) -> bytes:
    """The JSON of ``/v1/batch``; all questions see one snapshot and one now."""
    with service.reader.read() as view:
        now = service.moment(view=view)
        batch = _Batch(service, view, now)
        # What takes microseconds goes before what may take all the time there is.
        order = sorted(range(len(questions)), key=lambda i: _kind(questions[i]) not in QUICK)
        found = budget.run_all([partial(batch.one, questions[i]) for i in order])
    told = (part if isinstance(part, bytes) else _told(part) for part in found)
    parts = [part for _, part in sorted(zip(order, told, strict=True))]
    head = msgspec.json.encode({"as_of": now.as_of, "replay": now.replay})
    return b'{"answers":[' + b",".join(parts) + b"]," + head[1:]


class _Batch:
    """The questions of one call; what best windows have in common is looked up once."""

    def __init__(self, service: Service, view: View, now: Moment) -> None:
        self._service = service
        self._view = view
        self._now = now
        self._known: dict[tuple[str, Signal | None, datetime], Known] = {}
        self._write = msgspec.json.Encoder().encode

    def one(self, wire: object) -> bytes:
        """The JSON of one answer, or of the problem in its place."""
        try:
            asked = decode_question(wire)
            if isinstance(asked, BestWindowRequest):
                return self._window(asked)
            if isinstance(asked, BestRegionRequest):
                return self._region(asked)
            return encode(self._told(asked))
        except (Damaged, Unusable):
            # Of the snapshot, not of the question: whoever reads it opens it anew.
            raise
        except GridtideError as error:
            return _told(error)
        except Exception as error:  # noqa: BLE001  # logged, and told as what it is
            # Whatever happened to this question, its neighbours get their answers.
            return msgspec.json.encode(problems.unforeseen(error))

    def _moment(self, as_of: datetime | None) -> Moment:
        return self._now if as_of is None else self._service.moment(as_of)

    def _told(self, asked: PlanRequest | ReplanRequest | FootprintRequest) -> Record:
        if isinstance(asked, ReplanRequest):
            return replanned(self._view, asked, self._moment(asked.progress.get("at")))
        moment = self._moment(asked.as_of)
        if isinstance(asked, PlanRequest):
            return planned(self._view, asked, moment)
        return footprinted(self._view, asked, moment)

    def _window(self, asked: BestWindowRequest) -> bytes:
        moment = self._moment(asked.as_of)
        question = _question(asked, moment)
        check(question)
        place, forecast, standing = self._standing(asked.region, asked.signal, moment)
        decision = decide_by(place, forecast, question)
        return self._write(standing | windows.found(decision, question))

    def _standing(self, region: str, signal: Signal | None, moment: Moment) -> Known:
        key = region, signal, moment.as_of
        known = self._known.get(key)
        if known is None:
            place = regions.one(region)
            forecast = believed(self._view, place, signal, moment.as_of)
            standing = windows.standing(self._view, place, forecast, moment)
            known = self._known[key] = place, forecast, standing
        return known

    def _region(self, asked: BestRegionRequest) -> bytes:
        moment = self._moment(asked.as_of)
        question = _question(asked, moment)
        ranking = decide_region(self._view, regions.several(asked.regions), question)
        return encode(windows.best_region(self._view, ranking, question, moment))


def _question(asked: WindowRequest, moment: Moment) -> Question:
    return Question(
        hours=asked.hours,
        at=moment.as_of,
        earliest=asked.earliest,
        deadline=asked.deadline,
        signal=asked.signal,
    )


def _told(error: GridtideError) -> bytes:
    return msgspec.json.encode(problems.told(error))


def _kind(question: object) -> object:
    return question.get("kind") if isinstance(question, dict) else None
