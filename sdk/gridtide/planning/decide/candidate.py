"""One feasible way to run a job over time and regions, and the sums of all its energy."""

from __future__ import annotations

from dataclasses import dataclass

from gridtide.planning.problem.job import HOUR
from gridtide.planning.problem.objective import CostSeries
from gridtide.planning.solvers.region_costs import Site, integrated, value_from
from gridtide.planning.solvers.solution import EnergyDraw, Part, Solution


@dataclass(frozen=True)
class Share:
    """The parts of a job at one site, and energy beside them."""

    site: Site
    parts: tuple[Part, ...]
    extra: tuple[EnergyDraw, ...] = ()

    @property
    def draws(self) -> list[EnergyDraw]:
        """All energy here, before PUE."""
        parts = (EnergyDraw(part.start, part.end, energy(part)) for part in self.parts)
        return [*parts, *self.extra]

    @property
    def kwh(self) -> float:
        """Sum of the energy here, before PUE."""
        return sum(each.kwh for each in self.draws)


@dataclass(frozen=True)
class DataMove:
    """A move of the data: half of `kwh` is drawn at either end, at the moment `at`."""

    origin: Site
    target: Site
    at: int
    kwh: float

    @property
    def counts(self) -> float:
        """Cost under the goal."""
        return sum(
            value_from(site.counted, self.at, site.region.name) * self.kwh / 2
            for site in (self.origin, self.target)
        )

    @property
    def grams(self) -> float:
        """Grams, where the signal is an intensity."""
        return sum(
            value_from(site.outlook.expected.runs, self.at, site.region.name) * self.kwh / 2
            for site in (self.origin, self.target)
        )


@dataclass(frozen=True)
class Candidate:
    """A feasible way to run a job.

    Attributes:
        shares: by site.
        value: what decides: cost by the quantile of the goal, PUE and moves included.
        segments: how many times the job starts.
        moved: moves of the data.
        bound: no candidate at this site costs less; ``None`` where this one is optimal.
    """

    shares: tuple[Share, ...]
    value: float
    segments: int
    moved: tuple[DataMove, ...] = ()
    bound: float | None = None

    @property
    def least(self) -> float:
        """Proven lower bound on the cost of any candidate at this site."""
        return self.value if self.bound is None else min(self.bound, self.value)

    @classmethod
    def at(cls, site: Site, solution: Solution, moved: tuple[DataMove, ...] = ()) -> Candidate:
        """Return a solution at one site as a candidate."""
        moving, pue = sum(move.counts for move in moved), site.region.pue
        bound = None if solution.bound is None else solution.bound * pue + moving
        shares = (Share(site, solution.parts, solution.extra),)
        return cls(shares, solution.cost * pue + moving, solution.segments, moved, bound)

    @property
    def placed_parts(self) -> list[tuple[Part, Site]]:
        """All parts in order of time, each with its site."""
        parts = [(part, share.site) for share in self.shares for part in share.parts]
        return sorted(parts, key=lambda pair: pair[0].start)

    @property
    def start(self) -> int:
        """When it first runs."""
        return min(part.start for share in self.shares for part in share.parts)

    @property
    def end(self) -> int:
        """When it ends."""
        return max(part.end for share in self.shares for part in share.parts)

    @property
    def site(self) -> Site:
        """Where it first runs."""
        return self.placed_parts[0][1]

    @property
    def counts(self) -> float:
        """Expected cost under the goal."""
        moves = sum(move.counts for move in self.moved)
        return sum(share.site.counts(share.draws) for share in self.shares) + moves

    @property
    def kwh(self) -> float:
        """All energy: times PUE, and that of moves."""
        moves = sum(move.kwh for move in self.moved)
        return sum(share.kwh * share.site.region.pue for share in self.shares) + moves

    def grams(self, quantile: str = "p50") -> float | None:
        """Return the grams of all energy; ``None`` where a part is unknown."""
        total = sum(move.grams for move in self.moved)
        for share in self.shares:
            grams = share.site.grams(share.draws, quantile)
            if grams is None:
                return None
            total += grams
        return total

    @property
    def mean(self) -> float:
        """Mean of the signal, weighted by the energy of the job."""
        sums = [share.site.signal_sum(share.draws) or 0.0 for share in self.shares]
        return sum(sums) / sum(share.kwh for share in self.shares)

    def cost(self, costs: CostSeries) -> float | None:
        """Return the cost of all energy; ``None`` where a part of it is unknown."""
        total = sum(
            value_from(costs.runs, move.at, costs.unit) * move.kwh for move in self.moved
        )
        for share in self.shares:
            part = integrated(costs.runs, share.draws)
            if part is None:
                return None
            total += part * share.site.region.pue
        return total


def energy(part: Part) -> float:
    """Return the kWh that a part draws, before PUE."""
    return (part.end - part.start) * part.power_kw / HOUR
