"""``gridtide simulate``: what policies would have saved, on forecasts as issued."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput, NoData
from gridtide.model import Signal, format_time
from gridtide.planning import Job, Quantile, Recurring
from gridtide.planning.problem.bounds import check_slack
from gridtide.planning.problem.local_time import zone_named
from gridtide.schema.jobs import JOB
from gridtide.values import read_moment, read_written_length
from gridtide_pipelines.commands.progress import shown
from gridtide_pipelines.commands.session import Session, begin
from gridtide_pipelines.commands.simulate_options import POLICIES, SimulateOptions
from gridtide_pipelines.commands.zones import zone_keys
from gridtide_pipelines.forecast.models import DEFAULT, chain
from gridtide_pipelines.policies.backtest import Case, Outcome
from gridtide_pipelines.policies.backtest import simulate as simulated
from gridtide_pipelines.policies.cases import Forecasting, from_files, from_store
from gridtide_pipelines.policies.policies import MOVING, Policy, chosen
from gridtide_pipelines.policies.scores import frame, totals
from gridtide_pipelines.policies.text import document, lines
from gridtide_store.data_directory import writer_lock
from gridtide_store.durable import write_durably
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store

MOST_JOBS = 100_000
SUFFIXES = (".parquet", ".csv")
Occurrences = list[tuple[datetime, datetime]]


@command(
    "simulate",
    examples=[
        "simulate --zone DE --from 2021-01-01 --to 2021-02-01 --policy night,best-window",
        "simulate --zone DE,FR --from 2021-01-01 --to 2021-02-01 --policy follow --hours 6",
    ],
    renamed={
        "--min-piece": "--min-segment",
        "--max-pieces": "--max-segments",
        "--chips": "--workers",
    },
)
def simulate(terminal: Terminal, options: SimulateOptions) -> int:
    """Compare policies for timing jobs, on past forecasts and actual values."""
    session = begin(terminal)
    job = _job(options)
    policies = chosen(
        _names(options.policy or [POLICIES]),
        job,
        threshold=options.threshold,
        min_saving=options.min_saving,
        quantile=options.quantile,
    )
    if any(policy.moves for policy in policies) and len(_names(options.zone)) < 2:
        raise BadInput(
            f"the policies {', '.join(MOVING)} move jobs between zones; give --zone several, "
            "such as DE,FR"
        )
    occurrences = _occurrences(options, job)
    if options.out is not None and options.out.suffix not in SUFFIXES:
        raise BadInput(f"--out {options.out}: name it .parquet or .csv")
    if options.out is not None and (not options.out.parent.is_dir() or options.out.is_dir()):
        raise BadInput(f"--out {options.out}: name a file in a folder that is there")
    signal, outcomes = _simulated(options, session, policies, occurrences, terminal)
    if not any(each.scored for each in outcomes):
        first = outcomes[0].left_out[0]
        raise NoData(
            f"no job could be scored; the first, at {format_time(first.at)} in {first.zone}: "
            f"{first.reason}. Choose another time, or import what is missing"
        )
    rows = frame(outcomes, [policy.name for policy in policies])
    if options.out is not None:
        _write(options.out, rows)
        terminal.say(f"{options.out}: {len(rows)} rows")
    summed = totals(outcomes, signal)
    if terminal.json:
        request = _request(options, job, policies, occurrences)
        terminal.document(document(request, signal, outcomes, summed, rows))
    else:
        for line in lines(signal, outcomes, summed):
            terminal.result(line)
    return 0


def _simulated(
    options: SimulateOptions,
    session: Session,
    policies: Sequence[Policy],
    occurrences: Occurrences,
    terminal: Terminal,
) -> tuple[Signal, list[Outcome]]:
    models = chain(options.model)
    only = frozenset[str]() if options.model == DEFAULT else frozenset(m.name for m in models)
    every, robust = (
        _above_zero(options.reissue, name="--reissue"),
        options.quantile != Quantile.P50,
    )
    forecasting = Forecasting(models, only, every, quantiles=robust)
    signal = _signal(options.signal)
    span = occurrences[0][0], max(latest for _, latest in occurrences)

    def on(cases: Sequence[Case], workers: int) -> tuple[Signal, list[Outcome]]:
        if options.timezone is not None:
            cases = [replace(case, timezone=options.timezone) for case in cases]
        with shown(terminal) as progress:
            found = simulated(cases, policies, occurrences, workers=workers, progress=progress)
        return cases[0].truth.signal, found

    if options.data:
        names = _names(options.zone)
        if not names:
            raise BadInput("--zone names no zone; write it as --zone DE,FR")
        cases = from_files(
            options.data, names, *span, forecasting, signal=signal, warn=terminal.say
        )
        return on(cases, session.settings.workers)
    now, zones = session.clock(), zone_keys(options.zone)
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


def _job(options: SimulateOptions) -> Job:
    given = {
        "power": options.power,
        "min_segment": options.min_segment,
        "max_segments": options.max_segments,
        "pause_cost": options.pause_cost and {"kwh": options.pause_cost},
        "restart_cost": options.restart_cost and {"kwh": options.restart_cost},
    }
    wire: dict[str, Any] = {"hours": options.hours, "kind": str(options.kind)}
    wire |= {name: value for name, value in given.items() if value is not None}
    if options.workers is not None or options.fractional_workers:
        wire["workers"] = {
            "maximum": options.workers,
            "fractional_workers": options.fractional_workers,
        }
    return JOB.read(wire)


def _occurrences(options: SimulateOptions, job: Job) -> Occurrences:
    """When each job comes and has to have ended, in order."""
    first, last = (
        read_moment(options.first, "--from", day=True),
        read_moment(options.last, "--to", day=True),
    )
    if last <= first:
        raise BadInput(f"--to {options.last} is not after --from {options.first}; swap them")
    slack = _slack(options.slack, job)
    if options.cron is not None:
        if options.every is not None:
            raise BadInput("--every and --cron both say when a job comes; give one")
        recurring = Recurring(options.cron, slack, options.timezone or "UTC")
        starts = recurring.occurrences(first, last)
    else:
        zone_named(options.timezone or "UTC")
        every = _above_zero(options.every or "P1D", name="--every")
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


def _signal(name: str | None) -> Signal | None:
    if name is None or name in set(Signal):
        return None if name is None else Signal(name)
    raise BadInput(f"--signal {name!r} is none; give one of {', '.join(Signal)}")


def _names(given: Sequence[str]) -> list[str]:
    names = [name.strip() for text in given for name in text.split(",")]
    return list(dict.fromkeys(filter(None, names)))


def _request(
    options: SimulateOptions, job: Job, policies: Sequence[Policy], occurrences: Occurrences
) -> dict[str, Any]:
    at, latest = occurrences[0]
    return {
        "from": format_time(read_moment(options.first, "--from", day=True)),
        "to": format_time(read_moment(options.last, "--to", day=True)),
        "occurrences": len(occurrences),
        "policies": [policy.name for policy in policies],
        "job": JOB.write(job),
        "slack_hours": (latest - at - job.duration) / timedelta(hours=1),
        "min_saving": options.min_saving,
        "quantile": str(options.quantile),
    }


def _write(path: Path, rows: pl.DataFrame) -> None:
    content = io.BytesIO()
    if path.suffix == ".csv":
        rows.write_csv(content, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    else:
        rows.write_parquet(content)
    write_durably(path, content.getvalue())
