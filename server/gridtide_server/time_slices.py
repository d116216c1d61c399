"""Threads that plan take turns, so that those that answer meet one of them at a time.

Python runs one thread at a time. Where four threads plan, one that has an answer to send waits
for four others each time it has read from a socket; and the plans are none the sooner for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLICE_SECONDS = 0.02


class TimeSlices:
    """A place for one thread, handed on in the order in which they came."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()
        self._since = 0.0

    @contextmanager
    def own(self) -> Iterator[None]:
        """Within it this thread has the place, but for what it hands on."""
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Within it another may have the place: this thread works outside of Python."""
        self._give()
        try:
            yield
        finally:
            self._take()

    def hand_on(self) -> None:
        """Let the next have its slice of time, if this one is over."""
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
