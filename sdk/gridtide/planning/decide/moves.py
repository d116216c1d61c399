"""A job that may move at every edge of a slot: to the cleanest place, or where a move pays.
Exact.

Where moving is free the best place of each moment makes one curve, and any planner answers on
it. Where moving costs energy or makes a job restart, `sparse` goes through all sites at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from gridtide.errors import BadInput
from gridtide.model import Quality, Slot
from gridtide.planning.decide.candidate import Choice, Moved, Share
from gridtide.planning.problem.job import HOUR, Cost, Job, Kind
from gridtide.planning.solvers.costly_pauses import too_few_pieces
from gridtide.planning.solvers.costs import Cells, Curve, Stretch
from gridtide.planning.solvers.limited_segments import is_limited
from gridtide.planning.solvers.overheads import Standing, tolls
from gridtide.planning.solvers.region_costs import Site, value_from
from gridtide.planning.solvers.solution import Draft, Drawn, Part, joined
from gridtide.planning.solvers.transitions import Track, Use
from gridtide.planning.solvers.uneven_grid import Ragged
from gridtide.slots import STEPS_PER_UNIT, to_moment, unbroken


@dataclass(frozen=True)
class Moment:
    """Time over which no site's rate changes: rates by site, PUE included, where it may run."""

    start: int
    end: int
    rates: tuple[int | None, ...]

    @property
    def least(self) -> int:
        """The least rate of all sites."""
        return min(rate for rate in self.rates if rate is not None)


def moments(sites: Sequence[Site]) -> list[Moment]:
    """The free time of all sites together, cut at the edges of all, ascending."""
    cells = [site.curve.cells for site in sites]
    edges = sorted({edge for each in cells for edge in (*each.starts, *each.ends)})
    found = []
    for start, end in pairwise(edges):
        rates: list[int | None] = []
        for site, there in zip(sites, cells, strict=True):
            i = bisect_right(there.starts, start) - 1
            free = i >= 0 and there.ends[i] >= end
            rates.append(round(there.rates[i] * site.place.pue) if free else None)
        if any(rate is not None for rate in rates):
            found.append(Moment(start, end, tuple(rates)))
    return found


def envelope(found: Sequence[Moment], name: str) -> Curve:
    """The least rate of each moment as one curve."""
    slots = [
        Slot(
            to_moment(each.start),
            to_moment(each.end),
            each.least / STEPS_PER_UNIT,
            Quality.FORECAST,
        )
        for each in found
    ]
    runs = unbroken(slots)
    return Curve(name, tuple(Stretch(run, run.edges[0], run.edges[-1]) for run in runs))


def moves_are_free(job: Job, move_kwh: float) -> bool:
    """Whether neither data nor a restart makes a move cost anything."""
    costs = (job.pause_cost, job.restart_cost)
    return not (move_kwh or job.max_pieces or any(cost.kwh or cost.time for cost in costs))


def shared(draft: Draft, sites: Sequence[Site], found: Sequence[Moment]) -> Choice:
    """A draft on the envelope, each part where it counts least; of equal places it stays."""
    starts = [each.start for each in found]
    laid: list[tuple[int, Part]] = []
    for part in draft.parts:
        i = bisect_right(starts, part.start) - 1
        while i < len(found) and found[i].start < part.end:
            rates, least = found[i].rates, found[i].least
            last = laid[-1][0] if laid else 0
            which = last if rates[last] == least else rates.index(least)
            start, end = max(found[i].start, part.start), min(found[i].end, part.end)
            laid.append((which, part._replace(start=start, end=end)))
            i += 1
    return Choice(_shares(sites, laid, []), draft.cost, draft.pieces)


def roam(
    job: Job,
    sites: Sequence[Site],
    found: Sequence[Moment],
    *,
    home: int,
    move_kwh: float,
    now: int,
    standing: Standing,
    bound: float = inf,
) -> Choice:
    """The way over time and sites that counts least where moves cost.

    A move before the first start is made now or right at that start, a later one where it
    happens. A move of a job in pieces is a pause and a restart, and begins a piece. `home` is
    the site it is at, -1 for none; `bound` what some way counts.

    Raises:
        BadInput: a kind or limit that is not offered with moves that cost.
        NoFeasibleWindow: there is no way.
        TooFine: the times share too small a step.
    """
    if job.chips is not None or is_limited(job) or len(job.steps) > 1:
        raise BadInput(
            "following the cleanest place with data to move or pieces that cost is for one "
            "power and pieces of any length; use one move, or leave the data where it is"
        )
    kw = job.steps[0][2]
    cells = Cells(
        [each.start for each in found],
        [each.end for each in found],
        [each.least for each in found],
    )
    tracks = []
    steps = STEPS_PER_UNIT * HOUR / kw
    for which, site in enumerate(sites):
        rates = [each.rates[which] for each in found]
        known = _filled(rates)
        name = site.place.region
        ends = [
            value_from(site.counted, each.start, name) * move_kwh / 2 if move_kwh else 0.0
            for each in found
        ]
        pause = tolls(known, job.pause_cost, job)
        restart = tolls(known, job.restart_cost, job)
        move = [round(end * steps) for end in ends]
        upfront = sum(each.counts for each in _move(sites, home, which, now, move_kwh))
        tracks.append(Track(rates, pause, restart, move, round(upfront * steps)))
    ragged = Ragged(
        cells,
        tracks,
        job.work,
        most=standing.pieces_left(job.max_pieces),
        # Above what the same way comes to here by as much as rounding may take.
        bound=bound * steps * (1 + 1e-9) + job.work,
        home=home,
        started=standing.started,
        running=standing.running,
        touching=bool(found) and found[0].start == standing.at,
        through=job.kind is Kind.UNBROKEN,
    )
    total, uses = ragged.cheapest()
    if total == inf:
        raise too_few_pieces(envelope(found, "all regions"), job)
    moved, extra, pieces = _between(job, sites, cells, home, move_kwh, now, standing, uses)
    laid = [(use.site, Part(use.start, use.end, kw)) for use in uses]
    value = total / steps
    return Choice(_shares(sites, laid, extra), value, pieces, tuple(moved))


def _filled(rates: Sequence[int | None]) -> list[int]:
    """The rates, and where there is none the next one, or the last."""
    filled: list[int] = []
    following = next((rate for rate in reversed(rates) if rate is not None), 0)
    for rate in reversed(rates):
        following = following if rate is None else rate
        filled.append(following)
    return filled[::-1]


def _move(
    sites: Sequence[Site], origin: int, target: int, moment: int, kwh: float
) -> list[Moved]:
    """The move from one site to another, if it is one."""
    if origin in (target, -1) or not kwh:
        return []
    return [Moved(sites[origin], sites[target], moment, kwh)]


def _between(
    job: Job,
    sites: Sequence[Site],
    cells: Cells,
    home: int,
    move_kwh: float,
    now: int,
    standing: Standing,
    uses: Sequence[Use],
) -> tuple[list[Moved], list[tuple[int, Drawn]], int]:
    """Moves, the energy of pauses and restarts by site, and the number of pieces."""
    moved: list[Moved] = []
    extra: list[tuple[int, Drawn]] = []
    # Counted like the pieces of any plan: of a job that runs, the first only if it runs on.
    pieces, last = int(uses[0].begun < 0), home
    for use in uses:
        if use.stopped >= 0:
            extra.append((last, _drawn(cells, use.stopped, job.pause_cost)))
        if use.begun >= 0:
            if pieces or standing.started:
                extra.append((use.site, _drawn(cells, use.begun, job.restart_cost)))
            moment = cells.starts[use.moved] if use.moved >= 0 else now
            moved += _move(sites, last, use.site, moment, move_kwh)
            pieces += 1
        last = use.site
    return moved, extra, pieces


def _drawn(cells: Cells, cell: int, cost: Cost) -> Drawn:
    return Drawn(cells.starts[cell], cells.ends[cell], cost.kwh)


def _shares(
    sites: Sequence[Site],
    laid: Sequence[tuple[int, Part]],
    extra: Sequence[tuple[int, Drawn]],
) -> tuple[Share, ...]:
    shares = []
    for which, site in enumerate(sites):
        parts = joined(part for there, part in laid if there == which)
        more = tuple(each for there, each in extra if there == which and each.kwh)
        if parts or more:
            shares.append(Share(site, parts, more))
    return tuple(shares)
