"""Sources of our own for tests: bodies are JSON lists of zone, start of an hour and load."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.groups import Ingestion, ingest
from gridtide_pipelines.ingest.limits import DEFAULT, Limits
from gridtide_pipelines.ingest.mixing import RowKind
from gridtide_pipelines.ingest.parsing import check_shape, readings
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source, Tier
from gridtide_store.store import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STAMP = "%Y-%m-%dT%H:%MZ"


def rows(zone: str, start: datetime, hours: int, value: float = 50.0) -> list[Any]:
    """Return the rows of a body: some hours of a zone."""
    return [[zone, f"{start + n * HOUR:{STAMP}}", value] for n in range(hours)]


def days(query: Query) -> list[datetime]:
    """Return the beginnings of the UTC days that a query touches."""
    day = query.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while day < query.end:
        found.append(day)
        day += DAY
    return found


def day_files(query: Query) -> list[Group]:
    """Return a group of one file for each zone and day."""
    return [
        [Request("GET", f"/{zone}/{day:%Y-%m-%d}", kind=query.kind, zones=(zone,))]
        for zone in query.zones
        for day in days(query)
    ]


def parse_for(name: str) -> Callable[[Sequence[Body]], pl.DataFrame]:
    def parse(bodies: Sequence[Body]) -> pl.DataFrame:
        with check_shape(name):
            found = [
                (index, *row)
                for index, body in enumerate(bodies)
                if isinstance(document := json.loads(body.content), list)
                for row in document
            ]
            frame = readings(
                zone=[row[1] for row in found],
                signal="load",
                start=[row[2] for row in found],
                end=HOUR,
                value=[row[3] for row in found],
                body=[row[0] for row in found],
                stamp=STAMP,
            )
        if frame.is_empty():
            raise NothingYet(name, "no row yet")
        return frame

    return parse


def ingest_query(
    source: Source,
    query: Query,
    *,
    fetch: Fetch,
    store: Store,
    limits: Limits = DEFAULT,
    monotonic: Callable[[], float] = time.monotonic,
    rows: RowKind | None = None,
) -> Ingestion:
    """Ingest a query in this thread; `finish` says how it ended."""
    work = Ingestion(
        source,
        query,
        store=store,
        now=lambda: query.now,
        limits=limits,
        monotonic=monotonic,
        rows=rows,
    )
    numbers = list(range(len(work.groups)))
    ingest(work, numbers, fetch, in_store_thread=lambda function: function())
    return work


def source(name: str = "written", **given: Any) -> Source:  # noqa: ANN401  # any field of a source
    """Return a source with a file for each zone and day, unless `given` says otherwise."""
    fields: dict[str, Any] = {
        "name": name,
        "title": "Written for a test",
        "base_url": f"https://{name.replace('_', '-')}.example.org",
        "kinds": frozenset({Kind.LOAD}),
        "zones": frozenset({"DE", "FR"}),
        "requests": day_files,
        "parse": parse_for(name),
        "step": HOUR,
        "max_span": 7 * DAY,
        "refetch": (Tier(3 * DAY),),
        "lag": 2 * HOUR,
        "licence": "none",
        "licence_url": "",
        "attribution": "test",
    }
    return Source(**fields | given)
