"""A question about a plan as options of the command line, put together as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from gridtide.cli.regions import split_regions
from gridtide.errors import BadInput
from gridtide.values import read_written_length

Json = dict[str, Any]

# Options that are one member each: of the job, the bounds, the goal.
JOB = ("hours", "kind", "min_piece", "max_pieces")
BOUNDS = ("earliest", "deadline", "next_working_day")
GOAL = ("carbon_weight", "cost_weight", "budget_grams", "threshold", "min_saving", "quantile")
DAY = len("2026-11-20")


def plan_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``plan``."""
    add = parser.add_argument
    add("regions", metavar="REGION", nargs="*", default=[], help="as for best-region")
    add("--question", metavar="FILE", help="the whole question as JSON; - is standard input")
    job = parser.add_argument_group("the job").add_argument
    job("--hours", type=number, help="run time without pauses: 4, 4h, 90min, PT4H")
    job("--kind", help="unbroken (default), interruptible, pieces or elastic")
    job("--power", metavar="KW", help="power, or steps over its progress: 2h:1.5,1h:0.8")
    job("--min-piece", type=number, metavar="H", help="shortest piece between two pauses")
    job("--max-pieces", type=whole, metavar="N", help="most pieces")
    job("--pause-cost", metavar="KWH[:H]", help="energy and time of each pause")
    job("--restart-cost", metavar="KWH[:H]", help="energy and time of each restart")
    job("--checkpoint", type=number, metavar="H", action="append", help="where it may pause")
    job("--chips", metavar="[MIN:]MAX", help="sizes of an elastic job, at hours and power 1")
    job("--ramp", type=number, metavar="CHIPS", help="most change from slot to slot")
    job(
        "--fractional-workers",
        action="store_true",
        help="an elastic job may run on a part of a worker; default: whole ones",
    )
    when = parser.add_argument_group("when it may run").add_argument
    when("--earliest", metavar="TIME", help="not before; default: now")
    when("--deadline", metavar="TIME", help="the job has ended by then")
    when("--slack", metavar="H|50%", help="it has ended that much later than at once")
    when("--next-working-day", metavar="09:00", help="it has ended by then")
    when("--opening", metavar="HOURS", help="e.g. 'Mon-Fri 08:00-18:00; Sat 22:00-06:00'")
    when("--holiday", metavar="DAY", action="append", help="no working day; repeatable")
    when(
        "--blackout",
        metavar="FROM/TO|HOURS",
        action="append",
        help="not then: between two times or days, or at such hours; repeatable",
    )
    when("--cron", metavar="'30 2 * * *'", help="when it comes back: plan the next time")
    when("--timezone", default="UTC", metavar="NAME", help="of these; default: UTC")
    goal = parser.add_argument_group("the goal").add_argument
    goal("--goal", help="carbon (default), cfe, cost or weighted")
    goal("--costs", metavar="FILE", help="JSON of a cost series, see the REST manual")
    goal("--carbon-weight", type=number, metavar="X", help="what a gram is worth")
    goal("--cost-weight", type=number, metavar="X", help="what a unit of cost is worth")
    goal("--budget-grams", type=number, metavar="G", help="the earliest plan within it")
    goal("--threshold", type=number, metavar="X", help="run only at or under this signal")
    goal("--min-saving", type=number, metavar="F", help="else run now, e.g. 0.05")
    goal("--quantile", help="p50 (expected, default) or p90 (robust)")
    where = parser.add_argument_group("the places").add_argument
    where("--pue", type=number, metavar="X", help="energy drawn per energy of the job")
    where("--from", metavar="REGION", dest="home_region", help="where the job is now")
    where("--data-gb", type=number, metavar="GB", help="data to move from there")
    where("--kwh-per-gb", type=number, metavar="KWH", help="energy of moving a gigabyte")
    where("--max-latency-ms", type=number, metavar="MS", help="longest round trip")
    where("--latency-from", metavar="REGION", help="from where; default: that of --from")
    where("--allowed", metavar="LIST", help="regions it may run in; default: all named")
    where("--residency", metavar="LIST", help="jurisdictions it may run in, e.g. DE,FR")
    where("--follow", action="store_true", help="it may move at every edge of a slot")
    add("--signal", help="what to go by, e.g. cfe_produced; default: lifecycle")
    add("--as-of", metavar="TIME", help="only what was known at this moment")
    add("--alternatives", type=whole, metavar="N", help="other plans to name; default: 3")


def number(text: str) -> float | str:
    """The number, or the text for who reads the question to refuse."""
    try:
        return float(text)
    except ValueError:
        return text


def whole(text: str) -> int | str:
    """The whole number, or the text for who reads the question to refuse."""
    try:
        return int(text)
    except ValueError:
        return text


def asked(args: argparse.Namespace) -> Any:  # noqa: ANN401  # any JSON value
    """The JSON of the question: of the file that is named, or of the options.

    Raises:
        BadInput: both are given; or the file cannot be read.
    """
    if args.question is None:
        return question(args)
    if asks(args):
        raise BadInput(
            "--question has the whole question; leave the regions and the other options out"
        )
    return from_file(args.question)


def asks(args: argparse.Namespace) -> bool:
    """Whether options or regions say anything of the question."""
    return any(value not in ({}, []) for value in question(args).values())


def question(args: argparse.Namespace) -> Json:
    """The JSON of the question that options ask."""
    wire: Json = {"job": _job(args), **_where(args)}
    if bounds := _bounds(args):
        wire["bounds"] = bounds
    if args.cron is not None:
        wire["recurring"] = {"cron": args.cron, "zone": args.timezone} | _slack(args)
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
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{name} cannot be read as JSON: {error}") from error


def _job(args: argparse.Namespace) -> Json:
    job = _given(args, JOB)
    if args.power is not None:
        job["power"] = _power(args.power)
    for name in ("pause_cost", "restart_cost"):
        if (text := getattr(args, name)) is not None:
            kwh, _, hours = text.partition(":")
            job[name] = {"kwh": _number(kwh, name), "hours": _hours(hours or "0", name)}
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
    if args.fractional_workers:
        job.setdefault("chips", {})["fractional_workers"] = True
    return job


def _where(args: argparse.Namespace) -> Json:
    regions: list[Any] = split_regions(args.regions)
    if args.pue is not None:
        regions = [{"region": region, "pue": args.pue} for region in regions]
    rules = _given(args, ("data_gb", "kwh_per_gb", "max_latency_ms", "latency_from"))
    if args.home_region is not None:
        rules["home"] = args.home_region
    if args.allowed is not None:
        rules["allowed"] = split_regions([args.allowed])
    if args.residency is not None:
        rules["residency"] = [each.strip() for each in args.residency.split(",")]
    if args.follow:
        rules["moves"] = "follow"
    return {"places": {"places": regions, **rules}} if rules else {"regions": regions}


def _bounds(args: argparse.Namespace) -> Json:
    bounds = _given(args, BOUNDS)
    if args.cron is None:
        bounds |= _slack(args)
    if args.opening is not None:
        bounds["opening"] = {"zone": args.timezone, "hours": args.opening}
    if args.blackout:
        bounds["blackouts"] = [_blackout(each, args.timezone) for each in args.blackout]
    if args.holiday:
        bounds["holidays"] = args.holiday
    if args.next_working_day is not None:
        bounds["zone"] = args.timezone
    return bounds


def _slack(args: argparse.Namespace) -> Json:
    if args.slack is None:
        return {}
    if args.slack.endswith("%"):
        return {"slack_fraction": _number(args.slack[:-1], "slack") / 100}
    return {"slack_hours": _hours(args.slack, "slack")}


def _goal(args: argparse.Namespace) -> Json:
    goal = _given(args, GOAL)
    if args.goal is not None:
        goal["aim"] = args.goal
    if args.costs is not None:
        goal["costs"] = from_file(args.costs)
    return goal


def _blackout(text: str, zone: str) -> Json:
    start, slash, end = text.partition("/")
    if slash and len(start) == len(end) == DAY:
        return {"zone": zone, "first": start, "last": end}
    return {"start": start, "end": end} if slash else {"zone": zone, "hours": text}


def _power(text: str) -> Any:  # noqa: ANN401  # a number or a list
    if ":" not in text:
        return _number(text, "power")
    steps = [step.partition(":") for step in text.split(",")]
    return [
        {"hours": _hours(hours, "power"), "kw": _number(kw, "power")} for hours, _, kw in steps
    ]


def _given(args: argparse.Namespace, names: tuple[str, ...]) -> Json:
    return {name: value for name in names if (value := getattr(args, name)) is not None}


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadInput(f"{_option(name)}: {text!r} is no number; give e.g. 4 or 1.5") from error


def _hours(text: str, name: str) -> float:
    return read_written_length(text, _option(name)) / timedelta(hours=1)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
