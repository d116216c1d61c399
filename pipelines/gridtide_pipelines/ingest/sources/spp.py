"""Generation and load of the Southwest Power Pool, and of its western area.

Docs:       https://portal.spp.org/pages/generation-mix-historical
Licence:    terms of use, https://www.spp.org/terms-of-use/; to be named.
Unit:       MW.
Slots:      5 min, labelled in UTC (``GMT MKT Interval``).
Files:      The last two hours, the last year and each calendar year; a file has load, too. The
            large files are requested for days that are over alone.
Fuels:      ``X Market`` and ``X Self`` are parts of fuel X and added up; ``Gas Self`` is
            natural gas. Columns of load are not fuels. Waste disposal is biomass.
Areas:      Since 2026-04 SPP has two, US-CENT-SWPP and US-NW-SWPW. A file without the column
            ``BAA`` is of the area in its address; where that column is empty, a load below
            5,000 MW is of the western area.
Limits:     HTML with 200 while the portal is down.
Revisions:  none known.
Last seen:  2018-07 (recorded bodies; the columns of 2026 are written from a description).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final

import polars as pl

from gridtide_pipelines.ingest.columns import collected
from gridtide_pipelines.ingest.delimited import LONGEST_HEADER, number_of, read_csv
from gridtide_pipelines.ingest.parsing import check_shape, readings, with_values
from gridtide_pipelines.ingest.schedule import start_of
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
)
from gridtide_pipelines.ingest.summing import by_fuel

NAME: Final = "spp"
EAST, WEST = "US-CENT-SWPP", "US-NW-SWPW"
FOLDERS: Final = {EAST: "SPP", WEST: "SWPW"}
SLOT, DAY = timedelta(minutes=5), timedelta(days=1)
YEAR: Final = timedelta(days=360)  # days of the file of the last year that are surely there
PATH: Final = "/file-browser-api/download/generation-mix-historical"
TIME: Final = "GMT MKT Interval"
STAMPS: Final = ("%Y-%m-%dT%H:%M:%SZ", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S")
READ: Final = tuple(
    pl.col(TIME).str.to_datetime(each, time_unit="us", time_zone="UTC", strict=False)
    for each in STAMPS
)
PART_OF: Final = re.compile(r" (market|self)\Z", re.IGNORECASE)
LOADS: Final = ("Load", "Average Actual Load")
AREAS: Final = {"SPP": EAST, "SWPP": EAST, "SWPW": WEST}
PART: Final = 4 * 2**20  # bytes that are parsed at a time
SMALL: Final = 5000  # MW; the western area has less load, the other one always more
FUELS: Final = {
    "coal": "coal",
    "diesel fuel oil": "oil",
    "hydro": "hydro",
    "natural gas": "gas",
    "gas": "gas",
    "nuclear": "nuclear",
    "solar": "solar",
    "waste disposal services": "biomass",
    "wind": "wind",
    "energy storage": "battery_storage",
    "waste heat": "unknown",
    "other": "unknown",
}


def requests(query: Query) -> Sequence[Group]:
    """Build a request of each area for each file that the span touches."""
    today = max(query.start, start_of(query.now.astimezone(UTC).date()))
    last = max(query.start, query.now - YEAR)
    spans: list[tuple[str, Span]] = []
    at = query.start
    while at < min(last, query.end):
        after = min(datetime(at.astimezone(UTC).year + 1, 1, 1, tzinfo=UTC), last, query.end)
        spans.append((f"/GenMix_{at.astimezone(UTC).year}.csv", Span(at, after)))
        at = after
    for name, end in (("GenMix365", min(today, query.end)), ("GenMix2Hour", query.end)):
        if at < end:
            spans.append((f"/{{0}}/{name}_{{0}}.csv", Span(at, end)))
            at = end
    groups = []
    for path, span in spans:
        # The file of a calendar year has both areas.
        for mine in [(zone,) for zone in query.zones] if "{0}" in path else [query.zones]:
            params = (("path", path.format(FOLDERS[mine[0]])),)
            groups.append([Request("GET", PATH, params, query.kind, tuple(mine), span=span)])
    return groups


def parts(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the file in parts of some days, each below its header."""
    header = stream.readline(LONGEST_HEADER)
    lines = stream.readlines(PART)
    yield header + b"".join(lines)
    while lines := stream.readlines(PART):
        yield header + b"".join(lines)


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse generation and load of every slot and area in the files."""
    with check_shape(NAME):
        found = [frame for index, body in enumerate(bodies) for frame in _frames(index, body)]
    return with_values(NAME, found)


def _frames(index: int, body: Body) -> list[pl.DataFrame]:
    table = read_csv(body.content, (TIME,), line_ends=True)
    text = [name for name in table.columns if name in (TIME, "BAA")]
    numbers = [name for name in table.columns if name not in text]
    load = next((name for name in LOADS if name in numbers), None)
    read = [number_of(load)] if load else []
    for stamp in (READ[0], pl.coalesce(READ)):
        plan = table.lazy().with_columns(stamp.alias("start"), *read)
        if not (placed := collected(plan))["start"].null_count():
            break
    table = placed
    if table["start"].null_count():
        raise ValueError(f"a time of another form, as {table[TIME][0]!r}")
    if "BAA" not in text:
        area = WEST if "SWPW" in body.request.address else EAST
        return _of_area(index, area, table, numbers, load)
    table = table.with_columns(_area(load).alias("area"))
    parts = table.partition_by("area", as_dict=True, maintain_order=True)
    return [
        frame
        for (area,), mine in parts.items()
        for frame in _of_area(index, str(area), mine, numbers, load)
    ]


def _area(load: str | None) -> pl.Expr:
    """Return the area of each row."""
    small = pl.col(load) < SMALL if load else pl.lit(value=False)
    by_load = pl.when(small).then(pl.lit(WEST)).otherwise(pl.lit(EAST))
    named = pl.col("BAA").str.strip_chars().str.to_uppercase()
    return pl.coalesce(named.replace_strict(AREAS, default=None), by_load)


def _of_area(
    index: int, zone: str, table: pl.DataFrame, numbers: Sequence[str], load: str | None
) -> list[pl.DataFrame]:
    fuels = [name for name in numbers if not name.lower().endswith("load")]
    codes = {name: PART_OF.sub("", name) for name in fuels}
    long = table.lazy().unpivot(fuels, index="start", variable_name="code")
    if any(name != code for name, code in codes.items()):
        long = long.with_columns(pl.col("code").replace(codes))
    long = long.with_columns(
        number_of("value"), end=pl.col("start") + SLOT, body=pl.lit(index, pl.UInt32)
    )
    if len({*codes.values()}) < len(fuels):  # market and self of one fuel
        whole = pl.col("value").is_not_null().all()
        long = long.group_by("start", "end", "code", "body", maintain_order=True).agg(
            pl.when(whole).then(pl.col("value").sum())
        )
    frames = [by_fuel(collected(long), FUELS, zone=zone)]
    if load is not None:
        rows = pl.DataFrame([table["start"], table[load].alias("value")]).drop_nulls()
        frames.append(
            readings(
                zone=zone,
                signal="load",
                start=rows["start"],
                end=SLOT,
                value=rows["value"],
                body=index,
            )
        )
    return frames


SOURCE = Source(
    name=NAME,
    title="SPP generation mix",
    base_url="https://portal.spp.org",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset(FOLDERS),
    requests=requests,
    parse=parse,
    parts=parts,
    step=SLOT,
    max_span=timedelta(days=366),
    refetch=(),
    lag=timedelta(minutes=15),
    licence="SPP terms of use",
    licence_url="https://www.spp.org/terms-of-use/",
    attribution="Southwest Power Pool",
    whole_files=True,
    not_published=frozenset({404}),
    min_interval=timedelta(seconds=1),
    largest_body=64 * 2**20,
)
