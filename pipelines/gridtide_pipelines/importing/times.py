"""Times as people write them: ISO 8601, local wall-clock times, day or month first. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import parse_time
from gridtide_pipelines.ingest.local_time import read_clock

ENDS_IN_OFFSET: Final = re.compile(
    r"[T ]\d{1,2}(:?\d{2}){0,2}([.,]\d+)?\s?(Z|[+-]\d{2}(:?\d{2})?)$", re.IGNORECASE
)
# Names of offsets that mean one thing only; CST and IST do not.
OFFSETS: Final = {
    **dict.fromkeys(("UTC", "GMT", "WET"), 0),
    **dict.fromkeys(("BST", "WEST", "CET", "MEZ"), 1),
    **dict.fromkeys(("CEST", "MESZ", "EET"), 2),
    "EEST": 3,
}
NAMED_OFFSET: Final = re.compile(rf"(.*\d.*?)\s*\(?\b({'|'.join(OFFSETS)})\)?", re.IGNORECASE)
CLOCK: Final = r"(?:[T ,]+(\d{1,2})(?::(\d{2})(?::(\d{2})(?:\.0+)?)?)?\s*([AaPp]\.?[Mm]\.?)?)?"
YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + CLOCK)
YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})" + CLOCK)
# In English alone: `marraskuu` is November.
NAMES: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
MONTHS: Final = {name[:3]: number for number, name in enumerate(NAMES, 1)}
NAME: Final = "(" + "|".join(f"{each[:3]}(?:{each[3:]})?" for each in NAMES) + r"|sept)\.?"
# `13-Jan-2024` and `13Jan2024`; `Jan 13, 2024`.
DAY_MONTH: Final = re.compile(rf"(\d{{1,2}})[ -]?{NAME}[ ,-]*(\d{{4}})(?!\d)(.*)", re.I)
MONTH_DAY: Final = re.compile(rf"{NAME} (\d{{1,2}}),? (\d{{4}})(?!\d)(.*)", re.I)
# The two hours while clocks go back, as `2A:00` and `02:00 B`: the order of the rows tells.
MARKED: Final = re.compile(r"(.*[T ]\d{1,2})(?:[AB](:\d{2}.*)|(:\d{2}(?::\d{2})?)\s?[AB])")
COMPACT: Final = re.compile(r"(\d{8})T(\d{2})(\d{2})?(\d{2})?")
H_FOR_COLON: Final = re.compile(r"(?<=\d)h(?=\d\d)")
# The forms that most files have, which are read at once.
COMMON: Final = re.compile(r"(\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4})([T ])\d\d:\d\d(:[0-5]\d)?(Z?)")
DIGITS: Final = re.compile(r"\d+(?:[.,]\d+)?")
# A slot written by both its ends, as `01.01.2021 00:00 - 01.01.2021 01:00`; the first is read.
RANGE: Final = re.compile(r"(.*\d(?:\s*\(\w+\))?)\s+[-\u2013]\s+(\d.*\d.*)")
# The same without spaces, as `2021-01-01 00:00-01:00`: the second may be an offset from UTC.
CLOSE_RANGE: Final = re.compile(
    r"(.*[T ](\d{1,2})(?::(\d{2}))?(?::\d{2})?)-(\d{1,2})(?::(\d{2}))?(?::\d{2})?"
)
# A day and a time of it, as `01.01.2021 - 00:00`; it is not a slot.
DAY_AND_CLOCK: Final = re.compile(r"([\d./-]+)\s+[-\u2013]\s+(\d{1,2}:\d{2}(?::\d{2})?)")
# From where Unix counts, and spreadsheets: their day 60 is one that never was.
UNIX: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # a wall-clock time
SPREADSHEET: Final = datetime(1899, 12, 30)  # noqa: DTZ001


@dataclass(slots=True)
class TimeFormat:
    """What the times of a file are written like, found while they are looked at.

    Attributes:
        name: of the file and its column, for messages.
        given: strptime pattern, if the user named one.
        day_first: whether the day comes before the month; None where nothing tells.
        example: a date that may be either.
        ranges: whether times have both ends of a slot.
        counted: what times count that are numbers.
    """

    name: str
    given: str | None = None
    day_first: bool | None = None
    example: str = ""
    with_offset: str = ""
    without: str = ""
    ranges: bool = False
    counted: str = ""
    _close: bool = field(default=False, repr=False)
    _lengths: Counter[int] = field(default_factory=Counter, repr=False)
    _ends: set[str] = field(default_factory=set, repr=False)
    _opposite: str = field(default="", repr=False)

    def look(self, texts: pl.Series) -> None:
        """Take times into account, each once.

        Raises:
            BadInput: days before and after their months, or times with and without offset.
        """
        if self.given is not None or texts.is_empty():
            return
        alike = self.all_alike(texts) is not None
        for text in texts.head(1) if alike else texts:
            first, offset = self._first(text)
            if close := CLOSE_RANGE.fullmatch(first):
                self._look_close(close)
            if offset is not None or ENDS_IN_OFFSET.search(first):
                self.with_offset = self.with_offset or text
            else:
                self.without = self.without or text
            match = YEAR_LAST.fullmatch(close[1] if close else first)
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

    def _look_close(self, match: re.Match[str]) -> None:
        """Count how long the slot is, if both ends of one are written without a space."""
        start, end = (60 * int(match[hour]) + int(match[hour + 1] or 0) for hour in (2, 4))
        self._lengths[(end - start) % 1440] += 1
        self._ends.add(f"{match[4]}:{match[5] or '00'}")

    def check(self) -> None:
        """Check that dates can be read in one way only, and settle what close ranges are.

        Offsets from UTC are few in one file; ends of slots are many, and alike in length.

        Raises:
            BadInput: the day or the month may come first.
        """
        counts = self._lengths
        alike = counts.most_common(1)[0][1] if counts else 0
        self._close = len(self._ends) > 2 and alike > 0.9 * counts.total()
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
        first, offset = self._first(text)
        if offset is None and ENDS_IN_OFFSET.search(first):
            return parse_time(first, name=where)
        try:
            if (at := self._local(first)) is not None:
                return at if offset is None else at.replace(tzinfo=timezone(offset))
        except (ValueError, OverflowError) as error:
            raise BadInput(f"{where} is {text!r}, not a time ({error})") from error
        try:
            return parse_time(first, name=where)
        except BadInput as error:
            raise BadInput(
                f"{error}, or say how it is written: --time-format '%d.%m.%y %H:%M'; remove a "
                "row of totals, units or remarks"
            ) from error

    def _local(self, text: str) -> datetime | None:
        """Return a time in digits as the wall clock has it; None of another form."""
        if match := YEAR_FIRST.fullmatch(text):
            return _wall(int(match[1]), int(match[3]), int(match[4]), *match.groups()[4:])
        if match := YEAR_LAST.fullmatch(text):
            one, two = int(match[1]), int(match[3])
            day, month = (one, two) if self.day_first else (two, one)
            return _wall(int(match[4]), month, day, *match.groups()[4:])
        return None

    def all_alike(self, texts: pl.Series) -> pl.Series | None:
        """Return times that are all written as the first is, in a common form; else None.

        At once, as `all_as_given`. Those with a Z are in UTC.
        """
        match = COMMON.fullmatch(texts[0] or "") if len(texts) else None
        if match is None or texts.str.len_bytes().n_unique() > 1:
            return None
        day = "%d.%m.%Y" if "." in match[1] else "%Y-%m-%d"
        stamp = f"{day}{match[2]}%H:%M{':%S' if match[3] else ''}{match[4]}"
        found = _at_once(texts, stamp)
        return found if found is None or not match[4] else found.dt.replace_time_zone("UTC")

    def all_as_given(self, texts: pl.Series) -> pl.Series | None:
        """Return times in the format that the user named; None where one is not in it.

        At once, for one by one they take 20 times as long; `parse` says which is not.
        """
        return None if self.given is None else _at_once(texts, self.given)

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

    def _first(self, text: str) -> tuple[str, timedelta | None]:
        """Return the time that is read, without the end of a slot, and its offset from UTC.

        That is None where nothing names one.
        """
        if YEAR_FIRST.fullmatch(text) or YEAR_LAST.fullmatch(text):
            return text, None
        if match := COMPACT.fullmatch(text):
            text = "".join(match.groups(""))
        if DIGITS.fullmatch(text):
            return self._of_digits(text)
        offset = None
        if self._close and (match := CLOSE_RANGE.fullmatch(text)):
            self.ranges = True
            text = match[1]
        if match := DAY_AND_CLOCK.fullmatch(text):
            text = f"{match[1]} {match[2]}"
        elif match := RANGE.fullmatch(text):
            self.ranges = True
            named = NAMED_OFFSET.fullmatch(text)
            text = match[1]
            if named and not NAMED_OFFSET.fullmatch(text):
                text = f"{text} {named[2]}"
        if match := NAMED_OFFSET.fullmatch(text):
            text, offset = match[1], timedelta(hours=OFFSETS[match[2].upper()])
        if match := MARKED.fullmatch(text):
            text = match[1] + (match[2] or match[3])
        if match := DAY_MONTH.fullmatch(text):
            text = f"{match[3]}-{MONTHS[match[2][:3].lower()]}-{match[1]}{match[4]}"
        elif match := MONTH_DAY.fullmatch(text):
            text = f"{match[3]}-{MONTHS[match[1][:3].lower()]}-{match[2]}{match[4]}"
        return H_FOR_COLON.sub(":", text), offset

    def _of_digits(self, text: str) -> tuple[str, timedelta | None]:
        """Return a time that is written as one number, as `_first`.

        Of ten digits, 2024010100 is a day and its hour: as seconds it would be of 2034.
        """
        whole = re.split("[.,]", text)[0]
        if re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])(\d\d){0,3}", text):
            parts = [text[i : i + 2] for i in range(8, len(text), 2)]
            return f"{text[:4]}-{text[4:6]}-{text[6:8]} {':'.join(parts)}".strip(), None
        if len(whole) in (10, 13):
            self.counted = "seconds" if len(whole) == 10 else "milliseconds"
            seconds = float(text.replace(",", ".")) / (1 if len(whole) == 10 else 1000)
            return str(UNIX + timedelta(seconds=seconds)), timedelta(0)
        if len(whole) == 5 and text[0] in "2345678":
            self.counted = "days of a spreadsheet"
            seconds = round(float(text.replace(",", ".")) * 86400)
            return str(SPREADSHEET + timedelta(seconds=seconds)), None
        return text, None

    def _settle(self, text: str, *, day_first: bool) -> None:
        if self.day_first is not None and self.day_first is not day_first:
            raise BadInput(
                f"{self.name}: the day comes first in one of {self._opposite!r} and {text!r} "
                "and the month in the other; write all dates in one way"
            )
        self.day_first, self._opposite = day_first, self._opposite or text


def _wall(
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


def _at_once(texts: pl.Series, stamp: str) -> pl.Series | None:
    try:
        return texts.str.to_datetime(stamp, time_unit="us", strict=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def as_utc(moment: datetime) -> datetime:
    """Return an aware time in UTC without its time zone, as columns of labels hold it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
