"""How much one call may have the server work: in few threads, and for a limited time.

Some plans take many seconds, and Python runs one thread at a time. So calls that plan wait in
line for a few threads, beside which everything else is still answered, and each is given up
when its time is over: the planners look at it as they go. Nothing can be said of that time
before: it depends on the forecast.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from gridtide.errors import TooCostly
from gridtide.planning.onwards import looking
from gridtide_server.errors import Overloaded

T = TypeVar("T")


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
    """Ends the work. No `Exception`, so that no planner takes it for its own."""


class Turn:
    """The time of one call."""

    def __init__(self, effort: Effort, clock: Callable[[], float] = time.monotonic) -> None:
        self._effort = effort
        self._clock = clock
        self._end = clock() + effort.seconds

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self._end - self._clock()

    def limited(self, work: Callable[[], T], seconds: float = inf) -> T:
        """What `work` gives, if that takes no longer than `seconds` and what is left.

        Raises:
            TooCostly: it does, or nothing is left.
        """
        until = self._clock() + min(seconds, self.left)

        def look() -> None:
            if self._clock() >= until:
                raise _TimeIsUp

        try:
            with looking(look):
                look()
                return work()
        except _TimeIsUp as error:
            raise self._too_costly() from error

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

    def _too_costly(self) -> TooCostly:
        return TooCostly(
            f"this takes more work than a call may, {self._effort.seconds:g} s in all; give "
            "an earlier deadline, fewer regions, lengths in whole slots or fewer limits, or "
            "ask in parts"
        )


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
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: answer(Turn(self._effort))
            )
        finally:
            self._inside -= 1
