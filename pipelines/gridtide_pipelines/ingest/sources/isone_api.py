"""Generation of ISO New England from its web service, which wants a free account.

Docs:       https://webservices.iso-ne.com/docs/v1.1/
Licence:    terms of use, https://www.iso-ne.com/participate/support/legal-privacy; to be named.
Unit:       MW.
Slots:      irregular instants with offset, each until the next; fuels and the rest as isone.py.
Limits:     one request a local day. A day with one record has an object in place of a list.
Revisions:  none known.
Last seen:  2026-05 (written, from descriptions of two clients).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from gridtide_pipelines.ingest.local_time import local_days
from gridtide_pipelines.ingest.source import (
    Basic,
    Credentials,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.sources.isone import parser
from gridtide_pipelines.ingest.sources.isone_reports import TIMEZONE, ZONE

NAME: Final = "isone_api"


def requests(query: Query) -> Sequence[Group]:
    """Build a request for each local day."""
    groups: list[Group] = []
    for day, part in local_days(Span(query.start, query.end), TIMEZONE):
        path = f"/api/v1.1/genfuelmix/day/{day:%Y%m%d}.json"
        groups.append([Request("GET", path, (), query.kind, query.zones, span=part)])
    return groups


SOURCE = Source(
    name=NAME,
    title="ISO New England web services",
    base_url="https://webservices.iso-ne.com",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parser(NAME),
    credentials=Credentials(
        ("ISONE_API_USERNAME", "ISONE_API_PASSWORD"),
        "https://www.iso-ne.com/isoexpress/login",
        Basic(),
    ),
    step=timedelta(minutes=5),
    max_span=timedelta(days=31),
    refetch=(Tier(timedelta(days=1)),),
    lag=timedelta(minutes=15),
    licence="ISO New England terms of use",
    licence_url="https://www.iso-ne.com/participate/support/legal-privacy",
    attribution="ISO New England",
    whole_files=True,
    not_published=frozenset({404}),
    min_interval=timedelta(milliseconds=500),
    largest_body=8 * 2**20,
)
