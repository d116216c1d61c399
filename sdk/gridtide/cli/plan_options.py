"""The options of ``plan`` and ``replan``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from gridtide.cli.options import AsOf, ChosenSignal, MoreRegions, Regions
from gridtide.cli.regions import split_regions

Json = dict[str, Any]

DAY = len("2026-11-20")
JOB, WHEN, OBJECTIVE, WHERE = (*("The job", "When it may run", "The objective", "The regions"),)
# Earlier names of options, which are still read.
RENAMED = {
    "--question": "--request",
    "--min-piece": "--min-segment",
    "--max-pieces": "--max-segments",
    "--chips": "--workers",
    "--goal": "--objective",
}


def _option(metavar: str, text: str, panel: str) -> Any:  # noqa: ANN401  # as typer.Option
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)


Text = str | None
Texts = list[str] | None


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """The options that make up a request, each the text that was given."""

    regions: Regions = None
    request: Annotated[
        Text,
        typer.Option(metavar="FILE", help="the whole request as JSON; - is standard input"),
    ] = None
    hours: Annotated[
        Text, _option("DURATION", "run time without pauses: 4, 4h, 90min, PT4H", JOB)
    ] = None
    kind: Annotated[
        Text, _option("KIND", "unbroken (default), interruptible, segments or elastic", JOB)
    ] = None
    power: Annotated[
        Text, _option("KW", "power, or steps over its progress: 2h:1.5,1h:0.8", JOB)
    ] = None
    min_segment: Annotated[Text, _option("H", "shortest segment between two pauses", JOB)] = (
        None
    )
    max_segments: Annotated[Text, _option("N", "most segments", JOB)] = None
    pause_cost: Annotated[Text, _option("KWH[:H]", "energy and time of each pause", JOB)] = None
    restart_cost: Annotated[
        Text, _option("KWH[:H]", "energy and time of each restart", JOB)
    ] = None
    checkpoint: Annotated[
        Texts, _option("H", "where it may pause, in hours of progress; repeatable", JOB)
    ] = None
    workers: Annotated[
        Text, _option("[MIN:]MAX", "workers of an elastic job; hours and power are of one", JOB)
    ] = None
    ramp: Annotated[
        Text, _option("WORKERS", "most change of workers from slot to slot", JOB)
    ] = None
    fractional_workers: Annotated[
        bool,
        typer.Option(
            "--fractional-workers",
            help="an elastic job may run on a part of a worker; default: whole ones",
            rich_help_panel=JOB,
        ),
    ] = False
    earliest: Annotated[Text, _option("TIME", "not before; default: now", WHEN)] = None
    deadline: Annotated[Text, _option("TIME", "the job has ended by then", WHEN)] = None
    slack: Annotated[
        Text, _option("DURATION|50%", "it has ended that much later than at once", WHEN)
    ] = None
    next_working_day: Annotated[
        Text, _option("09:00", "it has ended by then on the next working day", WHEN)
    ] = None
    opening: Annotated[
        Text,
        _option("HOURS", "opening hours, e.g. 'Mon-Fri 08:00-18:00; Sat 22:00-06:00'", WHEN),
    ] = None
    holiday: Annotated[Texts, _option("DAY", "no working day; repeatable", WHEN)] = None
    blackout: Annotated[
        Texts,
        _option(
            "FROM/TO|HOURS",
            "not then: between two times or days, or at such hours; repeatable",
            WHEN,
        ),
    ] = None
    cron: Annotated[
        Text, _option("'30 2 * * *'", "when it comes back: plan the next time", WHEN)
    ] = None
    timezone: Annotated[
        str, _option("NAME", "time zone of hours, days and cron; e.g. Europe/Berlin", WHEN)
    ] = "UTC"
    objective: Annotated[
        Text, _option("NAME", "carbon (default), cfe, cost or weighted", OBJECTIVE)
    ] = None
    costs: Annotated[
        Text, _option("FILE", "JSON of a cost series, see the REST manual", OBJECTIVE)
    ] = None
    carbon_weight: Annotated[Text, _option("X", "cost of a gram", OBJECTIVE)] = None
    cost_weight: Annotated[Text, _option("X", "weight of a unit of cost", OBJECTIVE)] = None
    budget_grams: Annotated[
        Text, _option("G", "choose the earliest plan within this budget", OBJECTIVE)
    ] = None
    threshold: Annotated[
        Text, _option("X", "run only at or under this value of the signal", OBJECTIVE)
    ] = None
    min_saving: Annotated[
        Text, _option("FRACTION", "run now unless this much is saved, e.g. 0.05", OBJECTIVE)
    ] = None
    quantile: Annotated[
        Text, _option("NAME", "p50 (expected, default) or p90 (robust)", OBJECTIVE)
    ] = None
    pue: Annotated[Text, _option("X", "energy drawn per energy of the job", WHERE)] = None
    current_region: Annotated[Text, _option("REGION", "where the job is now", WHERE)] = None
    data_gb: Annotated[Text, _option("GB", "data to move from there", WHERE)] = None
    kwh_per_gb: Annotated[Text, _option("KWH", "energy of moving a gigabyte", WHERE)] = None
    max_latency_ms: Annotated[Text, _option("MS", "longest round trip", WHERE)] = None
    latency_from: Annotated[
        Text, _option("REGION", "from where; default: that of --current-region", WHERE)
    ] = None
    allowed: Annotated[
        Text, _option("LIST", "regions it may run in; default: all named", WHERE)
    ] = None
    residency: Annotated[
        Text, _option("LIST", "jurisdictions it may run in, e.g. DE,FR", WHERE)
    ] = None
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help="it may move at every edge of a slot", rich_help_panel=WHERE
        ),
    ] = False
    signal: ChosenSignal = None
    as_of: AsOf = None
    alternatives: Annotated[
        Text, typer.Option(metavar="N", help="other plans to name; default: 3")
    ] = None

    @property
    def all_regions(self) -> list[str]:
        """The regions that are named, in order."""
        return split_regions(self.regions or ())


@dataclass(frozen=True, kw_only=True)
class PlanOptions(RequestOptions):
    """The options of ``plan``."""

    region: MoreRegions = None

    @property
    def all_regions(self) -> list[str]:
        """The regions that are named, in order."""
        return split_regions([*(self.regions or ()), *(self.region or ())])
