"""Work in several threads around one thread that alone uses the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")


class Ended(BaseException):
    """The store's thread takes no more work: the thread that sees this has to end."""


class StoreThread:
    """Runs what other threads hand over in the thread that calls `serve`, one at a time."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._lock, self._closed = Lock(), False

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns in the store's thread.

        Raises:
            Ended: that thread has ended, or `function` ended it with an error.
        """
        result: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise Ended
            self._calls.put((function, result))
        return result.result()

    def serve(self, works: Sequence[Callable[[], None]]) -> Iterator[None]:
        """Run `works` in a thread each until all have ended; yield after each call they make.

        Raises:
            BaseException: what a call or a work raised; the others end at their next call.
        """
        threads = [Thread(target=self._run, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        left = len(works)
        try:
            while left:
                handed = self._calls.get()
                if handed is None:
                    left -= 1
                    continue
                function, result = handed
                try:
                    value = function()
                except BaseException:
                    result.set_exception(Ended())
                    raise
                result.set_result(value)
                yield
            for thread in threads:  # models are fitted in forked processes, which copy none
                thread.join()
        finally:
            self._close(done=not left)

    def _run(self, work: Callable[[], None]) -> None:
        """Run one work; an error of its own is raised in the store's thread."""
        try:
            work()
        except Ended:
            pass
        except BaseException as error:  # noqa: BLE001  # raised again where it is seen
            with suppress(Ended):
                self.call(partial(_throw, error))
        self._calls.put(None)

    def _close(self, *, done: bool) -> None:
        """Refuse further calls, unless all works are done and others may follow."""
        if done:
            return
        with self._lock:
            self._closed = True
        while not self._calls.empty():
            if handed := self._calls.get():
                handed[1].set_exception(Ended())


def run_all(works: Sequence[Callable[[], None]]) -> None:
    """Run `works` in a thread each, the last one in this thread; return when all have ended.

    Raises:
        BaseException: what one of them raised first.
    """
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # raised below, in the caller's thread
            errors.append(error)

    threads = [Thread(target=run, args=(work,), daemon=True) for work in works[:-1]]
    for thread in threads:
        thread.start()
    run(works[-1])
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _throw(error: BaseException) -> None:
    raise error
