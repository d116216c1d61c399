"""HTTP headers of publishers' responses, and the check of this machine's clock by them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import metadata
from threading import Lock
from typing import Final

from gridtide.model import format_time
from gridtide_pipelines.errors import ClockAhead, ClockUnknown

# RFC 9110, 5.6.7: the form that servers must send; its two predecessors are gone.
HTTP_DATE: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"[1-9][0-9]{3} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)
SECONDS: Final = re.compile(r"[0-9]{1,9}")  # not \d, which is also ² and ٣
LATEST: Final = datetime(9900, 1, 1, tzinfo=UTC)  # any age can be added to it

# Of a replay server: its responses, which need no pace, and those whose values are simulated.
REPLAYED: Final = "gridtide-replayed"
SIMULATED: Final = "gridtide-simulated"

# Clocks differ by seconds; by an hour only if one of them, or its time zone, is set wrong.
CLOCK_AHEAD = timedelta(hours=1)


def user_agent(*more: str) -> str:
    """Return name and version, with the project's address once it has one, and `more`."""
    about = metadata("gridtide-service")
    urls = [line.partition(", ")[2] for line in about.get_all("Project-URL") or ()]
    return " ".join((f"gridtide/{about['Version']}", *(f"(+{url})" for url in urls[:1]), *more))


def read_date(text: str) -> datetime | None:
    """Return the moment that an HTTP date names; None for any other text."""
    if not HTTP_DATE.fullmatch(text.strip()):
        return None
    try:
        return parsedate_to_datetime(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):  # 31 February, the year 0
        return None


def read_moment(headers: Mapping[str, str]) -> datetime | None:
    """Return when a response was sent, by its publisher's clock.

    None if its headers do not say.

    A cache repeats the Date of the first answer, and says in Age how long it has kept it.
    """
    said, age = read_date(headers.get("Date", "")), headers.get("Age", "").strip()
    if said is None or not SECONDS.fullmatch(age):
        return said
    return min(said, LATEST) + timedelta(seconds=int(age))


def read_retry_after(text: str, now: datetime, *, least: float) -> float | None:
    """Return the seconds to wait, given as a number or as a date; at least `least`."""
    text = text.strip()
    if SECONDS.fullmatch(text):
        return max(float(text), least)
    moment = read_date(text)
    return None if moment is None else max((moment - now).total_seconds(), least)


class ClockCheck:
    """Refuses responses while this machine's clock is ahead of the publishers'.

    One check serves one run: what one publisher's answers say of the clock counts for those
    whose answers say nothing.
    """

    def __init__(self, now: Callable[[], datetime], *, postpone: bool) -> None:
        """Start without knowing anything about the clock.

        Args:
            now: this machine's clock.
            postpone: whether the first response without a Date header is refused, so that
                the caller tries the other publishers before it tries this one again.
        """
        self._now, self._postpone = now, postpone
        self._confirmed = False
        self._ahead = ""
        self._postponed: set[str] = set()
        self._lock = Lock()  # several threads may have answers

    def judge(self, source: str, headers: Mapping[str, str], *, success: bool) -> None:
        """Compare the clock with a response's headers.

        Raises:
            ClockAhead: the clock is far ahead of this publisher's or, where this answer has
                no Date header, of all others that sent one.
            ClockUnknown: no answer has had a Date header yet.
        """
        said, now = read_moment(headers), self._now()
        with self._lock:
            if said is None:
                if success and not self._confirmed:
                    self._judge_undated(source)
            elif now - said <= CLOCK_AHEAD:
                self._confirmed = True
            else:
                self._ahead = (
                    f"this machine's clock says {format_time(now)}, the publisher's "
                    f"{format_time(said)}; set the clock right and refresh again, nothing of "
                    "this answer was stored"
                )
                raise ClockAhead(source, self._ahead)

    def _judge_undated(self, source: str) -> None:
        if self._ahead:
            raise ClockAhead(
                source, f"its answer has no Date header, and by another's {self._ahead}"
            )
        if self._postpone and source not in self._postponed:
            self._postponed.add(source)
            raise ClockUnknown(source, "its answer has no Date header; others are tried first")
