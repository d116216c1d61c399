"""The store of record: observations and forecast runs, and when each was known."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import BinaryIO, Self

import duckdb
import polars as pl

from gridtide.errors import GridtideError
from gridtide_store import extents, opening, reading
from gridtide_store.appending import Adder, append
from gridtide_store.data_directory import DataDirectory, make_root
from gridtide_store.database import attach, connect, lock_down, transaction
from gridtide_store.errors import translate_error, translate_errors
from gridtide_store.forecast_runs import append_runs, read_runs
from gridtide_store.raw_responses import hash_body, keep_body, read_kept
from gridtide_store.usual import Usual


class Store:
    """The store of one data directory, open for writing; use it as a context manager.

    For one thread of one process at a time, which holds `home.writer_lock`. Each method that
    adds does so whole or not at all, and what it has acknowledged survives a kill.

    Attributes:
        connection: the live file is in use in it; for the other modules of this package.
        home: whose store this is.
        scratch: folder for temporary files, emptied at `open`.
        raised: by source, how many values got a later `known_at` than their own.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: DataDirectory) -> None:
        self.connection = connection
        self.home = home
        self.scratch = home.root / "scratch"
        self.raised: Counter[str] = Counter()

    @classmethod
    def open(
        cls,
        home: DataDirectory,
        migrations: Sequence[opening.Migration] | None = None,
        *,
        new: bool = False,
    ) -> Self:
        """Open the store in `home`; a missing one is made, an older one migrated.

        With `new` one is also made where snapshots of a lost one are published.

        Raises:
            BadInput: the store is missing while its snapshots are there.
            Busy: another process has it open.
            Damaged: the file cannot be read, or is not a store of ours; restore a backup.
            NewerHome: a newer gridtide or DuckDB wrote it; upgrade.
            Unusable: the folder cannot be written.
        """
        if not new:
            opening.refuse_beside_snapshots(home)
        connection = connect(home.root, resources=home.resources)
        try:
            with translate_errors(home.root):
                make_root(home)
                attach(connection, home.live, "live", read_only=False)
                connection.execute("USE live")
                opening.adopt(connection, home, new=new)
                # We are the writer now, so what lies there was left by one that died.
                scratch = home.root / "scratch"
                shutil.rmtree(scratch, ignore_errors=True)
                scratch.mkdir()
                lock_down(connection, scratch=scratch)
                opening.migrate(connection, migrations or opening.load(), who=str(home.live))
                opening.refuse_incomplete(connection, home)
                opening.identify(connection)
                store = cls(connection, home)
        except BaseException:
            connection.close()
            raise
        return store

    def close(self) -> None:
        """Close the file."""
        with translate_errors(self.home.live):
            self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except GridtideError:
            if error is None:  # else what happened first says more
                raise
        if isinstance(error, duckdb.Error):
            raise translate_error(error, self.home.live) from error

    @property
    def id(self) -> str:
        """Identity of the store, which its snapshots repeat."""
        return opening.format_identity(opening.read_note(self.connection, opening.STORE_ID))

    def keep(
        self,
        source: str,
        address: str,
        content: bytes | BinaryIO,
        known_at: datetime,
        *,
        kind: str = "",
    ) -> int:
        """Archive one body as received, before it is parsed and return the number of retrieval.

        The same content is kept once, however often it comes; a large one comes as a seekable
        file at its beginning. `address` is stored as it is,
        so it must not hold a key. Of each `kind` the first of a day is kept longest.
        """
        return keep_body(
            self.connection, self.home.raw, source, address, content, known_at, kind=kind
        )

    def body(self, retrieval_id: int) -> bytes:
        """Return the body of one retrieval as it was received.

        Raises:
            BadInput: the retrieval is unknown.
            BodyExpired: it was deleted when its time was over.
            Damaged: the file is missing or changed.
        """
        return read_kept(self.connection, self.home, retrieval_id)

    def has_kept(self, source: str, content: bytes | BinaryIO) -> bool:
        """Say whether `keep` has stored this body for `source` before."""
        row = self.connection.execute(
            "SELECT count(*) FROM retrieval WHERE source = ? AND body_sha256 = ?",
            [source, hash_body(content)],
        ).fetchone()
        return row is not None and row[0] > 0

    def append(self, observations: pl.DataFrame, *, received: bool = False) -> int:
        """Add what differs from the newest revision; columns `OBSERVATION`.

        Args:
            observations: what is to be added.
            received: their `known_at` is our clock's. Where that is not later than what the
                stored revision has, the clock was set back: the new one gets a `known_at` just
                behind the stored one, and `raised` counts it.

        Returns:
            Rows added: 0 when all of it was known.

        Raises:
            BadInput: malformed rows, two rows for one slot, or (unless `received`) a value
                that differs from the stored one but is not known later. Nothing is stored
                then.
        """
        if not received:
            return self.add(append, observations)
        return self.add(partial(append, raised=self.raised), observations)

    def append_forecasts(self, forecasts: pl.DataFrame) -> int:
        """Add whole runs; columns `FORECAST`. A run that is stored is not added again.

        Returns:
            Rows (steps) added.

        Raises:
            BadInput: malformed rows; nothing is stored then.
        """
        return self.add(append_runs, forecasts)

    def add(self, add: Adder, rows: pl.DataFrame) -> int:
        """Add rows by a function of this package, whole or not at all; see its text."""
        with transaction(self.connection):
            batch = self.cut + 1
            added = add(self.connection, rows, batch=batch, scratch=self.scratch)
            if added:
                opening.write_note(self.connection, "batch", batch)
        return added

    @property
    def cut(self) -> int:
        """Number of the newest insertion; 0 before the first."""
        return opening.read_note(self.connection, "batch")

    def history(
        self,
        zone: str,
        signal: str,
        start: datetime,
        end: datetime,
        *,
        as_of: datetime,
        sources: Sequence[str] = (),
        usual: Usual | None = None,
    ) -> pl.DataFrame:
        """Read the slots starting in ``[start, end)`` as they were known at `as_of`, sorted.

        Several sources are merged: `sources` is the order of trust, see `trust.by_trust`
        and `trust.merge`. With `usual`, knowledge times are the usual ones of their sources.

        Returns:
            Columns start, end, value, quality, source, known_at; no slot overlaps another.
        """
        return reading.history(
            self.connection, zone, signal, start, end, as_of=as_of, sources=sources, usual=usual
        )

    def inputs(
        self,
        zone: str,
        source: str,
        start: datetime,
        end: datetime,
        *,
        as_of: datetime | None = None,
        usual: Usual | None = None,
    ) -> pl.DataFrame:
        """Read one source's generation and shares, slots starting in ``[start, end)``.

        The newest revisions, or those known at `as_of`, as in `history`; columns `OBSERVATION`.
        """
        return reading.inputs(
            self.connection, zone, source, start, end, as_of=as_of, usual=usual
        )

    def revisions(self, zone: str, source: str, start: datetime, end: datetime) -> pl.DataFrame:
        """Read every revision of every signal of one source, by signal, slot and `known_at`."""
        return reading.revisions(self.connection, zone, source, start, end)

    def covered(
        self, source: str, start: datetime, end: datetime
    ) -> dict[tuple[str, date], timedelta]:
        """Return time with values of `source` by zone and UTC day, added up over its series."""
        return reading.covered(self.connection, source, start, end)

    def most_covered(
        self, source: str, signals: str, start: datetime, end: datetime
    ) -> dict[tuple[str, date], timedelta]:
        """Return time with values as `covered`, by the series that has most of `signals`."""
        return reading.most_covered(self.connection, source, signals, start, end)

    def forecasts(
        self,
        zone: str,
        signal: str,
        start: datetime,
        end: datetime,
        *,
        as_of: datetime,
        models: Sequence[str] = (),
    ) -> pl.DataFrame:
        """Read slots starting in ``[start, end)`` of each model's newest run known at `as_of`.

        Columns `FORECAST`, sorted by model and slot; without `models` all of them.
        """
        return read_runs(self.connection, zone, signal, start, end, as_of=as_of, models=models)

    def series(self) -> pl.DataFrame:
        """Return zone, signal, source, first_start, last_end, rows, newest_known_at by
        series."""
        return extents.series(self.connection)

    def publishers(self) -> dict[str, bool]:
        """Return the publishers of the observations by name, and whether they are simulated."""
        return extents.publishers(self.connection)

    def newest_known_at(self) -> datetime | None:
        """Return the latest knowledge time of any observation or run.

        None in an empty store.
        """
        return extents.newest_known_at(self.connection)

    def underived(self, rule: str) -> reading.Pending:
        """Return where generation or shares were added since `rule` has derived from them.

        Give the answer's `cut` to `mark_derived` when its spans are done.
        """
        spans = reading.underived(
            self.connection, after=opening.read_note(self.connection, f"derived:{rule}")
        )
        return reading.Pending(tuple(spans), self.cut)

    def mark_derived(self, rule: str, cut: int) -> None:
        """Record that `rule` has derived from everything up to insertion `cut`."""
        with transaction(self.connection):
            opening.write_note(self.connection, f"derived:{rule}", cut)
