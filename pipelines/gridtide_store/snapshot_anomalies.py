"""The anomalies in a snapshot: those of the last months, written and read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import duckdb
import polars as pl

from gridtide.slots import to_moment
from gridtide_store.anomalies import LISTED
from gridtide_store.database import columns, frame

# A snapshot is written every hour and kept in memory by no reader: so long a time is enough to
# see what is wrong, and so many of a zone are more than anybody reads.
PUBLISHED_FOR: Final = timedelta(days=90)
MOST_OF_A_ZONE: Final = 1_000

# Notes of the operator are not published.
COLUMNS: Final = tuple(name for name in LISTED.names() if name not in ("issued_at", "note"))

# `anomaly_since` has the zones of which older ones were left out, and up to when.
TABLES: Final = """
    CREATE TABLE out.anomaly (
        id BIGINT NOT NULL, zone TEXT NOT NULL, signal TEXT NOT NULL, source TEXT NOT NULL,
        slot_start TIMESTAMPTZ NOT NULL, slot_end TIMESTAMPTZ NOT NULL, value DOUBLE,
        quality TEXT NOT NULL, flag TEXT NOT NULL, known_at TIMESTAMPTZ NOT NULL,
        retrieval_id BIGINT NOT NULL, accepted_at TIMESTAMPTZ);
    CREATE TABLE out.anomaly_since (zone TEXT NOT NULL, known_at TIMESTAMPTZ NOT NULL);
"""
# A flow has a pair of zones, and is of both.
OF_ZONE: Final = "(zone = $1 OR starts_with(zone, $1 || '->') OR ends_with(zone, '->' || $1))"


def write_anomalies(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the newest anomalies of observations into the attached file ``out``."""
    connection.execute(TABLES)
    connection.execute(
        f"""
        INSERT INTO out.anomaly SELECT {", ".join(COLUMNS)} FROM anomaly
        WHERE issued_at IS NULL
            AND known_at >= (SELECT max(known_at) FROM anomaly) - to_microseconds(?)
        QUALIFY row_number() OVER (PARTITION BY zone ORDER BY known_at DESC, id DESC) <= ?
        ORDER BY zone, known_at, id
        """,  # noqa: S608  # our own names
        [PUBLISHED_FOR // timedelta(microseconds=1), MOST_OF_A_ZONE],
    )
    connection.execute(
        """
        INSERT INTO out.anomaly_since
        SELECT there.zone, coalesce(min(published.known_at), max(there.known_at))
        FROM (SELECT zone, count(*) AS rows, max(known_at) AS known_at FROM anomaly
            WHERE issued_at IS NULL GROUP BY zone) there
        LEFT JOIN out.anomaly published ON published.zone = there.zone
        GROUP BY there.zone, there.rows HAVING count(published.id) < there.rows
        """
    )


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Anomalies of a zone.

    Attributes:
        newest: columns `COLUMNS`, newest first.
        counts: source, flag without what follows its colon, number, number accepted.
        since: older ones were left out; None: all are counted.
    """

    newest: pl.DataFrame
    counts: tuple[tuple[str, str, int, int], ...]
    since: datetime | None


def read_anomalies(
    connection: duckdb.DuckDBPyConnection, zone: str, *, as_of: datetime | None, limit: int
) -> Anomalies:
    """Return the anomalies of a zone and its flows, all of the snapshot or known at `as_of`.

    None in a snapshot of an older gridtide.
    """
    cursor = connection.cursor()
    there = cursor.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'delta' "
        "AND table_name = 'anomaly'"
    ).fetchone()
    schema = pl.Schema({name: LISTED[name] for name in COLUMNS})
    if not there or not there[0]:
        return Anomalies(pl.DataFrame(schema=schema), (), None)
    known = "known_at <= coalesce($2, known_at)"
    accepted = "accepted_at IS NOT NULL AND accepted_at <= coalesce($2, accepted_at)"
    counts = cursor.execute(
        f"""
        SELECT source, split_part(flag, ':', 1), count(*), count(*) FILTER ({accepted})
        FROM delta.anomaly WHERE {OF_ZONE} AND {known} GROUP BY 1, 2 ORDER BY 1, 2
        """,  # noqa: S608  # our own words
        [zone, as_of],
    ).fetchall()
    newest = columns(
        cursor,
        f"""
        SELECT * EXCLUDE (accepted_at), CASE WHEN {accepted} THEN accepted_at END
            AS accepted_at
        FROM delta.anomaly WHERE {OF_ZONE} AND {known}
        ORDER BY known_at DESC, id DESC LIMIT $3
        """,  # noqa: S608  # our own words
        [zone, as_of, limit],
    )
    row = cursor.execute(
        f"SELECT epoch_us(max(known_at)) FROM delta.anomaly_since WHERE {OF_ZONE}",  # noqa: S608  # as above
        [zone],
    ).fetchone()
    since = row[0] if row else None
    return Anomalies(
        frame(newest).cast(schema),
        tuple(counts),
        None if since is None else to_moment(since),
    )
