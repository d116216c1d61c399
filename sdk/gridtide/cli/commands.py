"""The SDK's own subcommands; those about plans and footprints are in modules of their own.

They ask what a client asks, at GRIDTIDE_URL or in this process, and print the answer: the
same JSON object as by REST, or text.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gridtide.cli import footprint, plan, plan_options
from gridtide.cli.command import Command, Terminal
from gridtide.cli.regions import split_regions
from gridtide.errors import BadInput, GridtideError, NoData, StaleData, UnknownRegion

if TYPE_CHECKING:
    from gridtide.schema.responses import Intensity


def _zones_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="also zones without data")


def _zones(args: argparse.Namespace, terminal: Terminal) -> int:
    from gridtide.cli import show
    from gridtide.client import Client

    with Client(environ=terminal.environ) as client:
        answer = client.zones(every=args.all)
    if args.json:
        terminal.document(answer.to_json())
    else:
        terminal.result(show.zones(answer))
    return 0


def _now_arguments(parser: argparse.ArgumentParser) -> None:
    _region_arguments(parser)
    _view_arguments(parser)
    parser.add_argument(
        "--max-age",
        type=plan_options.number,
        metavar="HOURS",
        help="accept a value whose slot ended so long ago; default: the service's, 6",
    )


def _now(args: argparse.Namespace, terminal: Terminal) -> int:
    from gridtide.cli import show
    from gridtide.client import Client

    def ask(region: str) -> Intensity | GridtideError:
        try:
            return client.intensity(
                region, signal=args.signal, as_of=args.as_of, max_age=args.max_age
            )
        except (NoData, StaleData, UnknownRegion) as error:
            if len(regions) == 1:
                raise
            return error

    regions = _regions(args)
    with Client(environ=terminal.environ) as client:
        found = [ask(region) for region in regions]
    answers = [each for each in found if not isinstance(each, GridtideError)]
    errors = [each for each in found if isinstance(each, GridtideError)]
    if not args.json:
        if answers:
            terminal.result("\n".join(map(show.now, answers)))
        for error in errors:
            terminal.say(f"gridtide: {error}")
    else:
        documents = [
            {"region": region, "code": each.code, "detail": str(each), **each.extra}
            if isinstance(each, GridtideError)
            else each.to_json()
            for region, each in zip(regions, found, strict=True)
        ]
        terminal.document(documents[0] if len(documents) == 1 else documents)
    return max((error.exit_code for error in errors), default=0)


def _best_window_arguments(parser: argparse.ArgumentParser) -> None:
    _region_arguments(parser)
    _run_arguments(parser)
    _view_arguments(parser)


def _best_window(args: argparse.Namespace, terminal: Terminal) -> int:
    from gridtide.cli import show
    from gridtide.client import Client

    regions = _regions(args)
    if len(regions) > 1:
        raise BadInput(
            f"best-window takes one region, not {len(regions)}; to compare them ask "
            "'gridtide best-region'"
        )
    with Client(environ=terminal.environ) as client:
        answer = client.best_window(
            regions[0],
            hours=args.hours,
            earliest=args.earliest,
            deadline=args.deadline,
            signal=args.signal,
            as_of=args.as_of,
        )
    if args.json:
        terminal.document(answer.to_json())
    else:
        terminal.result(show.best_window(answer))
    return 0


def _best_region(args: argparse.Namespace, terminal: Terminal) -> int:
    from gridtide.cli import show
    from gridtide.client import Client

    with Client(environ=terminal.environ) as client:
        answer = client.best_region(
            _regions(args),
            hours=args.hours,
            earliest=args.earliest,
            deadline=args.deadline,
            signal=args.signal,
            as_of=args.as_of,
        )
    if args.json:
        terminal.document(answer.to_json())
    else:
        terminal.result(show.best_region(answer))
    return 0


def _region_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "regions",
        metavar="REGION",
        nargs="*",
        default=[],
        help="zone (DE), cloud region (aws:us-east-1) or place (52.5,13.4); comma lists too",
    )
    parser.add_argument(
        "--region",
        metavar="REGION",
        dest="more_regions",
        action="append",
        default=[],
        help="the same, repeatable",
    )


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hours",
        type=plan_options.number,
        required=True,
        help="length of the job: 4, 4h, 90min, PT4H",
    )
    parser.add_argument("--earliest", metavar="TIME", help="not before; default: now")
    parser.add_argument("--deadline", metavar="TIME", help="the job has ended by then")


def _view_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--signal", help="what to go by, e.g. cfe_produced; default: lifecycle")
    parser.add_argument("--as-of", metavar="TIME", help="only what was known at this moment")


def _regions(args: argparse.Namespace) -> list[str]:
    regions = split_regions([*args.regions, *args.more_regions])
    if not regions:
        raise BadInput("there is no region to choose from; name at least one")
    return regions


OWN = {
    command.name: command
    for command in (
        Command("zones", "list the zones and what is known of them", _zones_arguments, _zones),
        Command("now", "how clean the grid is now", _now_arguments, _now),
        Command("best-window", "when to run a job", _best_window_arguments, _best_window),
        Command(
            "plan",
            "when and where to run a job of any kind, and why",
            plan_options.plan_arguments,
            plan.plan,
        ),
        Command(
            "replan",
            "the rest of a job, from where it stands",
            plan.replan_arguments,
            plan.replan,
        ),
        Command(
            "schedule",
            "many jobs together, under caps",
            plan.schedule_arguments,
            plan.schedule,
        ),
        Command(
            "footprint",
            "energy and grams of what has run",
            footprint.arguments,
            footprint.footprint,
        ),
        Command(
            "batch",
            "many questions in one call",
            plan.batch_arguments,
            plan.batch,
        ),
        Command(
            "best-region", "where and when to run a job", _best_window_arguments, _best_region
        ),
    )
}
