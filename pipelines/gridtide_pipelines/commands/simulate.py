"""``gridtide simulate``: what policies would have saved, on forecasts as issued."""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from gridtide.cli.command import Command, Terminal
from gridtide.errors import BadInput, NoData
from gridtide.model import Signal, format_time, parse_time
from gridtide.planning import Job, Kind, Quantile, Recurring
from gridtide.planning.problem.bounds import check_slack
from gridtide.planning.problem.local_time import zone_named
from gridtide.schema.jobs import job_from_json, job_to_json
from gridtide.values import read_written_length
from gridtide_pipelines.commands.progress import shown
from gridtide_pipelines.commands.session import Session, begin
from gridtide_pipelines.commands.zones import zone_keys
from gridtide_pipelines.forecast.models import DEFAULT, chain
from gridtide_pipelines.policies.backtest import Case, Outcome, simulate
from gridtide_pipelines.policies.cases import Forecasting, from_files, from_store
from gridtide_pipelines.policies.policies import MOVING, NAMES, Policy, chosen
from gridtide_pipelines.policies.scores import frame, totals
from gridtide_pipelines.policies.text import document, lines
from gridtide_store.durable import write_durably
from gridtide_store.home import writer_lock
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store

MOST_JOBS = 100_000
POLICIES = "night,best-window,pause"
SUFFIXES = (".parquet", ".csv")
Occurrences = list[tuple[datetime, datetime]]


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--policy",
        action="append",
        metavar="NAME",
        help=f"one or more, with commas, of {', '.join(NAMES)}; default: {POLICIES}",
    )
    add("--zone", action="append", required=True, metavar="ZONE", help="may be repeated")
    add("--from", dest="first", required=True, metavar="A", help="a day or a time")
    add("--to", dest="last", required=True, metavar="B", help="jobs come from A until before B")
    when = parser.add_argument_group("when a job comes").add_argument
    when("--every", metavar="P1D", help="from A on; default: P1D")
    when("--cron", metavar="FIELDS", help="instead, e.g. '0 9 * * mon-fri'")
    when("--slack", default="PT24H", help="it may end so much later, or 50%%; default: 24 h")
    when(
        "--timezone",
        metavar="NAME",
        help="of --cron (default: UTC) and of night and hour-HH (default: each zone's own)",
    )
    job = parser.add_argument_group("the job").add_argument
    job("--hours", type=float, default=4.0, help="run time; default: %(default)s")
    job(
        "--kind",
        choices=[str(kind) for kind in Kind],
        default=str(Kind.UNBROKEN),
        help="for pause (unbroken: interruptible), threshold, replan, place-and-time, follow",
    )
    job("--power", type=float, metavar="KW", help="default: 1")
    job("--min-piece", type=float, metavar="H", help="shortest piece between two pauses")
    job("--max-pieces", type=int, metavar="N", help="most pieces")
    job("--pause-cost", type=float, metavar="KWH", help="energy of each pause")
    job("--restart-cost", type=float, metavar="KWH", help="energy of each restart")
    job("--chips", type=float, metavar="MAX", help="an elastic job is 1 by itself")
    job("--fractional-workers", action="store_true", help="chips may be a part of one")
    wish = parser.add_argument_group("what policies that plan go by").add_argument
    wish("--threshold", type=float, metavar="X", help="what the policy threshold waits for")
    wish("--min-saving", type=float, default=0.0, metavar="F", help="else run now, e.g. 0.05")
    wish(
        "--quantile",
        choices=[str(each) for each in Quantile],
        default=str(Quantile.P50),
        help="p50 (expected, default) or p90 (robust)",
    )
    add("--signal", help="what to go by; default: lifecycle intensity")
    add("--model", default=DEFAULT, help="forecaster; default: %(default)s")
    add("--reissue", default="PT6H", metavar="PT6H", help="how often a forecast is new")
    add("--data", type=Path, metavar="FOLDER", help="read <ZONE>.parquet; without: the store")
    add("--out", type=Path, metavar="FILE", help="also write every job: .parquet or .csv")


def _run(args: argparse.Namespace, terminal: Terminal) -> int:
    session = begin(terminal)
    job = _job(args)
    policies = chosen(
        _names(args.policy or [POLICIES]),
        job,
        threshold=args.threshold,
        min_saving=args.min_saving,
        quantile=Quantile(args.quantile),
    )
    if any(policy.moves for policy in policies) and len(_names(args.zone)) < 2:
        raise BadInput(
            f"the policies {', '.join(MOVING)} move jobs between zones; give --zone several, "
            "such as DE,FR"
        )
    occurrences = _occurrences(args, job)
    if args.out is not None and args.out.suffix not in SUFFIXES:
        raise BadInput(f"--out {args.out}: name it .parquet or .csv")
    if args.out is not None and (not args.out.parent.is_dir() or args.out.is_dir()):
        raise BadInput(f"--out {args.out}: name a file in a folder that is there")
    signal, outcomes = _simulated(args, session, policies, occurrences, terminal)
    if not any(each.scored for each in outcomes):
        first = outcomes[0].left_out[0]
        raise NoData(
            f"no job could be scored; the first, at {format_time(first.at)} in {first.zone}: "
            f"{first.reason}. Choose another time, or import what is missing"
        )
    rows = frame(outcomes, [policy.name for policy in policies])
    if args.out is not None:
        _write(args.out, rows)
        terminal.say(f"{args.out}: {len(rows)} rows")
    summed = totals(outcomes, signal)
    if args.json:
        asked = _asked(args, job, policies, occurrences)
        terminal.document(document(asked, signal, outcomes, summed, rows))
    else:
        for line in lines(signal, outcomes, summed):
            terminal.result(line)
    return 0


def _simulated(
    args: argparse.Namespace,
    session: Session,
    policies: Sequence[Policy],
    occurrences: Occurrences,
    terminal: Terminal,
) -> tuple[Signal, list[Outcome]]:
    models = chain(args.model)
    only = frozenset[str]() if args.model == DEFAULT else frozenset(m.name for m in models)
    every, robust = _above_zero(args.reissue, name="--reissue"), args.quantile != Quantile.P50
    forecasting = Forecasting(models, only, every, quantiles=robust)
    signal = _signal(args.signal)
    span = occurrences[0][0], max(latest for _, latest in occurrences)

    def on(cases: Sequence[Case], workers: int) -> tuple[Signal, list[Outcome]]:
        if args.timezone is not None:
            cases = [replace(case, timezone=args.timezone) for case in cases]
        with shown(terminal) as progress:
            found = simulate(cases, policies, occurrences, workers=workers, progress=progress)
        return cases[0].truth.signal, found

    if args.data:
        names = _names(args.zone)
        if not names:
            raise BadInput("--zone names no zone; write it as --zone DE,FR")
        cases = from_files(
            args.data, names, *span, forecasting, signal=signal, warn=terminal.say
        )
        return on(cases, session.settings.workers)
    now, zones = session.clock(), zone_keys(args.zone)
    if not zones:
        raise BadInput("--zone names no zone; write it as --zone DE,FR")
    if span[0] > now:
        raise BadInput(
            f"--from is after now ({format_time(now)}), where nothing is true yet; give a past"
        )
    refuse_without_store(session.home)
    with writer_lock(session.home, "simulate", now), Store.open(session.home) as store:
        cases = from_store(store, zones, *span, forecasting, signal=signal, now=now)
        return on(cases, 1)  # one connection cannot be shared with other processes


def _job(args: argparse.Namespace) -> Job:
    wire: dict[str, Any] = {"hours": args.hours, "kind": args.kind}
    wire |= {
        name: value
        for name in ("power", "min_piece", "max_pieces")
        if (value := getattr(args, name)) is not None
    }
    for name in ("pause_cost", "restart_cost"):
        if (kwh := getattr(args, name)) is not None:
            wire[name] = {"kwh": kwh}
    if args.chips is not None or args.fractional_workers:
        wire["chips"] = {"maximum": args.chips, "fractional_workers": args.fractional_workers}
    return job_from_json(wire)


def _occurrences(args: argparse.Namespace, job: Job) -> Occurrences:
    """When each job comes and has to have ended, in order."""
    first, last = _moment(args.first, name="--from"), _moment(args.last, name="--to")
    if last <= first:
        raise BadInput(f"--to {args.last} is not after --from {args.first}; swap them")
    slack = _slack(args.slack, job)
    if args.cron is not None:
        if args.every is not None:
            raise BadInput("--every and --cron both say when a job comes; give one")
        recurring = Recurring(args.cron, slack, args.timezone or "UTC")
        starts = recurring.occurrences(first, last)
    else:
        zone_named(args.timezone or "UTC")
        every = _above_zero(args.every or "P1D", name="--every")
        count = -((first - last) // every)
        _check_count(count)
        starts = [first + every * i for i in range(count)]
    if not starts:
        raise BadInput(
            f"no job comes between {format_time(first)} and {format_time(last)}; give a "
            "longer time or another --cron"
        )
    _check_count(len(starts))
    longest = job.duration + slack
    return [(start, start + longest) for start in starts]


def _check_count(count: int) -> None:
    if count > MOST_JOBS:
        raise BadInput(
            f"{count:,} jobs come between --from and --to, at most {MOST_JOBS:,} are "
            "simulated; simulate in parts, or give a longer --every"
        )


def _slack(text: str, job: Job) -> timedelta:
    if not text.endswith("%"):
        slack = read_written_length(text, "--slack")
        check_slack(slack, None)
        return slack
    try:
        share = float(text[:-1]) / 100
    except ValueError as error:
        raise BadInput(f"--slack {text!r} is no share; write it as 50%") from error
    check_slack(None, share)
    try:
        return job.duration * share
    except OverflowError as error:
        raise BadInput(f"--slack {text}: longer than the calendar; give less") from error


def _above_zero(text: str, *, name: str) -> timedelta:
    length = read_written_length(text, name)
    if length <= timedelta(0):
        raise BadInput(f"{name} {text} is no time at all; give a length above 0 such as PT1H")
    return length


def _moment(text: str, *, name: str) -> datetime:
    """A day, at 00:00 UTC, or a time."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return parse_time(text, name=name)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _signal(name: str | None) -> Signal | None:
    if name is None or name in set(Signal):
        return None if name is None else Signal(name)
    raise BadInput(f"--signal {name!r} is none; give one of {', '.join(Signal)}")


def _names(given: Sequence[str]) -> list[str]:
    names = [name.strip() for text in given for name in text.split(",")]
    return list(dict.fromkeys(filter(None, names)))


def _asked(
    args: argparse.Namespace, job: Job, policies: Sequence[Policy], occurrences: Occurrences
) -> dict[str, Any]:
    at, latest = occurrences[0]
    return {
        "from": format_time(_moment(args.first, name="--from")),
        "to": format_time(_moment(args.last, name="--to")),
        "occurrences": len(occurrences),
        "policies": [policy.name for policy in policies],
        "job": job_to_json(job),
        "slack_hours": (latest - at - job.duration) / timedelta(hours=1),
        "min_saving": args.min_saving,
        "quantile": args.quantile,
    }


def _write(path: Path, rows: pl.DataFrame) -> None:
    content = io.BytesIO()
    if path.suffix == ".csv":
        rows.write_csv(content, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    else:
        rows.write_parquet(content)
    write_durably(path, content.getvalue())


COMMAND = Command(
    name="simulate",
    summary="compare ways to time jobs, on past forecasts and what came true",
    arguments=_arguments,
    run=_run,
)
