"""One region prepared for one problem: its cost curve, and sums of energy over it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gridtide.errors import NoData
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal, Quantile
from gridtide.planning.problem.regions import CandidateRegion
from gridtide.planning.solvers.costs import Curve, clipped, rates
from gridtide.planning.solvers.solution import EnergyDraw
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
    """

    region: CandidateRegion
    outlook: Outlook
    curve: Curve
    plain: Curve
    counted: tuple[Run, ...]

    @classmethod
    def of(
        cls, region: CandidateRegion, job: Job, bounds: Bounds, goal: Goal, now: datetime
    ) -> Site:
        """Prepare `region` for one problem.

        Raises:
            BadInput: the goal does not fit the signal, or the bounds contradict each other.
            NoData: the forecast lacks the quantile of the goal.
        """
        outlook = region.believed
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
        )

    def counts(self, draws: Iterable[EnergyDraw]) -> float:
        """Return the expected cost of energy `draws` before PUE, under the goal."""
        return (integrated(self.counted, draws) or 0.0) * self.region.pue

    def grams(self, draws: Iterable[EnergyDraw], quantile: str = "p50") -> float | None:
        """Return the grams of energy `draws` before PUE.

        ``None`` where the signal is not a carbon intensity, or a part of it is unknown.
        """
        if not self.outlook.signal.lower_is_cleaner:
            return None
        series = {
            "p10": self.outlook.p10,
            "p50": self.outlook.expected,
            "p90": self.outlook.p90,
        }[quantile]
        total = None if series is None else integrated(series.runs, draws)
        return None if total is None else total * self.region.pue

    def signal_sum(self, draws: Iterable[EnergyDraw]) -> float | None:
        """Return signal x kWh over energy `draws` before PUE, for its mean."""
        return integrated(self.outlook.expected.runs, draws)


def integrated(runs: Sequence[Run], draws: Iterable[EnergyDraw]) -> float | None:
    """Return the sum of kWh x the mean over their time; ``None`` where any of it is unknown."""
    starts = [run.edges[0] for run in runs]
    total = 0.0
    for start, end, kwh in draws:
        i = bisect_right(starts, start) - 1
        if i < 0 or runs[i].edges[-1] < end:
            return None
        total += kwh * runs[i].mean(start, end)
    return total


def value_from(runs: Sequence[Run], instant: int, name: str) -> float:
    """Return the first known value at or after `instant`, or else the last one.

    Raises:
        NoData: no value is known; `name` says of what.
    """
    for run in runs:
        if instant < run.edges[-1]:
            return run.values[max(0, bisect_right(run.edges, instant) - 1)]
    if not runs:
        raise NoData(
            f"{name}: no value is known, so moving data from or to it cannot be counted; give "
            "a forecast that has some, or leave the data where it is"
        )
    return runs[-1].values[-1]
