"""The options of ``gridtide simulate``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from gridtide.planning import Kind, Quantile
from gridtide_pipelines.forecast.models import DEFAULT
from gridtide_pipelines.policies.policies import NAMES

POLICIES = "night,best-window,pause"
COMES, JOB, PLANS = "When a job comes", "The job", "Policies that plan"


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
    hours: Annotated[float, _option("HOURS", "run time", JOB)] = 4.0
    kind: Annotated[
        Kind,
        typer.Option(
            rich_help_panel=JOB,
            help="of the job; the policy pause runs an unbroken one as interruptible",
        ),
    ] = Kind.UNBROKEN
    power: Annotated[float | None, _option("KW", "default: 1", JOB)] = None
    min_segment: Annotated[
        float | None, _option("H", "shortest segment between two pauses", JOB)
    ] = None
    max_segments: Annotated[int | None, _option("N", "most segments", JOB)] = None
    pause_cost: Annotated[float | None, _option("KWH", "energy of each pause", JOB)] = None
    restart_cost: Annotated[float | None, _option("KWH", "energy of each restart", JOB)] = None
    workers: Annotated[float | None, _option("MAX", "most workers of an elastic job", JOB)] = (
        None
    )
    fractional_workers: Annotated[
        bool,
        typer.Option(
            "--fractional-workers",
            rich_help_panel=JOB,
            help="an elastic job may run on a part of a worker",
        ),
    ] = False
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
        str | None, _option("NAME", "signal to use; default: lifecycle intensity")
    ] = None
    model: Annotated[str, _option("NAME", "forecast model")] = DEFAULT
    reissue: Annotated[str, _option("DURATION", "how often a forecast is new")] = "PT6H"
    data: Annotated[
        Path | None, _option("FOLDER", "read <ZONE>.parquet; without: the store")
    ] = None
    out: Annotated[Path | None, _option("FILE", "also write every job: .parquet or .csv")] = (
        None
    )
