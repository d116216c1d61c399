"""What every route needs: the snapshots, the clock, and the moment of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from gridtide.clock import Clock
from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide_server.queue import WorkQueue
from gridtide_server.reader import Reader
from gridtide_server.view import View

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of a request, and the knowledge time of its response.

    Attributes:
        now: by the server's clock.
        as_of: the knowledge time; not later.
        replay: whether the clock stands still at another time than the real one.
    """

    now: datetime
    as_of: datetime
    replay: bool

    @property
    def shared(self) -> dict[str, Any]:
        """The fields that all responses from data carry, see `gridtide.schema.responses`."""
        return {"as_of": self.as_of, "replay": self.replay}

    def since(self, then: datetime | None) -> float | None:
        """Return the seconds from `then` to the knowledge time; 0 if `then` is later."""
        return None if then is None else max(0.0, (self.as_of - then).total_seconds())


@dataclass(frozen=True, slots=True)
class Service:
    """What every route needs.

    Attributes:
        reader: the snapshots of one data directory.
        clock: the time of the responses.
        queue: of the planning calls.
        max_age: how long ago the slot of a latest value may have ended by default.
    """

    reader: Reader
    clock: Clock
    queue: WorkQueue
    max_age: timedelta

    def moment(self, as_of: datetime | None = None, view: View | None = None) -> Moment:
        """Return the moment of a request: now, and `as_of` or the full minute before now.

        So the same request has one response within a minute. A `view` that was published within
        this minute counts at once: then the moment is that of its publication. The time of a
        clock that stands still is taken as it is.

        Raises:
            BadInput: `as_of` has not come yet.
        """
        now = self.clock()
        if as_of is not None and as_of > now:
            raise BadInput(
                f"as_of {format_time(as_of)} is later than now ({format_time(now)}); "
                "leave it out to ask as of now"
            )
        return Moment(now, as_of or self._usual(now, view), self.clock.replay)

    def _usual(self, now: datetime, view: View | None) -> datetime:
        if self.clock.replay:
            return now
        minute = now.replace(second=0, microsecond=0)
        if view is not None and minute < view.snapshot.published_at <= now:
            return view.snapshot.published_at
        return minute

    async def decide(self, answer: Callable[[], T], *, files: bool) -> T:
        """Run `answer` here if it reads memory alone, in a thread if it reads `files`."""
        if not (files or self.clock.replay):
            return answer()
        return await run_in_threadpool(answer)
