"""Values as a body states them, code by code, to readings by signal. Pure.

For publishers that list a value for each code of theirs (a fuel, a unit, a link) and slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.columns import frame_of
from gridtide_pipelines.ingest.newest import newest
from gridtide_pipelines.ingest.parsing import ERRORS, holds_nothing, read_json
from gridtide_pipelines.ingest.source import READING
from gridtide_pipelines.ingest.summing import sum_codes
from gridtide_store.vocabulary import generation


@dataclass(frozen=True, slots=True)
class Statement:
    """One value of one code, as a body states it.

    Attributes:
        code: the publisher's name for what is counted; codes of one signal and slot are added.
        value: None where the code is listed without one.
        issued_at: of a forecast.
        order: says which of two statements of one code is newer: a time of publication, the
            number of a revision. Where it is the same, the later body is.
    """

    zone: str
    signal: str
    code: str
    start: datetime
    end: datetime
    value: float | None
    body: int = 0
    flag: str | None = None
    issued_at: datetime | None = None
    order: str = ""
    quality: str = Quality.MEASURED


SCHEMA: Final = pl.Schema(
    {each.name: READING.get(each.name, pl.String()) for each in fields(Statement)}
)
_QUALITY: Final = (
    pl.when(pl.col("issued_at").is_not_null())
    .then(pl.lit(str(Quality.FORECAST)))
    .otherwise("quality")
    .alias("quality")
)
_VALUES: Final = attrgetter(*SCHEMA)


def add_codes(
    statements: Iterable[Statement], source: str, *, partial: bool = True
) -> pl.DataFrame:
    """Return READING with the newest statements of each code, added by `summing.sum_codes`.

    Args:
        source: name of the source, for the error.
        partial: whether a sum that lacks a part is flagged, else it is null.

    Raises:
        NothingYet: no statement has a value.
        ValueError, TypeError, PolarsError: values that do not fit; see `parsing.check_shape`.
    """
    frame = _frame(statements)
    if frame["issued_at"].null_count() < frame.height:
        frame = frame.with_columns(_QUALITY)
    return sum_codes(frame, source, partial=partial)


def newest_of(statements: Iterable[Statement]) -> list[Statement]:
    """Return the newest statement of each code and slot, without a value in a conflict.

    For what is computed from several codes before they are added.
    """
    key = ("zone", "signal", "code", "start", "end", "issued_at")
    rows = newest(_frame(statements), key, ("order", "body"))
    return [Statement(**row) for row in rows.iter_rows(named=True)]


def _frame(statements: Iterable[Statement]) -> pl.DataFrame:
    return frame_of(map(_VALUES, statements), SCHEMA)


def read_answer(content: bytes) -> Any:  # noqa: ANN401  # any JSON
    """Return what a JSON body holds; None where it says that there is nothing yet.

    Raises:
        ValueError, RecursionError: it is not JSON, or an error of the publisher.
    """
    document = read_json(content)
    if holds_nothing(document):
        return None
    errors = [document.get(each) for each in ERRORS] if isinstance(document, dict) else []
    if any(errors):
        raise ValueError(f"the publisher says {errors}")
    return document


def fuel_signal(code: str, fuels: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the signal of a publisher's code of a fuel, and a flag where it is new."""
    fuel = fuels.get(code)
    return generation(fuel or "unknown"), None if fuel else f"unmapped_code:{code}"


@lru_cache(maxsize=4096)
def instant(label: object) -> datetime:
    """Return the UTC instant of an ISO 8601 label; one without an offset is in UTC.

    Raises:
        TypeError, ValueError: it is not such a label.
    """
    moment = datetime.fromisoformat(text(label))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def text(value: object) -> str:
    """Return a value of a JSON body that must be text.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def rows_of(value: object) -> list[Any]:
    """Return a value of a JSON body that must be a list.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    return value
