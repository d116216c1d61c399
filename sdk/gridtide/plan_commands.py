"""The SDK's subcommands about plans: plan, schedule, batch.

A question is put together as the JSON that REST takes, and read as the service reads it; with
``--question`` it comes from a file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridtide.command import Terminal
from gridtide.errors import BadInput
from gridtide.regions import split_regions

Json = dict[str, Any]

# Options that are one member each: of the job, the bounds, the goal.
JOB = ("hours", "kind", "min_piece", "max_pieces")
BOUNDS = ("earliest", "deadline", "next_working_day")
GOAL = ("carbon_weight", "cost_weight", "budget_grams", "threshold", "min_saving", "quantile")


def plan_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``plan``."""
    add = parser.add_argument
    add("regions", metavar="REGION", nargs="*", default=[], help="as for best-region")
    add("--question", metavar="FILE", help="the whole question as JSON; - is standard input")
    job = parser.add_argument_group("the job").add_argument
    job("--hours", type=float, help="run time without pauses")
    job("--kind", help="unbroken (default), interruptible, pieces or elastic")
    job("--power", metavar="KW", help="power, or steps over its progress: 2h:1.5,1h:0.8")
    job("--min-piece", type=float, metavar="H", help="shortest piece between two pauses")
    job("--max-pieces", type=int, metavar="N", help="most pieces")
    job("--pause-cost", metavar="KWH[:H]", help="energy and time of each pause")
    job("--restart-cost", metavar="KWH[:H]", help="energy and time of each restart")
    job("--checkpoint", type=float, metavar="H", action="append", help="where it may pause")
    job("--chips", metavar="[MIN:]MAX", help="sizes of an elastic job, at hours and power 1")
    job("--ramp", type=float, metavar="CHIPS", help="most change from slot to slot")
    when = parser.add_argument_group("when it may run").add_argument
    when("--earliest", metavar="TIME", help="not before; default: now")
    when("--deadline", metavar="TIME", help="the job has ended by then")
    when("--slack", metavar="12h|50%", help="it has ended that much later than at once")
    when("--next-working-day", metavar="09:00", help="it has ended by then")
    when("--opening", metavar="HOURS", help="e.g. 'Mon-Fri 08:00-18:00; Sat 22:00-06:00'")
    when("--blackout", metavar="FROM/TO|HOURS", action="append", help="not then; repeatable")
    when("--timezone", default="UTC", metavar="NAME", help="of these hours; default: UTC")
    goal = parser.add_argument_group("the goal").add_argument
    goal("--goal", help="carbon (default), cfe, cost or weighted")
    goal("--costs", metavar="FILE", help="JSON of a cost series, see the REST manual")
    goal("--carbon-weight", type=float, metavar="X", help="what a gram is worth")
    goal("--cost-weight", type=float, metavar="X", help="what a unit of cost is worth")
    goal("--budget-grams", type=float, metavar="G", help="the earliest plan within it")
    goal("--threshold", type=float, metavar="X", help="run only at or under this signal")
    goal("--min-saving", type=float, metavar="F", help="else run now, e.g. 0.05")
    goal("--quantile", help="p50 (expected, default) or p90 (robust)")
    where = parser.add_argument_group("the places").add_argument
    where("--pue", type=float, metavar="X", help="energy drawn per energy of the job")
    where("--from", metavar="REGION", dest="home_region", help="where the job is now")
    where("--data-gb", type=float, metavar="GB", help="data to move from there")
    where("--kwh-per-gb", type=float, metavar="KWH", help="energy of moving a gigabyte")
    where("--max-latency-ms", type=float, metavar="MS", help="longest round trip from there")
    where("--residency", metavar="LIST", help="jurisdictions it may run in, e.g. DE,FR")
    where("--follow", action="store_true", help="it may move at every edge of a slot")
    add("--signal", help="what to go by, e.g. cfe_produced; default: lifecycle")
    add("--as-of", metavar="TIME", help="only what was known at this moment")
    add("--alternatives", type=int, metavar="N", help="other plans to name; default: 3")


def plan(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask for a plan and print it."""
    from gridtide import show_plan
    from gridtide.client import Client
    from gridtide.planning_wire.asked import PLAN

    asked = PLAN.read(from_file(args.question) if args.question else question(args))
    with Client(environ=terminal.environ) as client:
        answer = client.plan(
            asked.job,
            asked.where,
            asked.bounds,
            asked.goal,
            signal=asked.signal,
            as_of=asked.as_of,
            alternatives=asked.alternatives,
        )
    if args.json:
        terminal.document(answer.to_json())
    else:
        terminal.result(show_plan.plan(answer))
    return 0


def batch_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``batch``."""
    parser.add_argument("file", metavar="FILE", help="JSON of questions; - is standard input")


def batch(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask many questions and print their answers."""
    from gridtide import show_plan
    from gridtide.client import Client

    said = from_file(args.file)
    questions = said.get("questions") if isinstance(said, Mapping) else said
    if not isinstance(questions, list):
        raise BadInput(f"{args.file} has no list of questions")
    with Client(environ=terminal.environ) as client:
        answer = client.batch(questions)
    if args.json:
        terminal.document(answer.to_json())
    else:
        terminal.result(show_plan.batch(answer))
    return 0


def schedule_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``schedule``."""
    parser.add_argument("file", metavar="FILE", help="JSON of the question, as by REST; or -")


def schedule(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask for plans of many jobs together and print them."""
    from gridtide import show_plan
    from gridtide.client import Client
    from gridtide.planning_wire.schedules import SCHEDULE

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


def question(args: argparse.Namespace) -> Json:
    """The JSON of the question that options ask."""
    wire: Json = {"job": _job(args), **_where(args)}
    if bounds := _bounds(args):
        wire["bounds"] = bounds
    if goal := _goal(args):
        wire["goal"] = goal
    return wire | _given(args, ("signal", "as_of", "alternatives"))


def from_file(name: str) -> Any:  # noqa: ANN401  # any JSON value
    """The JSON of a file.

    Raises:
        BadInput: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(sys.stdin.read() if name == "-" else Path(name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{name} cannot be read as JSON: {error}") from error


def _job(args: argparse.Namespace) -> Json:
    job = _given(args, JOB)
    if args.power is not None:
        job["power"] = _power(args.power)
    for name in ("pause_cost", "restart_cost"):
        if (text := getattr(args, name)) is not None:
            kwh, _, hours = text.partition(":")
            job[name] = {"kwh": _number(kwh, name), "hours": _number(hours or "0", name)}
    if args.checkpoint:
        job["checkpoints"] = args.checkpoint
    if args.chips is not None:
        least, colon, most = args.chips.rpartition(":")
        job["chips"] = {"maximum": _number(most, "chips")} | (
            {"minimum": _number(least, "chips")} if colon else {}
        )
        job.setdefault("kind", "elastic")
    if args.ramp is not None:
        job.setdefault("chips", {})["ramp"] = args.ramp
    return job


def _where(args: argparse.Namespace) -> Json:
    regions: list[Any] = list(dict.fromkeys(split_regions(args.regions)))
    if args.pue is not None:
        regions = [{"region": region, "pue": args.pue} for region in regions]
    rules = _given(args, ("data_gb", "kwh_per_gb", "max_latency_ms"))
    if args.home_region is not None:
        rules["home"] = args.home_region
    if args.residency:
        rules["residency"] = [each.strip() for each in args.residency.split(",")]
    if args.follow:
        rules["moves"] = "follow"
    return {"places": {"places": regions, **rules}} if rules else {"regions": regions}


def _bounds(args: argparse.Namespace) -> Json:
    bounds = _given(args, BOUNDS)
    if args.slack is not None:
        if args.slack.endswith("%"):
            bounds["slack_fraction"] = _number(args.slack[:-1], "slack") / 100
        else:
            bounds["slack_hours"] = _number(args.slack.removesuffix("h"), "slack")
    if args.opening is not None:
        bounds["opening"] = {"zone": args.timezone, "hours": args.opening}
    if args.blackout:
        bounds["blackouts"] = [_blackout(each, args.timezone) for each in args.blackout]
    if args.next_working_day is not None:
        bounds["zone"] = args.timezone
    return bounds


def _goal(args: argparse.Namespace) -> Json:
    goal = _given(args, GOAL)
    if args.goal is not None:
        goal["aim"] = args.goal
    if args.costs is not None:
        goal["costs"] = from_file(args.costs)
    return goal


def _blackout(text: str, zone: str) -> Json:
    start, slash, end = text.partition("/")
    return {"start": start, "end": end} if slash else {"zone": zone, "hours": text}


def _power(text: str) -> Any:  # noqa: ANN401  # a number or a list
    if ":" not in text:
        return _number(text, "power")
    steps = [step.partition(":") for step in text.split(",")]
    return [
        {"hours": _number(hours.strip().removesuffix("h"), "power"), "kw": _number(kw, "power")}
        for hours, _, kw in steps
    ]


def _given(args: argparse.Namespace, names: tuple[str, ...]) -> Json:
    return {name: value for name in names if (value := getattr(args, name)) is not None}


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        option = name.replace("_", "-")
        raise BadInput(f"--{option}: {text!r} is no number") from error
