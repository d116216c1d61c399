"""The SDK's subcommands about plans: plan, replan, schedule, batch.

A question is put together as the JSON that REST takes, and read as the service reads it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from gridtide.cli.command import Terminal
from gridtide.cli.plan_options import asked as question_of
from gridtide.cli.plan_options import asks, from_file, number, plan_arguments, whole
from gridtide.errors import BadInput

PROGRESS = ("at", "done", "running", "running_for", "pieces", "region", "grams", "chips")
# Their options are named otherwise: another is of that name.
RENAMED = {"chips": "chips_now"}


def plan(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask for a plan and print it."""
    from gridtide.cli import show_plan
    from gridtide.client import Client
    from gridtide.schema.plan_requests import PLAN

    asked = PLAN.read(question_of(args))
    with Client(environ=terminal.environ) as client:
        answer = client.plan(
            asked.job,
            asked.where,
            asked.bounds,
            asked.goal,
            signal=asked.signal,
            as_of=asked.as_of,
            alternatives=asked.alternatives,
            recurring=asked.recurring,
        )
    if args.json:
        terminal.document(answer.to_json(asked=True))
    else:
        terminal.result(show_plan.plan(answer))
    return 0


def replan_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``replan``."""
    parser.add_argument("plan", metavar="PLAN", help="what plan --json printed; - is stdin")
    stands = parser.add_argument_group("where it stands").add_argument
    stands("--at", metavar="TIME", help="the moment; default: now")
    stands("--done", type=number, metavar="H", help="work done, at the job's own size")
    stands("--running", action="store_true", default=None, help="it runs right now")
    stands("--running-for", type=number, metavar="H", help="for so long without a pause")
    stands("--pieces", type=whole, metavar="N", help="how many times it has started")
    stands("--region", metavar="REGION", help="where it ran last; default: as planned")
    stands("--chips-now", type=number, metavar="N", help="its size now; default: as planned")
    stands("--grams", type=number, metavar="G", help="emitted so far, for a budget")
    plan_arguments(parser)


def replan(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask for the rest of a plan and print it.

    The request is the one that ``plan --json`` wrote into the plan, or given as for ``plan``.
    """
    from gridtide.calls import replan_of_json
    from gridtide.cli import show_plan
    from gridtide.client import Client
    from gridtide.schema.plan_requests import REPLAN

    if args.question == args.plan == "-":
        raise BadInput("the plan and --question are both -; give one of them as a file")
    body = {
        "plan": (planned := from_file(args.plan)),
        "asked": _request(args, planned),
        "progress": {
            name: value
            for name in PROGRESS
            if (value := getattr(args, RENAMED.get(name, name))) is not None
        },
    }
    REPLAN.read(body)
    with Client(environ=terminal.environ) as client:
        answer = client.send(replan_of_json(body))
    if args.json:
        terminal.document(answer.to_json(asked=True))
    else:
        terminal.result(show_plan.plan(answer))
    return 0


def _request(args: argparse.Namespace, planned: object) -> object:
    """What a plan was asked for: by the options where any is given, else as the plan says."""
    if args.question is not None or asks(args):
        return question_of(args)
    known = planned.get("asked") if isinstance(planned, Mapping) else None
    if known is None:
        raise BadInput(
            f"{args.plan} does not say what it was asked for, as gridtide plan --json does in "
            "'asked'; give the regions and options of that plan again, or --question"
        )
    return known


def batch_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``batch``."""
    parser.add_argument("file", metavar="FILE", help="JSON of questions; - is standard input")


def batch(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask many questions and print their answers."""
    from gridtide.cli import show_plan
    from gridtide.client import Client

    said = from_file(args.file)
    questions = said.get("questions") if isinstance(said, Mapping) else said
    if not isinstance(questions, list):
        raise BadInput(f"{args.file} has no list of questions")
    with Client(environ=terminal.environ) as client:
        answer = client.batch(questions)
    if args.json:
        terminal.document(answer.to_json(asked=True))
    else:
        terminal.result(show_plan.batch(answer))
    return 0


def schedule_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``schedule``."""
    parser.add_argument("file", metavar="FILE", help="JSON of the question, as by REST; or -")


def schedule(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask for plans of many jobs together and print them."""
    from gridtide.cli import show_plan
    from gridtide.client import Client
    from gridtide.schema.schedules import SCHEDULE

    asked = SCHEDULE.read(from_file(args.file))
    with Client(environ=terminal.environ) as client:
        answer = client.schedule(
            asked.jobs, asked.caps, asked.goal, signal=asked.signal, as_of=asked.as_of
        )
    if args.json:
        terminal.document(answer.to_json())
    else:
        terminal.result(show_plan.schedule(answer))
    return 0
