"""Add observations: a row is stored only where it differs from the newest revision."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Protocol

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide.errors import BadInput
from gridtide_store.database import Columns, columns, frame, microseconds
from gridtide_store.errors import MAKE_ROOM, Unusable
from gridtide_store.extents import extend
from gridtide_store.vocabulary import INSTANT, QUALITIES, observations

SECOND = 1_000_000
NAMES = ("zone", "signal", "source")
QUALITY_CODE = {quality: code for code, quality in enumerate(QUALITIES)}


class Remark(Protocol):
    """A function that notes anomalies among the rows that are appended."""

    def __call__(
        self,
        incoming: pl.DataFrame,
        stored: Columns,
        before: NDArray[np.int64],
        moved: NDArray[np.int64],
    ) -> None:
        """Note what is odd.

        Args:
            incoming: the rows with the number of their series, sorted by it and by slot_start.
            stored: the newest revisions in their span.
            before: for each row the index of its revision in `stored`, -1 without one.
            moved: indexes of the rows whose `known_at` is moved behind that revision's.
        """
        ...


class Adder(Protocol):
    """A function that adds rows inside a transaction and returns how many were new."""

    def __call__(
        self,
        connection: duckdb.DuckDBPyConnection,
        incoming: pl.DataFrame,
        *,
        batch: int,
        scratch: Path,
    ) -> int: ...


def append(
    connection: duckdb.DuckDBPyConnection,
    incoming: pl.DataFrame,
    *,
    batch: int,
    scratch: Path,
    raised: Counter[str] | None = None,
    remark: Remark | None = None,
) -> int:
    """Add the rows of `incoming` that differ from what is stored; call it inside a transaction.

    Args:
        connection: with the live file in use.
        incoming: columns `OBSERVATION`; at most one row for each zone, signal, source, slot.
        batch: number of this insertion, above all before it.
        scratch: folder for the file the rows go in through.
        raised: where it is given, a value that differs from the stored one without being
            known later gets a `known_at` just behind the stored one, and is counted here by
            source.
        remark: takes note of anomalies before anything is added.

    Returns:
        Rows added.

    Raises:
        BadInput: see `frames.observations`; two rows for one slot; or, without `raised`, a
            value that differs from the stored one without being known later.
    """
    incoming = observations(incoming)
    if incoming.is_empty():
        return 0
    incoming = _numbered(connection, incoming)
    keys = _Keys(incoming)
    _refuse_duplicates(incoming, keys)
    stored = _stored(connection, incoming)
    before = keys.latest(stored)
    differs = _differs(incoming, stored, before)
    wrong = _unordered(incoming, stored, before, differs)
    if remark is not None:
        remark(incoming, stored, before, wrong)
    if raised is None:
        _refuse_unordered(incoming, stored, before, wrong)
    else:
        incoming = _raise_known_at(incoming, stored, before, wrong, raised)
    fresh = incoming.filter(pl.Series(differs))
    if fresh.is_empty():
        return 0
    replaced = _replaced(incoming, stored, before, differs)
    insert(
        connection,
        fresh.select(
            "series", "slot_start", "slot_end", "value", "quality", "known_at", "retrieval_id"
        ).with_columns(batch=pl.lit(batch, pl.Int64)),
        "observation",
        scratch=scratch,
    )
    covered = extend(connection, fresh, replaced)
    connection.execute(
        "DELETE FROM extent WHERE series IN (SELECT unnest(?::INTEGER[]))",
        [covered["series"].to_list()],
    )
    insert(connection, covered, "extent", scratch=scratch)
    return len(fresh)


def insert(
    connection: duckdb.DuckDBPyConnection, rows: pl.DataFrame, table: str, *, scratch: Path
) -> None:
    """Insert `rows`, columns in the table's order, through a temporary Parquet file."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / "rows.parquet"
        try:
            rows.write_parquet(path, compression="uncompressed", statistics=False)
        except (pl.exceptions.ComputeError, OSError) as error:
            raise Unusable(
                f"{path} cannot be written ({str(error).splitlines()[0]}); {MAKE_ROOM}"
            ) from error
        connection.execute(
            f"INSERT INTO {table} SELECT * FROM read_parquet(?)",  # noqa: S608  # our own table name
            [str(path)],
        )


class _Keys:
    """Series and slot of each incoming row as one integer, sorted as the rows are."""

    def __init__(self, incoming: pl.DataFrame) -> None:
        start = incoming["slot_start"].to_physical().to_numpy()
        self._low = int(start.min())
        self._span = (int(start.max()) - self._low) // SECOND + 1
        self.sorted = self._key(incoming["series"].to_numpy(), start)

    def _key(
        self, series: NDArray[np.generic], start: NDArray[np.generic]
    ) -> NDArray[np.int64]:
        seconds = (start.astype(np.int64) - self._low) // SECOND
        return series.astype(np.int64) * self._span + seconds

    def latest(self, stored: Columns) -> NDArray[np.int64]:
        """Return, for each incoming row, the index of the newest stored revision.

        -1 without one.
        """
        key = self._key(stored["series"], microseconds(stored["slot_start"]))
        place = np.searchsorted(self.sorted, key).clip(max=len(self.sorted) - 1)
        belief = np.flatnonzero(self.sorted[place] == key)
        before = np.full(len(self.sorted), -1, dtype=np.int64)
        before[place[belief]] = belief
        return before


def _numbered(connection: duckdb.DuckDBPyConnection, incoming: pl.DataFrame) -> pl.DataFrame:
    """Return `incoming` with the number of its series, sorted by it and by slot_start."""
    known = frame(columns(connection, "SELECT id AS series, zone, signal, source FROM series"))
    named = incoming.select(NAMES).unique().sort(NAMES)
    unknown = named.join(known, on=NAMES, how="anti", maintain_order="left")
    if not unknown.is_empty():
        first = 0 if known.is_empty() else int(known["series"].max()) + 1  # type: ignore[arg-type]  # not empty, so a number
        numbers = range(first, first + len(unknown))
        connection.executemany(
            "INSERT INTO series VALUES (?, ?, ?, ?)",
            [(number, *names) for number, names in zip(numbers, unknown.rows(), strict=True)],
        )
        known = known.vstack(unknown.insert_column(0, pl.Series("series", numbers, pl.Int32)))
    return incoming.join(known, on=NAMES, how="left").sort("series", "slot_start")


def _refuse_duplicates(incoming: pl.DataFrame, keys: _Keys) -> None:
    twice = np.flatnonzero(keys.sorted[1:] == keys.sorted[:-1])
    if len(twice):
        raise BadInput(
            f"{_who(incoming, int(twice[0]))} comes twice ({len(twice)} such slots); remove "
            "the duplicates and import again; nothing was stored"
        )


def _stored(connection: duckdb.DuckDBPyConnection, incoming: pl.DataFrame) -> Columns:
    """Read the newest revision of each slot of these series in the span of `incoming`."""
    series = incoming["series"]
    span = incoming["slot_start"].to_physical()
    return columns(
        connection,
        "SELECT series, slot_start, slot_end, value, enum_code(quality) AS quality, known_at "
        "FROM observation WHERE series IN (SELECT unnest(?)) "
        "AND slot_start BETWEEN make_timestamptz(?) AND make_timestamptz(?) QUALIFY "
        "row_number() OVER (PARTITION BY series, slot_start ORDER BY known_at DESC) = 1",
        [series.unique().to_list(), span.min(), span.max()],
    )


def _differs(
    incoming: pl.DataFrame, stored: Columns, before: NDArray[np.int64]
) -> NDArray[np.bool_]:
    new = before < 0
    if new.all():
        return new
    value = incoming["value"].to_numpy()
    old = stored["value"][before].astype(np.float64)
    same_value = (value == old) | (np.isnan(value) & np.isnan(old))
    quality = incoming["quality"].replace_strict(QUALITY_CODE, return_dtype=pl.UInt8).to_numpy()
    end = incoming["slot_end"].to_physical().to_numpy()
    changed: NDArray[np.bool_] = ~(
        same_value
        & (end == microseconds(stored["slot_end"])[before])
        & (quality == stored["quality"][before])
    )
    return new | changed


def _replaced(
    incoming: pl.DataFrame,
    stored: Columns,
    before: NDArray[np.int64],
    differs: NDArray[np.bool_],
) -> pl.DataFrame:
    """Return series, new end and new value of the revised rows beside what they replace."""
    revised = np.flatnonzero(differs & (before >= 0))
    old = frame(
        {
            "old_start": stored["slot_start"][before[revised]],
            "old_end": stored["slot_end"][before[revised]],
            "old_value": stored["value"][before[revised]].astype(np.float64),
        }
    )
    return incoming[revised].select("series", "slot_end", "value").hstack(old)


def _unordered(
    incoming: pl.DataFrame,
    stored: Columns,
    before: NDArray[np.int64],
    differs: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return indexes of rows that differ from the stored revision and are not known later."""
    revised = np.flatnonzero(differs & (before >= 0))
    known = incoming["known_at"].to_physical().to_numpy()[revised]
    return revised[known <= microseconds(stored["known_at"])[before[revised]]]


def _raise_known_at(
    incoming: pl.DataFrame,
    stored: Columns,
    before: NDArray[np.int64],
    wrong: NDArray[np.int64],
    raised: Counter[str],
) -> pl.DataFrame:
    """Return `incoming`, known just after the stored revision where the clock was set back."""
    if not len(wrong):
        return incoming
    known = incoming["known_at"].to_physical().to_numpy().copy()
    known[wrong] = microseconds(stored["known_at"])[before[wrong]] + 1
    raised.update(incoming["source"].gather(wrong).to_list())
    return incoming.with_columns(pl.Series("known_at", known).cast(INSTANT))


def _refuse_unordered(
    incoming: pl.DataFrame,
    stored: Columns,
    before: NDArray[np.int64],
    wrong: NDArray[np.int64],
) -> None:
    if len(wrong):
        first = int(wrong[0])
        row = incoming.row(first, named=True)
        raise BadInput(
            f"{_who(incoming, first)}: {row['value']} known at {row['known_at']} differs from "
            f"{stored['value'][before[first]]} known at {stored['known_at'][before[first]]}Z, "
            f"which is not earlier ({len(wrong)} such slots); use --known-at now to store "
            "a revision; nothing was stored"
        )


def _who(incoming: pl.DataFrame, position: int) -> str:
    row = incoming.row(position, named=True)
    return f"{row['source']} [{row['zone']}] {row['signal']}, slot {row['slot_start']}"
