"""Errors of planning; each message says what to change.

GridtideError
├── BadInput
│   └── TooFine              an exact plan would take too much work
├── MissingExtra
│   └── NoSolver             a linear programme is needed, and scipy is not installed
├── NoFeasibleWindow
│   ├── NeverUnder           the signal stays beyond the threshold
│   ├── NoScheduleFound      none found within the time budget
│   └── OverBudget           every plan exceeds the carbon budget
└── SolverFailed             the solver gave up
"""

from __future__ import annotations

from gridtide.errors import BadInput, GridtideError, MissingExtra, NoFeasibleWindow


class OverBudget(NoFeasibleWindow):
    """No plan stays within the carbon budget; the message states the least grams possible."""

    code = "over_budget"


class NoScheduleFound(NoFeasibleWindow):
    """No schedule for all jobs was found within the time budget; there may be one."""

    code = "no_schedule_found"


class NeverUnder(NoFeasibleWindow):
    """The signal is not under the threshold for as long as the job needs."""

    code = "never_under"


class TooFine(BadInput):
    """An exact plan takes too much work: give whole minutes, fewer regions or less time."""

    code = "too_fine"


class NoSolver(MissingExtra):
    """A linear programme is needed: install ``gridtide[lp]``, or use the service."""

    code = "no_solver"


class SolverFailed(GridtideError):
    """The solver gave up; simplify the problem."""

    code = "solver_failed"
