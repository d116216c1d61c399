"""Packs of weather runs: many runs of one source in a Parquet file, to be shared.

One who has fetched years of runs saves others the gigabytes they are made from. A pack has the
rows of `WEATHER_RUN`: where each value came from and since when it was known, by time of issue.
The metadata of the file names the source, its licence and the attribution.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from gridtide.errors import BadInput, NoData
from gridtide.model import format_time
from gridtide_pipelines.ingest.flow import facts_of
from gridtide_pipelines.ingest.headers import user_agent
from gridtide_pipelines.ingest.mixing import row_kind
from gridtide_pipelines.ingest.source import Kind, Source
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.weather import PLAUSIBLE
from gridtide_store import catalogue
from gridtide_store.ledger import Ledger
from gridtide_store.store import Store
from gridtide_store.vocabulary import INSTANT, WEATHER_UNITS
from gridtide_store.weather import (
    SCALES,
    WEATHER_RUN,
    append_weather,
    check_weather,
    issue_times,
    read_source_weather,
)

FORMAT: Final = "gridtide_weather"  # its version is in the metadata under this name
VERSION: Final = "1"
PART: Final = timedelta(days=4)  # read and written at a time
# Of a value there are at most six digits, which these keep.
COLUMNS: Final = pl.Schema({**WEATHER_RUN, "value": pl.Float32()})


@dataclass(slots=True)
class Unpacked:
    """What was taken from a pack: values added, runs in it, and zones left out as unknown."""

    source: str
    values: int = 0
    runs: int = 0
    left_out: set[str] = field(default_factory=set)


def pack_weather(
    store: Store,
    source: Source,
    path: Path,
    *,
    start: datetime | None,
    end: datetime,
    zones: Collection[str],
) -> int:
    """Write the runs of `source` issued in ``[start, end)`` to a Parquet file.

    Args:
        start: None for the oldest.
        zones: only these; empty for all.

    Returns:
        How many values it has.

    Raises:
        NoData: no such run is stored.
    """
    values = 0
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        for first, last in _parts(issue_times(store.connection, source.name, start, end)):
            rows = read_source_weather(store.connection, source.name, first, last)
            if zones:
                rows = rows.filter(pl.col("zone").is_in(list(zones)))
            rows = rows.sort("issued_at", "model", "zone", "quantity", "lead_h")
            if rows.height:
                rows.cast(COLUMNS).write_parquet(Path(folder) / f"{values:012}.parquet")
                values += rows.height
        if not values:
            raise NoData(
                f"no run of {source.name} is stored for this time and these zones; "
                f"`gridtide backfill --source {source.name}` fetches them"
            )
        pl.scan_parquet(Path(folder) / "*.parquet").sink_parquet(
            path, maintain_order=True, compression_level=9, metadata=_metadata(source)
        )
    return values


def unpack_weather(store: Store, ledger: Ledger, path: Path, *, now: datetime) -> Unpacked:
    """Store the runs of a pack that are not stored yet; a backfill then leaves out their days.

    Raises:
        BadInput: the file is not a pack, or its rows cannot be those of the source it names.
    """
    source = _source_of(path)
    frame = pl.scan_parquet(path)
    if frame.collect_schema() != COLUMNS:
        raise BadInput(f"{path}: the columns are not those of a pack; pack it again")
    simulated = _check(frame, source, path, now)
    row_kind(ledger, store).refuse(simulated=simulated)
    done = Unpacked(source.name)
    known = catalogue.load().zones.keys()
    # All are checked before any is stored.
    for rows in _runs(frame):
        check_weather(rows)
    ledger.set_source(facts_of(source, simulated=simulated))
    for rows in _runs(frame):
        done.left_out |= set(rows["zone"].unique()) - known
        rows = rows.filter(pl.col("zone").is_in(list(known)))
        runs = rows.select("zone", "issued_at").unique()
        done.values += append_weather(store, rows)
        done.runs += runs.height
        # Runs at other points than those of now stand for none that a backfill requests.
        same = rows.filter(model=source.weather).select("zone", "issued_at").unique()
        days = {(zone, at.date()) for zone, at in same.iter_rows() if not at.hour}
        ledger.record_answers(
            source.name, Kind.WEATHER, complete=sorted(days), silent={}, now=now
        )
    return done


def _runs(frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows of WEATHER_RUN of a pack, part by part."""
    issued = pl.col("issued_at")
    for first, last in _parts(frame.select(issued.unique()).collect()["issued_at"].to_list()):
        yield frame.filter(issued >= first, issued < last).collect().cast(WEATHER_RUN)


def _parts(times: Collection[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Yield spans of at most PART that cover all of some times."""
    begin: datetime | None = None
    for time in sorted(times):
        if begin is None or time >= begin + PART:
            begin = time
            yield begin, begin + PART


def _metadata(source: Source) -> dict[str, str]:
    """Return what the file says of itself."""
    return {
        FORMAT: VERSION,
        "source": source.name,
        "model": source.weather,
        "licence": source.licence,
        "licence_url": source.licence_url,
        "attribution": source.attribution,
        "units": ", ".join(f"{name} in {WEATHER_UNITS[name]}" for name in SCALES),
        "written_by": user_agent(),
    }


def _source_of(path: Path) -> Source:
    """Return the source that a pack names.

    Raises:
        BadInput: the file cannot be read, is not a pack, or is of an unknown source.
    """
    try:
        said = pl.read_parquet_metadata(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{path} cannot be read as a Parquet file: {error}") from error
    if said.get(FORMAT) != VERSION:
        raise BadInput(
            f"{path} is not a pack of weather runs; `gridtide weather pack` writes one"
        )
    source = sources().get(said.get("source", ""))
    if source is None or not source.weather:
        raise BadInput(f"{path} is of the source {said.get('source')!r}, which is unknown here")
    return source


def _check(frame: pl.LazyFrame, source: Source, path: Path, now: datetime) -> bool:
    """Return whether the rows are simulated, once they can be those of `source`.

    Raises:
        BadInput: they cannot; says why.
    """
    value = pl.col("value")
    outside = pl.any_horizontal(
        (pl.col("quantity") == name) & ~value.is_between(low, high)
        for name, (low, high) in PLAUSIBLE.items()
    )
    found = frame.select(
        rows=pl.len(),
        others=(pl.col("source") != source.name).sum(),
        outside=outside.sum(),
        early=(pl.col("known_at") < pl.col("issued_at")).sum(),
        soon=(pl.col("received_at") < pl.col("issued_at")).sum(),
        late=(pl.col("received_at") > pl.lit(now, INSTANT)).sum(),
        empty=pl.any_horizontal(pl.exclude("value").is_null()).sum(),
        simulated=pl.col("simulated").sum(),
    ).collect()
    said = found.row(0, named=True)
    wrong = {
        "of another source": said["others"],
        "implausible": said["outside"],
        "known before they were issued": said["early"],
        "received before they were issued": said["soon"],
        f"received after now ({format_time(now)})": said["late"],
        "without one of the columns": said["empty"],
        "simulated among real ones": said["simulated"] % said["rows"] if said["rows"] else 0,
    }
    if odd := [f"{count} values are {what}" for what, count in wrong.items() if count]:
        raise BadInput(f"{path}: {'; '.join(odd)}; pack it again from a store that is sound")
    return bool(said["simulated"])
