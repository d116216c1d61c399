"""What parsers of sources share: frames of readings, responses without data.

Pure: text in, frames out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.errors import NothingYet, SourceChanged, SourceError
from gridtide_pipelines.ingest.checks import check_readings
from gridtide_pipelines.ingest.columns import (
    Column,
    collected,
    column_of,
    times_of,
)
from gridtide_pipelines.ingest.newest import newest
from gridtide_pipelines.ingest.source import READING, Body, Source

# Of a JSON body: an empty list takes thirty times the room that it has in the body.
MOST_INNER: Final = 1_000_000

SLOT: Final = ("zone", "signal", "start", "end", "issued_at")
_FLAGS: Final = pl.col("flag").unique()
# A store that charges is not generation, so it cannot make a total negative.
STORAGE: Final = ("hydro_storage", "battery_storage")

NO_DATA: Final = re.compile(
    r"\bno (?:matching |new |further |more )?(?:data|records?|results?|values?|rows?|content)\b"
    r"|\b(?:data|records?|results?|values?|content)\b[^.;]{0,40}"
    r"\b(?:not|isn't|aren't) (?:yet )?(?:been )?(?:available|published|found|ready)"
    r"|\bnot yet (?:available|published|ready)\b|\bnothing (?:yet|found|published)\b",
    re.IGNORECASE,
)
NEEDS_A_PERSON: Final = re.compile(
    r"key|token|permission|forbidden|denied|unauthori|licen[cs]e|quota|limit", re.IGNORECASE
)
MOST_TEXT: Final = 2000  # characters of what a publisher says in place of data
# Names under which publishers put what they have, how much of it there is, and what is wrong.
ENVELOPE: Final = ("response", "data", "results", "records", "regions")
COUNTS: Final = ("total", "count")
ERRORS: Final = ("error", "errors")


def readings(
    *,
    zone: str | Column,
    signal: str | Column,
    start: Column | timedelta,
    end: Column | timedelta,
    value: Column,
    quality: Quality | Column = Quality.MEASURED,
    issued_at: datetime | Column | None = None,
    flag: Column | None = None,
    body: int | Column = 0,
    stamp: str | None = None,
) -> pl.DataFrame:
    """Build a frame of READING from columns; a single value holds for every row.

    Args:
        start: aware datetimes, or text that `stamp` (a strftime pattern in UTC) reads; or the
            length of every slot, where the publisher labels the end.
        end: likewise.
        value: numbers; None is a gap.

    Raises:
        ValueError, TypeError, PolarsError: columns that do not fit; see `check_shape`.
    """
    if isinstance(start, timedelta):
        last = times_of(_labels(end), stamp)
        first = last - pl.Series([start])
    else:
        first = times_of(start, stamp)
        last = first + pl.Series([end]) if isinstance(end, timedelta) else times_of(end, stamp)
    given = {
        "zone": zone,
        "signal": signal,
        "start": first,
        "end": last,
        "value": pl.Series(value, dtype=pl.Float64, strict=True),
        "quality": quality,
        "issued_at": issued_at,
        "flag": flag,
        "body": body,
    }
    columns = [column_of(name, given[name], len(first)) for name in READING.names()]
    return check_readings(with_sorted_flags(pl.DataFrame(columns)))


def with_sorted_flags(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` of READING with each flag of a row once, in order."""
    flag = frame["flag"]
    if flag.null_count() == frame.height:
        return frame
    given: list[Any] = [flag.min()]
    if given != [flag.max()]:
        given = collected(frame.lazy().select(_FLAGS)).to_series().to_list()
    tidy = {each: ";".join(sorted(set(each.split(";")))) for each in given if each}
    if all(each == text for each, text in tidy.items()):
        return frame
    return frame.with_columns(pl.col("flag").replace(tidy))


def with_values(source: str, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return `frames` of READING as one; of a slot that comes twice the newest body counts.

    Args:
        source: name of the source, for the error.

    Raises:
        NothingYet: none of them has a value.
    """
    if not any(frame["value"].count() for frame in frames):
        raise NothingYet(source, "the answer holds no value yet; normal at the live edge")
    return with_sorted_flags(newest(pl.concat(frames), SLOT))


def number(value: object) -> float | None:
    """Return a value of a JSON body, written as a number or as text; None stays None.

    Raises:
        TypeError, ValueError: it is neither; a truth value is not a number.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def read_json(content: bytes) -> Any:  # noqa: ANN401  # whatever it holds
    """Return what a JSON body holds, in bounded memory.

    Raises:
        ValueError: it is not JSON, or holds too many lists and objects.
        RecursionError: it is nested too deeply.
    """
    inner = content.count(b"[") + content.count(b"{")
    if inner > MOST_INNER:
        raise ValueError(f"JSON of {inner} lists and objects; at most {MOST_INNER} are read")
    return json.loads(content)


@contextmanager
def check_shape(source: str) -> Iterator[None]:
    """Raise SourceChanged for whatever in the block does not fit while a body is parsed.

    Any exception: libraries raise many for bytes that they do not understand, and none of them
    may end more than the group that these bytes are of.

    Raises:
        SourceChanged: the body is not of the shape we parse.
    """
    try:
        yield
    except SourceError:
        raise
    except (
        Exception,
        pl.exceptions.PanicException,  # of polars itself; it is not an Exception
    ) as error:
        raise SourceChanged(
            source,
            f"unexpected body: {type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
            "; the raw body is kept, the parser needs a look",
        ) from error


def parsed(
    source: Source, bodies: Sequence[Body]
) -> Iterator[tuple[Sequence[Body], pl.DataFrame]]:
    """Yield the readings of a group with the bodies they are from: once, or by `Source.parts`.

    Raises:
        SourceChanged: a body is not of the shape we parse; the parts before it were.
        NothingYet: no part holds a value.
    """
    if source.parts is None:
        yield bodies, source.parse(bodies)
        return
    empty: NothingYet | None = None
    found = False
    for body in bodies:
        for content in source.parts(body.open()):
            part = [replace(body, content=content, large=None)]
            try:
                frame = source.parse(part)
            except NothingYet as error:
                empty = error
                continue
            found = True
            yield part, frame
    if empty is not None and not found:
        raise empty


def _labels(given: Column | timedelta) -> Column:
    if isinstance(given, timedelta):
        raise TypeError("start and end are both lengths; one of them must have the labels")
    return given


def without_negative_totals(mix: pl.DataFrame, slot: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """Return `mix` with slots of negative total unknown, and how many they are.

    A grid does not generate less than nothing, so something in such a slot is wrong, and it is
    not known what. Where a fuel is null the total is not known, and nothing is judged.

    Args:
        mix: `fuel` and `value` in MW.
        slot: the columns that name a slot.
    """
    value = pl.col("value")
    charging = pl.col("fuel").is_in(STORAGE) & (value < 0)
    total = pl.when(~charging).then(value).sum().over(slot)
    known = value.is_not_null().all().over(slot)
    marked = mix.with_columns(((total < 0) & known).alias("wrong"))
    count = marked.filter("wrong").select(slot).n_unique()
    return marked.with_columns(value=pl.when(~pl.col("wrong")).then("value")).drop(
        "wrong"
    ), count


def says_nothing_yet(error: object) -> bool:
    """Say whether a publisher's error text or object means that it has no data for this time.

    Not one that speaks of a key, a permission or a quota: somebody must look at that.
    """
    if isinstance(error, dict | list):  # written as far as it is looked at
        text, parts = "", json.JSONEncoder(default=str).iterencode(error)
        while len(text) < MOST_TEXT and (part := next(parts, "")):
            text += part
    else:
        text = str(error)
    text = text[:MOST_TEXT]
    return bool(NO_DATA.search(text)) and not NEEDS_A_PERSON.search(text)


def holds_nothing(document: object) -> bool:
    """Say whether a JSON body is one of the forms of "no data yet".

    These are ``null``, ``{}``, ``[]``; one of them under each of `ENVELOPE` that is there, at
    any depth; a count of 0 in place of these; an error or a message that means it. What is only
    unreadable is not among them.
    """
    return not isinstance(document, str) and _is_nothing(document)


def _is_nothing(value: object) -> bool:
    if value is None or value in ({}, []):
        return True
    if isinstance(value, str):
        return says_nothing_yet(value)
    if not isinstance(value, dict):
        return False
    errors = [value[name] for name in ERRORS if value.get(name)]
    if errors:
        return says_nothing_yet(errors)
    rest = {name: inner for name, inner in value.items() if name not in ERRORS}
    inside = [rest[name] for name in ENVELOPE if name in rest]
    if inside:
        return all(_is_nothing(each) for each in inside)
    counts = [rest[name] for name in COUNTS if name in rest]
    if counts:
        return all(str(count) == "0" for count in counts)
    return not rest or says_nothing_yet(rest)
