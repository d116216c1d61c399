"""Years of EIA's hourly data in files of six months, which need no key.

Docs:       https://www.eia.gov/electricity/gridmonitor/about (six-month files of Form EIA-930)
Licence:    public domain (https://www.eia.gov/about/copyrights_reuse.php); to be named.
Unit:       MWh in the hour, which is the mean MW; with commas between thousands, in quotes.
Slots:      1 h, labelled by UTC END; the column of local time is not read, as some authorities
            have another one there. A file has the days of its half year in local time: of UTC
            days at the border each of two files has a part. Hours that stand in both are read
            from both, and the newer file, which comes later, stands.
Files:      BALANCE: demand, its forecast and generation by fuel; a request for generation
            brings the load with it. INTERCHANGE: positive is from the balancing authority.
Columns:    By name, in any order. A quantity has up to three: as reported, (Imputed) where
            EIA replaced a value, and (Adjusted), which is both together and is read; as
            reported where the file has no such twin. Until June 2024 hydro and pumped storage
            are one column, and so are solar and wind with and without batteries.
Blanks:     Every authority has every column. A column is one of its fuels from its first
            value in the file on; a blank after it is not known, days of them as well.
Codes:      As for `eia` (summed by the rule of `summing.total`); another fuel is summed into
            unknown and flagged.
Size:       About 60 to 200 MB for a file. `parts` takes it apart by days; each is parsed and
            stored before the next. It begins with a line for each authority that lists the
            columns it has had a value in by then.
Revisions:  The newest files are written anew every day, older ones at times. An ordinary
            refresh would bring months again and again, so only a backfill requests them: for
            history, and every day where `eia` has no key.
Last seen:  2024-12 (written from headers of 2020 and 2024).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.checks import check_readings
from gridtide_pipelines.ingest.delimited import number_of, read_csv
from gridtide_pipelines.ingest.parsing import check_shape
from gridtide_pipelines.ingest.source import (
    READING,
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
)
from gridtide_pipelines.ingest.sources import eia
from gridtide_pipelines.ingest.sources.eia import CODES, HOUR, ZONES
from gridtide_pipelines.ingest.sources.eia_bulk_parts import (
    AHEAD,
    AUTHORITY,
    DEMAND,
    END,
    FUEL,
    LISTED,
    NAME,
    NEIGHBOUR,
    parts,
)
from gridtide_store.vocabulary import INSTANT, generation

STAMP: Final = "%m/%d/%Y %I:%M:%S %p"
FLOW: Final = "Interchange (MW)"
ADJUSTED, IMPUTED = " (Adjusted)", " (Imputed)"

# The names that fuels have had, and the one of `eia` that each is. The last of a list is the
# joint one of earlier years, read where the others are not there.
FUELS: Final[Mapping[str, str]] = {
    "Coal": "coal",
    "Natural Gas": "gas",
    "Nuclear": "nuclear",
    "All Petroleum Products": "oil",
    "Hydropower Excluding Pumped Storage": "hydro",
    "Hydropower and Pumped Storage": "hydro",
    "Pumped Storage": "hydro_storage",
    "Solar": "solar",
    "Solar without Integrated Battery Storage": "solar",
    "Solar with Integrated Battery Storage": "solar",
    "Wind": "wind",
    "Wind without Integrated Battery Storage": "wind",
    "Wind with Integrated Battery Storage": "wind",
    "Geothermal": "geothermal",
    "Battery Storage": "battery_storage",
    "Other Energy Storage": "battery_storage",
    "Unknown Energy Storage": "unknown",
    "Other Fuel Sources": "unknown",
    "Unknown Fuel Sources": "unknown",
}
MISSPELT: Final = {
    "Solar witho Integrated Battery Storage": "Solar with Integrated Battery Storage"
}
# Joint columns of earlier years, and what they were split into.
JOINT: Final = {
    "Hydropower and Pumped Storage": "Hydropower Excluding Pumped Storage",
    "Solar": "Solar without Integrated Battery Storage",
    "Wind": "Wind without Integrated Battery Storage",
}

IS_HOUR: Final = pl.col(END).ne_missing(LISTED)

HALVES: Final = ("Jan_Jun", "Jul_Dec")
FIRST: Final = datetime(2015, 7, 1, tzinfo=UTC)
PATH: Final = "/electricity/gridmonitor/sixMonthFiles/EIA930_{table}_{year}_{half}.csv"
TABLES: Final = {Kind.GENERATION: "BALANCE", Kind.FLOW: "INTERCHANGE"}


def requests(query: Query) -> Sequence[Group]:
    """Return a group for the file of each half year that the query touches."""
    groups: list[Group] = []
    year, half = divmod(
        max(query.start, FIRST).year * 2 + (max(query.start, FIRST).month > 6), 2
    )
    while (since := datetime(year, 1 + 6 * half, 1, tzinfo=UTC)) < query.end:
        path = PATH.format(table=TABLES[query.kind], year=year, half=HALVES[half])
        year, half = year + half, 1 - half
        until = datetime(year, 1 + 6 * half, 1, tzinfo=UTC)
        span = Span(max(since, query.start), min(until, query.end))
        request = Request("GET", path, kind=query.kind, zones=query.zones, span=span)
        groups.append([request])
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse load, its forecast, generation or interchange of every authority and hour."""
    frames = [READING.to_frame()]
    with check_shape(NAME):
        for index, body in enumerate(bodies):
            table = read_csv(body.content, (AUTHORITY, END))
            hour = pl.when(pl.col(END) != LISTED).then(END)
            end = hour.str.to_datetime(STAMP, time_unit="us", time_zone="UTC")
            table = table.with_columns(end=end, zone=pl.col(AUTHORITY).replace(ZONES))
            of = _flows if NEIGHBOUR in table.columns else _balances
            frames += [
                each.with_columns(
                    start=pl.col("end") - HOUR, body=pl.lit(index, READING["body"])
                ).select(READING.names())
                for each in of(table, body.known_at)
            ]
        frame = check_readings(pl.concat(frames))
    if frame["value"].null_count() == frame.height:
        raise NothingYet(NAME, "the file holds no value yet")
    return frame


def _flows(table: pl.DataFrame, known_at: datetime) -> Iterator[pl.DataFrame]:
    pair = pl.col("zone") + "->" + pl.col(NEIGHBOUR).replace(ZONES)
    rows = table.with_columns(pair.alias("zone"), number_of(FLOW).alias("value"))
    yield _observed(rows.drop_nulls("value"), "flow")


def _balances(table: pl.DataFrame, known_at: datetime) -> Iterator[pl.DataFrame]:
    names = read_columns(table.columns)
    if DEMAND not in names and not any(name.startswith(FUEL) for name in names):
        raise ValueError("neither demand nor generation")
    table = table.with_columns(number_of(column).alias(name) for name, column in names.items())
    hours = table.filter(IS_HOUR)
    if DEMAND in names:
        load = hours.drop_nulls(DEMAND).with_columns(pl.col(DEMAND).alias("value"))
        yield _observed(load, "load")
    if AHEAD in names:
        ahead = hours.drop_nulls(AHEAD).with_columns(pl.col(AHEAD).alias("value"))
        yield _observed(ahead, "load").with_columns(
            quality=pl.lit(str(Quality.FORECAST)),
            issued_at=pl.lit(known_at, INSTANT),
        )
    fuels: dict[str, list[str]] = defaultdict(list)
    flags: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if name.startswith(FUEL):
            label = name.removeprefix(FUEL)
            fuel = FUELS.get(label, "unknown")
            fuels[fuel].append(name)
            if label not in FUELS:
                flags[fuel].append(name)
    for fuel, columns in fuels.items():
        yield _fuel(table, fuel, columns, flags[fuel])


def read_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return the column that is read for each quantity, by its name in the newest files."""
    found: dict[str, str] = {}
    for column in columns:
        name = column.removesuffix(ADJUSTED)
        if not column.startswith((FUEL, DEMAND, AHEAD)) or column.endswith(IMPUTED):
            continue
        label = name.removeprefix(FUEL)
        name = FUEL + MISSPELT[label] if label in MISSPELT else name
        if name not in found or column.endswith(ADJUSTED):
            found[name] = column
    for joint, split in JOINT.items():
        if FUEL + split in found:
            found.pop(FUEL + joint, None)
    return found


def _fuel(
    table: pl.DataFrame, fuel: str, columns: Sequence[str], new: Sequence[str]
) -> pl.DataFrame:
    """Return the sum of the columns of one fuel, by the rule of `summing.total`.

    It is null where a column is blank that is not blank in all rows of the authority, the one
    that lists its columns among them.
    """
    listed = {name: pl.col(name).is_not_null().any().over("zone") for name in columns}
    known = pl.all_horizontal(~own | pl.col(name).is_not_null() for name, own in listed.items())
    values = [pl.col(name).fill_null(0.0) for name in columns]
    positive = [value.clip(lower_bound=0) for value in values]
    total = (
        pl.when(pl.any_horizontal(value > 0 for value in values))
        .then(pl.sum_horizontal(positive))
        .otherwise(pl.sum_horizontal(values))
    )
    flag = pl.concat_str(
        [
            pl.when(listed[name]).then(pl.lit(f"unmapped_code:{name.removeprefix(FUEL)}"))
            for name in new
        ]
        or [pl.lit(None, pl.String)],
        separator=";",
        ignore_nulls=True,
    )
    rows = table.with_columns(value=pl.when(known).then(total), flag=flag.replace("", None))
    rows = rows.filter(IS_HOUR, pl.any_horizontal(listed.values()))
    return _observed(rows, generation(fuel))


def _observed(rows: pl.DataFrame, signal: str) -> pl.DataFrame:
    defaults = {
        "signal": pl.lit(signal),
        "quality": pl.lit(str(Quality.MEASURED)),
        "issued_at": pl.lit(None, INSTANT),
    }
    if "flag" not in rows.columns:
        defaults["flag"] = pl.lit(None, pl.String)
    return rows.with_columns(**defaults)


SOURCE = Source(
    name=NAME,
    title="EIA hourly electric grid monitor, six-month files",
    base_url="https://www.eia.gov",
    kinds=frozenset(TABLES),
    zones=eia.SOURCE.zones,
    requests=requests,
    parse=parse,
    parts=parts,
    bulk=True,
    codes=CODES,
    step=timedelta(days=1),
    max_span=timedelta(days=3660),
    refetch=(),
    lag=timedelta(days=2),
    licence=eia.SOURCE.licence,
    licence_url=eia.SOURCE.licence_url,
    attribution=eia.SOURCE.attribution,
    min_interval=timedelta(seconds=5),
    largest_body=256 * 2**20,
)
