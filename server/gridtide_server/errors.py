"""Errors of the server alone; the others are in `gridtide.errors`.

GridtideError
├── NotReady         nothing is published yet
├── Overloaded       the queue of planning calls is full
└── CannotListen     the address is in use or not allowed
"""

from __future__ import annotations

from gridtide.errors import GridtideError


class NotReady(GridtideError):
    """Nothing is published in this data directory yet: refresh or import, then publish."""

    code = "unavailable"


class Overloaded(GridtideError):
    """The queue of planning calls is full: try again later."""

    code = "overloaded"


class CannotListen(GridtideError):
    """The server cannot listen at this address: choose another port, or end its holder."""

    code = "cannot_listen"
