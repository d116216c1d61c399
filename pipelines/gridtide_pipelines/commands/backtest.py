"""``gridtide backtest``: past issues forecast again, for a scorer."""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from gridtide.cli.command import Command, Terminal
from gridtide.errors import BadInput
from gridtide.model import Signal, format_time
from gridtide.windows import default_signal
from gridtide_pipelines.commands.progress import shown
from gridtide_pipelines.commands.session import Session, begin
from gridtide_pipelines.commands.zones import zone_keys
from gridtide_pipelines.forecast.backtest import Backtest, backtest, parse_issues, scorable
from gridtide_pipelines.forecast.forecaster import Forecaster
from gridtide_pipelines.forecast.history_files import read_histories
from gridtide_pipelines.forecast.issue import OLDEST
from gridtide_pipelines.forecast.models import DEFAULT, chain
from gridtide_pipelines.forecast.store_history import Stored, StoreHistory, forecastable
from gridtide_store.durable import write_durably
from gridtide_store.home import writer_lock
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store

MOST_DAYS = OLDEST.days


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="read <ZONE>.parquet, <ZONE>_weather, <ZONE>_dayahead there; without: the store",
    )
    parser.add_argument(
        "--zones",
        action="append",
        required=True,
        metavar="A,B",
        help="as the files are called, or zone keys of the store",
    )
    parser.add_argument(
        "--issues",
        required=True,
        metavar="A/B",
        help="first and last day, e.g. 2021-07-01/2021-12-28; daily at 00:00 UTC",
    )
    parser.add_argument("--model", default=DEFAULT, help="forecaster; default: %(default)s")
    parser.add_argument(
        "--data-age",
        type=_days,
        default=timedelta(0),
        metavar="DAYS",
        help="leave out so many of the newest days at each issue, as if data came that late",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.parquet")


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


def _run(args: argparse.Namespace, terminal: Terminal) -> int:
    session = begin(terminal)
    issues, models = parse_issues(args.issues), chain(args.model)
    if not args.out.parent.is_dir() or args.out.is_dir():
        raise BadInput(f"--out {args.out}: name a file in a folder that is there")
    if args.out.suffix != ".parquet":
        named = args.out.with_suffix(".parquet").name
        raise BadInput(f"--out {args.out}: what is written is Parquet; name it {named}")
    if args.data:
        made = _from_files(args, session, issues, models, terminal)
    else:
        made = _from_store(args, session, issues, models, terminal)
    frame = scorable(made.frame)
    if "p10" not in frame.columns:
        terminal.say("history is too short for p10 and p90 at some issues: both are left out")
    content = io.BytesIO()
    frame.write_parquet(content)
    write_durably(args.out, content.getvalue())
    told = {
        "out": str(args.out),
        "zones": frame["zone"].n_unique(),
        "issues": len(issues),
        "rows": len(frame),
        "runs": dict(made.runs),
    }
    if args.json:
        terminal.document(told)
    else:
        by = ", ".join(f"{name} {count}" for name, count in made.runs.items())
        terminal.result(f"{args.out}: {len(frame)} rows; issues by model: {by}")
    return 0


def _from_files(
    args: argparse.Namespace,
    session: Session,
    issues: Sequence[datetime],
    models: tuple[Forecaster, ...],
    terminal: Terminal,
) -> Backtest:
    names = [name.strip() for text in args.zones for name in text.split(",") if name.strip()]
    if not names:
        raise BadInput("--zones names no zone; write it as --zones DE,FR")
    histories = read_histories(args.data, list(dict.fromkeys(names)), warn=terminal.say)
    with shown(terminal) as progress:
        workers = session.settings.workers
        return backtest(
            histories,
            issues,
            models,
            data_age=args.data_age,
            workers=workers,
            progress=progress,
        )


def _from_store(
    args: argparse.Namespace,
    session: Session,
    issues: Sequence[datetime],
    models: tuple[Forecaster, ...],
    terminal: Terminal,
) -> Backtest:
    now = session.clock()
    if issues[-1] > now:
        raise BadInput(
            f"--issues ends {format_time(issues[-1])}, after now ({format_time(now)}); "
            "an issue lies in the past"
        )
    zones = zone_keys(args.zones)
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
            StoreHistory(store, zone, _signal_of(zone, found), memory, wants) for zone in zones
        ]
        with shown(terminal) as progress:
            # One connection cannot be shared with other processes.
            return backtest(
                histories, issues, models, data_age=args.data_age, progress=progress
            )


def _signal_of(zone: str, found: Sequence[Stored]) -> Signal:
    return default_signal(each.signal for each in found if each.zone == zone)


COMMAND = Command(
    name="backtest",
    summary="forecast past issues from what was known then, for a scorer",
    arguments=_arguments,
    run=_run,
)
