"""What the programme `sparse` goes through: sites by cell, states, and ways to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Track(NamedTuple):
    """One site, by cell: all in steps of rate, PUE included, x microseconds where not said.

    `rates` are steps alone, ``None`` where it may not run there; `pause` is of stopping in a
    cell, `restart` of starting again in it, `move` of one end of a move in it; `upfront` is of
    moving there from home right now, before the first start.
    """

    rates: Sequence[int | None]
    pause: Sequence[int]
    restart: Sequence[int]
    move: Sequence[int]
    upfront: int = 0


class State(NamedTuple):
    """Between two cells: where, work done, whether the part is used, pieces begun, running.

    Pieces are told apart only where their number is limited. `site` is -1 before the first
    start of a job that has no home.
    """

    site: int
    done: int
    parted: bool
    pieces: int
    running: bool


class Use(NamedTuple):
    """A cell, or its beginning or end, used at a site.

    Where the job starts with it: the cells in which it stopped before, moved and starts; else,
    and where it did not stop or move, -1.
    """

    start: int
    end: int
    site: int
    stopped: int = -1
    moved: int = -1
    begun: int = -1


class Way(NamedTuple):
    """What it counts to come to a state, and how: the use that led there and the way before.

    And in which cell it stopped, if it stands still.
    """

    cost: float
    use: Use | None = None
    before: Way | None = None
    stopped: int = -1  # by itself, or before a move


class Start(NamedTuple):
    """What starting counts, and in which cells the job moves and starts; -1 for neither."""

    cost: float
    moved: int
    begun: int


ONWARDS = Start(0, -1, -1)
