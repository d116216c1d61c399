"""Many questions at once, each with its response or its problem. No HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

import msgspec

from gridtide.errors import GridtideError
from gridtide.model import Signal
from gridtide.schema.batches import decode_question
from gridtide.schema.encode import encode
from gridtide.schema.footprints import FootprintRequest
from gridtide.schema.plans import PlanRequest, ReplanRequest
from gridtide.schema.requests import BestRegionRequest, BestWindowRequest
from gridtide.schema.result import Record
from gridtide_server import problems
from gridtide_server.answers.footprints import build_footprint
from gridtide_server.answers.plans import build_plan, build_replan
from gridtide_server.answers.priced_windows import decide_window, rank_by_objective
from gridtide_server.answers.regions import resolve_region, resolve_regions
from gridtide_server.answers.windows import (
    Search,
    build_best_region,
    build_best_window,
    check_bounds,
    deciding_forecast,
    forecast_fields,
    search_forecast,
    window_fields,
)
from gridtide_server.queue import TimeBudget
from gridtide_server.service import Moment, Service
from gridtide_server.view import Forecast, View
from gridtide_store.errors import Damaged, Unusable
from gridtide_store.regions import Resolution

# Kinds that take microseconds.
QUICK = ("best_window", "best_region")


def build_batch(service: Service, questions: Sequence[object], budget: TimeBudget) -> bytes:
    """Build the JSON of ``/v1/batch``; all questions see one snapshot and one moment."""
    with service.reader.read() as view:
        now = service.moment(view=view)
        batch = _Batch(service, view, now)
        # Quick questions go before those that may use up the time budget.
        order = sorted(range(len(questions)), key=lambda i: _kind(questions[i]) not in QUICK)
        found = budget.run_all([partial(batch.respond, questions[i]) for i in order])
    encoded = (part if isinstance(part, bytes) else _encode_problem(part) for part in found)
    parts = [part for _, part in sorted(zip(order, encoded, strict=True))]
    head = msgspec.json.encode(now.shared)
    return b'{"answers":[' + b",".join(parts) + b"]," + head[1:]


class _Known(NamedTuple):
    """What all best windows of one region and signal have in common.

    Attributes:
        start: JSON of the fields they share, up to where the others follow.
    """

    region: Resolution
    forecast: Forecast
    start: bytes


class _Batch:
    """The questions of one call; what best windows have in common is found once."""

    def __init__(self, service: Service, view: View, now: Moment) -> None:
        self._service = service
        self._view = view
        self._now = now
        self._known: dict[tuple[str, Signal | None, datetime], _Known] = {}
        self._encode = msgspec.json.Encoder().encode

    def respond(self, question: object) -> bytes:
        """Return the JSON of one response, or of the problem in its place."""
        try:
            request = decode_question(question)
            if isinstance(request, BestWindowRequest):
                return self._best_window(request)
            if isinstance(request, BestRegionRequest):
                return self._best_region(request)
            return encode(self._other(request))
        except (Damaged, Unusable):
            # A fault of the snapshot, not of the question: the next request opens it again.
            raise
        except GridtideError as error:
            return _encode_problem(error)
        except Exception as error:  # noqa: BLE001  # logged, and reported as internal
            # The other questions still get their responses.
            return msgspec.json.encode(problems.report_internal(error))

    def _moment(self, as_of: datetime | None) -> Moment:
        return self._now if as_of is None else self._service.moment(as_of)

    def _other(self, request: PlanRequest | ReplanRequest | FootprintRequest) -> Record:
        if isinstance(request, ReplanRequest):
            return build_replan(self._view, request, self._moment(request.progress.get("at")))
        moment = self._moment(request.as_of)
        if isinstance(request, PlanRequest):
            return build_plan(self._view, request, moment)
        return build_footprint(self._view, request, moment)

    def _best_window(self, request: BestWindowRequest) -> bytes:
        moment = self._moment(request.as_of)
        search = Search.of(request, moment)
        if search.goal is not None:
            decision = decide_window(self._view, resolve_region(request.region), search, moment)
            return encode(build_best_window(self._view, decision, search, moment))
        check_bounds(search)
        known = self._look_up(request.region, search, moment)
        decision = search_forecast(known.region, known.forecast, search)
        return known.start + self._encode(window_fields(decision, search))[1:]

    def _look_up(self, name: str, search: Search, moment: Moment) -> _Known:
        key = name, search.signal, moment.as_of
        known = self._known.get(key)
        if known is None:
            region = resolve_region(name)
            forecast = deciding_forecast(self._view, region, search)
            shared = self._encode(forecast_fields(self._view, region, forecast, moment))
            known = self._known[key] = _Known(region, forecast, shared[:-1] + b",")
        return known

    def _best_region(self, request: BestRegionRequest) -> bytes:
        moment = self._moment(request.as_of)
        search = Search.of(request, moment)
        ranking = rank_by_objective(
            self._view, resolve_regions(request.regions), search, moment
        )
        return encode(build_best_region(self._view, ranking, search, moment))


def _encode_problem(error: GridtideError) -> bytes:
    return msgspec.json.encode(problems.problem_of(error))


def _kind(question: object) -> object:
    return question.get("kind") if isinstance(question, dict) else None
