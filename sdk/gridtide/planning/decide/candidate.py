"""A region prepared for one problem, and one feasible schedule of the job over regions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from gridtide.planning.decide.integrals import energy, integrated, value_from
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.costs import CostSeries
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal, Quantile
from gridtide.planning.problem.regions import CandidateRegion
from gridtide.planning.solvers.costs import Curve, clipped, rates
from gridtide.planning.solvers.solution import EnergyDraw, Part, Solution
from gridtide.slots import Run, to_instant, to_moment

BEFORE = timedelta(days=1)


@dataclass(frozen=True)
class Site:
    """A region with its forecast and its free time under the goal.

    Attributes:
        region: its name, forecast and PUE.
        outlook: forecast, or the region's own intensity where it has one.
        curve: decides: rates by the quantile and threshold of the goal.
        plain: rates by expected values, without a threshold.
        counted: cost of a kWh by expected values, also outside the free time.
        deciding: the same by the quantile and threshold of the goal.
        costs: cost of a kWh here, where the goal has costs: its own, or those of the region.
    """

    region: CandidateRegion
    outlook: Outlook
    curve: Curve
    plain: Curve
    counted: tuple[Run, ...]
    deciding: tuple[Run, ...]
    costs: CostSeries | None = None

    @classmethod
    def of(
        cls, region: CandidateRegion, job: Job, bounds: Bounds, goal: Goal, now: datetime
    ) -> Site:
        """Prepare `region` for one problem.

        Raises:
            BadInput: the goal does not fit the signal or has costs that are given nowhere, or
                the bounds contradict each other.
            NoData: the forecast lacks the quantile of the goal.
        """
        outlook = region.believed
        if goal.has_costs and goal.costs is None and region.costs is not None:
            goal = replace(goal, costs=region.costs, currency=None)
        slots = outlook.expected.slots
        horizon = to_instant(slots[-1].end) if slots else to_instant(now)
        spans = bounds.free(to_instant(now), job.work, horizon)
        # From a day before on: data may be moved from where the newest value is older.
        window = now - BEFORE, to_moment(spans[-1][1]) if spans else now
        expected = rates(outlook, replace(goal, quantile=Quantile.P50, threshold=None), window)
        deciding = rates(outlook, goal, window)
        return cls(
            region,
            outlook,
            Curve(region.name, tuple(clipped(deciding, spans))),
            Curve(region.name, tuple(clipped(expected, spans))),
            expected,
            deciding,
            goal.costs,
        )

    @property
    def known_until(self) -> datetime:
        """End of what is known of the rates here: of the forecast, and of the costs."""
        ends = [self.outlook.expected.slots[-1].end]
        if self.costs is not None:
            known = [slot.end for slot in self.costs.slots if slot.value is not None]
            ends.append(known[-1] if known else ends[0])
        return min(ends)


@dataclass(frozen=True)
class Share:
    """The parts of a job at one site, and energy beside them."""

    site: Site
    parts: tuple[Part, ...]
    extra: tuple[EnergyDraw, ...] = ()

    @cached_property
    def draws(self) -> tuple[EnergyDraw, ...]:
        """All energy here, before PUE."""
        parts = (EnergyDraw(part.start, part.end, energy(part)) for part in self.parts)
        return (*parts, *self.extra)

    @cached_property
    def kwh(self) -> float:
        """Sum of the energy here, before PUE."""
        return sum(each.kwh for each in self.draws)

    @property
    def counts(self) -> float:
        """Expected cost under the goal."""
        return (self._sum(self.site.counted) or 0.0) * self.site.region.pue

    @property
    def value(self) -> float:
        """Cost by which this energy is compared with other plans.

        That is by the quantile of the goal; by expected values where the threshold excludes a
        part.
        """
        found = self._sum(self.site.deciding)
        return self.counts if found is None else found * self.site.region.pue

    def grams(self, quantile: str = "p50") -> float | None:
        """Return the grams of the energy here.

        ``None`` where the signal is not a carbon intensity, or a part of it is unknown.
        """
        outlook = self.site.outlook
        if not outlook.signal.lower_is_cleaner:
            return None
        series = {"p10": outlook.p10, "p50": outlook.expected, "p90": outlook.p90}[quantile]
        total = None if series is None else self._sum(series.runs)
        return None if total is None else total * self.site.region.pue

    @property
    def signal_sum(self) -> float | None:
        """Signal x kWh, for its mean."""
        return self._sum(self.site.outlook.expected.runs)

    @cached_property
    def _sums(self) -> dict[int, float | None]:
        """What `_sum` returned, by the identity of the runs, which the site keeps."""
        return {}

    def _sum(self, runs: tuple[Run, ...]) -> float | None:
        """Return what `integrated` returns for the energy here; most runs are the same ones."""
        key = id(runs)
        if key not in self._sums:
            self._sums[key] = integrated(runs, self.draws)
        return self._sums[key]


@dataclass(frozen=True)
class DataMove:
    """A move of the data: half of `kwh` is drawn at either end, at the moment `at`."""

    origin: Site
    target: Site
    at: int
    kwh: float

    @property
    def counts(self) -> float:
        """Cost under the goal; never below 0: otherwise a rate below 0 would reward moving."""
        return sum(
            max(0.0, value_from(site.counted, self.at, site.region.name)) * self.kwh / 2
            for site in (self.origin, self.target)
        )

    @property
    def cost(self) -> float:
        """Cost of its energy, where the sites have costs."""
        return sum(
            value_from(site.costs.runs, self.at, site.region.name) * self.kwh / 2
            for site in (self.origin, self.target)
            if site.costs is not None
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
    """A feasible schedule of a job over time and regions.

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

    @cached_property
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

    @cached_property
    def counts(self) -> float:
        """Expected cost under the goal."""
        moves = sum(move.counts for move in self.moved)
        return sum(share.counts for share in self.shares) + moves

    @cached_property
    def kwh(self) -> float:
        """All energy: times PUE, and that of moves."""
        moves = sum(move.kwh for move in self.moved)
        return sum(share.kwh * share.site.region.pue for share in self.shares) + moves

    def grams(self, quantile: str = "p50") -> float | None:
        """Return the grams of all energy; ``None`` where a part is unknown."""
        total = sum(move.grams for move in self.moved)
        for share in self.shares:
            grams = share.grams(quantile)
            if grams is None:
                return None
            total += grams
        return total

    @cached_property
    def mean(self) -> float:
        """Mean of the signal, weighted by the energy of the job."""
        sums = [share.signal_sum or 0.0 for share in self.shares]
        return sum(sums) / sum(share.kwh for share in self.shares)

    @property
    def cost_unit(self) -> str | None:
        """Unit of `cost`; ``None`` without costs."""
        costs = self.site.costs
        return None if costs is None else costs.total_unit

    @property
    def cost(self) -> float | None:
        """Cost of all energy; ``None`` without costs, or where a part of it is unknown."""
        total = sum(move.cost for move in self.moved)
        for share in self.shares:
            runs = () if share.site.costs is None else share.site.costs.runs
            part = integrated(runs, share.draws)
            if part is None:
                return None
            total += part * share.site.region.pue
        return total
