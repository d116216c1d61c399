"""Locks of files between processes, and how one that holds a lock gives way to others.

The kernel releases a lock when its process ends, however it ends.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Seconds: how long to wait for a holder that gives way, and how often to try. It does so
# between two spans of a publisher, of which each takes 1,200 s at most.
WAIT = 1500.0
POLL = 0.2

# A lock that leads elsewhere would have its target overwritten.
NO_LINK = getattr(os, "O_NOFOLLOW", 0)

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> None:
        """Lock an open file, or fail at once with an OSError."""
        # A byte far behind the text: Windows refuses others to read a locked byte.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def try_lock(descriptor: int) -> None:
        """Lock an open file, or fail at once with an OSError."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_or_wait(
    descriptor: int,
    wanted: Path,
    *,
    gives_way: Callable[[], bool],
    wait: float,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Lock an open file; where its holder gives way, wait for that.

    Args:
        descriptor: of the file.
        wanted: file that is locked meanwhile, for the holder to see; see `is_locked`.
        gives_way: whether the present holder does.
        wait: seconds.

    Returns:
        False if another process still holds it.
    """
    asking: int | None = None
    try:
        for _ in range(max(1, round(wait / POLL))):
            try:
                try_lock(descriptor)
            except OSError:
                if not wait or not gives_way():
                    return False
            else:
                return True
            if asking is None:
                asking = _open_locked(wanted)
            sleep(POLL)
        return False
    finally:
        if asking is not None:
            os.close(asking)


def is_locked(path: Path) -> bool:
    """Say whether a process holds the lock of a file."""
    if not path.exists():
        return False
    descriptor = _open_locked(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def _open_locked(path: Path) -> int | None:
    """Open and lock a file, made if it is missing; None if another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o644)
    try:
        try_lock(descriptor)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
