"""Durations as text: amounts with their units (``4h``, ``1h30m``), or ISO 8601 (``PT4H``)."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {
    word: unit
    for unit, words in (
        ("days", "d day days"),
        ("hours", "h hr hrs hour hours"),
        ("minutes", "m min mins minute minutes"),
        ("seconds", "s sec secs second seconds"),
    )
    for word in words.split()
}
PART = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([a-z]+)", re.IGNORECASE | re.ASCII)
_AMOUNT = r"\d{1,15}(?:[.,]\d{1,15})?"
ISO = re.compile(
    rf"P(?=[\dT])(?:(?P<weeks>{_AMOUNT})W)?(?:(?P<days>{_AMOUNT})D)?"
    rf"(?:T(?=\d)(?:(?P<hours>{_AMOUNT})H)?(?:(?P<minutes>{_AMOUNT})M)?"
    rf"(?:(?P<seconds>{_AMOUNT})S)?)?",
    re.ASCII,
)


def parse_duration(text: str) -> timedelta | None:
    """Return the duration that `text` says; None where it is not one.

    Each unit may occur once. A number alone does not say its unit, so it is not a duration.

    Raises:
        OverflowError: longer than the calendar.
    """
    stripped = text.strip()
    if iso := ISO.fullmatch(stripped.upper()):
        amounts = {unit: each for unit, each in iso.groupdict().items() if each}
        return _total({unit: float(each.replace(",", ".")) for unit, each in amounts.items()})
    parts: dict[str, float] = {}
    at = 0
    while at < len(stripped):
        part = PART.match(stripped, at)
        unit = part and UNITS.get(part[2].lower())
        if part is None or unit is None or unit in parts:
            return None
        parts[unit] = float(part[1])
        at = part.end()
    return _total(parts)


def number_or_text(text: str) -> float | str:
    """Return the number that `text` says, or `text` where it says none.

    This is how a command line and a query string say a number: they have nothing but text.
    """
    try:
        return float(text)
    except ValueError:
        return text


def _total(parts: dict[str, float]) -> timedelta | None:
    return timedelta(**parts) if parts else None
