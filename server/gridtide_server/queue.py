"""Limits on the work of planning calls: few threads, a queue, and a time budget for each call.

Some plans take many seconds, and Python runs one thread at a time. Planning calls therefore
wait in a queue for a few threads, while other calls are served directly, and each is cancelled
when its time budget is used up: the planners check it as they work. How long a plan takes
cannot be predicted, as it depends on the forecast.

The planning threads take turns by time slices, so that other threads compete with only one of
them. If four threads planned at a time, a thread with a response to send would wait for four
others each time it has read from a socket, and the plans would not be ready sooner.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from gridtide.errors import TooCostly
from gridtide.planning.solvers.cancellation import cancellable
from gridtide_server.errors import Overloaded

T = TypeVar("T")
# One client has at most one of these parts of the queue.
SHARES = 4
# How long one planning thread works before another one may.
SLICE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class WorkLimits:
    """Limits of planning calls.

    Attributes:
        seconds: time budget of one call, from its start.
        share: least time for each question of a batch: long enough for most, and short enough
            that an endless one leaves time for the others.
        at_once: how many calls work at the same time.
        waiting: length of the queue; one client may have a quarter of it.
        patience: longest wait in the queue, seconds.
    """

    seconds: float = 20.0
    share: float = 1.0
    at_once: int = 4
    waiting: int = 100
    patience: float = 5.0


class _TimeIsUp(BaseException):
    """Ends the work. Not an `Exception`, so that no planner handles it."""


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
        """Hold the permit during the block, but while `hand_on` has passed it on."""
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Give up the permit during the block, in which this thread works outside of Python."""
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


class TimeBudget:
    """The time budget of one call."""

    def __init__(
        self,
        work_limits: WorkLimits,
        clock: Callable[[], float] = time.monotonic,
        *,
        given_up: Callable[[], bool] = lambda: False,
        slices: TimeSlices | None = None,
    ) -> None:
        self._limits = work_limits
        self._slices = slices or TimeSlices()
        self._given_up = given_up
        self._clock = clock
        self._end = self._until = clock() + work_limits.seconds

    @property
    def left(self) -> float:
        """Seconds left."""
        return self._end - self._clock()

    def run(self, work: Callable[[], T]) -> T:
        """Return the result of `work`, if it takes at most the time left.

        Raises:
            TooCostly: it takes longer, or no time is left.
        """
        with self._slices.own(), cancellable(self._check, self._slices.lent):
            return self._run(work, self._end)

    def run_all(self, works: Sequence[Callable[[], T]]) -> list[T | TooCostly]:
        """Return the result of each of `works`, or the error where its time was too short.

        Each has an equal part of the time left; those that need more run again after all
        others.
        """
        found: list[T | TooCostly] = [self._too_costly()] * len(works)
        waiting: Sequence[int] = range(len(works))
        with self._slices.own(), cancellable(self._check, self._slices.lent):
            while waiting and self.left > 0 and not self._given_up():
                again: list[int] = []
                for done, i in enumerate(waiting):
                    now = self._clock()
                    share = max(self._limits.share, (self._end - now) / (len(waiting) - done))
                    try:
                        found[i] = self._run(works[i], min(now + share, self._end))
                    except TooCostly:
                        again.append(i)
                waiting = again
        return found

    def _run(self, work: Callable[[], T], until: float) -> T:
        self._until = until
        try:
            self._check()
            return work()
        except _TimeIsUp as error:
            raise self._too_costly() from error

    def _check(self) -> None:
        """End the work in progress if its time is over; else let other threads work."""
        if self._clock() >= self._until or self._given_up():
            raise _TimeIsUp
        self._slices.hand_on()

    def _too_costly(self) -> TooCostly:
        return TooCostly(
            f"this takes more than the time budget of a call, {self._limits.seconds:g} s in "
            "all; give an earlier deadline, fewer regions, lengths in whole slots or fewer "
            "limits, or split the request"
        )


class WorkQueue:
    """The threads for planning calls, and the queue for them.

    A client has at most all but one of the threads, and a part of the queue.
    """

    def __init__(self, work_limits: WorkLimits) -> None:
        self._limits = work_limits
        self._waiting: list[_Waiting] = []
        self._working: Counter[str | None] = Counter()
        self._stopped = threading.Event()
        self._slices = TimeSlices()
        self._most = max(1, work_limits.at_once - 1)

    async def run(self, answer: Callable[[TimeBudget], T], client: str | None = None) -> T:
        """Return what `answer` returns, run in a thread of its own once one is free.

        Work that is cancelled in the queue never begins; running work ends at its next check.

        Args:
            client: the caller's address; ``None`` is this process itself, without a share to
                keep to.

        Raises:
            Overloaded: the queue is full, or no thread was free in time.
            TooCostly: see `TimeBudget`.
        """
        waiting = self._enter(client)
        try:
            await asyncio.wait_for(waiting.called.wait(), self._limits.patience)
        except (TimeoutError, asyncio.CancelledError) as error:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            else:  # called in the same moment
                self._leave(client)
            if isinstance(error, TimeoutError):
                own = 0 if client is None else self._working[client]
                share = f" ({own} calls of this client run, which is its share)"
                raise Overloaded(
                    f"no thread was free within {self._limits.patience:g} s"
                    f"{share if own >= self._most else ''}; try again later"
                    f"{', with fewer calls at once' if own >= self._most else ''}"
                ) from error
            raise
        dropped = threading.Event()
        # The thread is free when it ends, not when its caller has gone.
        working = asyncio.ensure_future(self._work(answer, dropped, client))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            dropped.set()
            # asyncio reports an error that no caller has retrieved.
            working.add_done_callback(_retrieve)
            raise

    def stop(self) -> None:
        """End all running work at its next check; later calls are served."""
        stopped, self._stopped = self._stopped, threading.Event()
        stopped.set()

    def _enter(self, client: str | None) -> _Waiting:
        inside = len(self._waiting) + self._working.total()
        own = sum(each.client == client for each in self._waiting)
        share = max(1, self._limits.waiting // SHARES)
        if inside >= self._limits.at_once + self._limits.waiting:
            raise Overloaded(
                f"{self._limits.waiting} planning calls already wait; try again later"
            )
        if client is not None and own >= share:
            raise Overloaded(
                f"{own} calls of this client already wait; try again when they are done"
            )
        waiting = _Waiting(client)
        self._waiting.append(waiting)
        self._call()
        return waiting

    def _call(self) -> None:
        """Start calls while threads are free: first the client with the least work running."""
        while self._working.total() < self._limits.at_once:
            able = [
                each
                for each in self._waiting
                if each.client is None or self._working[each.client] < self._most
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
        self, answer: Callable[[TimeBudget], T], dropped: threading.Event, client: str | None
    ) -> T:
        stopped = self._stopped

        def given_up() -> bool:
            return dropped.is_set() or stopped.is_set()

        try:
            budget = partial(TimeBudget, self._limits, given_up=given_up, slices=self._slices)
            return await _in_thread(lambda: answer(budget()))
        finally:
            self._leave(client)


class _Waiting:
    """A call in the queue."""

    def __init__(self, client: str | None) -> None:
        self.client = client
        self.called = asyncio.Event()


def _retrieve(ended: asyncio.Future[Any]) -> None:
    if not ended.cancelled():
        ended.exception()


async def _in_thread(work: Callable[[], T]) -> T:
    """Return the result of `work`, in a thread that does not keep the process alive."""
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
        except BaseException as raised:  # noqa: BLE001  # handed to the caller
            error = raised
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="gridtide-plan", daemon=True).start()
    return await found  # type: ignore[no-any-return]  # the result of `work`
