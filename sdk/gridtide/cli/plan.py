"""``gridtide plan`` and ``gridtide replan``.

A request is put together as the JSON that REST takes, and read as the service reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from gridtide.cli.command import command
from gridtide.cli.options import number, whole
from gridtide.cli.plan_options import RENAMED, PlanOptions, RequestOptions
from gridtide.cli.plan_request import read_json, read_request, says_anything
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput

STATE = "The job state"


@command(
    "plan",
    examples=[
        "plan DE --hours 4 --deadline 2026-11-28T08:00Z",
        "plan DE,FR,GB --hours 8 --kind interruptible --slack 24h",
        "plan DE --hours 2 --cron '0 2 * * *' --slack 50% --timezone Europe/Berlin",
        "plan DE FR --hours 4 --current-region DE --data-gb 200 --json",
    ],
    answers=True,
    renamed=RENAMED | {"--from": "--current-region"},
)
def plan(terminal: Terminal, options: PlanOptions) -> int:
    """Plan when and where to run a job, and say why.

    With --json it prints the plan with its request, which 'gridtide replan' reads.
    """
    from gridtide.cli import show_plan
    from gridtide.client import Client
    from gridtide.schema.plan_requests import PLAN

    request = PLAN.read(read_request(options))
    with Client(environ=terminal.environ) as client:
        answer = client.plan(
            request.job,
            request.where,
            request.bounds,
            request.goal,
            signal=request.signal,
            as_of=request.as_of,
            alternatives=request.alternatives,
            recurring=request.recurring,
        )
    terminal.answer(answer.to_json(asked=True), lambda: show_plan.plan(answer))
    return 0


def _option(metavar: str, text: str) -> Any:  # noqa: ANN401  # as typer.Option
    return typer.Option(metavar=metavar, help=text, rich_help_panel=STATE)


@dataclass(frozen=True, kw_only=True)
class StateOptions:
    """Where the job stands, each the text that was given."""

    at: Annotated[str | None, _option("TIME", "the moment; default: now")] = None
    done: Annotated[
        str | None, _option("DURATION", "work done, at the job's own size: 2, 2h, 90min")
    ] = None
    running: Annotated[
        bool, typer.Option("--running", help="it runs right now", rich_help_panel=STATE)
    ] = False
    running_for: Annotated[str | None, _option("DURATION", "for so long without a pause")] = (
        None
    )
    segments: Annotated[str | None, _option("N", "how many times it has started")] = None
    region: Annotated[
        str | None, _option("REGION", "where it ran last; default: as planned")
    ] = None
    workers_now: Annotated[str | None, _option("N", "its workers now; default: as planned")] = (
        None
    )
    grams: Annotated[str | None, _option("G", "emitted so far, for a budget")] = None

    def progress(self) -> dict[str, object]:
        """The JSON of the job state."""
        given = {
            "at": self.at,
            "done": number(self.done),
            "running": self.running or None,
            "running_for": number(self.running_for),
            "segments": whole(self.segments),
            "region": self.region,
            "grams": number(self.grams),
            "workers": number(self.workers_now),
        }
        return {name: value for name, value in given.items() if value is not None}


@command(
    "replan",
    examples=[
        "replan plan.json --done 2h",
        "replan plan.json --done 90min --running",
        "replan - --done 2h --workers-now 3 --json",
    ],
    answers=True,
    renamed=RENAMED
    | {
        "--from": "--current-region",
        "--pieces": "--segments",
        "--chips-now": "--workers-now",
    },
)
def replan(
    terminal: Terminal,
    plan: Annotated[
        str,
        typer.Argument(metavar="PLAN", help="what plan --json printed; - is standard input"),
    ],
    state: StateOptions,
    options: RequestOptions,
) -> int:
    """Plan the rest of a job again.

    The request is the one that 'plan --json' wrote into the plan. For a plan without its
    request, give the regions and options of that plan again, or --request.
    """
    from gridtide.calls import replan_of_json
    from gridtide.cli import show_plan
    from gridtide.client import Client
    from gridtide.schema.plan_requests import REPLAN

    if options.request == plan == "-":
        raise BadInput("the plan and --request are both -; give one of them as a file")
    planned = read_json(plan)
    body = {
        "plan": planned,
        "request": _request(plan, options, planned),
        "progress": state.progress(),
    }
    REPLAN.read(body)
    with Client(environ=terminal.environ) as client:
        answer = client.send(replan_of_json(body))
    terminal.answer(answer.to_json(asked=True), lambda: show_plan.plan(answer))
    return 0


def _request(file: str, options: RequestOptions, planned: object) -> object:
    """The request of a plan: by the options where any is given, else as the plan has it."""
    if options.request is not None or says_anything(options):
        return read_request(options)
    known = planned.get("asked") if isinstance(planned, Mapping) else None
    if known is None:
        raise BadInput(
            f"{file} has no request, which gridtide plan --json writes into it; give the "
            "regions and options of that plan again, or --request"
        )
    return known
