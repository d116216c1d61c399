"""Read histories from a folder of Parquet files, one zone a file, without a store.

For the zone DE: ``DE.parquet`` (`ts_utc`, `ci_lifecycle_g_per_kwh` and/or one column
``gen_<fuel>_mwh`` a fuel) and, where there, ``DE_weather.parquet`` (`issued_at`, `lead_h`,
quantities) and ``DE_dayahead.parquet`` (`ts_utc`, quantities). Forecasts of others,
``DE_carboncast_*.parquet``, are never read.

Labels stay as the files have them: an hour is named by its label and known at it, whether
the label is its start or its end. Only so can the forecasts be compared with others
made from the same files.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import Quality, Signal
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.derive.intensity import derive
from gridtide_pipelines.forecast.forecaster import HOUR, Known, Location, hour_of
from gridtide_pipelines.importing.content import Content
from gridtide_pipelines.importing.layouts import WIDE, Label
from gridtide_pipelines.importing.slots import to_slots
from gridtide_pipelines.importing.tables import read_table
from gridtide_store import catalogue
from gridtide_store.vocabulary import GENERATION, INSTANT, OBSERVATION, generation

SIGNAL = Signal.CI_LIFECYCLE_PRODUCED
# The weather of these files is GFS at 0.25 degrees, the mean over a box (CarbonCast).
WEATHER_MODEL = "gfs_0p25@carboncast"
LABEL, INTENSITY = "ts_utc", "ci_lifecycle_g_per_kwh"
ZONE = re.compile(r"[A-Za-z0-9-]+(_[A-Za-z0-9-]+)*")
NEVER = "_carboncast_"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FileHistory:
    """Everything in one zone's files; `known` returns the part that was known at a moment."""

    zone: str
    location: Location
    intensity: pl.DataFrame
    mix: pl.DataFrame | None
    weather: pl.DataFrame | None
    dayahead: pl.DataFrame | None

    def known(self, at: datetime) -> Known:
        """Return the zone as of `at`; the hour labelled `at` is the first that is left out."""
        return Known(
            zone=self.zone,
            signal=SIGNAL,
            at=at,
            location=self.location,
            intensity=self.intensity.filter(pl.col("start") < hour_of(at)),
            mix=_cut(self.mix, pl.col("start") < hour_of(at)),
            weather=_cut(self.weather, pl.col("issued_at") <= at),
            dayahead=self._dayahead(at),
            weather_model="" if self.weather is None else WEATHER_MODEL,
        )

    def _dayahead(self, at: datetime) -> pl.DataFrame | None:
        """Return the official day-ahead forecasts for the local calendar day of the issue.

        At 00:00 UTC the next local day is not published yet; hours more than a day ahead,
        which west of Greenwich belong to the same local day, are left out as well.
        """
        local_day = pl.col("start").dt.convert_time_zone(self.location.timezone).dt.date()
        published = (local_day <= at.date()) & (pl.col("start") < at + DAY)
        return _cut(self.dayahead, published)


def read_histories(
    folder: Path, zones: Sequence[str], *, warn: Callable[[str], None]
) -> list[FileHistory]:
    """Read the history of each zone, named as its file is.

    Args:
        warn: called where a zone is not in the catalogue, so that its local time is unknown.

    Raises:
        BadInput: a file or column is missing, cannot be read, or labels are not whole hours.
    """
    if not folder.is_dir():
        raise BadInput(
            f"{folder} is not a folder; --data takes one with a <ZONE>.parquet a zone"
        )
    return [_read_history(folder, zone, warn) for zone in zones]


def _read_history(folder: Path, zone: str, warn: Callable[[str], None]) -> FileHistory:
    if not ZONE.fullmatch(zone) or NEVER in zone:
        raise BadInput(
            f"{zone!r} is not the name of a zone; name files such as DE.parquet by DE"
        )
    record = catalogue.load().find(zone)
    if record is None:
        warn(f"{zone} is not in the catalogue: its local time is taken to be UTC")
    path = folder / f"{zone}.parquet"
    content = _read(path)
    hours = _hours(path, content)
    mix = _mix(path, hours, content, zone)
    dayahead = _optional(folder / f"{zone}_dayahead.parquet", LABEL)
    return FileHistory(
        zone=zone,
        location=Location(record.timezone, record.lat, record.lon) if record else Location(),
        intensity=_intensity(hours, mix, zone, path),
        mix=mix,
        weather=_optional(folder / f"{zone}_weather.parquet", "issued_at"),
        dayahead=None if dayahead is None else _with_slots(dayahead),
    )


def _read(path: Path) -> bytes:
    if not path.is_file():
        there = sorted(each.stem for each in path.parent.glob("*.parquet"))
        zones = [
            name for name in there if not re.search(r"_(carboncast|weather|dayahead)", name)
        ]
        raise BadInput(f"{path} does not exist; the folder has {', '.join(zones) or 'no zone'}")
    return path.read_bytes()


def _table(path: Path, content: bytes) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(content))
    # polars panics on some broken files; a panic is not an Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise BadInput(
            f"{path} is not a whole Parquet file ({str(error).partition(chr(10))[0][:120]}); "
            "copy or write it again"
        ) from error


def _hours(path: Path, content: bytes) -> pl.DataFrame:
    """Read the rows of one zone, one an hour, in order."""
    hours = _labelled(_table(path, content), path, LABEL)
    label = hours[LABEL]
    if (twice := label.filter(label.is_duplicated())).len():
        raise BadInput(f"{path}: {twice[0]} is there more than once; keep one row an hour")
    if (odd := label.filter(label.dt.truncate("1h") != label)).len():
        raise BadInput(f"{path}: {odd[0]} is not a whole hour; give hourly means")
    return hours


def _labelled(frame: pl.DataFrame, path: Path, label: str) -> pl.DataFrame:
    """Sort `frame` by its labels, which are UTC."""
    if label not in frame.columns:
        raise BadInput(f"{path} has no column {label}; it has {', '.join(frame.columns)}")
    kind = frame.schema[label]
    if not isinstance(kind, pl.Datetime) or kind.time_zone is None:
        raise BadInput(
            f"{path}: {label} is {kind}, so it names no instant; store it as UTC timestamps"
        )
    if frame[label].null_count():
        raise BadInput(f"{path}: {label} is empty in {frame[label].null_count()} rows")
    return frame.with_columns(pl.col(label).dt.convert_time_zone("UTC").cast(INSTANT)).sort(
        label
    )


def _optional(path: Path, label: str) -> pl.DataFrame | None:
    return _labelled(_table(path, _read(path)), path, label) if path.is_file() else None


def _with_slots(frame: pl.DataFrame) -> pl.DataFrame:
    end = (pl.col(LABEL) + HOUR).alias("end")
    return frame.select(pl.col(LABEL).alias("start"), end, pl.exclude(LABEL))


def _mix(path: Path, hours: pl.DataFrame, content: bytes, zone: str) -> pl.DataFrame | None:
    """Read start, end, fuel, value in MW; the file is optional."""
    if not any(map(WIDE.fullmatch, hours.columns)):
        return None
    slots = to_slots(read_table(Content(path.name, content), zone), Label.START, HOUR)
    return slots.select(
        pl.col("slot_start").alias("start"),
        pl.col("slot_end").alias("end"),
        pl.col("signal").str.strip_prefix(GENERATION).alias("fuel"),
        "value",
    ).sort("fuel", "start")


def _intensity(
    hours: pl.DataFrame, mix: pl.DataFrame | None, zone: str, path: Path
) -> pl.DataFrame:
    if INTENSITY in hours.columns:
        return _with_slots(hours.select(LABEL, _numbers(hours, INTENSITY, path).alias("value")))
    if mix is not None:
        return _derived(mix, zone)
    raise BadInput(
        f"{path} has neither {INTENSITY} nor a column gen_<fuel>_mwh; "
        f"it has {', '.join(hours.columns)}"
    )


def _derived(mix: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Derive lifecycle intensity with the default factors."""
    rows = mix.select(
        pl.lit(zone).alias("zone"),
        pl.format(generation("{}"), "fuel").alias("signal"),
        pl.lit("file").alias("source"),
        pl.col("start").alias("slot_start"),
        pl.col("end").alias("slot_end"),
        "value",
        pl.lit(str(Quality.MEASURED)).alias("quality"),
        pl.col("start").alias("known_at"),
        pl.lit(0, dtype=pl.Int64).alias("retrieval_id"),
    )
    made = derive(rows.cast(OBSERVATION), factor_set())
    return (
        made.filter(pl.col("signal") == SIGNAL)
        .select(pl.col("slot_start").alias("start"), pl.col("slot_end").alias("end"), "value")
        .sort("start")
    )


def _numbers(frame: pl.DataFrame, name: str, path: Path) -> pl.Series:
    if not frame.schema[name].is_numeric():
        raise BadInput(f"{path}: {name} is {frame.schema[name]}, not numbers")
    values = frame[name].cast(pl.Float64)
    return values.set(~values.is_finite().fill_null(value=False), None)


def _cut(frame: pl.DataFrame | None, known: pl.Expr) -> pl.DataFrame | None:
    return None if frame is None else frame.filter(known)
