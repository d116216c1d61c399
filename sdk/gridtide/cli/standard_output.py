"""Standard output for results alone, whatever a library writes to descriptor 1 by itself.

HiGHS, for one, now and then writes a line of its own from C++, in front of a JSON document.
"""

from __future__ import annotations

import os
import sys
from io import UnsupportedOperation

STDIN, STDOUT, STDERR = range(3)


def keep_for_results() -> None:
    """Let `sys.stdout` alone write to standard output, and all else to standard error.

    It holds until the process ends: what C keeps in a buffer is written only then. Streams that
    were closed before the process began take what is written and keep nothing of it.
    """
    _occupy_closed()
    out = sys.stdout
    try:
        if out.fileno() != STDOUT:
            return  # of a test or a notebook: no library writes there
    except UnsupportedOperation:
        return
    out.flush()
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    # For good, so that nothing is left to be closed, as with Python's own.
    sys.stdout = open(  # noqa: SIM115
        kept, "w", encoding=out.encoding, errors=out.errors, closefd=False
    )
    if out.line_buffering or getattr(out, "write_through", False):
        getattr(sys.stdout, "reconfigure")(line_buffering=True)  # noqa: B009  # no TextIO's


def _occupy_closed() -> None:
    """Give standard streams that are closed to the null device.

    Else the next file that is opened takes the place of one, and gets what is meant for it.
    """
    while (spare := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(spare)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            null = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
            setattr(sys, name, null)


def give_up_unwritten() -> None:
    """Drop what standard output does not take, so that Python, which tries again, is quiet."""
    try:
        sys.stdout.flush()
    except OSError:
        # docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
