"""How much one call may have the server work: in few threads, and for a limited time.

Some plans take many seconds, and Python runs one thread at a time. So calls that plan wait in
line for a few threads, beside which everything else is still answered, and each is given up
when its time is over: the planners look at it as they go. Nothing can be said of that time
before: it depends on the forecast.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any, TypeVar

from gridtide.errors import TooCostly
from gridtide.planning.solvers.cancellation import cancellable
from gridtide_server.errors import Overloaded
from gridtide_server.time_slices import TimeSlices

T = TypeVar("T")
# One client has at most one of these parts of the places to wait.
SHARES = 4


@dataclass(frozen=True, slots=True)
class Effort:
    """What calls that plan may take.

    Attributes:
        seconds: of work for one call, from its start on.
        share: of them that each question of a batch may take at least: short enough that one
            without end leaves the others theirs, and long enough that most end within it.
        at_once: how many calls work at the same time.
        waiting: how many more may wait for that, and of one client a quarter of these.
        patience: seconds that one of them waits at most.
    """

    seconds: float = 20.0
    share: float = 1.0
    at_once: int = 4
    waiting: int = 100
    patience: float = 5.0


class _TimeIsUp(BaseException):
    """Ends the work. No `Exception`, so that no planner takes it for its own."""


class Turn:
    """The time of one call."""

    def __init__(
        self,
        effort: Effort,
        clock: Callable[[], float] = time.monotonic,
        *,
        given_up: Callable[[], bool] = lambda: False,
        slices: TimeSlices | None = None,
    ) -> None:
        self._effort = effort
        self._slices = slices or TimeSlices()
        self._given_up = given_up
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
            if self._clock() >= until or self._given_up():
                raise _TimeIsUp
            self._slices.hand_on()

        try:
            with self._slices.own(), cancellable(look, self._slices.lent):
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
        while waiting and self.left > 0 and not self._given_up():
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
    """The threads in which calls that plan are answered, and those that wait for one.

    A client has at most all but one of the places to work, and a part of those to wait.
    """

    def __init__(self, effort: Effort) -> None:
        self._effort = effort
        self._waiting: list[_Waiting] = []
        self._working: Counter[str | None] = Counter()
        self._stopped = threading.Event()
        self._slices = TimeSlices()

    async def run(self, answer: Callable[[Turn], T], client: str | None = None) -> T:
        """What `answer` gives, in a thread of its own once its turn has come.

        Work that is cancelled while it waits is never begun; while it runs, it ends when it
        next looks at the time.

        Args:
            client: who asks; ``None`` is this process itself, which has no share to keep to.

        Raises:
            Overloaded: too many wait already, or the turn did not come in time.
            TooCostly: as its turn says.
        """
        place = self._enter(client)
        try:
            await asyncio.wait_for(place.called.wait(), self._effort.patience)
        except (TimeoutError, asyncio.CancelledError) as error:
            if place in self._waiting:
                self._waiting.remove(place)
            else:  # called in the same moment
                self._leave(client)
            if isinstance(error, TimeoutError):
                raise Overloaded(
                    f"the turn of this call did not come within {self._effort.patience:g} s; "
                    "ask again in a while"
                ) from error
            raise
        dropped = threading.Event()
        # The place is given back when the thread ends, not when its caller has gone.
        working = asyncio.ensure_future(self._work(answer, dropped, client))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            dropped.set()
            # Nobody waits for the error it ends with, and asyncio would report that as a fault.
            working.add_done_callback(_look_at)
            raise

    def stop(self) -> None:
        """End what runs, when it next looks at the time; what comes after that is answered."""
        stopped, self._stopped = self._stopped, threading.Event()
        stopped.set()

    def _enter(self, client: str | None) -> _Waiting:
        inside = len(self._waiting) + self._working.total()
        own = sum(each.client == client for each in self._waiting)
        share = max(1, self._effort.waiting // SHARES)
        if inside >= self._effort.at_once + self._effort.waiting:
            raise Overloaded(
                f"{self._effort.waiting} calls that plan wait for their turn already; ask "
                "again in a while"
            )
        if client is not None and own >= share:
            raise Overloaded(
                f"{own} calls of this client wait for their turn already; ask again when they "
                "are answered"
            )
        place = _Waiting(client)
        self._waiting.append(place)
        self._call()
        return place

    def _call(self) -> None:
        """Let those begin whose turn it is: of the waiting, whose client works least."""
        most = max(1, self._effort.at_once - 1)
        while self._working.total() < self._effort.at_once:
            able = [
                each
                for each in self._waiting
                if each.client is None or self._working[each.client] < most
            ]
            if not able:
                return
            first = min(able, key=lambda each: self._working[each.client])
            self._waiting.remove(first)
            self._working[first.client] += 1
            first.called.set()

    def _leave(self, client: str | None) -> None:
        self._working[client] -= 1
        if self._working[client] <= 0:
            del self._working[client]
        self._call()

    async def _work(
        self, answer: Callable[[Turn], T], dropped: threading.Event, client: str | None
    ) -> T:
        stopped = self._stopped

        def given_up() -> bool:
            return dropped.is_set() or stopped.is_set()

        try:
            turn = partial(Turn, self._effort, given_up=given_up, slices=self._slices)
            return await _in_thread(lambda: answer(turn()))
        finally:
            self._leave(client)


class _Waiting:
    """A call that waits for its turn."""

    def __init__(self, client: str | None) -> None:
        self.client = client
        self.called = asyncio.Event()


def _look_at(ended: asyncio.Future[Any]) -> None:
    if not ended.cancelled():
        ended.exception()


async def _in_thread(work: Callable[[], T]) -> T:
    """What `work` gives, in a thread that the end of the process does not wait for."""
    loop, found = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if found.cancelled():
            return
        if error is None:
            found.set_result(result)
        else:
            found.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001  # handed to whoever waits
            error = raised
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="gridtide-plan", daemon=True).start()
    return await found  # type: ignore[no-any-return]  # the result of `work`
