"""Generation by fuel of Belgium, from Elia's open data (data set ods201).

Docs:       https://opendata.elia.be/explore/dataset/ods201/
Licence:    CC BY 4.0 for most data sets of Elia.
Unit:       MW, the mean of the interval.
Slots:      15 min (``resolutioncode``), labelled by the start with offset.
Limits:     quotas without a key.
Revisions:  for some days.
Fuels:      ENTSO-E's production types by name; ``Energy Storage`` is negative when it charges.
            A type that is listed with null is a gap.
Last seen:  2024-01 (recorded body, shortened by the peer that kept it).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.opendatasoft import export, read_pages
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.production_types import fuel_named
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import (
    PARTIAL,
    Body,
    Group,
    Kind,
    Query,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.statements import Statement, add_codes, instant, text
from gridtide_store.vocabulary import generation

NAME = "elia"
ZONE: Final = "BE"
DAY: Final = timedelta(days=1)
LENGTHS: Final = {f"PT{each}M": timedelta(minutes=each) for each in (1, 5, 15, 30, 60)}


def requests(query: Query) -> Sequence[Group]:
    """Return a request for each week."""
    return [
        [export(query, "ods201", "datetime", span)]
        for span in split_span(Span(query.start, query.end), SOURCE.max_span)
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return the generation of each fuel and interval in the records."""
    with check_shape(NAME):
        found = []
        for index, page in enumerate(read_pages(bodies, "datetime")):
            for row in page.records:
                code = text(row["fueltypeentsoe"])
                fuel = fuel_named(code)
                start = instant(row["datetime"])
                end = start + LENGTHS[text(row["resolutioncode"])]
                value = number(row["generatedpower"])
                flag = PARTIAL if row["datetime"] in page.cut else None
                if not fuel:
                    flag = f"{flag or ''};unmapped_code:{code}".lstrip(";")
                signal = generation(fuel or "unknown")
                found.append(Statement(ZONE, signal, code, start, end, value, index, flag))
        return add_codes(found, NAME)


SOURCE = Source(
    name=NAME,
    title="Open data of Elia",
    base_url="https://opendata.elia.be",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=timedelta(minutes=15),
    max_span=7 * DAY,
    refetch=(Tier(2 * DAY), Tier(14 * DAY, DAY)),
    lag=timedelta(hours=2),
    licence="CC-BY-4.0",
    licence_url="https://opendata.elia.be/pages/license/",
    attribution="Elia Transmission Belgium",
    per_zone=True,
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)
