"""How much one call may have the server work: in few threads, and for a limited time.

Some plans take minutes, and Python runs one thread at a time. So calls that plan wait in line
for a few threads, beside which everything else is still answered, and each is given up when
its time is over. Nothing can be said of that time before: it depends on the forecast.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TypeVar

from gridtide.errors import TooCostly
from gridtide_server.errors import Overloaded

T = TypeVar("T")

# How often it is looked whether time is over, in seconds.
TICK = 0.05


@dataclass(frozen=True, slots=True)
class Effort:
    """What calls that plan may take.

    Attributes:
        seconds: of work for one call, from its start on.
        share: of them that each question of a batch may take at least: short enough that one
            without end leaves the others theirs, and long enough that most end within it.
        at_once: how many calls work at the same time.
        waiting: how many more may wait for that.
    """

    seconds: float = 20.0
    share: float = 1.0
    at_once: int = 4
    waiting: int = 100


class _TimeIsUp(BaseException):
    """Raised in the thread that works. No `Exception`, so that no planner takes it for its."""


class Turn:
    """The time of one call. Its methods are for the thread that works, but for `look`."""

    def __init__(self, effort: Effort, clock: Callable[[], float] = time.monotonic) -> None:
        self._effort = effort
        self._clock = clock
        self._thread = threading.get_ident()
        self._end = clock() + effort.seconds
        self._until = inf
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self._end - self._clock()

    def limited(self, work: Callable[[], T], seconds: float = inf) -> T:
        """What `work` gives, if that takes no longer than `seconds` and what is left.

        Raises:
            TooCostly: it does, or nothing is left.
        """
        seconds = min(seconds, self.left)
        try:
            if seconds > 0:
                return self._until_up(work, seconds)
        except _TimeIsUp:
            pass
        raise self._too_costly()

    def shared(self, works: Sequence[Callable[[], T]]) -> list[T | TooCostly]:
        """What each of `works` gives, or the error where its time did not suffice.

        Each has an equal part of what is left; those for which that is too little come again
        when all others had theirs.
        """
        found: list[T | TooCostly] = [self._too_costly()] * len(works)
        waiting: Sequence[int] = range(len(works))
        while waiting and self.left > 0:
            again: list[int] = []
            for done, i in enumerate(waiting):
                share = max(self._effort.share, self.left / (len(waiting) - done))
                try:
                    found[i] = self.limited(works[i], share)
                except TooCostly:
                    again.append(i)
            waiting = again
        return found

    def look(self) -> None:
        """End what works by now if its time is up; for another thread."""
        with self._lock:
            if self._clock() >= self._until:
                self._until = inf  # once
                _raise_in(self._thread, _TimeIsUp)

    def _too_costly(self) -> TooCostly:
        return TooCostly(
            f"this takes more work than a call may, {self._effort.seconds:g} s in all; give "
            "an earlier deadline, fewer regions, lengths in whole slots or fewer limits, or "
            "ask in parts"
        )

    def _until_up(self, work: Callable[[], T], seconds: float) -> T:
        self._until = self._clock() + seconds
        try:
            return work()
        finally:
            with self._lock:
                if self._until == inf:
                    _raise_in(self._thread, None)  # what came too late to stop it
                self._until = inf


class Line:
    """The threads in which calls that plan are answered, and those that wait for one."""

    def __init__(self, effort: Effort) -> None:
        self._effort = effort
        self._inside = 0
        self._threads = ThreadPoolExecutor(effort.at_once, "gridtide-plan")

    async def run(self, answer: Callable[[Turn], T]) -> T:
        """What `answer` gives, in one of the threads.

        Raises:
            Overloaded: too many wait already.
            TooCostly: as its turn says.
        """
        if self._inside >= self._effort.at_once + self._effort.waiting:
            raise Overloaded(
                f"{self._effort.waiting} calls that plan wait for their turn already; ask "
                "again in a while"
            )
        self._inside += 1
        # A call that nobody waits for any more still works, so it still has a place and an end.
        return await asyncio.shield(self._run(answer))

    async def _run(self, answer: Callable[[Turn], T]) -> T:
        turns: list[Turn] = []
        looking = asyncio.create_task(_look_at(turns))
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, partial(self._answered, answer, turns)
            )
        finally:
            looking.cancel()
            self._inside -= 1

    def _answered(self, answer: Callable[[Turn], T], turns: list[Turn]) -> T:
        turn = Turn(self._effort)
        turns.append(turn)
        return answer(turn)


async def _look_at(turns: Sequence[Turn]) -> None:
    while True:
        await asyncio.sleep(TICK)
        for turn in turns:
            turn.look()


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    """Raise `kind` in a thread that runs Python, as soon as it does; ``None``: do not.

    docs.python.org/3/c-api/threads.html#c.PyThreadState_SetAsyncExc
    """
    raised = None if kind is None else ctypes.py_object(kind)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
