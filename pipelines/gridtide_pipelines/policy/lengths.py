"""Lengths of time as options give them: ISO 8601, or a number with h, d or min."""

from __future__ import annotations

import re
from datetime import timedelta

from gridtide.errors import BadInput

# No years or months: they have no one length.
ISO = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
SHORT = re.compile(r"(\d+(?:\.\d+)?)\s*(d|h|min)")
UNITS = {"d": "days", "h": "hours", "min": "minutes"}


def parse_length(text: str, *, name: str) -> timedelta:
    """``PT24H``, ``P1D``, ``24h``, ``1.5d`` or ``90min``.

    Raises:
        BadInput: none of these.
    """
    if short := SHORT.fullmatch(text.strip()):
        parts = {UNITS[short[2]]: float(short[1])}
    elif iso := ISO.fullmatch(text.strip()):
        parts = {unit: float(number) for unit, number in iso.groupdict().items() if number}
    else:
        raise BadInput(
            f"{name} {text!r} is no length of time; write it as PT24H, P1D, 24h or 90min"
        )
    try:
        return timedelta(**parts)
    except OverflowError as error:
        raise BadInput(f"{name} {text!r} is longer than the calendar") from error
