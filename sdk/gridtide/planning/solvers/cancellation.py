"""Cooperative cancellation of a running planner.

The caller sets a check around the work, as `decimal.localcontext` sets a context. Planners call
`check_cancelled` between their steps, a few milliseconds apart at most; an exception that the
check raises ends the work. A plan does not depend on the check. A linear programme that is
being solved is not interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

Outside = Callable[[], AbstractContextManager[None]]

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)
_outside: ContextVar[Outside] = ContextVar("outside", default=nullcontext)


@contextmanager
def cancellable(check: Callable[[], None], outside: Outside = nullcontext) -> Iterator[None]:
    """Run the block with a check that the planners of this thread call as they work.

    Args:
        check: what it raises ends the planner.
        outside: context in which the planner stays while a solver runs outside of Python.
    """
    tokens = _check.set(check), _outside.set(outside)
    try:
        yield
    finally:
        _check.reset(tokens[0])
        _outside.reset(tokens[1])


def check_cancelled() -> None:
    """Call the check of the enclosing `cancellable` block, if there is one."""
    check = _check.get()
    if check is not None:
        check()


def outside_python() -> AbstractContextManager[None]:
    """Return the context for a block in which a solver runs outside of Python."""
    return _outside.get()()
