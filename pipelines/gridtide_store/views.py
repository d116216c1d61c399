"""The SQL by which people with a DuckDB prompt read a published snapshot, read only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from gridtide.model import format_time
from gridtide_store.snapshot import Snapshot
from gridtide_store.snapshot_runs import NEWEST_FIRST, clock_of
from gridtide_store.trust import REACH, order_by_trust
from gridtide_store.vocabulary import FLOW, GENERATION, LOAD, PRICE, SHARE, unit_of

# A view of one kind of signals, made where the snapshot has some of it.
KINDS: Final = {
    "intensity": "ci_",
    "carbon_free": "cfe_",
    "generation": GENERATION,
    "share": SHARE,
    "load": LOAD,
    "flow": FLOW,
    "price": PRICE,
}

Pair: TypeAlias = tuple[str, str]
"""A zone and a signal."""

REACH_US: Final = REACH.days * 86_400_000_000
COLUMNS: Final = 'zone, signal, start, "end", value, unit, quality, source, known_at'

# Observations as they lie in the files, with the names of their series; `low` and `high` are
# start and end in microseconds.
NAMED: Final = """
    SELECT zone, signal, slot_start AS start, make_timestamptz(high) AS "end", value, unit,
        [{qualities}][quality + 1] AS quality, source, make_timestamptz(low + known_us)
            AS known_at, rank, alone, low, high
    FROM (SELECT *, epoch_us(slot_start) AS low, low + length_us AS high FROM ({rows}
    )) AS observed JOIN series ON series.id = observed.series"""

# A delta has every revision that came after the base.
NEWEST_BASE: Final = """
        FROM {name}.belief AS older WHERE NOT EXISTS (FROM delta.belief AS newer
            WHERE newer.series = older.series AND newer.slot_start = older.slot_start)"""
NEWEST_DELTA: Final = """
        FROM delta.belief QUALIFY row_number() OVER (
            PARTITION BY series, slot_start ORDER BY known_us DESC) = 1"""

KNOWN: Final = """
    SELECT * FROM revision_ranked WHERE known_at <= moment QUALIFY row_number() OVER (
        PARTITION BY zone, signal, source, start ORDER BY known_at DESC) = 1"""

# Of two slots of one source that overlap the one known later counts; see `trust.merge`.
SETTLED: Final = """
    SELECT *, value IS NOT NULL AND rank = 0 AS kept FROM ({observed})
    WINDOW before AS (PARTITION BY zone, signal, source ORDER BY low
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        inside AS (PARTITION BY zone, signal, source ORDER BY low
            RANGE BETWEEN 1 FOLLOWING AND high - low - 1 FOLLOWING)
    QUALIFY coalesce(max(high) OVER before <= low
            OR arg_max(known_at, high) OVER before < known_at, true)
        AND coalesce(max(known_at) OVER inside <= known_at, true)"""

# Add the slots of one rank that overlap none that is kept already.
KEEP: Final = """
    SELECT * REPLACE (kept OR (rank = {rank} AND value IS {known} AND coalesce(
        max(high) FILTER (kept) OVER around <= low, true)) AS kept)
    FROM ({slots})
    WINDOW around AS (PARTITION BY zone, signal ORDER BY low
        RANGE BETWEEN {reach} PRECEDING AND high - low - 1 FOLLOWING)"""

RUNS: Final = """
    SELECT zone, signal, model, issued_at, slot_start AS start, slot_end AS "end",
        p10, p50, p90, unit, known_at, source, simulated
    FROM ({runs}) AS header JOIN ({steps}) AS step ON step.run = header.id
    JOIN (SELECT DISTINCT signal, unit FROM series) AS units USING (signal)"""


def views_of(snapshot: Snapshot, folder: Path) -> str:
    """Return a script that attaches the files of a snapshot, read only, and makes views.

    All it makes is temporary, so that it works beside a service and a refresh.

    Args:
        snapshot: open.
        folder: where it is published.
    """
    manifest = snapshot.manifest
    ranked = _ranked(snapshot)
    lines = [
        f"-- gridtide snapshot {manifest.id}, published {format_time(manifest.published_at)}.",
        "-- docs/export.md describes the views. Nothing is written.",
        "SET TimeZone = 'UTC';",
    ]
    for each in manifest.databases:
        path = folder.absolute() / each.file
        lines.append(f"ATTACH {_text(path)} AS {each.name} (READ_ONLY);")
    lines += _tables(snapshot, ranked)
    lines += _observations(snapshot, ranked, [each.name for each in manifest.bases])
    lines += _forecasts(snapshot, manifest.runs.name)
    return "\n".join(lines) + "\n"


def _ranked(snapshot: Snapshot) -> dict[Pair, list[str]]:
    """Return the sources of each zone and signal, most trusted first."""
    sources: dict[Pair, list[str]] = {}
    for info in snapshot.series:
        sources.setdefault((info.zone, info.signal), []).append(info.source)
    trust = snapshot.manifest.trust
    return {
        (zone, signal): order_by_trust(mine, trust.get(zone, ()))
        for (zone, signal), mine in sorted(sources.items())
    }


def _tables(snapshot: Snapshot, ranked: Mapping[Pair, Sequence[str]]) -> Iterator[str]:
    """Yield the tables of series, each with its rank in the order of trust, and of sources."""
    trust = [
        (zone, signal, source, rank, len(order) == 1, unit_of(signal))
        for (zone, signal), order in ranked.items()
        for rank, source in enumerate(order)
    ]
    yield _table("trust", ("zone", "signal", "source", "rank", "alone", "unit"), trust)
    yield (
        "CREATE TEMP TABLE series AS FROM delta.series JOIN trust USING (zone, signal, source);"
    )
    facts = [
        (each.name, each.title, each.licence, each.licence_url, each.attribution)
        for each in snapshot.sources.values()
    ]
    names = ("source", "title", "licence", "licence_url", "attribution")
    yield _table("source", names, facts)


def _observations(
    snapshot: Snapshot, ranked: Mapping[Pair, Sequence[str]], bases: Sequence[str]
) -> Iterator[str]:
    """Yield the views of observations: of each source, of every revision, and merged."""
    newest = [*(NEWEST_BASE.format(name=name) for name in bases), NEWEST_DELTA]
    every = [f"\n        FROM {name}.belief" for name in (*bases, "delta")]
    every += [f"\n        FROM {name}.superseded" for name in bases]
    qualities = ", ".join(map(_text, snapshot.manifest.qualities))
    for view, parts in (("observation_ranked", newest), ("revision_ranked", every)):
        rows = "\n        UNION ALL".join(parts)
        yield _view(view, NAMED.format(rows=rows, qualities=qualities))
    most = max(map(len, ranked.values()), default=1)
    yield _view("observation", _public("observation_ranked"))
    yield _view("revision", _public("revision_ranked"))
    yield _view("history", _public(f"({_merged('observation_ranked', most)})"))
    yield _macro("observation_as_of", _public(f"({KNOWN})"))
    yield _macro("history_as_of", _public(f"({_merged(f'({KNOWN})', most)})"))
    for view, prefix in KINDS.items():
        if any(signal.startswith(prefix) for _, signal in ranked):
            which = f" WHERE starts_with(signal, {_text(prefix)})"
            yield _view(view, f" FROM history{which}")
            yield _macro(f"{view}_as_of", f" FROM history_as_of(moment){which}")


def _merged(observed: str, most: int) -> str:
    """Return the query of the slots to use, as `trust.merge` chooses them.

    Args:
        observed: the newest revision of each slot of each source.
        most: how many sources a zone and signal has at most.
    """
    settled = SETTLED.format(observed=observed)
    if most == 1:
        return settled
    slots = f"FROM ({settled}) WHERE NOT alone"
    for known in ("NOT NULL", "NULL"):
        for rank in range(most):
            slots = KEEP.format(slots=slots, rank=rank, known=known, reach=REACH_US)
    return f"FROM ({settled}) WHERE alone UNION ALL FROM ({slots}) WHERE kept"


def _forecasts(snapshot: Snapshot, base: str) -> Iterator[str]:
    """Yield the views of forecast runs: all, and the newest of each zone and signal."""
    manifest = snapshot.manifest
    clock = clock_of(manifest.published_at, replay=manifest.replay)
    served = ", ".join(map(_text, manifest.served))
    values = iter((f"TIMESTAMPTZ {_text(format_time(clock))}", f"[{served}]::VARCHAR[]"))
    order = re.sub(r"\?", lambda _: next(values), NEWEST_FIRST)
    runs = f"FROM {base}.run UNION ALL FROM delta.run"
    steps = f"FROM {base}.step UNION ALL FROM delta.step"
    first = f"QUALIFY row_number() OVER (PARTITION BY zone, signal ORDER BY {order}) = 1"
    known = f"FROM ({runs}) WHERE known_at <= moment {first}"
    yield _view("forecast_run", RUNS.format(runs=runs, steps=steps))
    yield _view("forecast", RUNS.format(runs=f"FROM ({runs}) {first}", steps=steps))
    yield _macro("forecast_as_of", RUNS.format(runs=known, steps=steps))


def _public(rows: str) -> str:
    return f" SELECT {COLUMNS} FROM {rows}"  # noqa: S608  # our own names


def _view(name: str, query: str) -> str:
    return f"CREATE TEMP VIEW {name} AS{query};"


def _macro(name: str, query: str) -> str:
    return f"CREATE TEMP MACRO {name}(moment) AS TABLE{query};"


def _table(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of these rows; without any of them an empty one."""
    text = [", ".join(map(_text, row)) for row in rows]
    written = (
        ",\n    ".join(f"({row})" for row in text) or f"({', '.join('NULL' for _ in columns)})"
    )
    only = "" if text else " WHERE false"
    return (
        f"CREATE TEMP TABLE {name} AS FROM (VALUES\n    {written}\n) AS t "
        f"({', '.join(columns)}){only};"
    )


def _text(value: object) -> str:
    """Return a value as SQL writes it."""
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"
