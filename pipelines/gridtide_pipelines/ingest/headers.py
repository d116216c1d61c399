"""Values of HTTP headers, read strictly: what does not fit is as if it were not there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

# RFC 9110, 5.6.7: the form that servers must send; its two predecessors are gone.
HTTP_DATE: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"[1-9][0-9]{3} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)
SECONDS: Final = re.compile(r"[0-9]{1,9}")  # not \d, which is also ² and ٣
LATEST: Final = datetime(9900, 1, 1, tzinfo=UTC)  # any age can be added to it


def read_date(text: str) -> datetime | None:
    """The moment an HTTP date names; None for any other text."""
    if not HTTP_DATE.fullmatch(text.strip()):
        return None
    try:
        return parsedate_to_datetime(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):  # 31 February, the year 0
        return None


def read_moment(headers: Mapping[str, str]) -> datetime | None:
    """When an answer left, by its publisher's clock; None if its headers do not say.

    A cache repeats the Date of the first answer, and says in Age how long it has kept it.
    """
    said, age = read_date(headers.get("Date", "")), headers.get("Age", "").strip()
    if said is None or not SECONDS.fullmatch(age):
        return said
    return min(said, LATEST) + timedelta(seconds=int(age))


def read_retry_after(text: str, now: datetime, *, least: float) -> float | None:
    """Seconds a publisher asks to wait, given as a number or as a date; at least `least`."""
    text = text.strip()
    if SECONDS.fullmatch(text):
        return max(float(text), least)
    moment = read_date(text)
    return None if moment is None else max((moment - now).total_seconds(), least)
