"""``gridtide backtest``: past issues forecast again, for a scorer."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.model import Signal, format_time
from gridtide.windows import default_signal
from gridtide_pipelines.commands.session import (
    Session,
    begin,
    check_out,
    show_progress,
    zone_keys,
    zone_names,
)
from gridtide_pipelines.forecast.backtest import Backtest, parse_issues, scorable
from gridtide_pipelines.forecast.backtest import backtest as backtested
from gridtide_pipelines.forecast.forecaster import Forecaster
from gridtide_pipelines.forecast.history_files import read_histories
from gridtide_pipelines.forecast.issue import OLDEST
from gridtide_pipelines.forecast.knowledge import HELP, Knowledge, KnowledgeTimes
from gridtide_pipelines.forecast.models import DEFAULT, chain
from gridtide_pipelines.forecast.store_history import Stored, StoreHistory, forecastable
from gridtide_store.data_directory import write_durably, writer_lock
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store

MOST_DAYS = OLDEST.days


@dataclass(frozen=True, kw_only=True)
class BacktestOptions:
    """What is scored, and with which model."""

    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="read <ZONE>.parquet, <ZONE>_weather, <ZONE>_dayahead there; else the store",
        ),
    ] = None
    zone: Annotated[
        list[str],
        typer.Option(
            metavar="A,B",
            help="as the files are called, or zone keys of the store; repeatable",
        ),
    ]
    issues: Annotated[
        str,
        typer.Option(
            metavar="A/B",
            help="first and last day, e.g. 2021-07-01/2021-12-28; daily at 00:00 UTC",
        ),
    ]
    model: Annotated[str, typer.Option(metavar="NAME", help="forecast model")] = DEFAULT
    data_age: Annotated[
        str,
        typer.Option(
            metavar="DAYS",
            help="leave out so many of the newest days at each issue, as for late data",
        ),
    ] = "0"
    knowledge: Annotated[Knowledge | None, typer.Option(help=HELP)] = None
    out: Annotated[Path, typer.Option(metavar="FILE.parquet", help="where the rows go")]


@command(
    "backtest",
    examples=[
        "backtest --zone DE,FR --issues 2021-07-01/2021-12-28 --out scores.parquet",
        "backtest --data carboncast --zone DE --issues 2021-07-01/2021-07-31 "
        "--model weekly --out week.parquet",
    ],
    renamed={"--zones": "--zone"},
)
def backtest(terminal: Terminal, options: BacktestOptions) -> int:
    """Forecast past days from what was known then, for a scorer."""
    session = begin(terminal)
    issues, models = parse_issues(options.issues), chain(options.model)
    check_out(options.out, ".parquet")
    times = KnowledgeTimes.choose(
        options.knowledge, session.home, files=options.data is not None
    )
    if options.data:
        made = _from_files(options.data, options, session, issues, models, terminal)
    else:
        made = _from_store(options, session, issues, models, times, terminal)
    frame = scorable(made.frame)
    if "p10" not in frame.columns:
        terminal.say("history is too short for p10 and p90 at some issues: both are left out")
    content = io.BytesIO()
    frame.write_parquet(content)
    write_durably(options.out, content.getvalue())
    summary = {
        "out": str(options.out),
        "zones": frame["zone"].n_unique(),
        "issues": len(issues),
        "rows": len(frame),
        "runs": dict(made.runs),
        **times.document(),
    }
    if terminal.json:
        terminal.document(summary)
    else:
        by = ", ".join(f"{name} {count}" for name, count in made.runs.items())
        terminal.result(f"{options.out}: {len(frame)} rows; issues by model: {by}")
        terminal.result(times.line())
    return 0


def _days(text: str) -> timedelta:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 <= days <= MOST_DAYS:
        raise BadInput(
            f"--data-age: must be a number of days from 0 to {MOST_DAYS}, not {text!r}; older "
            "data are not forecast from"
        )
    return timedelta(days=days)


def _from_files(
    folder: Path,
    options: BacktestOptions,
    session: Session,
    issues: Sequence[datetime],
    models: tuple[Forecaster, ...],
    terminal: Terminal,
) -> Backtest:
    histories = read_histories(folder, zone_names(options.zone), warn=terminal.say)
    with show_progress(terminal) as progress:
        workers = session.settings.workers
        return backtested(
            histories,
            issues,
            models,
            data_age=_days(options.data_age),
            workers=workers,
            progress=progress,
        )


def _from_store(
    options: BacktestOptions,
    session: Session,
    issues: Sequence[datetime],
    models: tuple[Forecaster, ...],
    times: KnowledgeTimes,
    terminal: Terminal,
) -> Backtest:
    now = session.clock()
    if issues[-1] > now:
        raise BadInput(
            f"--issues ends {format_time(issues[-1])}, after now ({format_time(now)}); "
            "an issue lies in the past"
        )
    zones = zone_keys(options.zone)
    memory = max(model.memory for model in models)
    wants = frozenset[str]().union(*(model.wants for model in models))
    refuse_without_store(session.home)
    with writer_lock(session.home, "backtest", now), Store.open(session.home) as store:
        found = forecastable(store, zones)
        if missing := sorted(set(zones) - {each.zone for each in found}):
            raise BadInput(
                f"the store has nothing of {', '.join(missing)}; import or refresh it, "
                "or read files with --data"
            )
        histories = [
            StoreHistory(store, zone, _signal_of(zone, found), memory, wants, times.usual)
            for zone in zones
        ]
        with show_progress(terminal) as progress:
            # One connection cannot be shared with other processes.
            return backtested(
                histories, issues, models, data_age=_days(options.data_age), progress=progress
            )


def _signal_of(zone: str, found: Sequence[Stored]) -> Signal:
    return default_signal(each.signal for each in found if each.zone == zone)
