"""``/v1/batch``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gridtide.schema.batches import Batch, BatchRequest
from gridtide_server import bodies
from gridtide_server.answers import batches
from gridtide_server.openapi import described
from gridtide_server.post import in_line
from gridtide_server.problems import responses
from gridtide_server.queue import TimeBudget
from gridtide_server.service import Service


def routes(service: Service) -> APIRouter:
    """Many questions at once."""
    router = APIRouter(tags=["decisions"], responses=responses(413, 422, 503))

    @router.post("/v1/batch", **described(Batch, more=bodies.described(BatchRequest)))
    async def batch(request: Request) -> Response:
        """Up to 1,000 questions; answers in their order, a problem where there is none."""
        body = await bodies.received(request)

        def answer(budget: TimeBudget) -> bytes:
            return batches.answered(service, bodies.read(body, BatchRequest).questions, budget)

        return await in_line(service, request, answer)

    return router
