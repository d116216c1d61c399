"""How whoever waits for a plan ends the work on it: by raising where the planners look.

Between their steps, some milliseconds apart at most, they ask `go_on`. What it does is set
around the work, as `decimal.localcontext` is: no plan depends on it, there is only none. A
linear programme that is being solved does not look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_look: ContextVar[Callable[[], None] | None] = ContextVar("look", default=None)


@contextmanager
def looking(look: Callable[[], None]) -> Iterator[None]:
    """Within it, planners of this thread call `look` as they go; what it raises ends them."""
    token = _look.set(look)
    try:
        yield
    finally:
        _look.reset(token)


def go_on() -> None:
    """Look whether to go on, if anyone has said how."""
    look = _look.get()
    if look is not None:
        look()
