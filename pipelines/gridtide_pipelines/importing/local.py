"""Wall-clock times of a file to UTC, on days on which clocks change too. Pure.

Ends of slots are written in two ways. By the clock, as it stands when a slot ends: in Berlin
the slot from 01:00 to 02:00 of a day in March ends at 03:00. Or by the start, as an hour is
added to it: then it ends at 02:00, which no clock shows, and in October two slots end at 03:00.
The two differ on these days alone, and the file tells which of them it is by what can be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from gridtide.errors import BadInput
from gridtide_pipelines.ingest.local_time import read_local
from gridtide_store.vocabulary import INSTANT

# No clock is further from UTC than -12:00 and +14:00.
OFFSET: Final = re.compile(r"([+-])(0\d|1[0-4]):?([0-5]\d)")
STAMP: Final = "%Y-%m-%d %H:%M:%S"
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows with labels in UTC.

    Attributes:
        unsure: how many labels may be either of two instants, each unknown at both.
        repeated: how many rows repeat another while clocks go back.
    """

    rows: pl.DataFrame
    unsure: int = 0
    repeated: int = 0


def read_timezone(text: str) -> str | timedelta:
    """Return the name of a time zone, or the offset from UTC that `text` says.

    Raises:
        BadInput: neither.
    """
    if match := OFFSET.fullmatch(text):
        size = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return -size if match[1] == "-" else size
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(
            f"--timezone {text!r} is unknown; write a name such as Europe/Berlin, UTC, or an "
            "offset that holds all year such as +01:00"
        ) from error
    return text


def to_utc(
    name: str, rows: pl.DataFrame, timezone: str | timedelta, *, ends: bool = False
) -> Placed:
    """Return `rows` with `label` in UTC.

    Args:
        rows: `row`, `label` (wall clock), `was` (the series), `value` and others, in order of
            the file.
        ends: whether labels name the ends of slots.

    Raises:
        BadInput: a time that clocks skip: they are not in this time zone.
    """
    if isinstance(timezone, timedelta):
        return Placed(
            rows.with_columns((pl.col("label") - timezone).dt.replace_time_zone("UTC"))
        )
    if timezone == "UTC":
        return Placed(rows.with_columns(pl.col("label").dt.replace_time_zone("UTC")))
    near = _near_changes(rows["label"], timezone)
    far = rows.filter(~near).with_columns(
        pl.col("label").dt.replace_time_zone(timezone).dt.convert_time_zone("UTC")
    )
    if not near.any():
        return Placed(far)
    reading = _read(rows.filter(near), timezone)
    if ends and reading.odd:
        by_start = _read(rows.filter(near), timezone, _spacing(rows.filter(near)["label"]))
        reading = min(reading, by_start, key=lambda each: each.odd)
    if not reading.lost.is_empty():
        at = reading.lost.row(0, named=True)
        raise BadInput(
            f"{name}, row {at['row']}: {at['label']:%Y-%m-%d %H:%M} does not exist in "
            f"{timezone}, where clocks skip it; if the file keeps one offset from UTC all "
            "year, name it: --timezone +01:00"
        )
    unsure = reading.unsure["label"].n_unique()
    return Placed(pl.concat([far, reading.placed]), unsure, reading.repeated)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Rows around a change of clocks, read in one way.

    Attributes:
        placed: rows with `label` in UTC; those of `unsure` twice, without a value.
        lost: rows with a value at a time that clocks skip.
        unsure: rows that may be of either of two instants.
        odd: how many rows speak against this way.
    """

    placed: pl.DataFrame
    lost: pl.DataFrame
    unsure: pl.DataFrame
    repeated: int
    odd: int


def _read(rows: pl.DataFrame, timezone: str, shift: timedelta = timedelta(0)) -> _Reading:
    """Read labels that are `shift` after what the clock shows when their slot starts."""
    first, last = (
        (rows["label"] - shift).dt.replace_time_zone(
            timezone, ambiguous=side, non_existent="null"
        )
        for side in ("earliest", "latest")
    )
    skipped = first.is_null()
    kept, repeated = _without_repeats(rows, fold=(first != last).fill_null(value=False))
    text = (kept["label"] - shift).dt.to_string(STAMP)
    at = read_local(text, timezone, STAMP, series=kept["was"])
    sides = [
        read_local(text, timezone, STAMP, later=pl.repeat(later, len(text), eager=True))
        for later in (False, True)
    ]
    fold = at.is_null() & sides[0].is_not_null()
    placed = [kept.with_columns(label=at + shift).filter(at.is_not_null())]
    clash = (
        placed[0].group_by("zone", "was", "label").agg(pl.col("value").n_unique())["value"] > 1
    )
    placed += [
        kept.with_columns(label=side + shift, value=pl.lit(None, pl.Float64)).filter(fold)
        for side in sides
    ]
    lost, unsure = rows.filter(skipped & rows["value"].is_not_null()), kept.filter(fold)
    return _Reading(
        placed=pl.concat(placed).cast({"label": INSTANT}),
        lost=lost,
        unsure=unsure,
        repeated=repeated,
        odd=len(lost) + len(unsure) + int(clash.sum()),
    )


def _without_repeats(rows: pl.DataFrame, fold: pl.Series) -> tuple[pl.DataFrame, int]:
    """Return `rows` with each row of the hour that comes twice once, and how many are left out.

    In a file that says every row twice, that hour has each of its labels four times: without
    this it would be unknown. If it has them twice there, the file has one of the hours only.
    """
    key = ["zone", "was", "label"]
    counts = rows.filter(~fold).group_by(key).len()["len"]
    usual = int(counts.mode().min() or 1)  # type: ignore[arg-type]  # whole numbers
    if usual == 1 or not fold.any():
        return rows, 0
    dropped: set[int] = set()
    for _, group in rows.with_row_index("place").filter(fold).group_by(key):
        values, places = group["value"].to_list(), group["place"].to_list()
        found = [values.index(value) for value in dict.fromkeys(values)]
        if len(values) == usual and len(found) == 1:
            keep = [0]
        elif len(values) == 2 * usual and len(found) <= 2:
            keep = [0, 1] if len(found) == 1 else found
        else:
            continue
        dropped |= {place for i, place in enumerate(places) if i not in keep}
    kept = rows.filter(~pl.Series(range(len(rows))).is_in(sorted(dropped)))
    return kept, rows["row"].n_unique() - kept["row"].n_unique()


def _near_changes(labels: pl.Series, timezone: str) -> pl.Series:
    """Say which labels are within a day of a change of clocks."""
    times = labels.unique()
    offsets = [
        moved
        - moved.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
        .dt.replace_time_zone(None)
        for moved in (times - DAY, times, times + DAY)
    ]
    same = (offsets[0] == offsets[1]) & (offsets[1] == offsets[2])
    return labels.is_in(times.filter(~same.fill_null(value=False)).implode())


def _spacing(labels: pl.Series) -> timedelta:
    """Return the commonest step between times that differ; of one time, nothing."""
    steps = labels.unique().sort().diff().drop_nulls()
    return steps.mode().min() or timedelta(0)  # type: ignore[return-value]  # durations
