"""Times as people write them: ISO 8601, local wall-clock times, day or month first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import parse_time
from gridtide_pipelines.ingest.local_time import read_clock

ENDS_IN_OFFSET: Final = re.compile(
    r"[T ]\d{1,2}(:?\d{2}){0,2}([.,]\d+)?\s?(Z|UTC|[+-]\d{2}(:?\d{2})?)$", re.IGNORECASE
)
CLOCK: Final = r"(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.0+)?)?\s*([AaPp]\.?[Mm]\.?)?)?"
YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + CLOCK)
YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})" + CLOCK)
# A slot written by both its ends, as `01.01.2021 00:00 - 01.01.2021 01:00`; the first is read.
RANGE: Final = re.compile(r"(.*\d)\s+[-\u2013]\s+(\d.*\d.*)")
# A day and a time of it, as `01.01.2021 - 00:00`; it is no slot.
DAY_AND_CLOCK: Final = re.compile(r"([\d./-]+)\s+[-\u2013]\s+(\d{1,2}:\d{2}(?::\d{2})?)")


@dataclass(slots=True)
class TimeFormat:
    """What the times of a file are written like, found while they are looked at.

    Attributes:
        name: of the file and its column, for messages.
        given: strptime pattern, if the user named one.
        day_first: whether the day comes before the month; None where nothing tells.
        example: a date that may be either.
    """

    name: str
    given: str | None = None
    day_first: bool | None = None
    example: str = ""
    with_offset: str = ""
    without: str = ""
    ranges: bool = False
    _opposite: str = field(default="", repr=False)

    def look(self, texts: Iterable[str]) -> None:
        """Take times into account.

        Raises:
            BadInput: days before and after their months, or times with and without offset.
        """
        if self.given is not None:
            return
        for text in texts:
            first = self._first(text)
            if ENDS_IN_OFFSET.search(first):
                self.with_offset = self.with_offset or text
                continue
            self.without = self.without or text
            match = YEAR_LAST.fullmatch(first)
            if match is None:
                continue
            one, two = int(match[1]), int(match[3])
            if match[2] == "." or one > 12:
                self._settle(text, day_first=True)
            elif two > 12:
                self._settle(text, day_first=False)
            else:
                self.example = self.example or text
        if self.with_offset and self.without:
            raise BadInput(
                f"{self.name}: some times have no UTC offset ({self.without!r}) and others "
                f"have ({self.with_offset!r}); write all in one way"
            )

    def check(self) -> None:
        """Check that dates can be read in one way only.

        Raises:
            BadInput: the day or the month may come first.
        """
        if self.example and self.day_first is None:
            raise BadInput(
                f"{self.name}: in {self.example!r} the day or the month may come first; say "
                "which: --time-format '%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M', as it is written"
            )

    def parse(self, text: str, where: str) -> datetime:
        """Return the time: in UTC where it has an offset, else as the wall clock has it.

        Raises:
            BadInput: `text` is not a time.
        """
        if self.given is not None:
            return self._as_given(text, self.given, where)
        first = self._first(text)
        if ENDS_IN_OFFSET.search(first):
            return parse_time(re.sub(r"\s?UTC$", "Z", first), name=where)
        try:
            if match := YEAR_FIRST.fullmatch(first):
                return _local(int(match[1]), int(match[3]), int(match[4]), *match.groups()[4:])
            if match := YEAR_LAST.fullmatch(first):
                one, two = int(match[1]), int(match[3])
                day, month = (one, two) if self.day_first else (two, one)
                return _local(int(match[4]), month, day, *match.groups()[4:])
        except (ValueError, OverflowError) as error:
            raise BadInput(f"{where} is {text!r}, not a time ({error})") from error
        try:
            return parse_time(first, name=where)
        except BadInput as error:
            raise BadInput(
                f"{error}, or say how it is written: --time-format '%d.%m.%y %H:%M'; remove a "
                "row that is a total or a remark"
            ) from error

    def all_as_given(self, texts: pl.Series) -> pl.Series | None:
        """Return times in the format that the user named; None where one is not in it.

        At once, for one by one they take 20 times as long; `parse` says which is not.
        """
        if self.given is None:
            return None
        try:
            return texts.str.to_datetime(self.given, time_unit="us", strict=True)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None

    def _as_given(self, text: str, stamp: str, where: str) -> datetime:
        try:
            return read_clock(text, stamp)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            if match := RANGE.fullmatch(text):
                self.ranges = True
                return self._as_given(match[1], stamp, where)
            raise BadInput(
                f"{where} is {text!r}, not a time as in --time-format {stamp!r}"
            ) from error

    def _first(self, text: str) -> str:
        """Return the time that is read, without the end of a slot."""
        if " " not in text:
            return text
        if match := DAY_AND_CLOCK.fullmatch(text):
            return f"{match[1]} {match[2]}"
        if match := RANGE.fullmatch(text):
            self.ranges = True
            return match[1]
        return text

    def _settle(self, text: str, *, day_first: bool) -> None:
        if self.day_first is not None and self.day_first is not day_first:
            raise BadInput(
                f"{self.name}: the day comes first in one of {self._opposite!r} and {text!r} "
                "and the month in the other; write all dates in one way"
            )
        self.day_first, self._opposite = day_first, self._opposite or text


def _local(
    year: int,
    month: int,
    day: int,
    hour: str | None,
    minute: str | None,
    second: str | None,
    half: str | None,
) -> datetime:
    """Return a wall-clock time; 24:00 is the end of the day."""
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError(f"hour {hours} {half}")
        hours = hours % 12 + 12 * (half[0] in "Pp")
    midnight = hours == 24 and int(minute or 0) == int(second or 0) == 0
    at = datetime(  # noqa: DTZ001  # a wall-clock time
        year, month, day, 0 if midnight else hours, int(minute or 0), int(second or 0)
    )
    return at + timedelta(days=1) if midnight else at


def as_utc(moment: datetime) -> datetime:
    """Return an aware time in UTC without its time zone, as columns of labels hold it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
