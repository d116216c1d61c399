"""``gridtide best-window`` and ``gridtide best-region``."""

from __future__ import annotations

from gridtide.cli.command import command
from gridtide.cli.options import (
    AsOf,
    ChosenSignal,
    Deadline,
    Earliest,
    Hours,
    MoreRegions,
    Regions,
    number,
    one_region,
    regions_of,
)
from gridtide.cli.terminal import Terminal


@command(
    "best-window",
    examples=[
        "best-window DE --hours 4",
        "best-window GB --hours 90min --deadline 2026-11-28T08:00Z",
        "best-window GB --hours 4 --print start --local",
    ],
    answers=True,
)
def best_window(
    terminal: Terminal,
    *,
    regions: Regions = None,
    region: MoreRegions = None,
    hours: Hours,
    earliest: Earliest = None,
    deadline: Deadline = None,
    signal: ChosenSignal = None,
    as_of: AsOf = None,
) -> int:
    """Find the cleanest time to run a job."""
    from gridtide.cli import show
    from gridtide.client import Client

    named = one_region("best-window", regions, region)
    with Client(environ=terminal.environ) as client:
        answer = client.best_window(
            named,
            number(hours),
            earliest=earliest,
            deadline=deadline,
            signal=signal,
            as_of=as_of,
        )
    terminal.answer(answer.to_json(), lambda: [show.best_window(answer)])
    return 0


@command(
    "best-region",
    examples=[
        "best-region DE,FR,GB --hours 4",
        "best-region aws:eu-central-1 aws:eu-west-2 --hours 2h --print region",
    ],
    answers=True,
)
def best_region(
    terminal: Terminal,
    *,
    regions: Regions = None,
    region: MoreRegions = None,
    hours: Hours,
    earliest: Earliest = None,
    deadline: Deadline = None,
    signal: ChosenSignal = None,
    as_of: AsOf = None,
) -> int:
    """Find the cleanest region and time to run a job."""
    from gridtide.cli import show
    from gridtide.client import Client

    named = regions_of(regions, region)
    with Client(environ=terminal.environ) as client:
        answer = client.best_region(
            named,
            number(hours),
            earliest=earliest,
            deadline=deadline,
            signal=signal,
            as_of=as_of,
        )
    terminal.answer(answer.to_json(), lambda: show.best_region(answer))
    return 0
