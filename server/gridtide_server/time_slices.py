"""Time slices for planning threads, so that other threads compete with only one of them.

Python runs one thread at a time. If four threads plan, a thread with a response to send would
wait
for four others each time it has read from a socket, and the plans would not be ready sooner.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLICE_SECONDS = 0.02


class TimeSlices:
    """One permit to plan, passed on among threads in order of arrival."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()
        self._since = 0.0

    @contextmanager
    def own(self) -> Iterator[None]:
        """Hold the permit during the block, except for what `hand_on` passes on."""
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Give up the permit during the block: this thread works outside of Python."""
        self._give()
        try:
            yield
        finally:
            self._take()

    def hand_on(self) -> None:
        """Pass the permit on, if the time slice is over and a thread waits."""
        if self._waiting and self._clock() - self._since >= SLICE_SECONDS:
            self._give()
            self._take()

    def _take(self) -> None:
        with self._lock:
            if self._taken:
                called = threading.Event()
                self._waiting.append(called)
            else:
                self._taken, called = True, None
        if called is not None:
            called.wait()
        self._since = self._clock()

    def _give(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
