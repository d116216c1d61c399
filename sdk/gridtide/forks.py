"""Forks wait until what gridtide loads in another thread is whole.

In a fork only the thread that forked lives on: a module that another one was importing stays
locked there, and the next import of it waits for ever.
"""

from __future__ import annotations

# The last two hold locks of their own while a process forks. Loaded first they take them after
# ours, which what is being loaded may need.
import concurrent.futures.thread  # noqa: F401
import logging  # noqa: F401
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds a fork waits at most. Then it goes on, as two threads that wait for each other would
# not: one that loads, for a module whose import forks in the other.
LONGEST = 30.0

_lock = threading.RLock()
_mine = threading.local()


@contextmanager
def loading() -> Iterator[None]:
    """Hold up forks in other threads while modules are loaded."""
    _acquire()
    try:
        yield
    finally:
        _release()


def load_for_calls() -> None:
    """Load what every call needs, so that no fork meets it half loaded."""
    with loading():
        import encodings.idna  # noqa: F401  # of name lookups, in a thread of their own

        import gridtide.http.transport
        import gridtide.schema.problems
        import gridtide.schema.responses  # noqa: F401


def _acquire() -> None:
    _mine.__dict__.setdefault("held", []).append(_lock.acquire(timeout=LONGEST))


def _release() -> None:
    if _mine.held.pop():
        _lock.release()


def _begin_in_child() -> None:
    global _lock  # it is the process's
    if _mine.held.pop():
        _lock.release()
    else:
        _lock = threading.RLock()  # the thread that holds it is not there


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(
        before=_acquire, after_in_parent=_release, after_in_child=_begin_in_child
    )
