"""The slots of a range of history: how many one answer has, and its gaps."""

from __future__ import annotations

from datetime import datetime, timedelta

from gridtide.errors import BadInput
from gridtide.model import Quality, format_time
from gridtide.schema.responses import IntensitySlot
from gridtide.slots import to_instant, to_moment
from gridtide_server.service import Moment
from gridtide_store.gaps import missing_slots
from gridtide_store.snapshot import Observed

# Five years; in slots, two and a half years of quarter hours.
LONGEST = timedelta(days=1830)
MOST_SLOTS = 100_000


def check_range(start: datetime, end: datetime, moment: Moment, longest: timedelta) -> None:
    """Refuse a range that is empty, or longer than one answer has."""
    if end <= start:
        raise BadInput(
            f"end {format_time(end)} is not after start {format_time(start)}"
            + ("; the range lies ahead of as_of" if start >= moment.as_of else "")
        )
    if end - start > longest:
        raise too_long(start, start + longest, f"at most {longest.days} days an answer")


def with_gaps(
    found: Observed, start: datetime, end: datetime, *, until: datetime
) -> list[IntensitySlot]:
    """Return the slots of a range in order, and a null one for each that is missing of it.

    Args:
        until: from when on a slot that is not there is not missing.

    Raises:
        BadInput: more slots than one answer has.
    """
    bounds = list(zip(found.start_us.tolist(), found.end_us.tolist(), strict=True))
    gaps = list(
        missing_slots(bounds, to_instant(start), to_instant(end), until=to_instant(until))
    )
    if (count := len(bounds) + len(gaps)) > MOST_SLOTS:
        part = start + (end - start) * (MOST_SLOTS / count)
        raise too_long(
            start, part.replace(microsecond=0), f"{count} slots; at most {MOST_SLOTS}"
        )
    slots = to_slots(found) + [_gap(*each) for each in gaps]
    return sorted(slots, key=lambda slot: slot.start)


def to_slots(found: Observed) -> list[IntensitySlot]:
    """Return observations as slots of a response, in their order."""
    columns = zip(
        found.start_us.tolist(),
        found.end_us.tolist(),
        found.value.tolist(),
        found.quality.tolist(),
        found.known_at_us.tolist(),
        found.source.tolist(),
        strict=True,
    )
    return [
        IntensitySlot(
            start=to_moment(start),
            end=to_moment(end),
            value=None if value != value else value,
            quality=Quality(quality),
            known_at=to_moment(known_at),
            source=source,
        )
        for start, end, value, quality, known_at, source in columns
    ]


def _gap(start: int, end: int) -> IntensitySlot:
    return IntensitySlot(
        start=to_moment(start),
        end=to_moment(end),
        value=None,
        quality=None,
        known_at=None,
        source=None,
    )


def too_long(start: datetime, part: datetime, why: str) -> BadInput:
    """Return the error for a range of which one answer holds the part up to `part`."""
    return BadInput(
        f"the range is too long for one answer ({why}); ask in parts, first "
        f"start={format_time(start)}&end={format_time(part)}, then start={format_time(part)}"
    )
