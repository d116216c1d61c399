"""How whoever waits for a plan ends the work on it: by raising where the planners look.

Between their steps, some milliseconds apart at most, they ask `go_on`. What it does is set
around the work, as `decimal.localcontext` is: no plan depends on it, there is only none. A
linear programme that is being solved does not look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

Aside = Callable[[], AbstractContextManager[None]]

_look: ContextVar[Callable[[], None] | None] = ContextVar("look", default=None)
_aside: ContextVar[Aside] = ContextVar("aside", default=nullcontext)


@contextmanager
def looking(look: Callable[[], None], aside: Aside = nullcontext) -> Iterator[None]:
    """Within it, planners of this thread call `look` as they go; what it raises ends them.

    They work within `aside` while a solver runs outside of Python.
    """
    tokens = _look.set(look), _aside.set(aside)
    try:
        yield
    finally:
        _look.reset(tokens[0])
        _aside.reset(tokens[1])


def go_on() -> None:
    """Look whether to go on, if anyone has said how."""
    look = _look.get()
    if look is not None:
        look()


def outside() -> AbstractContextManager[None]:
    """The block in which a solver runs outside of Python, where others may go on."""
    return _aside.get()()
