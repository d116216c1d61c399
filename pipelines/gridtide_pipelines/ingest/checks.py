"""What every frame of readings holds, whichever source it is of. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import Final, cast

import polars as pl

from gridtide_pipelines.ingest.columns import EPOCH, MICROSECOND
from gridtide_pipelines.ingest.source import READING

REQUIRED: Final = ("zone", "signal", "start", "end", "quality", "body")
FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
ODD: Final = (
    ((pl.col("end") <= pl.col("start")) | ~pl.col("value").is_finite()).sum().alias("odd")
)
_FIRST: Final = (FIRST - EPOCH) // MICROSECOND
_LAST: Final = (LAST - EPOCH) // MICROSECOND


def check_readings(frame: pl.DataFrame) -> pl.DataFrame:
    """Check that in `frame` of READING each slot ends after its start and each value is finite.

    Slots lie between FIRST and LAST: polars has times of years that Python cannot hold.

    Raises:
        ValueError: it is not; says which and where.
    """
    if frame.schema != READING:
        raise ValueError(f"columns {dict(frame.schema)} are not those of a reading")
    if any(frame[name].null_count() for name in REQUIRED):
        raise ValueError("a reading without zone, signal, start, end, quality or body")
    start, end, value = frame["start"], frame["end"], frame["value"]
    # A sum is finite only if each value is. Columns by themselves take a tenth of the time
    # of expressions in a frame of a few rows.
    if (end <= start).any() or not isfinite(value.sum()):
        odd = frame.select(ODD).item()
        if odd:
            raise ValueError(f"{odd} readings end before they start or are not finite")
    issued = frame["issued_at"]
    if _is_away(start, end) or (
        issued.null_count() < issued.len() and _is_away(issued, issued)
    ):
        raise ValueError(f"a slot before {FIRST:%Y} or after {LAST:%Y}")
    return frame


def _is_away(first: pl.Series, last: pl.Series) -> bool:
    # Whole numbers, for Python cannot hold all times that polars has.
    ends = first.cast(pl.Int64).min(), last.cast(pl.Int64).max()
    least, most = cast("tuple[int | None, int | None]", ends)
    return least is not None and most is not None and (least < _FIRST or most > _LAST)
