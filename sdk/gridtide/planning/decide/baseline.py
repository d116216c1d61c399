"""What a plan is counted against: running at once, the median start and the worst."""

from __future__ import annotations

from dataclasses import dataclass

from gridtide.planning.decide.candidate import Choice, Share
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Aim, Goal
from gridtide.planning.solvers.region_costs import Site
from gridtide.planning.solvers.solution import pieces
from gridtide.planning.solvers.solve import at_once
from gridtide.planning.solvers.unbroken import trials


@dataclass(frozen=True)
class Baseline:
    """Runs at the job's own size at one site; ``None`` where there is none.

    Attributes:
        now: at once, see `kinds.at_once`.
        median, worst: what the unbroken starts at edges of slots count, with PUE.
        kwh: energy of such a run, before PUE.
        pue: of the site.
    """

    now: Choice | None
    median: float | None
    worst: float | None
    kwh: float
    pue: float

    @classmethod
    def of(cls, site: Site, job: Job) -> Baseline:
        """The baselines at `site`, by expected values within the bounds."""
        found = sorted(each.cost * site.place.pue for each in trials(site.plain, job.steps))
        half = len(found) // 2
        return cls(
            now=now_at(site, job),
            median=(found[half] + found[~half]) / 2 if found else None,
            worst=found[-1] if found else None,
            kwh=job.kwh,
            pue=site.place.pue,
        )

    def saving_now(self, choice: Choice, goal: Goal) -> float | None:
        """What `choice` saves against running at once."""
        if self.now is None:
            return None
        return saving(choice, goal, self.now.counts, self.now.mean)

    def saving(self, choice: Choice, goal: Goal, counts: float | None) -> float | None:
        """What `choice` saves against a run here that counts `counts`."""
        if counts is None:
            return None
        return saving(choice, goal, counts, 1 - counts / self.kwh / self.pue)


def now_at(site: Site, job: Job) -> Choice | None:
    """The job run at `site` at once."""
    parts = at_once(site.plain, job)
    if parts is None:
        return None
    share = Share(site, parts)
    return Choice((share,), site.counts(share.drawn), pieces(parts))


def saving(choice: Choice, goal: Goal, counts: float, mean: float) -> float | None:
    """What `choice` saves against what counts `counts`; for CFE, with `mean` in its place.

    A fraction, ``None`` where there is nothing to save from; of CFE, fraction points.
    """
    if goal.aim is Aim.CFE:
        return choice.mean - mean
    return (counts - choice.counts) / counts if counts > 0 else None
