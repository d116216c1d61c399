"""The OpenAPI, made from the definitions of requests and responses.

It is committed as ``openapi.json`` beside this module;
``python -m gridtide_server.openapi > server/gridtide_server/openapi.json`` writes it anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from gridtide.schema.batches import Batch, BatchRequest
from gridtide.schema.footprints import FootprintAnswer, FootprintRequest
from gridtide.schema.health import Health, Readiness
from gridtide.schema.openapi import components, parameters, reference
from gridtide.schema.plans import (
    PlanAnswer,
    PlanRequest,
    ReplanRequest,
    ScheduleAnswer,
    ScheduleRequest,
)
from gridtide.schema.prices import Price
from gridtide.schema.problems import Problem
from gridtide.schema.quality import ZoneQuality
from gridtide.schema.responses import BestRegion, Forecast, Intensity, Zones
from gridtide.schema.sources import Sources

FILE = Path(__file__).with_name("openapi.json")
REQUESTS = (PlanRequest, ReplanRequest, ScheduleRequest, BatchRequest, FootprintRequest)
# All others are fields of these.
RESPONSES = (
    BestRegion,
    PlanAnswer,
    Batch,
    Zones,
    Sources,
    Intensity,
    Forecast,
    Price,
    ZoneQuality,
    FootprintAnswer,
    ScheduleAnswer,
    Health,
    Readiness,
    Problem,
)


def described(
    response: type[Any],
    *,
    query: type[Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the arguments of a route that describe its query and responses in the OpenAPI.

    Args:
        response: of status 200.
        query: the definition by which the query string is decoded.
        more: further parts of the operation.
    """
    operation: dict[str, Any] = {
        "responses": {
            "200": {"description": "Successful Response", "content": json_content(response)}
        }
    }
    if query is not None:
        operation["parameters"] = parameters(query)
    return {"response_class": Response, "openapi_extra": operation | dict(more or {})}


def json_content(kind: type[Any]) -> dict[str, Any]:
    """Return the reference of the OpenAPI to JSON of one definition."""
    return {"application/json": {"schema": reference(kind)}}


def document_of(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI of an application, with the definitions that its routes refer to."""
    if app.openapi_schema is None:
        app.openapi_schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = components(RESPONSES) | components(REQUESTS, closed=True)
        app.openapi_schema["components"] = {"schemas": schemas}
    return app.openapi_schema


def document_text() -> str:
    """Return the OpenAPI of this release as it is committed."""
    from gridtide.clock import Clock
    from gridtide_server.app import ServerSettings, create_app
    from gridtide_server.reader import Reader
    from gridtide_store.data_directory import DataDirectory

    app = create_app(ServerSettings(), Reader(DataDirectory(Path())), Clock())
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document_text())
