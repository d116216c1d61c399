"""Baselines of a plan: running at once, the median start and the worst start."""

from __future__ import annotations

from dataclasses import dataclass

from gridtide.planning.decide.candidate import Candidate, Share
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.planning.solvers.region_costs import Site
from gridtide.planning.solvers.solution import count_segments
from gridtide.planning.solvers.solve import run_at_once
from gridtide.planning.solvers.unbroken import trials


@dataclass(frozen=True)
class Baseline:
    """Runs at the job's own power at one site; ``None`` where there is none.

    Attributes:
        now: run at once, see `solve.run_at_once`.
        median, worst: costs of the unbroken starts at edges of slots, with PUE.
        kwh: energy of such a run, before PUE.
        pue: of the site.
    """

    now: Candidate | None
    median: float | None
    worst: float | None
    kwh: float
    pue: float

    @classmethod
    def of(cls, site: Site, job: Job) -> Baseline:
        """Compute the baselines at `site`, from expected values within the bounds."""
        found = sorted(each.cost * site.region.pue for each in trials(site.plain, job.steps))
        half = len(found) // 2
        return cls(
            now=run_now_at(site, job),
            median=(found[half] + found[~half]) / 2 if found else None,
            worst=found[-1] if found else None,
            kwh=job.kwh,
            pue=site.region.pue,
        )

    def saving_now(self, candidate: Candidate, goal: Goal) -> float | None:
        """Return the saving of `candidate` against running at once."""
        if self.now is None:
            return None
        return saving(candidate, goal, self.now.counts, self.now.mean)

    def saving(self, candidate: Candidate, goal: Goal, counts: float | None) -> float | None:
        """Return the saving of `candidate` against a run here that costs `counts`."""
        if counts is None:
            return None
        return saving(candidate, goal, counts, 1 - counts / self.kwh / self.pue)


def run_now_at(site: Site, job: Job) -> Candidate | None:
    """Return the job run at `site` at once."""
    parts = run_at_once(site.plain, job)
    if parts is None:
        return None
    share = Share(site, parts)
    return Candidate((share,), site.counts(share.draws), count_segments(parts))


def saving(candidate: Candidate, goal: Goal, counts: float, mean: float) -> float | None:
    """Return the saving of `candidate` against a cost of `counts`; for CFE, against `mean`.

    A fraction, ``None`` where there is nothing to save from; for CFE, fraction points.
    """
    if goal.objective is Objective.CFE:
        return candidate.mean - mean
    return (counts - candidate.counts) / counts if counts > 0 else None
