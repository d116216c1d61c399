"""Generation of the three systems of Australia's Northern Territory, from NTESMO.

Docs:       https://ntesmo.com.au/data/data-dashboard/downloads-asset-listing (weekly CSV files)
Licence:    not found, so it is restricted.
Unit:       MW, the mean of the half hour.
Slots:      30 min, labelled by START at UTC+9:30 all year.
Limits:     a listing of the files, newest first; files of a week that come after it. The host
            refuses addresses of data centres.
Revisions:  not known.
Systems:    columns begin with DK (Darwin and Katherine), AS (Alice Springs) or TC (Tennant
            Creek); what is one fuel is added over all three. On some days two systems are
            missing: a sum that lacks one of its columns is printed, and stored as unknown.
Codes:      Fossil fuel is mostly gas, with some diesel; Steam is the steam turbine of a gas
            plant; both are gas. Utility and estimated distributed solar power are added.
Last seen:  2025-05 (written, from a description of the file; the listing from its address).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.delimited import number_of, read_csv
from gridtide_pipelines.ingest.local_time import read_at_offset, read_clock
from gridtide_pipelines.ingest.parsing import check_shape, readings, with_values
from gridtide_pipelines.ingest.source import (
    PARTIAL,
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_store.vocabulary import generation

NAME, ZONE = "ntesmo", "AU-NT"
OFFSET: Final = timedelta(hours=9, minutes=30)
HALF, DAY = timedelta(minutes=30), timedelta(days=1)
LISTING: Final = "/data/data-dashboard/downloads-asset-listing"
FILE: Final = re.compile(
    r'href="(?:https://ntesmo\.com\.au)?(/[^"<>]{1,300}/'
    r'Generation_mix_data_(\d{1,2}_[A-Za-z]+_\d{4})_-_(\d{1,2}_[A-Za-z]+_\d{4})\.csv)"'
)
STAMP: Final = "timestamp"
COLUMN: Final = re.compile(r"(DK|AS|TC)_(.+)")
FUELS: Final[Mapping[str, str]] = {
    "fossil fuel": "gas",
    "steam": "gas",
    "utility solar": "solar",
    "distributed_pv estimated": "solar",
    "biomass": "biomass",
    "battery": "battery_storage",
}


def requests(query: Query) -> Sequence[Group]:
    """Return the listing, whose files follow."""
    params = (("result_371821_result_page", "1"), ("root", "371900"))
    span = Span(query.start, query.end)
    return [[Request("GET", LISTING, params, kind=query.kind, zones=query.zones, span=span)]]


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the files of the weeks that the listing names, newest first as it has them."""
    if len(bodies) > 1 or not _is_listing(bodies[0].content):
        return ()
    request, now = bodies[0].request, bodies[0].known_at
    wanted = request.span or Span(now - SOURCE.max_span, now)
    found = []
    with check_shape(NAME):
        for path, first, last in FILE.findall(bodies[0].content.decode()):
            start, end = _day(first), _day(last) + DAY
            if start < wanted.end and wanted.start < end:
                found.append(replace(request, path=path, params=()))
    return found


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the files, fuel by fuel."""
    with check_shape(NAME):
        frames = [
            _frame(index, body.content)
            for index, body in enumerate(bodies)
            if not _is_listing(body.content)
        ]
    return with_values(NAME, frames)


def _is_listing(content: bytes) -> bool:
    text = content.strip().lower()
    return text.startswith(b"<") and text.endswith(b"</html>") and b"ntesmo" in text


def _day(text: str) -> datetime:
    return read_clock(text, "%d_%B_%Y").replace(tzinfo=UTC) - OFFSET


def _frame(index: int, content: bytes) -> pl.DataFrame:
    table = read_csv(content, (STAMP,), line_ends=True)
    parts: dict[str, list[str]] = defaultdict(list)
    flags: dict[str, str] = {}
    for column in table.columns:
        named = COLUMN.fullmatch(column)
        if named is None:
            continue
        fuel = FUELS.get(named[2].lower())
        if fuel is None:
            flags["unknown"] = f"unmapped_code:{column}"
        parts[fuel or "unknown"].append(column)
    if not parts:
        raise ValueError("a table without a column of any system")
    start = read_at_offset(table[STAMP], OFFSET, "%d/%m/%Y %H:%M")
    frames = []
    for fuel, columns in parts.items():
        values = table.select(number_of(column) for column in columns)
        known = values.select(pl.sum_horizontal(pl.all().is_not_null())).to_series()
        total = values.select(pl.sum_horizontal(pl.all())).to_series()
        odd = pl.DataFrame({"known": known, "total": total}).select(
            pl.when(pl.col("known") > 0).then("total").alias("value"),
            pl.when(pl.col("known").is_between(1, len(columns) - 1))
            .then(pl.lit(";".join(filter(None, (flags.get(fuel), PARTIAL)))))
            .otherwise(pl.lit(flags.get(fuel), dtype=pl.String))
            .alias("flag"),
        )
        frames.append(
            readings(
                zone=ZONE,
                signal=generation(fuel),
                start=start,
                end=HALF,
                value=odd["value"],
                flag=odd["flag"],
                body=index,
            )
        )
    return pl.concat(frames)


SOURCE = Source(
    name=NAME,
    title="Generation mix of the Northern Territory",
    base_url="https://ntesmo.com.au",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    following=following,
    parse=parse,
    step=HALF,
    max_span=timedelta(days=28),
    reach=timedelta(days=56),
    refetch=(Tier(DAY), Tier(14 * DAY, DAY)),
    lag=8 * DAY,
    licence="not stated",
    licence_url="",
    attribution="Northern Territory Electricity System and Market Operator (NTESMO)",
    restricted=True,
    not_published=frozenset({404}),
    whole_files=True,
    min_interval=timedelta(seconds=2),
    largest_body=4 * 2**20,
)
