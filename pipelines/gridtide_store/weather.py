"""Weather forecasts as issued: added a run at a time, read for the forecaster, and thinned.

Names and units are those of the CarbonCast weather files, with wind at 100 m and cloud besides:
means and sums are over the three hours that end at the lead time, the others hold at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from gridtide.errors import BadInput
from gridtide.model import utc
from gridtide_store.appending import insert
from gridtide_store.database import columns, frame, transaction
from gridtide_store.run_headers import with_numbers, without_stored
from gridtide_store.store import Store
from gridtide_store.vocabulary import INSTANT

# What a stored number is divided by, in the order of the store's enum: a new one comes last.
# The steps lie well below what a weather model is good for.
SCALES: Final[Mapping[str, int]] = {
    "wind_speed_m_s": 100,
    "wind_speed_100m_m_s": 100,
    "temp_k": 100,
    "dewpoint_k": 100,
    "dswrf_w_m2": 10,
    "precip_mm": 1000,
    "cloud_pct": 10,
}
MOST_LEAD_H: Final = 255

# One row is one value of one run; zone, model and issued_at name the run. A null value is one
# that the publisher lacks.
WEATHER_RUN: Final = pl.Schema(
    {
        "zone": pl.String(),
        "model": pl.String(),
        "issued_at": INSTANT,
        "known_at": INSTANT,
        "received_at": INSTANT,
        "source": pl.String(),
        "simulated": pl.Boolean(),
        "quantity": pl.String(),
        "lead_h": pl.Int16(),
        "value": pl.Float64(),
    }
)
RUN: Final = ("zone", "model", "issued_at")
HEADER: Final = (*RUN, "known_at", "received_at", "source", "simulated")
VALUE: Final = (*RUN, "quantity", "lead_h")


def append_weather(store: Store, incoming: pl.DataFrame) -> int:
    """Add the runs of `incoming` that are not stored yet.

    Args:
        store: open for writing.
        incoming: columns `WEATHER_RUN`; each run whole.

    Returns:
        Values added.

    Raises:
        BadInput: an unknown quantity, two values for one lead time, a lead time beyond
            MOST_LEAD_H, or a run with two headers; nothing is stored then.
    """
    return store.add(_append, incoming)


def _append(
    connection: duckdb.DuckDBPyConnection, incoming: pl.DataFrame, *, batch: int, scratch: Path
) -> int:
    """Add runs; an `Adder`."""
    incoming = check_weather(incoming)
    headers = incoming.select(HEADER).unique().sort(RUN)
    if headers.is_empty():
        return 0
    headers = without_stored(connection, headers, "weather_run", RUN)
    headers = with_numbers(connection, headers, "weather_run")
    scale = pl.col("quantity").replace_strict(dict(SCALES), return_dtype=pl.Int64)
    values = (
        incoming.join(headers.select("id", *RUN), on=RUN, how="inner")
        # By quantity first: neighbours are alike then, and the file is smaller.
        .sort(pl.col("quantity").cast(pl.Enum(list(SCALES))), "id", "lead_h")
        .select("id", "quantity", "lead_h", (pl.col("value") * scale).round().cast(pl.Int32))
    )
    insert(
        connection,
        headers.with_columns(batch=pl.lit(batch, pl.Int64)),
        "weather_run",
        scratch=scratch,
    )
    insert(connection, values, "weather", scratch=scratch)
    return len(values)


def check_weather(incoming: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of WEATHER_RUN, or raise BadInput for what cannot be stored."""
    incoming = incoming.select(WEATHER_RUN.names()).cast(WEATHER_RUN)
    unknown = set(incoming["quantity"]) - set(SCALES)
    if unknown:
        raise BadInput(
            f"unknown weather quantity {min(unknown)!r}; must be one of {', '.join(SCALES)}"
        )
    outside = incoming.filter(~pl.col("lead_h").is_between(0, MOST_LEAD_H))
    if outside.height:
        raise BadInput(f"weather with lead times outside 0..{MOST_LEAD_H} h; leave them out")
    if incoming.select(HEADER).unique().select(RUN).is_duplicated().any():
        raise BadInput("weather of one run with two times or sources; give each run once")
    if incoming.select(VALUE).is_duplicated().any():
        raise BadInput("weather with two values for one lead time; keep one")
    return incoming


def newest_weather(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], datetime]:
    """Return when the newest run of each source and zone was issued."""
    found = frame(
        columns(
            connection,
            "SELECT source, zone, max(issued_at) AS newest FROM weather_run GROUP BY ALL",
        )
    )
    return {(source, zone): newest for source, zone, newest in found.iter_rows()}


def weather_models(
    connection: duckdb.DuckDBPyConnection, zone: str, *, as_of: datetime
) -> list[str]:
    """Return the models whose runs of a zone were known, the one with most of them first."""
    found = connection.execute(
        "SELECT model FROM weather_run WHERE zone = ? AND known_at <= ? GROUP BY model "
        "ORDER BY count(*) DESC, 1",
        [zone, utc(as_of)],
    ).fetchall()
    return [model for (model,) in found]


def read_weather(
    connection: duckdb.DuckDBPyConnection,
    zone: str,
    model: str,
    start: datetime,
    end: datetime,
    *,
    as_of: datetime,
) -> pl.DataFrame:
    """Read the runs issued in ``[start, end)`` and known at `as_of`, a row for each lead time.

    One model alone: those of different sources, resolutions or points differ in level, and
    must not meet in one fit.

    Returns:
        Columns as of the CarbonCast weather files: issued_at, lead_h (Int16) and one Float32
        column a quantity, null where there is no value; sorted.
    """
    values = ", ".join(
        f"max(value) FILTER (quantity = '{name}')::DOUBLE / {scale} AS {name}"
        for name, scale in SCALES.items()
    )
    found = frame(
        columns(
            connection,
            f"SELECT issued_at, lead_h::DOUBLE AS lead_h, {values} FROM weather "  # noqa: S608  # our own words
            "JOIN weather_run ON weather_run.id = weather.run "
            "WHERE zone = ? AND model = ? AND issued_at >= ? AND issued_at < ? "
            "AND known_at <= ? GROUP BY issued_at, lead_h ORDER BY issued_at, lead_h",
            [zone, model, utc(start), utc(end), utc(as_of)],
        )
    )
    return found.select(
        pl.col("issued_at").cast(INSTANT),
        pl.col("lead_h").cast(pl.Int16),
        *(pl.col(name).cast(pl.Float32) for name in SCALES),
    )


def issue_times(
    connection: duckdb.DuckDBPyConnection, source: str, start: datetime | None, end: datetime
) -> list[datetime]:
    """Return when the runs of a source in ``[start, end)`` were issued, in order; None: all."""
    found = frame(
        columns(
            connection,
            "SELECT DISTINCT issued_at FROM weather_run WHERE source = $1 AND issued_at < $2 "
            "AND ($3 IS NULL OR issued_at >= $3) ORDER BY 1",
            [source, utc(end), utc(start) if start else None],
        )
    )
    return [utc(at) for at in found["issued_at"]]


def read_source_weather(
    connection: duckdb.DuckDBPyConnection, source: str, start: datetime, end: datetime
) -> pl.DataFrame:
    """Read every value of the runs of `source` issued in ``[start, end)``.

    Columns `WEATHER_RUN`, sorted by the columns that name a value.
    """
    scale = " ".join(f"WHEN '{name}' THEN {scale}" for name, scale in SCALES.items())
    found = frame(
        columns(
            connection,
            "SELECT zone, model, issued_at, known_at, received_at, source, simulated, "  # noqa: S608  # our own words
            f"quantity::TEXT AS quantity, lead_h, value::DOUBLE / CASE quantity {scale} END "
            "AS value FROM weather JOIN weather_run ON weather_run.id = weather.run "
            "WHERE source = ? AND issued_at >= ? AND issued_at < ?",
            [source, utc(start), utc(end)],
        )
    )
    return found.select(WEATHER_RUN.names()).cast(WEATHER_RUN).sort(VALUE)


@dataclass(frozen=True, slots=True)
class ThinnedWeather:
    """Weather runs and values deleted."""

    runs: int
    values: int


def thin_weather(connection: duckdb.DuckDBPyConnection, before: datetime) -> ThinnedWeather:
    """Delete the runs issued before `before` but the first of each UTC day.

    Models are fitted on one run a day. The newest run of each zone and model stays in any case.
    """
    with transaction(connection):
        connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE thinned AS
            SELECT id FROM weather_run WHERE issued_at < ? QUALIFY row_number() OVER (
                PARTITION BY zone, model, time_bucket(INTERVAL '24 hours', issued_at)
                ORDER BY issued_at) > 1
            EXCEPT SELECT id FROM weather_run QUALIFY row_number() OVER (
                PARTITION BY zone, model ORDER BY issued_at DESC) = 1
            """,
            [utc(before)],
        )
        values = connection.execute(
            "DELETE FROM weather WHERE run IN (SELECT id FROM thinned)"
        ).fetchone()
        runs = connection.execute(
            "DELETE FROM weather_run WHERE id IN (SELECT id FROM thinned)"
        ).fetchone()
    return ThinnedWeather(
        runs=int(runs[0]) if runs else 0, values=int(values[0]) if values else 0
    )
