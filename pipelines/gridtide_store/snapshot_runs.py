"""Forecast runs out of a snapshot: the newest from memory, those before by query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from gridtide.model import utc
from gridtide_store.database import columns, frame, instant, microseconds
from gridtide_store.errors import Damaged
from gridtide_store.manifest import REPUBLISH, Manifest, MatrixPlan, Newest
from gridtide_store.matrices import NEWEST_FIRST, Matrix, clock_of

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """One forecast as issued; the arrays are parallel, times in microseconds since 1970.

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
    """The runs of a snapshot; a connection with ``base`` and ``delta`` attached.

    Raises:
        Damaged: a matrix cannot be read; publish again.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest
    ) -> None:
        self._connection = connection
        self._served = list(manifest.served)
        self._clock = clock_of(manifest.published_at, replay=manifest.replay)
        self._held = {
            (row.zone, plan.signal): (plan, row, values)
            for plan in manifest.matrices
            for row, values in zip(plan.rows, _matrix(folder, plan), strict=True)
        }

    def newest(
        self, zone: str, signal: str, *, as_of: datetime, model: str | None
    ) -> Run | None:
        """The newest run known at `as_of`, of `model` or of any; None when there is none."""
        held = self._held.get((zone, signal))
        if held and held[1].known_at <= as_of and model in (None, held[1].model):
            return _from_matrix(*held)
        return self._read(zone, signal, as_of, model)

    def _read(self, zone: str, signal: str, as_of: datetime, model: str | None) -> Run | None:
        cursor = self._connection.cursor()
        headers = frame(
            columns(
                cursor,
                "SELECT * FROM (SELECT *, 'base' AS place FROM base.run UNION ALL "  # noqa: S608  # our own order
                "SELECT *, 'delta' FROM delta.run) WHERE zone = ? AND signal = ? AND "
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


def _matrix(folder: Path, plan: MatrixPlan) -> Matrix:
    path = folder / plan.file
    try:
        matrix: Matrix = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Damaged(f"{path} is no matrix ({error}); {REPUBLISH}") from error
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
