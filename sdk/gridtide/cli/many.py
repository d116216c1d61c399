"""``gridtide schedule`` and ``gridtide batch``: many jobs or requests in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.plan_request import read_json
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput


@command("schedule", examples=["schedule jobs.json", "schedule - --json"], answers=True)
def schedule(
    terminal: Terminal,
    *,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="JSON of the request, as for REST; - is standard input"
        ),
    ],
) -> int:
    """Plan many jobs together under limits."""
    from gridtide.cli import show_plan
    from gridtide.client import Client
    from gridtide.schema.schedules import SCHEDULE

    request = SCHEDULE.read(read_json(file))
    with Client(environ=terminal.environ) as client:
        answer = client.schedule(
            request.jobs, request.caps, request.goal, signal=request.signal, as_of=request.as_of
        )
    terminal.answer(answer.to_json(), lambda: [show_plan.schedule(answer)])
    return 0


@command("batch", examples=["batch requests.json", "batch - --json"], answers=True)
def batch(
    terminal: Terminal,
    *,
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="JSON of the requests; - is standard input"),
    ],
) -> int:
    """Answer many requests in one call."""
    from gridtide.cli import show_plan
    from gridtide.client import Client

    said = read_json(file)
    requests = said.get("questions") if isinstance(said, Mapping) else said
    if not isinstance(requests, list):
        raise BadInput(f"{file} has no list of questions")
    with Client(environ=terminal.environ) as client:
        answer = client.batch(requests)
    terminal.answer(answer.to_json(asked=True), lambda: [show_plan.batch(answer)])
    return 0
