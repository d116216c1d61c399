"""Generation by fuel of Poland, from PSE's report his-gen-pal-sire.

Docs:       https://api.raporty.pse.pl/openapi
Licence:    not stated for reuse, so it is restricted.
Unit:       MW, as text with a decimal comma.
Slots:      15 min, labelled by the END, in local time and in UTC: the latter is read, since the
            hour that is there twice is written 02a in the former.
Limits:     100 rows without ``$first``; pages are not always linked.
Revisions:  for some days; since 2024-06-14.
Fuels:      ENTSO-E's production types by code. The older report his-gen-pal has the same rows.
Last seen:  2026-09 (written, from the catalogue's shape).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.local_time import local_days
from gridtide_pipelines.ingest.paging import follow_link
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.production_types import FUELS
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    fuel_signal,
    instant,
    read_answer,
    rows_of,
    text,
)

NAME = "pse"
ZONE: Final = "PL"
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)


def requests(query: Query) -> Sequence[Group]:
    """Return a request for each local day."""
    return [
        [
            Request(
                "GET",
                "/api/his-gen-pal-sire",
                (("$filter", f"business_date eq '{day}'"), ("$first", "10000")),
                query.kind,
                query.zones,
                span=span,
            )
        ]
        for day, span in local_days(Span(query.start, query.end), "Europe/Warsaw")
    ]


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the page that the last one links to."""
    with check_shape(NAME):
        document = read_answer(bodies[-1].content)
        return follow_link(bodies[-1], (document or {}).get("nextLink"))


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return the generation of each fuel and quarter of an hour in the bodies."""
    with check_shape(NAME):
        answers = [read_answer(body.content) for body in bodies]
        if all(each is not None and each.get("nextLink") for each in answers):
            raise ValueError("a page that another follows, without that one")
        found = []
        for index, document in enumerate(answers):
            for row in () if document is None else rows_of(document["value"]):
                code = text(row["alias_entsoe"])
                signal, flag = fuel_signal(code, FUELS)
                end = instant(row["dtime_utc"])
                given = row["value"]
                value = number(given.replace(",", ".") if isinstance(given, str) else given)
                found.append(
                    Statement(ZONE, signal, code, end - QUARTER, end, value, index, flag)
                )
        return add_codes(found, NAME)


SOURCE = Source(
    name=NAME,
    title="Reports of PSE",
    base_url="https://api.raporty.pse.pl",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    following=following,
    step=QUARTER,
    max_span=7 * DAY,
    refetch=(Tier(2 * DAY), Tier(7 * DAY, DAY)),
    lag=timedelta(hours=12),
    licence="not stated",
    licence_url="https://raporty.pse.pl",
    attribution="PSE",
    restricted=True,
    per_zone=True,
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)
