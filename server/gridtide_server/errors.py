"""What only the server has to say no to; the rest is in `gridtide.errors`."""

from __future__ import annotations

from gridtide.errors import GridtideError


class NotReady(GridtideError):
    """Nothing has been published in this home yet: refresh or import, then publish."""

    code = "unavailable"


class Overloaded(GridtideError):
    """Too many calls that plan wait already: ask again in a while."""

    code = "overloaded"


class CannotListen(GridtideError):
    """The address to serve at cannot be had: take another port, or end who holds it."""

    code = "cannot_listen"
