"""Lengths of time as people write them: a number with its unit, or ISO 8601."""

from __future__ import annotations

import re

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


def parts_of(text: str) -> list[tuple[str, float]] | None:
    """(unit, amount) of a length of time in words or in ISO 8601."""
    stripped = text.strip()
    if iso := ISO.fullmatch(stripped.upper()):
        found = {unit: each for unit, each in iso.groupdict().items() if each}
        return [(unit, float(each.replace(",", "."))) for unit, each in found.items()] or None
    parts: list[tuple[str, float]] = []
    at = 0
    while at < len(stripped):
        part = PART.match(stripped, at)
        unit = part and UNITS.get(part[2].lower())
        if part is None or unit is None or unit in (each for each, _ in parts):
            return None
        parts.append((unit, float(part[1])))
        at = part.end()
    return parts or None


def why_no_length(text: str) -> str:
    """What is missing in text that is no length of time, for a message; may be empty."""
    try:
        float(text)
    except ValueError:
        return ""
    return ", which does not say its unit"
