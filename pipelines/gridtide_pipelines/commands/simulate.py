"""``gridtide simulate``: what policies would have saved, on forecasts as issued."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from gridtide.cli import plan_request
from gridtide.cli.command import command
from gridtide.cli.options import Json, Written
from gridtide.cli.plan_request import ELASTIC_OPTIONS, RENAMED, job_to_json, slack_to_json
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput, NoData
from gridtide.model import Signal, format_time
from gridtide.planning import Bounds, Job, Quantile, Recurring
from gridtide.planning.problem.opening_hours import zone_named
from gridtide.schema.decode import decode_request
from gridtide.schema.encode import encode_request
from gridtide.values import read_moment, read_written_length
from gridtide_pipelines.commands.session import (
    Session,
    begin,
    check_out,
    show_progress,
    zone_keys,
    zone_names,
)
from gridtide_pipelines.forecast.knowledge import HELP, Knowledge, KnowledgeTimes
from gridtide_pipelines.forecast.models import DEFAULT, chain
from gridtide_pipelines.policies.backtest import Case, Outcome
from gridtide_pipelines.policies.backtest import simulate as simulated
from gridtide_pipelines.policies.cases import Forecasting, from_files, from_store
from gridtide_pipelines.policies.policies import MOVING, NAMES, Policy, make_policies
from gridtide_pipelines.policies.results import document, frame, lines, totals
from gridtide_store.data_directory import write_durably, writer_lock
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store

MOST_JOBS = 100_000
POLICIES = "night,best-window,pause"
COMES, PLANS = "When a job comes", "Policies that plan"
HOURS = 4.0
HOUR = timedelta(hours=1)
Occurrences = list[tuple[datetime, datetime]]
JOB_OPTIONS = replace(
    plan_request.JOB_OPTIONS,
    without=("checkpoints",),
    written={
        **plan_request.JOB_OPTIONS.written,
        "hours": Written(note=f"default: {HOURS:g}"),
        "kind": Written(note="the policy pause runs an unbroken one as interruptible"),
    },
)


def _option(metavar: str, text: str, panel: str | None = None) -> Any:  # noqa: ANN401  # as typer.Option
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)


@dataclass(frozen=True, kw_only=True)
class SimulateOptions:
    """Jobs, policies and data of a simulation."""

    policy: Annotated[
        list[str] | None,
        _option(
            "NAME", f"one or more, with commas, of {', '.join(NAMES)}; default: {POLICIES}"
        ),
    ] = None
    zone: Annotated[list[str], _option("ZONE", "may be repeated, and takes commas")]
    first: Annotated[str, typer.Option("--from", metavar="TIME", help="a day or a time")]
    last: Annotated[
        str, typer.Option("--to", metavar="TIME", help="jobs come before it; a day or a time")
    ]
    every: Annotated[str | None, _option("DURATION", "from --from on; default: P1D", COMES)] = (
        None
    )
    cron: Annotated[str | None, _option("FIELDS", "instead, e.g. '0 9 * * mon-fri'", COMES)] = (
        None
    )
    slack: Annotated[str, _option("DURATION|50%", "it may end so much later", COMES)] = "PT24H"
    timezone: Annotated[
        str | None,
        _option(
            "NAME",
            "of --cron (default: UTC) and of night and hour-HH (default: each zone's own)",
            COMES,
        ),
    ] = None
    job: Annotated[Json, JOB_OPTIONS]
    elastic: Annotated[Json, replace(ELASTIC_OPTIONS, only=("fractional_workers",))]
    threshold: Annotated[
        float | None, _option("X", "what the policy threshold waits for", PLANS)
    ] = None
    min_saving: Annotated[
        float, _option("FRACTION", "run now unless this much is saved, e.g. 0.05", PLANS)
    ] = 0.0
    quantile: Annotated[
        Quantile, typer.Option(rich_help_panel=PLANS, help="p50 (expected) or p90 (robust)")
    ] = Quantile.P50
    signal: Annotated[
        Signal | None, _option("NAME", "signal to use; default: lifecycle intensity")
    ] = None
    model: Annotated[str, _option("NAME", "forecast model")] = DEFAULT
    reissue: Annotated[str, _option("DURATION", "how often a forecast is new")] = "PT6H"
    data: Annotated[
        Path | None, _option("FOLDER", "read <ZONE>.parquet; without: the store")
    ] = None
    knowledge: Annotated[Knowledge | None, typer.Option(help=HELP)] = None
    out: Annotated[Path | None, _option("FILE", "also write every job: .parquet or .csv")] = (
        None
    )


@command(
    "simulate",
    examples=[
        "simulate --zone DE --from 2021-01-01 --to 2021-02-01 --policy night,best-window",
        "simulate --zone DE,FR --from 2021-01-01 --to 2021-02-01 --policy follow --hours 6",
    ],
    renamed={each: RENAMED[each] for each in ("--min-piece", "--max-pieces", "--chips")},
)
def simulate(terminal: Terminal, options: SimulateOptions) -> int:
    """Compare policies for timing jobs, on past forecasts and actual values."""
    session = begin(terminal)
    job = decode_request(Job, {"hours": HOURS} | job_to_json(options.job, options.elastic))
    policies = make_policies(
        _names(options.policy or [POLICIES]),
        job,
        threshold=options.threshold,
        min_saving=options.min_saving,
        quantile=options.quantile,
    )
    if any(policy.moves for policy in policies) and len(zone_names(options.zone)) < 2:
        raise BadInput(
            f"the policies {', '.join(MOVING)} move jobs between zones; give --zone several, "
            "such as DE,FR"
        )
    occurrences = _occurrences(options, job)
    if options.out is not None:
        check_out(options.out, ".parquet", ".csv")
    files = options.data is not None
    times = KnowledgeTimes.choose(options.knowledge, session.home, files=files)
    signal, outcomes = _simulated(options, session, policies, occurrences, times, terminal)
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
        request = _request(options, job, policies, occurrences) | times.document()
        terminal.document(document(request, signal, outcomes, summed, rows))
    else:
        terminal.result(*lines(signal, outcomes, summed), times.line())
    return 0


def _simulated(
    options: SimulateOptions,
    session: Session,
    policies: Sequence[Policy],
    occurrences: Occurrences,
    times: KnowledgeTimes,
    terminal: Terminal,
) -> tuple[Signal, list[Outcome]]:
    models = chain(options.model)
    only = frozenset[str]() if options.model == DEFAULT else frozenset(m.name for m in models)
    every = _above_zero(options.reissue, name="--reissue")
    forecasting = Forecasting(models, only, every, quantiles=options.quantile != Quantile.P50)
    signal, names = options.signal, zone_names(options.zone)
    span = occurrences[0][0], max(latest for _, latest in occurrences)

    def on(cases: Sequence[Case], workers: int) -> tuple[Signal, list[Outcome]]:
        if options.timezone is not None:
            cases = [replace(case, timezone=options.timezone) for case in cases]
        with show_progress(terminal) as progress:
            found = simulated(cases, policies, occurrences, workers=workers, progress=progress)
        return cases[0].truth.signal, found

    if options.data:
        cases = from_files(
            options.data, names, *span, forecasting, signal=signal, warn=terminal.say
        )
        return on(cases, session.settings.workers)
    now, zones = session.clock(), zone_keys(options.zone)
    if span[0] > now:
        raise BadInput(
            f"--from is after now ({format_time(now)}), where nothing is true yet; give a past"
        )
    refuse_without_store(session.home)
    with writer_lock(session.home, "simulate", now), Store.open(session.home) as store:
        cases = from_store(
            store, zones, *span, forecasting, signal=signal, now=now, usual=times.usual
        )
        return on(cases, 1)  # one connection cannot be shared with other processes


def _occurrences(options: SimulateOptions, job: Job) -> Occurrences:
    """Return the earliest start and the latest end of each job, in order."""
    first = read_moment(options.first, "--from", day=True)
    last = read_moment(options.last, "--to", day=True)
    if last <= first:
        raise BadInput(f"--to {options.last} is not after --from {options.first}; swap them")
    slack = _slack(options.slack, job.duration, first)
    if options.cron is not None:
        if options.every is not None:
            raise BadInput("--every and --cron both say when a job comes; give one")
        recurring = Recurring(options.cron, slack, options.timezone or "UTC")
        starts = recurring.occurrences(first, last)
    else:
        zone_named(options.timezone or "UTC")
        every = _every(options)
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


def _every(options: SimulateOptions) -> timedelta:
    return _above_zero(options.every or "P1D", name="--every")


def _check_count(count: int) -> None:
    if count > MOST_JOBS:
        raise BadInput(
            f"{count:,} jobs come between --from and --to, at most {MOST_JOBS:,} are "
            "simulated; simulate in parts, or give a longer --every"
        )


def _slack(text: str, duration: timedelta, at: datetime) -> timedelta:
    """Return by how much later than at once a job that comes `at` may end."""
    bounds = decode_request(Bounds, slack_to_json(text, "--slack"))
    start, end = bounds.limits(at, duration)
    assert end is not None  # noqa: S101  # a slack is given
    return end - start - duration


def _above_zero(text: str, *, name: str) -> timedelta:
    length = read_written_length(text, name)
    if length <= timedelta(0):
        raise BadInput(f"{name}: must be above 0, such as PT1H, not {text}")
    return length


def _names(given: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, (n.strip() for t in given for n in t.split(",")))))


def _request(
    options: SimulateOptions, job: Job, policies: Sequence[Policy], occurrences: Occurrences
) -> dict[str, Any]:
    """Return what a caller needs to repeat the simulation, beside its signal."""
    return {
        "data": None if options.data is None else str(options.data),
        "requested_zones": list(zone_names(options.zone)),
        "from": format_time(read_moment(options.first, "--from", day=True)),
        "to": format_time(read_moment(options.last, "--to", day=True)),
        "every_hours": None if options.cron is not None else _every(options) / HOUR,
        "cron": options.cron,
        "timezone": options.timezone,
        "occurrences": len(occurrences),
        "policies": [policy.name for policy in policies],
        "job": encode_request(job),
        "slack_hours": (occurrences[0][1] - occurrences[0][0] - job.duration) / HOUR,
        "threshold": options.threshold,
        "min_saving": options.min_saving,
        "quantile": str(options.quantile),
        "model": options.model,
        "reissue_hours": _above_zero(options.reissue, name="--reissue") / HOUR,
    }


def _write(path: Path, rows: pl.DataFrame) -> None:
    content = io.BytesIO()
    if path.suffix == ".csv":
        rows.write_csv(content, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    else:
        rows.write_parquet(content)
    write_durably(path, content.getvalue())
