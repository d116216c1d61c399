"""The world of one job: what came true and what was forecast, in its zone and elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from gridtide.errors import NoData
from gridtide.model import Series
from gridtide.planning import Outlook
from gridtide.planning.solvers.region_costs import integrated
from gridtide.planning.solvers.solution import EnergyDraw
from gridtide_pipelines.policies.as_issued import Issue
from gridtide_pipelines.policies.execution import Energy


@dataclass(frozen=True, slots=True)
class Amount:
    """Energy in kWh, and what it counts: grams, or of CFE the kWh that are not carbon-free."""

    kwh: float
    counted: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a job may be run by; its own zone first.

    Attributes:
        truths: by region, over its slack.
        issues: the newest forecast of each when the job came.
        short: whether one of them ends before the job has to.
    """

    truths: Mapping[str, Series]
    issues: Sequence[Issue]
    short: bool

    @property
    def ideal(self) -> list[Outlook]:
        """The truth, as if it were forecast."""
        return [Outlook(truth) for truth in self.truths.values()]

    @property
    def outlooks(self) -> list[Outlook]:
        """What was forecast."""
        return [issue.outlook for issue in self.issues]

    @property
    def forecasts(self) -> dict[str, Series]:
        """What was expected, by region."""
        return {each.expected.zone: each.expected for each in self.outlooks}


def amount(series: Mapping[str, Series], energy: Mapping[str, Energy]) -> Amount:
    """What `energy` comes to by `series`, both by region.

    As in a plan, a pause or restart at an edge of two slots counts in the cleaner one.

    Raises:
        NoData: a part of it is unknown.
    """
    kwh = counted = 0.0
    for region, each in energy.items():
        there = series[region]
        parts = [*each.running, *(_beside(there, *stop) for stop in each.stops if stop[1])]
        total = integrated(there.runs, parts)
        if total is None:
            raise NoData(f"{region} {there.signal} is unknown for a part of the run")
        used = sum(part.kwh for part in parts)
        kwh += used
        counted += total if there.signal.lower_is_cleaner else used - total
    return Amount(kwh, counted)


def _beside(series: Series, instant: int, kwh: float) -> EnergyDraw:
    """`kwh` drawn right before or right after `instant`, where it is known and cleaner."""
    before, after = EnergyDraw(instant - 1, instant, 1.0), EnergyDraw(instant, instant + 1, 1.0)
    rated = [(integrated(series.runs, [each]), each) for each in (before, after)]
    sign = 1 if series.signal.lower_is_cleaner else -1
    _, there = min(rated, key=lambda pair: inf if pair[0] is None else sign * pair[0])
    return there._replace(kwh=kwh)
