"""A batch as a choice among whole plans of each job, with prices on what the caps hold.

A linear programme weighs the plans known so far and says what a kWh and a job more in each slot
would save: its prices. At rates raised by them each job alone has another best plan, which is
one more to weigh (column generation, Dantzig and Wolfe 1960). Whatever the prices are, what all
jobs count so, less what the caps carry at these prices, is a bound on any schedule (Lagrange).
An integer programme then picks one known plan for each job. Of each job only its own exact
planner is asked, so it goes for all kinds. How the time is spent on it: `weighing`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from math import inf

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.batch.capacity import Cap, Member, crowding, most_power
from gridtide.planning.batch.greedy import improved, laid_over
from gridtide.planning.batch.lp_relaxation import Prices, Region, limits_of, regions_of
from gridtide.planning.decide.candidate import Choice
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import HOUR, Cost, Job
from gridtide.planning.solvers.costs import LARGEST, Curve, Stretch
from gridtide.planning.solvers.highs import Programme
from gridtide.planning.solvers.region_costs import Site
from gridtide.planning.solvers.solution import Draft, in_units
from gridtide.planning.solvers.solve import drafted
from gridtide.slots import STEPS_PER_UNIT, Run

# Times the dearest rate: what a kWh over a cap counts while no plans keep to it.
DEAR = 3.0


class Columns:
    """The programme over known plans."""

    def __init__(self, members: Sequence[Member], caps: Mapping[str, Cap]) -> None:
        self.members = members
        self.regions: dict[str, Region] = regions_of(members, caps)
        self.programme = Programme("a batch of known plans")
        self.columns: list[tuple[Member, Choice]] = []
        self.variables: list[int] = []
        self.seen: set[tuple[object, ...]] = set()
        self.rows: dict[tuple[str, str, int], int] = {}
        self.limits: dict[tuple[str, str, int], float] = {}
        dearest = max(
            (
                abs(rate) / STEPS_PER_UNIT * site.place.pue
                for member in members
                for site in member.sites
                for rate in site.curve.cells.rates
            ),
            default=0.0,
        )
        power = max(most_power(member.question.job) for member in members)
        for _ in members:
            self.programme.equal.add([], 1.0)
        for name, region in self.regions.items():
            for what, most in limits_of(region.cap):
                dear = dearest * DEAR * (power if what == "jobs" else 1.0) or 1.0
                for k, (start, end) in enumerate(pairwise(region.edges)):
                    key, hours = (name, what, k), (end - start) / HOUR
                    over = self.programme.variable(dear)
                    self.rows[key] = len(self.programme.at_most.bounds)
                    self.programme.at_most.add([(over, -1.0)], most * hours)
                    self.limits[key] = most * hours

    def alone(self, member: Member) -> Choice:
        """The job's best plan without the others."""
        found = [
            choice
            for site in member.sites
            if (choice := _choice(member, site, site.curve, member.question.job)) is not None
        ]
        return min(found, key=lambda each: each.value)

    def add(self, member: Member, choice: Choice) -> bool:
        """Weigh one more plan of a job; whether it is new."""
        key = (member.number, choice.shares[0].site.place.region, choice.shares[0].parts)
        if key in self.seen:
            return False
        self.seen.add(key)
        variable = self.programme.variable(choice.value)
        self.columns.append((member, choice))
        self.variables.append(variable)
        row = next(i for i, each in enumerate(self.members) if each is member)
        self.programme.equal.entries.append((row, variable, 1.0))
        for place, load in self._loads(choice).items():
            if place in self.rows:
                self.programme.at_most.entries.append((self.rows[place], variable, load))
        return True

    def _loads(self, choice: Choice) -> Prices:
        """kWh and job-hours of a plan, by interval."""
        found: Prices = {}
        for share in choice.shares:
            name = share.site.place.region
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
        """What one more of what each cap holds would save, by the plans known so far."""
        self.programme.solve()
        marginals = self.programme.marginals
        return {key: max(0.0, -marginals[row]) for key, row in self.rows.items()}

    def priced(self, prices: Prices) -> tuple[float, list[tuple[Member, Choice]]]:
        """The bound at these prices, and the plan of each job that is best at them."""
        bound = -sum(self.limits[key] * price for key, price in prices.items())
        drafts: list[tuple[Member, Choice]] = []
        for member in self.members:
            job, least, lowest, best = member.question.job, inf, inf, None
            for site in member.sites:
                curve = self._raised(site, job, prices)
                moving = sum(
                    move.counts for move in move_to(member.question, site, member.home)
                )
                try:
                    draft = drafted(curve, job)
                except NoFeasibleWindow:
                    continue
                lowest = min(lowest, draft.least + moving)
                if draft.cost + moving < least:
                    least, best = draft.cost + moving, (site, draft, curve)
            if best is None:  # at no rates has it a plan
                return -inf, []
            site, draft, _ = best
            drafts.append((member, _at_its_rates(member, site, draft)))
            bound += max(member.least, self._least(member, lowest, prices))
        return bound, drafts

    def _least(self, member: Member, found: float, prices: Prices) -> float:
        """What any plan of the job counts at least at these prices."""
        job = member.question.job
        if job.pause_cost.time or job.restart_cost.time:
            return member.least  # what it draws meanwhile counts as one job in another way
        if not (job.pause_cost.kwh or job.restart_cost.kwh):
            return found
        # The energy of pauses is under no cap, so no price is on it: leave it out.
        free, least = replace(job, pause_cost=Cost(), restart_cost=Cost()), inf
        for site in member.sites:
            moving = sum(move.counts for move in move_to(member.question, site, member.home))
            try:
                cost = drafted(self._raised(site, free, prices), free).least
            except NoFeasibleWindow:
                continue
            least = min(least, cost + moving)
        return least

    def _raised(self, site: Site, job: Job, prices: Prices) -> Curve:
        """The site's free time, PUE and prices in its rates."""
        name, power = site.place.region, most_power(job)
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
                rate = run.scaled[i] * site.place.pue + more * STEPS_PER_UNIT
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

    def laid(self, prices: Prices, caps: Mapping[str, Cap]) -> dict[int, Choice] | None:
        """The jobs one by one at these prices, then each again at its own rates."""
        raised, own = list[Member](), dict[tuple[int, str], Site]()
        for member in self.members:
            sites, home = list[Site](), member.home
            for site in member.sites:
                place = replace(site.place, pue=1.0)
                curve = self._raised(site, member.question.job, prices)
                sites.append(replace(site, place=place, curve=curve))
                home = sites[-1] if site is member.home else home
                own[member.number, place.region] = site
            raised.append(replace(member, sites=tuple(sites), home=home))
        found = laid_over(raised, caps)
        if found is None:
            return None
        numbered = {member.number: member for member in self.members}
        choices = {}
        for number, choice in found.items():
            share, member = choice.shares[0], numbered[number]
            draft = Draft(0.0, share.parts, choice.pieces, share.extra)
            site = own[number, share.site.place.region]
            choices[number] = _at_its_rates(member, site, draft)
        return improved(self.members, caps, choices)

    def picked(self, caps: Mapping[str, Cap], seconds: float) -> dict[int, Choice]:
        """One known plan of each job, as far as they keep to the caps; or some new ones."""
        for variable in self.variables:
            self.programme.whole[variable] = True
            self.programme.upper[variable] = 1.0
        found = self.programme.search(seconds)
        choices = {
            member.number: choice
            for variable, (member, choice) in zip(self.variables, self.columns, strict=True)
            if found.values is not None and found.values[variable] > 0.5
        }
        # Also where plans of less than a slot meet within one.
        for number in crowding(caps, choices):
            del choices[number]
        return laid_over(self.members, caps, choices) or choices


def _choice(member: Member, site: Site, curve: Curve, job: Job) -> Choice | None:
    try:
        draft = drafted(curve, job)
    except NoFeasibleWindow:
        return None
    return Choice.at(site, draft, move_to(member.question, site, member.home))


def _at_its_rates(member: Member, site: Site, draft: Draft) -> Choice:
    """A plan found at other rates, with what it counts at the site's own."""
    cells, total = site.curve.cells, 0.0
    for start, end, kwh in draft.drawn:
        i = max(0, bisect_right(cells.starts, start) - 1)
        while i < len(cells.starts) and cells.starts[i] < end:
            time = min(end, cells.ends[i]) - max(start, cells.starts[i])
            total += cells.rates[i] * max(0, time) * (kwh * HOUR / (end - start))
            i += 1
    counted = replace(draft, cost=in_units(total), bound=None)
    return Choice.at(site, counted, move_to(member.question, site, member.home))
