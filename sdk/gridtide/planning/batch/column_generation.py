"""Batch plans by column generation: a choice among whole plans of each job.

A linear programme weights the plans known so far and gives prices: what one more kWh and one
more job in each slot would save. At rates raised by these prices each job alone has another
best plan, which becomes one more column (Dantzig and Wolfe 1960). At any prices, the cost of
all jobs less the worth of the caps is a lower bound on any schedule (Lagrange). An integer
programme then picks one known plan for each job. Only the exact planner of each job is called,
so all kinds of jobs are supported. `large` divides the time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from math import inf

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.batch.capacity import Cap, Member, members_over_caps, most_power
from gridtide.planning.batch.greedy import improve, place_all
from gridtide.planning.batch.lp_relaxation import Prices, Region, cap_limits, regions_of
from gridtide.planning.decide.candidate import Candidate, Site
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import HOUR, Cost, Job
from gridtide.planning.solvers.costs import LARGEST, Curve, Stretch
from gridtide.planning.solvers.highs import Programme
from gridtide.planning.solvers.solution import Solution, in_units
from gridtide.planning.solvers.solve import solve
from gridtide.slots import STEPS_PER_UNIT, Run

# Times the dearest rate: the cost of a kWh over a cap while no plans keep to it.
DEAR = 3.0


class Columns:
    """The linear programme over known plans."""

    def __init__(self, members: Sequence[Member], caps: Mapping[str, Cap]) -> None:
        self.members = members
        self.regions: dict[str, Region] = regions_of(members, caps)
        self.programme = Programme("a batch of known plans")
        self.columns: list[tuple[Member, Candidate]] = []
        self.variables: list[int] = []
        self.seen: set[tuple[object, ...]] = set()
        self.rows: dict[tuple[str, str, int], int] = {}
        self.limits: dict[tuple[str, str, int], float] = {}
        dearest = max(
            (
                abs(rate) / STEPS_PER_UNIT * site.region.pue
                for member in members
                for site in member.sites
                for rate in site.curve.intervals.rates
            ),
            default=0.0,
        )
        power = max(most_power(member.problem.job) for member in members)
        for _ in members:
            self.programme.equal.add([], 1.0)
        for name, region in self.regions.items():
            for what, most in cap_limits(region.cap):
                dear = dearest * DEAR * (power if what == "jobs" else 1.0) or 1.0
                for k, (start, end) in enumerate(pairwise(region.edges)):
                    key, hours = (name, what, k), (end - start) / HOUR
                    over = self.programme.variable(dear)
                    self.rows[key] = len(self.programme.at_most.bounds)
                    self.programme.at_most.add([(over, -1.0)], most * hours)
                    self.limits[key] = most * hours

    def alone(self, member: Member) -> Candidate:
        """Return the best plan of the job without the others."""
        found = [
            candidate
            for site in member.sites
            if (candidate := _candidate_at(member, site, site.curve, member.problem.job))
            is not None
        ]
        return min(found, key=lambda each: each.value)

    def add(self, member: Member, candidate: Candidate) -> bool:
        """Add a plan of a job as a column; return whether it is new."""
        key = (member.number, candidate.shares[0].site.region.name, candidate.shares[0].parts)
        if key in self.seen:
            return False
        self.seen.add(key)
        variable = self.programme.variable(candidate.value)
        self.columns.append((member, candidate))
        self.variables.append(variable)
        row = next(i for i, each in enumerate(self.members) if each is member)
        self.programme.equal.entries.append((row, variable, 1.0))
        for slot, load in self._loads(candidate).items():
            if slot in self.rows:
                self.programme.at_most.entries.append((self.rows[slot], variable, load))
        return True

    def _loads(self, candidate: Candidate) -> Prices:
        """Return kWh and job-hours of a plan, by interval."""
        found: Prices = {}
        for share in candidate.shares:
            name = share.site.region.name
            edges = self.regions[name].edges
            for part in share.parts:
                k = max(0, bisect_right(edges, part.start) - 1)
                while k + 1 < len(edges) and edges[k] < part.end:
                    time = min(part.end, edges[k + 1]) - max(part.start, edges[k])
                    for what, each in (("kw", part.power_kw), ("jobs", 1.0)):
                        key = (name, what, k)
                        found[key] = found.get(key, 0.0) + each * time / HOUR
                    k += 1
        return found

    def prices(self) -> Prices:
        """Return what one more of what each cap holds would save, by the plans known so far."""
        self.programme.solve()
        marginals = self.programme.marginals
        return {key: max(0.0, -marginals[row]) for key, row in self.rows.items()}

    def solve_at_prices(self, prices: Prices) -> tuple[float, list[tuple[Member, Candidate]]]:
        """Return the lower bound at these prices, and the best plan of each job at them."""
        bound = -sum(self.limits[key] * price for key, price in prices.items())
        solutions: list[tuple[Member, Candidate]] = []
        for member in self.members:
            job, least, lowest, best = member.problem.job, inf, inf, None
            for site in member.sites:
                curve = self._raise_rates(site, job, prices)
                moving = sum(
                    move.counts for move in move_to(member.problem, site, member.current_site)
                )
                try:
                    solution = solve(curve, job)
                except NoFeasibleWindow:
                    continue
                lowest = min(lowest, solution.least + moving)
                if solution.cost + moving < least:
                    least, best = solution.cost + moving, (site, solution, curve)
            if best is None:  # at no rates has it a plan
                return -inf, []
            site, solution, _ = best
            solutions.append((member, _at_own_rates(member, site, solution)))
            bound += max(member.least, self._least(member, lowest, prices))
        return bound, solutions

    def _least(self, member: Member, found: float, prices: Prices) -> float:
        """Return a lower bound on the cost of any plan of the job at these prices."""
        job = member.problem.job
        if job.pause_cost.time or job.restart_cost.time:
            return member.least  # what it draws meanwhile counts as one job in another way
        if not (job.pause_cost.kwh or job.restart_cost.kwh):
            return found
        # The energy of pauses is under no cap, so no price is on it: leave it out.
        free, least = replace(job, pause_cost=Cost(), restart_cost=Cost()), inf
        for site in member.sites:
            moving = sum(
                move.counts for move in move_to(member.problem, site, member.current_site)
            )
            try:
                cost = solve(self._raise_rates(site, free, prices), free).least
            except NoFeasibleWindow:
                continue
            least = min(least, cost + moving)
        return least

    def _raise_rates(self, site: Site, job: Job, prices: Prices) -> Curve:
        """Return the free time of the site with PUE and prices in its rates."""
        name, power = site.region.name, most_power(job)
        edges = self.regions[name].edges
        stretches = []
        for run, start, end in site.curve.stretches:
            first, last = bisect_left(edges, start), bisect_left(edges, end)
            scaled = []
            i = bisect_right(run.edges, start) - 1
            for k in range(first, last):
                while run.edges[i + 1] <= edges[k]:
                    i += 1
                more = prices.get((name, "kw", k), 0.0)
                if power > 0:
                    more += prices.get((name, "jobs", k), 0.0) / power
                rate = run.scaled[i] * site.region.pue + more * STEPS_PER_UNIT
                scaled.append(int(min(rate, LARGEST)))
            inner = edges[first : last + 1]
            lengths = [later - earlier for earlier, later in pairwise(inner)]
            integrals = list(
                accumulate((r * t for r, t in zip(scaled, lengths, strict=True)), initial=0)
            )
            step = lengths[0] if len(set(lengths)) == 1 else 0
            raised = Run(inner, [r / STEPS_PER_UNIT for r in scaled], scaled, integrals, step)
            stretches.append(Stretch(raised, start, end))
        return Curve(site.curve.name, tuple(stretches))

    def place_at_prices(
        self, prices: Prices, caps: Mapping[str, Cap]
    ) -> dict[int, Candidate] | None:
        """Schedule the jobs one by one at these prices, then improve each at its own rates."""
        raised, own = list[Member](), dict[tuple[int, str], Site]()
        for member in self.members:
            sites, current_site = list[Site](), member.current_site
            for site in member.sites:
                region = replace(site.region, pue=1.0)
                curve = self._raise_rates(site, member.problem.job, prices)
                sites.append(replace(site, region=region, curve=curve))
                current_site = sites[-1] if site is member.current_site else current_site
                own[member.number, region.name] = site
            raised.append(replace(member, sites=tuple(sites), current_site=current_site))
        found = place_all(raised, caps)
        if found is None:
            return None
        numbered = {member.number: member for member in self.members}
        candidates = {}
        for number, candidate in found.items():
            share, member = candidate.shares[0], numbered[number]
            solution = Solution(0.0, share.parts, candidate.segments, share.extra)
            site = own[number, share.site.region.name]
            candidates[number] = _at_own_rates(member, site, solution)
        return improve(self.members, caps, candidates)

    def pick(self, caps: Mapping[str, Cap], seconds: float) -> dict[int, Candidate]:
        """Return one known plan of each job, as far as they keep to the caps."""
        for variable in self.variables:
            self.programme.whole[variable] = True
            self.programme.upper[variable] = 1.0
        found = self.programme.search(seconds)
        candidates = {
            member.number: candidate
            for variable, (member, candidate) in zip(self.variables, self.columns, strict=True)
            if found.values is not None and found.values[variable] > 0.5
        }
        # Also where plans of less than a slot meet within one.
        for number in members_over_caps(caps, candidates):
            del candidates[number]
        return place_all(self.members, caps, candidates) or candidates


def _candidate_at(member: Member, site: Site, curve: Curve, job: Job) -> Candidate | None:
    try:
        solution = solve(curve, job)
    except NoFeasibleWindow:
        return None
    return Candidate.at(site, solution, move_to(member.problem, site, member.current_site))


def _at_own_rates(member: Member, site: Site, solution: Solution) -> Candidate:
    """Return a plan found at other rates, with its cost at the site's own rates."""
    intervals, total = site.curve.intervals, 0.0
    for start, end, kwh in solution.draws:
        i = max(0, bisect_right(intervals.starts, start) - 1)
        while i < len(intervals.starts) and intervals.starts[i] < end:
            time = min(end, intervals.ends[i]) - max(start, intervals.starts[i])
            total += intervals.rates[i] * max(0, time) * (kwh * HOUR / (end - start))
            i += 1
    counted = replace(solution, cost=in_units(total), bound=None)
    return Candidate.at(site, counted, move_to(member.problem, site, member.current_site))
