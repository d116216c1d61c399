"""Linear and integer programmes through HiGHS in scipy, an optional package loaded on use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any, NamedTuple

from gridtide.extras import how_to_install
from gridtide.planning.errors import NoSolver, SolverFailed, TooFine
from gridtide.planning.solvers.cancellation import outside_python

OPTIMAL, INFEASIBLE = 0, 2
# On which HiGHS takes some ten seconds and half a gigabyte.
MOST_VARIABLES = 400_000
# Seconds: whole numbers can keep a solver busy for good.
TIME_LIMIT = 60.0
# Relative; how close to the best a search in limited time goes.
GAP = 1e-6


class Found(NamedTuple):
    """Result of a search with a time limit.

    `bound` is proven: no feasible values cost less. `infeasible`: proven that there are none.
    """

    values: list[float] | None
    bound: float
    infeasible: bool


@dataclass
class Rows:
    """Linear constraints: each a sum of variables that is at most, or equal to, a bound."""

    bounds: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)

    def add(self, terms: Sequence[tuple[int, float]], bound: float) -> None:
        """Add a constraint: its (variable, factor) terms and its bound."""
        row = len(self.bounds)
        self.entries.extend((row, variable, factor) for variable, factor in terms)
        self.bounds.append(bound)


@dataclass
class Programme:
    """An objective over variables that are 0 or more, and its constraints."""

    what: str
    costs: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    at_most: Rows = field(default_factory=Rows)
    equal: Rows = field(default_factory=Rows)
    marginals: list[float] = field(default_factory=list)

    def variable(self, cost: float, upper: float = inf, *, whole: bool = False) -> int:
        """Add a variable and return its index.

        Raises:
            TooFine: there are too many.
        """
        if len(self.costs) == MOST_VARIABLES:
            raise TooFine(
                f"{self.what} takes more than {MOST_VARIABLES:,} variables; give a nearer "
                "deadline, fewer jobs or regions, or fewer steps of throughput"
            )
        self.costs.append(cost)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.costs) - 1

    def solve(self) -> list[float] | None:
        """Return the optimal values of the variables; ``None`` where the problem is infeasible.

        Without whole numbers `marginals` then holds how much one more of the bound of each row
        of `at_most` adds to the least cost.

        Raises:
            NoSolver: scipy is not installed.
            SolverFailed: the solver gave up.
        """
        if not self.costs:
            return None if self._contradicts_itself() else []
        found = self._run(TIME_LIMIT, gap=0.0)
        if found.status == INFEASIBLE:
            return None
        if found.status != OPTIMAL:
            raise SolverFailed(f"{self.what}: {found.message}; ask for a shorter time or less")
        if not any(self.whole):
            self.marginals = [float(each) for each in found.ineqlin.marginals]
        return [float(value) for value in found.x]

    def search(self, seconds: float, gap: float = GAP) -> Found:
        """Return the best values found within `seconds`, and the proven bound.

        The search also ends once the values are within `gap` (relative) of the bound.

        Raises:
            NoSolver: scipy is not installed.
        """
        if not self.costs:
            impossible = self._contradicts_itself()
            return Found(None if impossible else [], -inf if impossible else 0.0, impossible)
        found = self._run(seconds, gap=gap)
        values = None if found.x is None else [float(value) for value in found.x]
        bound = getattr(found, "mip_dual_bound", None)
        if bound is None or not isfinite(bound):
            bound = found.fun if found.status == OPTIMAL else -inf
        return Found(values, float(bound), found.status == INFEASIBLE)

    def _contradicts_itself(self) -> bool:
        """Say whether nothing is feasible even without a variable, which HiGHS refuses."""
        return any(self.equal.bounds) or any(bound < 0 for bound in self.at_most.bounds)

    def _run(self, seconds: float, *, gap: float) -> Any:  # noqa: ANN401  # scipy has no types
        try:
            from scipy.optimize import linprog  # type: ignore[import-untyped]  # scipy ships no types
            from scipy.sparse import csr_array  # type: ignore[import-untyped]  # scipy ships no types
        except ImportError as error:
            raise NoSolver(
                f"{self.what} takes a linear programme, and no solver is installed: "
                f"{how_to_install('lp')}; or ask a service, which has one (set GRIDTIDE_URL)"
            ) from error

        def matrix(rows: Rows) -> object:
            row, column, factor = zip(*rows.entries, strict=True) if rows.entries else ((),) * 3
            shape = (len(rows.bounds), len(self.costs))
            return csr_array((factor, (row, column)), shape=shape) if rows.bounds else None

        at_most, equal = matrix(self.at_most), matrix(self.equal)
        with outside_python():
            return linprog(
                self.costs,
                A_ub=at_most,
                b_ub=self.at_most.bounds or None,
                A_eq=equal,
                b_eq=self.equal.bounds or None,
                bounds=[(0, None if upper == inf else upper) for upper in self.upper],
                integrality=[int(each) for each in self.whole] if any(self.whole) else None,
                method="highs",
                # Whole numbers are searched to the end: by default HiGHS stops at 1e-4.
                options={"time_limit": seconds, "mip_rel_gap": gap},
            )
