"""``/v1/best-window`` and ``/v1/best-region``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gridtide.schema.requests import BestRegionRequest, BestWindowRequest, WindowRequest
from gridtide.schema.responses import BestRegion, BestWindow
from gridtide.schema.result import Record
from gridtide_server.answers import regions, windows
from gridtide_server.answers.decisions import Question, decide_region, decide_window
from gridtide_server.http.caching import reply, tag_of
from gridtide_server.openapi import described
from gridtide_server.problems import responses
from gridtide_server.query import decode_query
from gridtide_server.query_route import StrictRoute
from gridtide_server.service import Moment, Service


def routes(service: Service) -> APIRouter:
    """When, and where and when."""
    router = APIRouter(
        route_class=StrictRoute, tags=["decisions"], responses=responses(404, 422, 503)
    )

    @router.get("/v1/best-window", **described(BestWindow, query=BestWindowRequest))
    async def best_window(request: Request) -> Response:
        """The cleanest unbroken run of `hours` in one region, by its newest forecast."""
        asked = decode_query(BestWindowRequest, request.scope["query_string"])

        def answer() -> Response:
            place = regions.one(asked.region)
            with service.reader.read() as view:
                moment = service.moment(asked.as_of, view)
                question = _question(asked, moment)

                def told() -> Record:
                    decision = decide_window(view, place, question)
                    return windows.best_window(view, decision, question, moment)

                tag = tag_of(service, view, asked, [place], moment)
                return reply(request, tag, moment, told)

        return await service.decide(answer, as_of=asked.as_of)

    @router.get("/v1/best-region", **described(BestRegion, query=BestRegionRequest))
    async def best_region(request: Request) -> Response:
        """The cleanest of several regions and its window, chosen jointly on one signal."""
        asked = decode_query(BestRegionRequest, request.scope["query_string"])

        def answer() -> Response:
            places = regions.several(asked.regions)
            with service.reader.read() as view:
                moment = service.moment(asked.as_of, view)
                question = _question(asked, moment)

                def told() -> Record:
                    ranking = decide_region(view, places, question)
                    return windows.best_region(view, ranking, question, moment)

                tag = tag_of(service, view, asked, places, moment)
                return reply(request, tag, moment, told)

        return await service.decide(answer, as_of=asked.as_of)

    return router


def _question(asked: WindowRequest, moment: Moment) -> Question:
    return Question(
        hours=asked.hours,
        at=moment.as_of,
        earliest=asked.earliest,
        deadline=asked.deadline,
        signal=asked.signal,
    )
