"""Regions as they are written on a command line."""

from __future__ import annotations

from collections.abc import Iterable


def split_regions(words: Iterable[str]) -> list[str]:
    """Every region of `words`, each a region or a comma list of them, in order.

    Two numbers side by side are one place: ``DE,52.5,13.4,FR`` is DE, ``52.5,13.4`` and FR.
    """
    regions: list[str] = []
    for word in words:
        half: str | None = None
        for part in (piece.strip() for piece in word.split(",")):
            if half is not None and _is_number(part):
                regions[-1] = f"{half},{part}"
                half = None
            elif part:
                regions.append(part)
                half = part if _is_number(part) else None
    return regions


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
