"""One way to run a job over time and places, and what all of its energy comes to."""

from __future__ import annotations

from dataclasses import dataclass

from gridtide.planning.problem.job import HOUR
from gridtide.planning.problem.objective import CostSeries
from gridtide.planning.solvers.region_costs import Site, integrated, value_from
from gridtide.planning.solvers.solution import Draft, Drawn, Part


@dataclass(frozen=True)
class Share:
    """What of a job runs at one site: its parts, and energy beside them."""

    site: Site
    parts: tuple[Part, ...]
    extra: tuple[Drawn, ...] = ()

    @property
    def drawn(self) -> list[Drawn]:
        """All energy here, before PUE."""
        parts = (Drawn(part.start, part.end, energy(part)) for part in self.parts)
        return [*parts, *self.extra]

    @property
    def kwh(self) -> float:
        """All energy here, before PUE."""
        return sum(each.kwh for each in self.drawn)


@dataclass(frozen=True)
class Moved:
    """Moving the data: half of `kwh` is drawn at either end, at the moment `at`."""

    origin: Site
    target: Site
    at: int
    kwh: float

    @property
    def counts(self) -> float:
        """What the goal counts it at."""
        return sum(
            value_from(site.counted, self.at, site.place.region) * self.kwh / 2
            for site in (self.origin, self.target)
        )

    @property
    def grams(self) -> float:
        """Grams, where the signal is an intensity."""
        return sum(
            value_from(site.outlook.expected.runs, self.at, site.place.region) * self.kwh / 2
            for site in (self.origin, self.target)
        )


@dataclass(frozen=True)
class Choice:
    """A way to run a job.

    Attributes:
        shares: by site.
        value: what decides, by the goal's quantile, PUE and moves included.
        pieces: how many times it starts.
        moved: moves of the data.
        bound: no way at this site counts less; ``None`` where this one is the best.
    """

    shares: tuple[Share, ...]
    value: float
    pieces: int
    moved: tuple[Moved, ...] = ()
    bound: float | None = None

    @property
    def least(self) -> float:
        """What no way at this site counts less than."""
        return self.value if self.bound is None else min(self.bound, self.value)

    @classmethod
    def at(cls, site: Site, draft: Draft, moved: tuple[Moved, ...] = ()) -> Choice:
        """All of a draft at one site."""
        moving, pue = sum(move.counts for move in moved), site.place.pue
        bound = None if draft.bound is None else draft.bound * pue + moving
        shares = (Share(site, draft.parts, draft.extra),)
        return cls(shares, draft.cost * pue + moving, draft.pieces, moved, bound)

    @property
    def laid(self) -> list[tuple[Part, Site]]:
        """All parts in order, each with its site."""
        parts = [(part, share.site) for share in self.shares for part in share.parts]
        return sorted(parts, key=lambda pair: pair[0].start)

    @property
    def start(self) -> int:
        """When it first runs."""
        return min(part.start for share in self.shares for part in share.parts)

    @property
    def end(self) -> int:
        """When it has ended."""
        return max(part.end for share in self.shares for part in share.parts)

    @property
    def site(self) -> Site:
        """Where it first runs."""
        return self.laid[0][1]

    @property
    def counts(self) -> float:
        """What the goal counts it at, as expected."""
        moves = sum(move.counts for move in self.moved)
        return sum(share.site.counts(share.drawn) for share in self.shares) + moves

    @property
    def kwh(self) -> float:
        """All energy: times PUE, and that of moves."""
        moves = sum(move.kwh for move in self.moved)
        return sum(share.kwh * share.site.place.pue for share in self.shares) + moves

    def grams(self, quantile: str = "p50") -> float | None:
        """Grams of all energy; ``None`` where the signal is no intensity or a part unknown."""
        total = sum(move.grams for move in self.moved)
        for share in self.shares:
            grams = share.site.grams(share.drawn, quantile)
            if grams is None:
                return None
            total += grams
        return total

    @property
    def mean(self) -> float:
        """Mean of the signal, by the job's energy."""
        sums = [share.site.signal_sum(share.drawn) or 0.0 for share in self.shares]
        return sum(sums) / sum(share.kwh for share in self.shares)

    def cost(self, costs: CostSeries) -> float | None:
        """Cost of all energy; ``None`` where a part of it is unknown."""
        total = sum(
            value_from(costs.runs, move.at, costs.unit) * move.kwh for move in self.moved
        )
        for share in self.shares:
            part = integrated(costs.runs, share.drawn)
            if part is None:
                return None
            total += part * share.site.place.pue
        return total


def energy(part: Part) -> float:
    """kWh that a part draws, before PUE."""
    return (part.end - part.start) * part.power_kw / HOUR
