"""``/v1/best-window`` and ``/v1/best-region``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from gridtide_server import wire
from gridtide_server.answers import regions, windows
from gridtide_server.answers.decisions import Question, decide_region, decide_window
from gridtide_server.http.caching import reply, tag_of
from gridtide_server.problems import responses
from gridtide_server.query import JobAsked, RegionAsked, WindowAsked
from gridtide_server.query_route import StrictRoute
from gridtide_server.service import Moment, Service


def routes(service: Service) -> APIRouter:
    """When, and where and when."""
    router = APIRouter(
        route_class=StrictRoute, tags=["decisions"], responses=responses(404, 422, 503)
    )

    @router.get("/v1/best-window", response_model=wire.BestWindow)
    async def best_window(request: Request, asked: Annotated[WindowAsked, Query()]) -> Response:
        """The cleanest unbroken run of `hours` in one region, by its newest forecast."""

        def answer() -> Response:
            place = regions.one(asked.region)
            with service.reader.read() as view:
                moment = service.moment(asked.as_of, view)
                question = _question(asked, moment)

                def told() -> BaseModel:
                    decision = decide_window(view, place, question)
                    return windows.best_window(view, decision, question, moment)

                tag = tag_of(service, view, asked, [place], moment)
                return reply(request, tag, moment, told)

        return await service.decide(answer, as_of=asked.as_of)

    @router.get("/v1/best-region", response_model=wire.BestRegion)
    async def best_region(request: Request, asked: Annotated[RegionAsked, Query()]) -> Response:
        """The cleanest of several regions and its window, chosen jointly on one signal."""

        def answer() -> Response:
            places = regions.several(asked.region)
            with service.reader.read() as view:
                moment = service.moment(asked.as_of, view)
                question = _question(asked, moment)

                def told() -> BaseModel:
                    ranking = decide_region(view, places, question)
                    return windows.best_region(view, ranking, question, moment)

                tag = tag_of(service, view, asked, places, moment)
                return reply(request, tag, moment, told)

        return await service.decide(answer, as_of=asked.as_of)

    return router


def _question(asked: JobAsked, moment: Moment) -> Question:
    return Question(
        hours=asked.hours,
        at=moment.as_of,
        earliest=asked.earliest,
        deadline=asked.deadline,
        signal=asked.signal,
    )
