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

Aside = Callable[[], AbstractContextManager[None]]

_look: ContextVar[Callable[[], None] | None] = ContextVar("look", default=None)
_aside: ContextVar[Aside] = ContextVar("aside", default=nullcontext)


@contextmanager
def cancellable(look: Callable[[], None], aside: Aside = nullcontext) -> Iterator[None]:
    """Run the block with a check that the planners of this thread call as they work.

    Args:
        look: what it raises ends the planner.
        aside: context in which the planner stays while a solver runs outside of Python.
    """
    tokens = _look.set(look), _aside.set(aside)
    try:
        yield
    finally:
        _look.reset(tokens[0])
        _aside.reset(tokens[1])


def check_cancelled() -> None:
    """Call the check of the enclosing `cancellable` block, if there is one."""
    look = _look.get()
    if look is not None:
        look()


def outside_python() -> AbstractContextManager[None]:
    """Return the context for a block in which a solver runs outside of Python."""
    return _aside.get()()
