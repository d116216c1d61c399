"""Query parameters of a GET request, written as the service reads them."""

from __future__ import annotations

from datetime import date

from gridtide.model import Length, Signal, When, format_time, hours_of, utc
from gridtide.values import read_moment, read_text

Query = tuple[tuple[str, str], ...]


def query(**texts: str | None) -> Query:
    """Return the parameters that are given, in the order of the arguments."""
    return tuple((name, text) for name, text in texts.items() if text is not None)


def time_text(moment: When | None, name: str) -> str | None:
    """Return an aware time in UTC as ISO 8601.

    Raises:
        BadInput: without a UTC offset, or not a time.
    """
    return None if moment is None else format_time(utc(moment, name=name))


def day_text(moment: When | date | None, name: str) -> str | None:
    """Return a time as `time_text` does; a date is its start, UTC."""
    return None if moment is None else format_time(read_moment(moment, name, day=True))


def signal_text(signal: Signal | str | None) -> str | None:
    """Return the name of a signal, known here or not: a newer server may know more of them."""
    return plain_text(signal, "signal")


def plain_text(text: str | None, name: str) -> str | None:
    """Return text that UTF-8 can hold.

    Raises:
        BadInput: not text, or with half of a surrogate pair.
    """
    return None if text is None else read_text(text, name)


def hours_text(hours: Length | None, name: str = "hours") -> str | None:
    """Return a duration as a number of hours.

    Raises:
        BadInput: not a duration, or not above 0.
    """
    return None if hours is None else repr(hours_of(hours, name=name))
