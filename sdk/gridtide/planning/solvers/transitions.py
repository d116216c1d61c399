"""States and transitions of the search in `uneven_grid`: sites by interval, states, paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class SiteCosts(NamedTuple):
    """Costs of one site by interval, PUE included, in rate x microseconds unless noted.

    `rates` are rates alone, ``None`` where the job may not run; `pause` is the cost of stopping
    in an
    interval, `restart` of starting again in it, `move` of one end of a move in it; `upfront` is
    the
    cost of moving there from the current site right now, before the first start.
    """

    rates: Sequence[int | None]
    pause: Sequence[int]
    restart: Sequence[int]
    move: Sequence[int]
    upfront: int = 0


class State(NamedTuple):
    """State between two intervals: site, work done, whether the partial interval is used,
    segments.

    Segments are counted only where their number is limited. `site` is -1 before the first start
    of a
    job that has no current site.
    """

    site: int
    done: int
    parted: bool
    segments: int
    running: bool


class Use(NamedTuple):
    """An interval, or its beginning or end, used at a site.

    Where the job starts with it: the intervals in which it stopped before, moved and starts; -1
    where
    it did not stop, move or start.
    """

    start: int
    end: int
    site: int
    stopped: int = -1
    moved: int = -1
    begun: int = -1


class Path(NamedTuple):
    """Cost of reaching a state, with the use that led there and the path before it.

    `stopped` is the interval in which the job stopped, if it is paused.
    """

    cost: float
    use: Use | None = None
    before: Path | None = None
    stopped: int = -1  # by itself, or before a move


class Start(NamedTuple):
    """Cost of starting, and the intervals in which the job moves and starts; -1 for neither."""

    cost: float
    moved: int
    begun: int


CONTINUE = Start(0, -1, -1)
