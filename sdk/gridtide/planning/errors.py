"""What can go wrong in planning, beside `gridtide.errors`; each says what to do about it."""

from __future__ import annotations

from gridtide.errors import BadInput, GridtideError, MissingExtra, NoFeasibleWindow


class OverBudget(NoFeasibleWindow):
    """No plan stays within the carbon budget; the message has the least grams possible."""

    code = "over_budget"


class NoScheduleFound(NoFeasibleWindow):
    """No schedule for all jobs was found in the time budget; there may be one."""

    code = "no_schedule_found"


class NeverUnder(NoFeasibleWindow):
    """The signal is not under the threshold for as long as the job needs."""

    code = "never_under"


class TooFine(BadInput):
    """An exact answer takes too many steps: give whole minutes, fewer regions or less time."""

    code = "too_fine"


class NoSolver(MissingExtra):
    """A linear programme is needed: install ``gridtide[lp]``, or ask the service."""

    code = "no_solver"


class SolverFailed(GridtideError):
    """The solver gave up on a programme that has an answer or none; simplify the question."""

    code = "solver_failed"
