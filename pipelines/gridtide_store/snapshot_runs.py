"""The newest forecast runs of a snapshot: as matrices for a server's memory, and read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide.model import utc
from gridtide_store.database import EPOCH, columns, frame, instant, microseconds
from gridtide_store.errors import Damaged
from gridtide_store.manifest import REPUBLISH, Manifest, MatrixPlan, Newest

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

Int = NDArray[np.int64]
Float = NDArray[np.float64]


def clock_of(published_at: datetime, *, replay: bool) -> datetime:
    """Return the time after which a run's issue time counts as ahead.

    A replay has no such time.
    """
    return END_OF_TIME if replay else published_at


def newest_runs(
    connection: duckdb.DuckDBPyConnection,
    *,
    signals: Sequence[str],
    served: Sequence[str],
    clock: datetime,
) -> pl.DataFrame:
    """Read the header of the newest run of each zone and signal; `clock` is `clock_of` now."""
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
    """Yield the runs of `headers` as one matrix for each signal and resolution.

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
        yield _build_matrix(part.sort("zone", "step"))


def _build_matrix(rows: pl.DataFrame) -> tuple[MatrixPlan, Matrix]:
    """Build one matrix from the slots of one signal and resolution, one run a zone."""
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


@dataclass(frozen=True, slots=True)
class Run:
    """One forecast run; the arrays are parallel, times in microseconds since 1970.

    `p10` and `p90` are NaN where the model gave none.
    """

    zone: str
    signal: str
    model: str
    issued_at: datetime
    known_at: datetime
    source: str
    simulated: bool
    start_us: Int
    end_us: Int
    p10: Float
    p50: Float
    p90: Float


class Runs:
    """The runs of a snapshot; its connection has the files of the manifest attached.

    Raises:
        Damaged: a matrix cannot be read; publish again.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest
    ) -> None:
        self._connection = connection
        self._base = manifest.runs.name
        self._served = list(manifest.served)
        self._clock = clock_of(manifest.published_at, replay=manifest.replay)
        self._held = {
            (row.zone, plan.signal): (plan, row, values)
            for plan in manifest.matrices
            for row, values in zip(plan.rows, _load_matrix(folder, plan), strict=True)
        }

    def newest(
        self, zone: str, signal: str, *, as_of: datetime, model: str | None
    ) -> Run | None:
        """Return the newest run known at `as_of`, of `model` or of any.

        None when there is none.
        """
        held = self._held.get((zone, signal))
        if held and held[1].known_at <= as_of and model in (None, held[1].model):
            return _from_matrix(*held)
        return self._read(zone, signal, as_of, model)

    def _read(self, zone: str, signal: str, as_of: datetime, model: str | None) -> Run | None:
        cursor = self._connection.cursor()
        headers = frame(
            columns(
                cursor,
                f"SELECT * FROM (SELECT *, '{self._base}' AS place FROM {self._base}.run "  # noqa: S608  # our own order
                "UNION ALL SELECT *, 'delta' FROM delta.run) WHERE zone = ? AND signal = ? AND "
                f"known_at <= ? AND model = coalesce(?, model) ORDER BY {NEWEST_FIRST} LIMIT 1",
                [zone, signal, as_of, model, self._clock, self._served],
            )
        )
        for header in headers.iter_rows(named=True):
            steps = columns(
                cursor,
                f"SELECT slot_start, slot_end, p10, p50, p90 FROM {header['place']}.step "  # noqa: S608  # our own name
                "WHERE run = ? ORDER BY slot_start",
                [header["id"]],
            )
            return Run(
                zone=zone,
                signal=signal,
                model=header["model"],
                issued_at=utc(header["issued_at"]),
                known_at=utc(header["known_at"]),
                source=header["source"],
                simulated=header["simulated"],
                start_us=microseconds(steps["slot_start"]),
                end_us=microseconds(steps["slot_end"]),
                p10=steps["p10"].astype(np.float64),
                p50=steps["p50"].astype(np.float64),
                p90=steps["p90"].astype(np.float64),
            )
        return None


def _load_matrix(folder: Path, plan: MatrixPlan) -> Matrix:
    path = folder / plan.file
    try:
        matrix: Matrix = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Damaged(f"{path} is not a matrix ({error}); {REPUBLISH}") from error
    if matrix.dtype != np.float64 or matrix.shape[:2] != (len(plan.rows), 3):
        shape = f"{matrix.dtype} {matrix.shape}"
        raise Damaged(f"{path} is not the matrix of its plan but {shape}; {REPUBLISH}")
    return matrix


def _from_matrix(plan: MatrixPlan, row: Newest, values: Matrix) -> Run:
    given = np.flatnonzero(~np.isnan(values[1]))
    step = plan.step_seconds * 1_000_000
    start = instant(row.start) + given * step
    p10, p50, p90 = values[:, given]
    return Run(
        zone=row.zone,
        signal=plan.signal,
        model=row.model,
        issued_at=row.issued_at,
        known_at=row.known_at,
        source=row.source,
        simulated=row.simulated,
        start_us=start,
        end_us=start + step,
        p10=p10,
        p50=p50,
        p90=p90,
    )
