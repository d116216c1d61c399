"""Accept anomalies by hand: take their values into the series they were left out of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import duckdb
import polars as pl

from gridtide.errors import BadInput
from gridtide.model import format_time, utc
from gridtide_store.anomalies import SLOT, Filter, is_excluded, read_anomalies
from gridtide_store.appending import append
from gridtide_store.database import columns, frame, transaction
from gridtide_store.opening import write_note
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION

MOST_ACCEPTED: Final = 100_000
NAMED: Final = 5  # refusals named one by one


@dataclass(frozen=True, slots=True)
class Accepted:
    """Anomalies that were accepted, and rows that were added to their series."""

    anomalies: int
    rows: int


def accept(
    store: Store, which: Filter, now: datetime, *, note: str, count: int | None = None
) -> Accepted:
    """Take the values of anomalies into their series, known from `now` on.

    All of them or none. Quality and retrieval stay what they were.

    Args:
        store: open for writing.
        which: by number, or by properties; then those accepted before are passed over.
        now: knowledge time of the new observations.
        note: who accepts them, and why.
        count: how many there are; needed without numbers, so that a filter takes no more
            than is meant.

    Raises:
        BadInput: nothing matches, more or fewer than `count`, or a value that cannot be
            accepted, with the reason; nothing is accepted then.
    """
    found = read_anomalies(store.connection, which, limit=MOST_ACCEPTED)
    if which.ids:
        if missing := sorted(set(which.ids) - set(found["id"].to_list())):
            raise BadInput(f"unknown anomaly {missing[0]}; `gridtide anomalies` lists them")
    else:
        found = found.filter(pl.col("accepted_at").is_null())
        if found.is_empty():
            raise BadInput("no anomaly matches that is not accepted yet; nothing was changed")
        if count != len(found):
            given = "is missing" if count is None else f"{count} is not the number"
            raise BadInput(
                f"--count {given}: {len(found)} match; look at them with `gridtide anomalies`, "
                f"then add --count {len(found)}"
            )
    _refuse_unacceptable(store, found, now)
    rows = found.with_columns(known_at=pl.lit(utc(now)).cast(OBSERVATION["known_at"])).select(
        OBSERVATION.names()
    )
    with transaction(store.connection):
        batch = store.cut + 1
        added = append(
            store.connection, rows, batch=batch, scratch=store.scratch, raised=store.raised
        )
        store.connection.execute(
            "UPDATE anomaly SET accepted_at = ?, note = ? WHERE id IN (SELECT unnest(?))",
            [utc(now), note, found["id"].to_list()],
        )
        write_note(store.connection, "batch", batch)
    return Accepted(len(found), added)


def _refuse_unacceptable(store: Store, found: pl.DataFrame, now: datetime) -> None:
    newest = _newest_known(store.connection, found)
    twice = found.select(SLOT).is_duplicated()
    reasons = []
    for row, again in zip(found.iter_rows(named=True), twice.to_list(), strict=True):
        known, value = newest.get(tuple(row[name] for name in SLOT), (None, None))
        if reason := _reason(row, now, twice=again, known=known, value=value):
            reasons.append(f"{row['id']} ({_name(row)}): {reason}")
    if reasons:
        more = f"; and {len(reasons) - NAMED} more" if len(reasons) > NAMED else ""
        raise BadInput(
            f"cannot accept {'; '.join(reasons[:NAMED])}{more}; leave them out; nothing was "
            "changed"
        )


def _reason(
    row: dict[str, Any],
    now: datetime,
    *,
    twice: bool,
    known: datetime | None,
    value: float | None,
) -> str:
    """Return why an anomaly cannot be accepted; "" if it can."""
    flag, end = row["flag"], row["slot_end"]
    if row["accepted_at"] is not None:
        return "it was accepted before"
    if not is_excluded(flag):
        return f"a value flagged {flag} is in its series already"
    if row["issued_at"] is not None:
        return "it is of a publisher's forecast, which is stored whole or not at all"
    if row["value"] is None:
        return "it has no value"
    if end > now:
        return f"its slot ends at {format_time(end)}, which is still to come"
    if twice:
        return "another of them is of the same slot; choose one by its number"
    if value is not None and value == row["value"]:
        return "its series has this value already"
    if value is not None and known is not None and known > row["known_at"]:
        return f"the publisher has sent {value} for it since"
    return ""


def _newest_known(
    connection: duckdb.DuckDBPyConnection, found: pl.DataFrame
) -> dict[tuple[object, ...], tuple[datetime | None, float | None]]:
    """Return `known_at` and value of the newest observation of each slot in `found`.

    The time is None where that came from an anomaly that was accepted: another may replace it.
    """
    span = found["slot_start"].to_physical()
    stored = frame(
        columns(
            connection,
            "SELECT zone, signal, source, o.slot_start, o.value, o.known_at, EXISTS ("
            "FROM anomaly a WHERE a.accepted_at IS NOT NULL AND a.zone = s.zone "
            "AND a.signal = s.signal AND a.source = s.source AND a.slot_start = o.slot_start "
            "AND a.value = o.value) AS accepted "
            "FROM observation o JOIN series s ON s.id = o.series "
            "WHERE s.source IN (SELECT unnest(?)) AND s.zone IN (SELECT unnest(?)) "
            "AND o.slot_start BETWEEN make_timestamptz(?) AND make_timestamptz(?) QUALIFY "
            "row_number() OVER ("
            "PARTITION BY series, o.slot_start ORDER BY o.known_at DESC) = 1",
            [
                found["source"].unique().to_list(),
                found["zone"].unique().to_list(),
                span.min(),
                span.max(),
            ],
        )
    )
    return {
        (zone, signal, source, start): (None if accepted else known_at, value)
        for zone, signal, source, start, value, known_at, accepted in stored.iter_rows()
    }


def _name(row: dict[str, Any]) -> str:
    start = format_time(row["slot_start"])
    return f"{row['source']} [{row['zone']}] {row['signal']} {start}"
