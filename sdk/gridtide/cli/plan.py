"""The subcommands for jobs: plan, replan, schedule and batch.

A request is put together as the JSON that REST takes, and read as the service reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.options import Json, Options
from gridtide.cli.plan_request import RENAMED, RequestOptions, read_json, read_request
from gridtide.cli.regions import MoreRegions
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.planning.problem.state import Progress

RequestFile = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="the whole request as JSON; - is standard input"),
]


@command(
    "plan",
    examples=[
        "plan DE --hours 4 --deadline 2026-11-28T08:00Z",
        "plan DE,FR,GB --hours 8 --kind interruptible --slack 24h",
        "plan DE --hours 2 --cron '0 2 * * *' --slack 50% --timezone Europe/Berlin",
        "plan DE FR --hours 4 --current-region DE --data-gb 200 --json",
        "plan DE --hours 4 --objective cost",
        "plan DE,FR --hours 4 --objective weighted --carbon-price 100",
    ],
    answers=True,
    renamed=RENAMED,
)
def plan(
    terminal: Terminal,
    *,
    options: RequestOptions,
    region: MoreRegions = None,
    request: RequestFile = None,
) -> int:
    """Plan when and where to run a job, and say why.

    With --json it prints the plan with its request, which 'gridtide replan' reads.
    """
    from gridtide.cli import show_plan
    from gridtide.client import Client
    from gridtide.schema.decode import decode_request
    from gridtide.schema.plans import PlanRequest

    named = [*(options.regions or ()), *(region or ())]
    decoded = decode_request(
        PlanRequest, read_request(request, replace(options, regions=named))
    )
    with Client(environ=terminal.environ) as client:
        answer = client.plan(
            decoded.job,
            decoded.where,
            decoded.bounds,
            decoded.goal,
            signal=decoded.signal,
            as_of=decoded.as_of,
            alternatives=decoded.alternatives,
            recurring=decoded.recurring,
        )
    terminal.answer(answer.to_json(with_request=True), lambda: show_plan.plan(answer))
    return 0


@command(
    "replan",
    examples=[
        "replan plan.json --done 2h",
        "replan plan.json --done 90min --running",
        "replan - --done 2h --workers-now 3 --json",
    ],
    answers=True,
    renamed=RENAMED | {"--pieces": "--segments", "--chips-now": "--workers-now"},
    unlisted=("options",),
)
def replan(
    terminal: Terminal,
    plan: Annotated[
        str,
        typer.Argument(metavar="PLAN", help="what plan --json printed; - is standard input"),
    ],
    state: Annotated[
        Json,
        Options(Progress, "The job state", names={"workers": "--workers-now"}, required=()),
    ],
    options: RequestOptions,
    request: RequestFile = None,
) -> int:
    """Plan the rest of a job again.

    The request is the one that 'plan --json' wrote into the plan. For a plan without its
    request, give --request, or the regions and options of 'gridtide plan' again.
    """
    from gridtide.calls import replan_of_json
    from gridtide.cli import show_plan
    from gridtide.client import Client
    from gridtide.schema.decode import decode_request
    from gridtide.schema.plans import ReplanRequest

    if request == plan == "-":
        raise BadInput("the plan and --request are both -; give one of them as a file")
    planned = read_json(plan)
    if request is not None or options.says_anything():
        known = read_request(request, options)
    else:
        known = _request_of(planned, plan)
    body = {"plan": planned, "request": known, "progress": state}
    decode_request(ReplanRequest, body)
    with Client(environ=terminal.environ) as client:
        answer = client.send(replan_of_json(body))
    terminal.answer(answer.to_json(with_request=True), lambda: show_plan.plan(answer))
    return 0


def _request_of(planned: object, file: str) -> object:
    """Return the request that a plan contains."""
    known = (
        planned.get("request", planned.get("asked")) if isinstance(planned, Mapping) else None
    )
    if known is None:
        raise BadInput(
            f"{file} has no request, which gridtide plan --json writes into it; give the "
            "regions and options of that plan again, or --request"
        )
    return known


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
    from gridtide.schema.decode import decode_request
    from gridtide.schema.plans import ScheduleRequest

    request = decode_request(ScheduleRequest, read_json(file))
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
    from gridtide.schema.batches import BatchRequest
    from gridtide.schema.decode import decode_request

    said = read_json(file)
    body = {"questions": said} if isinstance(said, list) else said
    request = decode_request(BatchRequest, body)
    with Client(environ=terminal.environ) as client:
        answer = client.batch(request.questions)  # type: ignore[arg-type]  # each may be wrong
    terminal.answer(answer.to_json(with_request=True), lambda: [show_plan.batch(answer)])
    return 0
