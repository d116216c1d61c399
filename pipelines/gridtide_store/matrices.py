"""The newest run of each zone as matrices, ready for a server's memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide.model import utc
from gridtide_store.database import EPOCH, columns, frame
from gridtide_store.manifest import MatrixPlan, Newest

# Which of several runs is the newest: by the forecaster's clock, but one issued by a clock that
# was ahead only where there is no other; of those issued at the same moment the model that is
# preferred, then the one known last. Two `?`: `clock_of` the publication, and models by
# preference.
NEWEST_FIRST = (
    "issued_at > ?, issued_at DESC, coalesce(list_position(?, model), 1000000), "
    "known_at DESC, model"
)

END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

Matrix = NDArray[np.float64]


def clock_of(published_at: datetime, *, replay: bool) -> datetime:
    """After when a run's clock was ahead; a replay's own clock says nothing of that."""
    return END_OF_TIME if replay else published_at


def newest_runs(
    connection: duckdb.DuckDBPyConnection,
    *,
    signals: Sequence[str],
    served: Sequence[str],
    clock: datetime,
) -> pl.DataFrame:
    """Header of the newest run for each zone and signal; `clock` is `clock_of` now."""
    return frame(
        columns(
            connection,
            "SELECT id, zone, signal, model, issued_at, known_at, source, simulated "  # noqa: S608  # our own order
            "FROM run WHERE signal IN (SELECT unnest(?)) QUALIFY row_number() OVER "
            f"(PARTITION BY zone, signal ORDER BY {NEWEST_FIRST}) = 1 ORDER BY signal, zone",
            [list(signals), clock, list(served)],
        )
    )


def matrices(
    connection: duckdb.DuckDBPyConnection, headers: pl.DataFrame
) -> Iterator[tuple[MatrixPlan, Matrix]]:
    """The runs of `headers` as one matrix for each signal and step length.

    A run whose steps are not all of one length is in none; it is read from the tables. Which
    matrices there are and in which order does not matter to a reader.
    """
    steps = frame(
        columns(
            connection,
            "SELECT run AS id, epoch_us(slot_start) AS start, epoch_us(slot_end) AS finish, "
            "p10, p50, p90 FROM step WHERE run IN (SELECT unnest(?::BIGINT[]))",
            [headers["id"].to_list()],
        )
    ).with_columns(
        first=pl.col("start").min().over("id"),
        length=(pl.col("finish") - pl.col("start")).min().over("id"),
    )
    even = (pl.col("finish") - pl.col("start") == pl.col("length")) & (
        (pl.col("start") - pl.col("first")) % pl.col("length") == 0
    )
    steps = steps.filter(even.all().over("id")).with_columns(
        step=(pl.col("start") - pl.col("first")) // pl.col("length")
    )
    for part in steps.join(headers, on="id").partition_by("signal", "length"):
        yield _matrix(part.sort("zone", "step"))


def _matrix(rows: pl.DataFrame) -> tuple[MatrixPlan, Matrix]:
    """One matrix from the steps of one signal and step length, one run a zone."""
    runs = rows.unique("zone", keep="first", maintain_order=True)
    seconds = rows["length"][0] // 1_000_000
    signal = rows["signal"][0]
    values = np.full((len(runs), 3, int(rows["step"].max()) + 1), np.nan)  # type: ignore[arg-type]  # a number, as there are rows
    row = rows["zone"].rle_id().to_numpy()
    for place, name in enumerate(("p10", "p50", "p90")):
        values[row, place, rows["step"].to_numpy()] = rows[name].to_numpy()
    newest = tuple(
        Newest(
            run=run["id"],
            zone=run["zone"],
            model=run["model"],
            issued_at=utc(run["issued_at"]),
            known_at=utc(run["known_at"]),
            source=run["source"],
            simulated=run["simulated"],
            start=EPOCH + timedelta(microseconds=run["first"]),
        )
        for run in runs.iter_rows(named=True)
    )
    return MatrixPlan(f"{signal}_{seconds}s.npy", signal, seconds, newest), values
