"""Generation, load, its forecast, flows and day-ahead prices of the New York ISO.

Docs:       https://www.nyiso.com/energy-market-operational-data
Licence:    terms of use, https://www.nyiso.com/legal-notice; to be named.
Unit:       MW (flows are headed MWH, and are MW); prices in USD/MWh.
Slots:      5 min and more often when the dispatch is corrected, Eastern time. Generation is
            labelled by the END, with EST or EDT: a slot begins where the one before ended, at
            most 5 min earlier. Load (EST or EDT) and flows are labelled by the start, the
            forecast (1 h) too; in the fold the second of two equal labels is the later.
Files:      One a local day for about 9 days, then a ZIP a month with one in each.
Fuels:      ``Dual Fuel`` and ``Natural Gas`` are gas. ``Other Fossil Fuels`` are oil since the
            last coal plant closed on 2020-03-31, and unknown before. ``Other Renewables`` are
            solar, waste and biomass together: unknown. Hydro has pumped storage in it.
Load:       The sum of the eleven load zones; unknown where one is absent.
Flows:      Of the external interfaces (``SCH - ...``), positive into New York, added up by
            neighbour; unknown where one of the interfaces that the day has is absent.
            HQ_IMPORT_EXPORT is a part of HQ - NY and left out. A new interface keeps its own
            name and is flagged.
Forecasts:  The day's file; it does not say when it was made: when we received it stands in.
Price:      Day ahead, of one load zone for the zone: New York City, N.Y.C.
Revisions:  none known.
Last seen:  2025-02 (recorded bodies of all four; that of prices is written).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.delimited import number_of, read_csv
from gridtide_pipelines.ingest.local_time import local_days, placed
from gridtide_pipelines.ingest.packed import ZIP, read_zip
from gridtide_pipelines.ingest.parsing import check_shape, readings, with_values
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
from gridtide_pipelines.ingest.summing import by_fuel, number_runs

NAME: Final = "nyiso"
ZONE: Final = "US-NY-NYIS"
TIMEZONE: Final = "America/New_York"
SLOT, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
FILES: Final = {
    Kind.GENERATION: "rtfuelmix",
    Kind.LOAD: "pal",
    Kind.FLOW: "ExternalLimitsFlows",
    Kind.FORECAST: "isolf",
    Kind.PRICE: "damlbmp",
}
PRICED, PRICE = "N.Y.C.", "LBMP ($/MWHr)"
KEPT: Final = 7 * DAY  # a day has a file of its own for a few days longer
OFFSETS: Final = {"EST": 5, "EDT": 4}
STAMP: Final = "%m/%d/%Y %H:%M"
UNCUT: Final = re.compile(rb"\.\d")  # values have one decimal; the last line end may lack
LAST_COAL: Final = datetime(2020, 4, 1, 4, tzinfo=UTC)
FOSSIL: Final = "other fossil fuels"
WITH_COAL: Final = f"{FOSSIL}, coal"
FUELS: Final = {
    "dual fuel": "gas",
    "natural gas": "gas",
    "nuclear": "nuclear",
    FOSSIL: "oil",
    WITH_COAL: "unknown",
    "other renewables": "unknown",
    "wind": "wind",
    "hydro": "hydro",
}
GAS: Final = ("dual fuel", "natural gas")
MOST_BYTES: Final = 24 * 2**20  # of a month, unpacked
AREAS: Final = 11  # load zones
NEIGHBOURS: Final = {
    "SCH - HQ - NY": "CA-QC",
    "SCH - HQ_CEDARS": "CA-QC",
    "SCH - HQ_CHPE": "CA-QC",
    "SCH - NE - NY": "US-NE-ISNE",
    "SCH - NPX_1385": "US-NE-ISNE",
    "SCH - NPX_CSC": "US-NE-ISNE",
    "SCH - OH - NY": "CA-ON",
    "SCH - PJ - NY": "US-MIDA-PJM",
    "SCH - PJM_HTP": "US-MIDA-PJM",
    "SCH - PJM_NEPTUNE": "US-MIDA-PJM",
    "SCH - PJM_VFT": "US-MIDA-PJM",
}
TIES: Final = {"CA-QC": 2, "US-NE-ISNE": 3, "US-MIDA-PJM": 4}  # at least so many
PART_OF_ANOTHER: Final = "SCH - HQ_IMPORT_EXPORT"


def requests(query: Query) -> Sequence[Group]:
    """Build a request for each local day, or for each month where its days are gone."""
    name, now = FILES[query.kind], query.now
    name += "_zone" if query.kind is Kind.PRICE else ""
    days = local_days(Span(query.start, query.end), TIMEZONE)
    if query.kind is Kind.FORECAST:
        days = [(days[0][0], Span(query.start, query.end))]
    groups: list[Group] = []

    def add(file: str, span: Span) -> None:
        path = f"/public/csv/{FILES[query.kind]}/{file}"
        groups.append([Request("GET", path, (), query.kind, query.zones, span=span)])

    old = [(day, part) for day, part in days if part.end < now - KEPT]
    for month, parts in groupby(old, lambda each: f"{each[0]:%Y%m}01"):
        spans = [part for _, part in parts]
        add(f"{month}{name}_csv.zip", Span(spans[0].start, spans[-1].end))
    for day, part in days[len(old) :]:
        add(f"{day:%Y%m%d}{name}.csv", part)
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the values of every slot in the files."""
    with check_shape(NAME):
        tables: dict[str, list[pl.DataFrame]] = {}
        for index, body in enumerate(bodies):
            for content in _files(body.content):
                table = read_csv(content, ()).with_columns(body=pl.lit(index, pl.UInt32))
                mark = next((name for name in READERS if name in table.columns), "")
                if not mark:
                    raise ValueError(f"columns of no known file: {', '.join(table.columns)}")
                tables.setdefault(mark, []).append(table)
        found = [
            READERS[mark](pl.concat(mine, how="diagonal"), bodies)
            for mark, mine in tables.items()
        ]
    return with_values(NAME, found)


def _files(content: bytes) -> Iterator[bytes]:
    """Yield the table of a file; those of a ZIP that have the same header as one."""
    packed = content.startswith(ZIP)
    files = (
        [each for _, each in read_zip(content, most_bytes=MOST_BYTES)] if packed else [content]
    )
    tables: dict[bytes, list[bytes | memoryview]] = {}
    for each in files:
        header = each[: each.find(b"\n") + 1] or each
        parts = tables.setdefault(header.rstrip(b"\n"), [])
        cut = len(header) < len(each) and not each.endswith(b"\n")
        # A last row that is cut within its number is none.
        end = len(each) if not cut or UNCUT.fullmatch(each[-2:]) else each.rfind(b"\n")
        parts += [memoryview(each)[len(header) : end], b"\n" if cut else b""]
    for header, parts in tables.items():
        yield b"".join([header, b"\n", *parts])


def _mix(table: pl.DataFrame, _: Sequence[Body]) -> pl.DataFrame:
    values = [name for name in ("Gen MW", "Gen MWh") if name in table.columns]
    # Rows of one stamp follow one another: a stamp is read once for each run of them.
    run = table.select(number_runs("Time Stamp", "Time Zone")).to_series()
    runs = table.filter(run.is_first_distinct()).select(_marked().alias("end"))
    ends = runs.select(pl.col("end").unique().sort())
    slots = ends.with_columns(
        start=pl.max_horizontal(pl.col("end").shift(), pl.col("end") - SLOT)
    )
    runs = runs.join(slots, on="end", maintain_order="left")
    rows = table.select(
        runs["start"].gather(run - 1),
        runs["end"].gather(run - 1),
        pl.col("Fuel Category").alias("code"),
        pl.coalesce(values).cast(pl.Float64).alias("value"),
        "body",
    )
    if ends.height and ends["end"][0] <= LAST_COAL:
        coal = (pl.col("end") <= LAST_COAL) & (pl.col("code").str.to_lowercase() == FOSSIL)
        rows = rows.with_columns(code=pl.when(coal).then(pl.lit(WITH_COAL)).otherwise("code"))
    return by_fuel(rows, FUELS, zone=ZONE, parts={"gas": GAS})


def _load(table: pl.DataFrame, _: Sequence[Body]) -> pl.DataFrame:
    rows = table.select(_marked().alias("start"), "Name", number_of("Load"), "body")
    areas = rows.unique(["start", "Name"], keep="last", maintain_order=True)
    whole = (pl.len() == AREAS) & pl.col("Load").is_not_null().all()
    sums = areas.group_by("start").agg(
        pl.when(whole).then(pl.col("Load").sum()).alias("value"), pl.col("body").max()
    )
    return _from_start(sums.sort("start"), ZONE, "load")


def _flow(table: pl.DataFrame, _: Sequence[Body]) -> pl.DataFrame:
    outside = pl.col("Interface Name").str.starts_with("SCH - ")
    rows = table.filter(outside, pl.col("Interface Name") != PART_OF_ANOTHER).select(
        pl.col("Timestamp").alias("label"),
        pl.col("Interface Name").alias("name"),
        number_of("Flow (MWH)").alias("value"),
        "body",
    )
    day = pl.col("label").str.slice(0, 10)
    rows = placed(rows.with_columns(day.alias("day")), TIMEZONE, STAMP, series="name")
    rows = rows.filter(pl.col("body") == pl.col("body").max().over("start", "name"))
    other = pl.col("name").replace(NEIGHBOURS).alias("other")
    ties = rows.group_by("start", "name", "day").agg(
        pl.col("value").mean(), pl.col("body").max(), pl.col("flag").last()
    )
    # A tie that is new counts from the day on that has it.
    ties = ties.with_columns(other, pl.col("name").n_unique().over(other, "day").alias("ties"))
    needed = pl.max_horizontal(pl.col("ties"), other.replace_strict(TIES, default=1)).max()
    whole = (pl.len() == needed) & pl.col("value").is_not_null().all()
    sums = ties.group_by("start", "other").agg(
        pl.when(whole).then(pl.col("value").sum()), pl.col("body").max(), pl.col("flag").max()
    )
    return pl.concat(
        _from_start(mine.sort("start"), f"{neighbour}->{ZONE}", "flow")
        for (neighbour,), mine in sorted(sums.partition_by("other", as_dict=True).items())
    )


def _from_start(rows: pl.DataFrame, zone: str, signal: str) -> pl.DataFrame:
    """Return readings of slots that last until the next start, at most 5 min."""
    end = pl.min_horizontal(pl.col("start").shift(-1), pl.col("start") + SLOT)
    new = zone.startswith("SCH - ")
    flag = pl.lit(f"unmapped_code:{zone.partition('->')[0]}" if new else None, pl.String)
    if "flag" in rows.columns:
        flag = pl.concat_str("flag", flag, separator=";", ignore_nulls=True).replace("", None)
    return readings(
        zone=zone,
        signal=signal,
        start=rows["start"],
        end=rows.select(end).to_series(),
        value=rows["value"],
        flag=rows.with_columns(flag=flag)["flag"],
        body=rows["body"],
    )


def _ahead(table: pl.DataFrame, bodies: Sequence[Body]) -> pl.DataFrame:
    """Read a forecast of load, or prices."""
    priced = PRICE in table.columns
    if priced:
        table = table.filter(pl.col("Name") == PRICED)
    value = number_of(PRICE if priced else "NYISO").alias("value")
    rows = table.select(pl.col("Time Stamp").alias("label"), value, "body").drop_nulls("value")
    rows = placed(rows, TIMEZONE, STAMP)
    issued = [bodies[index].known_at for index in rows["body"]]
    return readings(
        zone=ZONE,
        signal="price_usd" if priced else "load",
        start=rows["start"],
        end=HOUR,
        value=rows["value"],
        quality=Quality.MEASURED if priced else Quality.FORECAST,
        issued_at=None if priced else issued,
        flag=rows["flag"],
        body=rows["body"],
    )


def _marked() -> pl.Expr:
    """Return the UTC instants of stamps that are marked EST or EDT."""
    local = pl.col("Time Stamp").str.to_datetime(f"{STAMP}:%S", time_unit="us", time_zone="UTC")
    return local + pl.duration(hours=pl.col("Time Zone").replace_strict(OFFSETS))


READERS: Final = {
    "Fuel Category": _mix,
    "Load": _load,
    "NYISO": _ahead,
    PRICE: _ahead,
    "Interface Name": _flow,
}

SOURCE = Source(
    name=NAME,
    title="New York ISO market data",
    base_url="https://mis.nyiso.com",
    kinds=frozenset(FILES),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=SLOT,
    max_span=timedelta(days=366),
    refetch=(Tier(DAY),),
    lag=timedelta(minutes=15),
    licence="NYISO terms of use",
    licence_url="https://www.nyiso.com/legal-notice",
    attribution="New York ISO",
    day_ahead=True,
    whole_files=True,
    not_published=frozenset({404}),
    min_interval=timedelta(milliseconds=500),
    largest_body=8 * 2**20,
    largest_unpacked=MOST_BYTES,
)
