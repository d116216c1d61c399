"""Read a published snapshot: history and forecasts, now or as of a moment."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import numpy as np

from gridtide.model import utc
from gridtide_store import manifest as manifests
from gridtide_store.data_directory import DEFAULT_RESOURCES, Resources
from gridtide_store.database import (
    attach,
    columns,
    connect,
    frame,
    instant,
    lock_down,
    refuse_foreign,
)
from gridtide_store.errors import Damaged, translate_errors
from gridtide_store.manifest import REPUBLISH, Manifest
from gridtide_store.snapshot_anomalies import Anomalies, read_anomalies
from gridtide_store.snapshot_revisions import Observed, Revisions
from gridtide_store.snapshot_runs import END_OF_TIME, Run, Runs
from gridtide_store.trust import REACH, merge, order_by_trust
from gridtide_store.vocabulary import input_of

__all__ = ["Observed", "Run", "SeriesInfo", "Snapshot"]

PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """One series of a snapshot; its first and last slot with a value, None if it has none."""

    zone: str
    signal: str
    source: str
    first_start: datetime | None
    last_end: datetime | None
    newest_known_at: datetime
    simulated: bool


class Snapshot:
    """One published snapshot, open for reading by any number of threads.

    Nothing in it changes. To follow the pointer, open the next one, hand that out, and
    `close` this one when the last reader has given it back.

    Attributes:
        manifest: all that it was opened by.
        id: name of its folder.
        published_at: by the publisher's clock.
        replay: whether that clock was set to another time.
        sources: what is known of the sources, by name; see `words.input_of` for derived ones.
        series: all series in it, by zone, signal and source.
    """

    def __init__(
        self, manifest: Manifest, folder: Path, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self.manifest = manifest
        self.id = manifest.id
        self.published_at = manifest.published_at
        self.replay = manifest.replay
        self.sources = dict(manifest.sources)
        self._folder = folder
        self._qualities = np.array(manifest.qualities, dtype=np.object_)
        self._connection = connection
        self._beliefs = Revisions(connection, manifest.bases)
        numbered = {
            number: replace(info, newest_known_at=self._seen(info.newest_known_at))
            for number, info in _series(connection, manifest).items()
        }
        self.series = tuple(numbered.values())
        self._ranked = _ranked(numbered, manifest)
        self._runs = Runs(connection, folder, manifest)
        self._probe_from = float("-inf")

    @classmethod
    def open(cls, folder: Path, resources: Resources = DEFAULT_RESOURCES) -> Self:
        """Open the snapshot in `folder`, its files compared with their hashes.

        Args:
            folder: see `pointer.current_snapshot`.
            resources: how much memory its queries may use together.

        Raises:
            Damaged: a file is missing or not as it was written; publish again.
            NewerHome: a newer gridtide or DuckDB published it.
            Unusable: a file cannot be read.
        """
        manifest = manifests.read(folder)
        manifests.verify(folder, manifest)
        # A query here reads a few thousand rows: more threads would only wait for each other,
        # and requests run in threads of their own.
        connection = connect(folder, resources=replace(resources, threads=1))
        try:
            with translate_errors(folder, REPUBLISH):
                databases = manifest.databases
                for each in databases:
                    attach(connection, folder / each.file, each.name, read_only=True)
                refuse_foreign(
                    connection,
                    {each.name: (folder / each.file, each.tables) for each in databases},
                )
                lock_down(connection)
                return cls(manifest, folder, connection)
        except (IndexError, KeyError, ValueError, TypeError) as error:
            connection.close()
            raise Damaged(f"{folder} does not hold together ({error}); {REPUBLISH}") from error
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the files."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def observations(
        self,
        zone: str,
        signal: str,
        start: datetime,
        end: datetime,
        *,
        as_of: datetime | None = None,
        source: str | None = None,
    ) -> Observed:
        """Return slots starting in ``[start, end)``, now or at `as_of`, merged by trust.

        Those of one `source` alone where it is named. Empty where there is nothing. Values are
        rounded to 0.01, fractions to 0.0001.
        """
        ranked = [
            each
            for each in self._ranked.get((zone, signal), ())
            if source is None or each[1] == source
        ]
        reach = REACH if len(ranked) > 1 else timedelta(0)
        numbers = [number for number, _ in ranked]
        if as_of is not None and self.known_by(as_of):
            as_of = None
        with translate_errors(self._folder, REPUBLISH):
            found = self._beliefs.read(numbers, utc(start) - reach, utc(end) + reach, as_of)
        rank = np.zeros(len(found.series), dtype=np.int64)
        for place, (number, _) in enumerate(ranked):
            rank[found.series == number] = place
        sources = np.array([source for _, source in ranked], dtype=np.object_)
        slots = merge(found.start, found.end, found.value, found.known_at, rank)
        inside = (found.start[slots] >= instant(start)) & (found.start[slots] < instant(end))
        slots = slots[inside]
        return Observed(
            zone=zone,
            signal=signal,
            start_us=found.start[slots],
            end_us=found.end[slots],
            value=found.value[slots],
            quality=self._qualities[found.quality[slots]],
            known_at_us=found.known_at[slots],
            source=sources[rank[slots]],
        )

    def run(
        self, zone: str, signal: str, *, as_of: datetime, model: str | None = None
    ) -> Run | None:
        """Return the newest run known at `as_of`, of `model` or of any.

        None when there is none.
        """
        moment = END_OF_TIME if self.known_by(as_of) else as_of
        with translate_errors(self._folder, REPUBLISH):
            return self._runs.newest(zone, signal, as_of=moment, model=model)

    def anomalies(self, zone: str, *, as_of: datetime, limit: int) -> Anomalies:
        """Return the newest anomalies of a zone known at `as_of`, and how many there are."""
        moment = None if self.known_by(as_of) else as_of
        with translate_errors(self._folder, REPUBLISH):
            return read_anomalies(self._connection, zone, as_of=moment, limit=limit)

    def probe(self) -> None:
        """Read one row of each table, and compare files that changed since they were opened.

        The rows are read at most once a second: more often would show nothing new, and
        they take as long as ten answers.

        Raises:
            Damaged: a file cannot be read any more, or was changed; publish again.
        """
        if self._folder.is_dir():  # an old snapshot may have been removed under its readers
            manifests.verify(self._folder, self.manifest)
        began = time.monotonic()
        if began < self._probe_from:
            return
        with translate_errors(self._folder, REPUBLISH):
            cursor = self._connection.cursor()
            for each in self.manifest.databases:
                one_each = " UNION ALL ".join(
                    f"(SELECT hash(t) FROM {each.name}.{table} t LIMIT 1)"  # noqa: S608  # our own names
                    for table in each.tables
                )
                cursor.execute(one_each).fetchall()
        self._probe_from = began + PROBE_SECONDS

    def known_by(self, as_of: datetime) -> bool:
        """Say whether all of the snapshot counts as known at `as_of`.

        What has been published is known from then on, also where a clock was ahead when it
        was stored, so that its `known_at` has not come yet. In a replay such values are the
        future, which must not be seen.
        """
        return not self.replay and as_of >= self.published_at

    def _seen(self, known_at: datetime) -> datetime:
        """Return `known_at`, or when it was published where that came first; see `known_by`."""
        return known_at if self.replay else min(known_at, self.published_at)


def _series(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[int, SeriesInfo]:
    """Return all series by number, in the order zone, signal, source."""
    found = frame(
        columns(connection, "SELECT * FROM delta.series ORDER BY zone, signal, source")
    )
    facts = manifest.sources
    return {
        row["id"]: SeriesInfo(
            zone=row["zone"],
            signal=row["signal"],
            source=row["source"],
            first_start=utc(row["first_start"]) if row["first_start"] else None,
            last_end=utc(row["last_end"]) if row["last_end"] else None,
            newest_known_at=utc(row["newest_known_at"]),
            simulated=row["simulated"]
            or any(
                facts[name].simulated
                for name in (row["source"], input_of(row["source"]))
                if name in facts
            ),
        )
        for row in found.iter_rows(named=True)
    }


def _ranked(
    numbered: Mapping[int, SeriesInfo], manifest: Manifest
) -> dict[tuple[str, str], tuple[tuple[int, str], ...]]:
    """Return number and source of the series of each zone and signal, most trusted first."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for number, info in numbered.items():
        found.setdefault((info.zone, info.signal), {})[info.source] = number
    return {
        (zone, signal): tuple(
            (numbers[source], source)
            for source in order_by_trust(numbers, manifest.trust.get(zone, ()))
        )
        for (zone, signal), numbers in found.items()
    }
