"""Whether this machine's clock is right, by the Date headers of publishers' answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from gridtide.model import format_time
from gridtide_pipelines.errors import ClockAhead, ClockUnknown
from gridtide_pipelines.ingest.headers import read_moment

# Clocks differ by seconds; by an hour only if one of them, or its time zone, is set wrong.
CLOCK_AHEAD = timedelta(hours=1)


class ClockCheck:
    """Stops answers from being stored as known at a time that has not come yet.

    One check serves one run: what one publisher's answers say of the clock counts for those
    whose answers say nothing.
    """

    def __init__(self, now: Callable[[], datetime], *, postpone: bool) -> None:
        """Nothing is known of the clock yet.

        Args:
            now: this machine's clock.
            postpone: whether the first answer without a Date header is refused, so that
                the caller asks the other publishers before it asks this one again.
        """
        self._now, self._postpone = now, postpone
        self._confirmed = False
        self._ahead = ""
        self._postponed: set[str] = set()

    def judge(self, source: str, headers: Mapping[str, str], *, success: bool) -> None:
        """Compare the clock with an answer's headers.

        Raises:
            ClockAhead: the clock is far ahead of this publisher's or, where this answer has
                no Date header, of all others that sent one.
            ClockUnknown: no answer has had a Date header yet.
        """
        said, now = read_moment(headers), self._now()
        if said is None:
            if success and not self._confirmed:
                self._judge_undated(source)
        elif now - said <= CLOCK_AHEAD:
            self._confirmed = True
        else:
            self._ahead = (
                f"this machine's clock says {format_time(now)}, the publisher's "
                f"{format_time(said)}; set the clock right and refresh again, nothing of this "
                "answer was stored"
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
