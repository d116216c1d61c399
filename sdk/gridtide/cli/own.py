"""The SDK's own subcommands: where each is, and the line that ``gridtide --help`` lists.

A test holds the lines to the commands' own help texts. Other distributions add commands by
entry points of the group ``gridtide.commands``, and their lines by ``gridtide.summaries``.
"""

from __future__ import annotations

from typing import NamedTuple


class Own(NamedTuple):
    """A subcommand of the SDK: ``module:attribute`` and its one line."""

    target: str
    summary: str


OWN = {
    "zones": Own("gridtide.cli.zones:zones", "List the zones with their signals and data age."),
    "now": Own("gridtide.cli.now:now", "Show how clean the grid is now."),
    "history": Own("gridtide.cli.history:history", "List the known values of a region."),
    "forecast": Own("gridtide.cli.forecast:forecast", "Print the newest forecast of a region."),
    "best-window": Own(
        "gridtide.cli.windows:best_window", "Find the cleanest time to run a job."
    ),
    "best-region": Own(
        "gridtide.cli.windows:best_region", "Find the cleanest region and time to run a job."
    ),
    "plan": Own("gridtide.cli.plan:plan", "Plan when and where to run a job, and say why."),
    "replan": Own("gridtide.cli.plan:replan", "Plan the rest of a job again."),
    "schedule": Own("gridtide.cli.many:schedule", "Plan many jobs together under limits."),
    "batch": Own("gridtide.cli.many:batch", "Answer many requests in one call."),
    "footprint": Own(
        "gridtide.cli.footprint:footprint", "Compute the energy and emissions of a past job."
    ),
}
