"""How often and how long to try again: pure, so that it is tested without waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gridtide.errors import ServiceUnavailable

# No answer at all, too many requests, and what a restarting service or its proxy says. Every
# call only asks, a POST too, so asking twice does no harm. A 500 is a bug, and stays one when
# tried again.
RETRIED = frozenset({None, 429, 502, 503, 504})
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 8.0
DOUBLINGS = 10  # by then the pause has long been the longest


@dataclass(slots=True)
class Patience:
    """The tries of one call.

    Attributes:
        retries: tries after the first.
        timeout: seconds for all tries and pauses together.
        clock: seconds of a clock that only goes forward.
        jitter: 0 to 1 at random, so that many clients do not come back at once.
    """

    retries: int
    timeout: float
    clock: Callable[[], float]
    jitter: Callable[[], float]
    began: float = field(init=False)
    tries: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def left(self) -> float:
        """Seconds that are left of `timeout`."""
        return self.timeout - (self.clock() - self.began)

    def pause_after(self, error: ServiceUnavailable) -> float | None:
        """Seconds to wait before the next try; ``None``: give up and raise `error`."""
        self.tries += 1
        if error.status not in RETRIED or self.tries > self.retries:
            return None
        grown = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self.tries - 1, DOUBLINGS))
        pause = grown * (0.5 + 0.5 * self.jitter())
        if error.retry_after is not None:
            pause = max(pause, error.retry_after)
        return pause if pause < self.left else None
