"""One place made ready for one question: what a kWh counts there, and what energy sums to."""

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
from gridtide.planning.problem.regions import Place
from gridtide.planning.solvers.costs import Curve, clipped, rates
from gridtide.planning.solvers.solution import Drawn
from gridtide.slots import Run, to_instant, to_moment

BEFORE = timedelta(days=1)


@dataclass(frozen=True)
class Site:
    """A place, what is believed of it, and its free time under the goal.

    Attributes:
        place: region and PUE.
        outlook: with the place's own intensity where it has one.
        curve: what decides, with the goal's quantile and threshold.
        plain: what is expected, with neither.
        counted: what the goal expects a kWh to count, whether the job may run then or not.
    """

    place: Place
    outlook: Outlook
    curve: Curve
    plain: Curve
    counted: tuple[Run, ...]

    @classmethod
    def of(cls, place: Place, job: Job, bounds: Bounds, goal: Goal, now: datetime) -> Site:
        """Make `place` ready for one question.

        Raises:
            BadInput: the goal does not fit the signal, or the bounds contradict each other.
            NoData: the goal wants a quantile that the outlook has not.
        """
        outlook = place.believed
        slots = outlook.expected.slots
        horizon = to_instant(slots[-1].end) if slots else to_instant(now)
        spans = bounds.free(to_instant(now), job.work, horizon)
        # From a day before on: data may be moved from where the newest value is older.
        window = now - BEFORE, to_moment(spans[-1][1]) if spans else now
        expected = rates(outlook, replace(goal, quantile=Quantile.P50, threshold=None), window)
        deciding = rates(outlook, goal, window)
        return cls(
            place,
            outlook,
            Curve(place.region, tuple(clipped(deciding, spans))),
            Curve(place.region, tuple(clipped(expected, spans))),
            expected,
        )

    def counts(self, drawn: Iterable[Drawn]) -> float:
        """What the goal counts energy `drawn` before PUE at, as expected."""
        return (integrated(self.counted, drawn) or 0.0) * self.place.pue

    def grams(self, drawn: Iterable[Drawn], quantile: str = "p50") -> float | None:
        """Grams of energy `drawn` before PUE.

        ``None`` where the signal is no intensity, or a part of it is unknown.
        """
        if not self.outlook.signal.lower_is_cleaner:
            return None
        series = {
            "p10": self.outlook.p10,
            "p50": self.outlook.expected,
            "p90": self.outlook.p90,
        }[quantile]
        total = None if series is None else integrated(series.runs, drawn)
        return None if total is None else total * self.place.pue

    def signal_sum(self, drawn: Iterable[Drawn]) -> float | None:
        """Signal x kWh over energy `drawn` before PUE, for its mean."""
        return integrated(self.outlook.expected.runs, drawn)


def integrated(runs: Sequence[Run], drawn: Iterable[Drawn]) -> float | None:
    """Sum of kWh x the mean over their time; ``None`` where any of it is unknown."""
    starts = [run.edges[0] for run in runs]
    total = 0.0
    for start, end, kwh in drawn:
        i = bisect_right(starts, start) - 1
        if i < 0 or runs[i].edges[-1] < end:
            return None
        total += kwh * runs[i].mean(start, end)
    return total


def value_from(runs: Sequence[Run], instant: int, name: str) -> float:
    """The first known value at or after `instant`, or the last one there is.

    Raises:
        NoData: none is known; `name` says of what.
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
