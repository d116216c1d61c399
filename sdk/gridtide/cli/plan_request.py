"""The request of a plan: its options put together as the JSON that REST takes."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from gridtide.cli.options import Json, Options, Written
from gridtide.cli.regions import Regions, split_regions
from gridtide.errors import BadInput
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.recurrence import Recurring
from gridtide.planning.problem.scaling import Elastic
from gridtide.schema.plans import PlanRequest
from gridtide.schema.regions import Candidate, Candidates
from gridtide.values import read_written_length

DAY = len("2026-11-20")
JOB, WHEN, OBJECTIVE, WHERE = "The job", "When it may run", "The objective", "The regions"
# Earlier names of options, which are still read.
RENAMED = {
    "--question": "--request",
    "--min-piece": "--min-segment",
    "--max-pieces": "--max-segments",
    "--chips": "--workers",
    "--goal": "--objective",
    "--from": "--current-region",
    "--follow": "--moves=follow",
}


def read_json(name: str, option: str = "") -> Any:  # noqa: ANN401  # any JSON value
    """Return the JSON of a file; ``-`` is standard input.

    Raises:
        BadInput: the file cannot be read, or is not JSON; the message begins with `option`.
    """
    try:
        return json.loads(sys.stdin.read() if name == "-" else Path(name).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        where = f"{option}: " if option else ""
        raise BadInput(f"{where}{name} cannot be read as JSON: {error}") from error


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadInput(f"{option}: must be a number such as 4 or 1.5, not {text!r}") from error


def _hours(text: str, option: str) -> float:
    return read_written_length(text, option) / timedelta(hours=1)


def _power(text: str, option: str) -> object:
    if ":" not in text:
        return _number(text, option)
    steps = [step.partition(":") for step in text.split(",")]
    return [
        {"hours": _hours(hours, option), "kw": _number(kw, option)} for hours, _, kw in steps
    ]


def _cost(text: str, option: str) -> object:
    kwh, _, hours = text.partition(":")
    return {"kwh": _number(kwh, option), "hours": _hours(hours or "0", option)}


def _workers(text: str, option: str) -> object:
    least, colon, most = text.rpartition(":")
    workers = {"maximum": _number(most, option)}
    return workers | {"minimum": _number(least, option)} if colon else workers


def slack_to_json(text: str, option: str) -> Json:
    """Return the JSON of a slack: a length, or a share of the job such as ``50%``."""
    if text.endswith("%"):
        try:
            return {"slack_fraction": float(text[:-1]) / 100}
        except ValueError as error:
            raise BadInput(f"{option}: must be a share such as 50%, not {text!r}") from error
    return {"slack_hours": _hours(text, option)}


def _regions(words: list[str], option: str) -> object:
    return split_regions(words)


def _as_written(value: object, option: str) -> object:
    """Return what is given for `option`; what it means needs the time zone."""
    return value


JOB_OPTIONS = Options(
    Job,
    JOB,
    names={"checkpoints": "--checkpoint"},
    written={
        "power": Written("kW", "steps as 2h:1.5,1h:0.8", _power),
        "pause_cost": Written("kWh[:DURATION]", "its energy and time", _cost),
        "restart_cost": Written("kWh[:DURATION]", "its energy and time", _cost),
        "workers": Written("[MIN:]MAX", "hours and power are of one", _workers),
    },
    required=(),
)
ELASTIC_OPTIONS = Options(Elastic, JOB, only=("ramp", "fractional_workers"))


def job_to_json(job: Json, elastic: Json) -> Json:
    """Return the JSON of a job by its options and those of its workers."""
    workers = {**job.get("workers", {}), **elastic}
    kind = {"kind": "elastic"} if "workers" in job else {}
    return kind | job | ({"workers": workers} if workers else {})


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """The options that make up a request, those of each object as its JSON."""

    regions: Regions = None
    job: Annotated[Json, JOB_OPTIONS]
    elastic: Annotated[Json, ELASTIC_OPTIONS]
    bounds: Annotated[
        Json,
        Options(
            Bounds,
            WHEN,
            without=("zone", "slack_fraction"),
            names={
                "slack_hours": "--slack",
                "holidays": "--holiday",
                "blackouts": "--blackout",
            },
            written={
                "slack_hours": Written("DURATION|50%", "a share is of hours", slack_to_json),
                "next_working_day": Written("09:00"),
                "opening": Written("HOURS", "e.g. 'Mon-Fri 08:00-18:00; Sat 22:00-06:00'"),
                "blackouts": Written(
                    "FROM/TO|HOURS", "two times or two days, or as --opening", _as_written
                ),
            },
        ),
    ]
    recurring: Annotated[
        Json,
        Options(
            Recurring,
            WHEN,
            only=("cron",),
            written={"cron": Written("'30 2 * * *'")},
            required=(),
        ),
    ]
    # One option for the field `zone` of four objects.
    timezone: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="time zone of hours, days and cron, e.g. Europe/Berlin; default: UTC",
            rich_help_panel=WHEN,
        ),
    ] = None
    goal: Annotated[
        Json,
        Options(
            Goal, OBJECTIVE, written={"costs": Written("FILE", "JSON as for REST", read_json)}
        ),
    ]
    each_region: Annotated[Json, Options(Candidate, WHERE, only=("pue",))]
    rules: Annotated[
        Json,
        Options(
            Candidates,
            WHERE,
            without=("regions", "latency_ms"),
            written={
                "allowed": Written("REGION", read=_regions),
                "latency_from": Written("REGION"),
            },
        ),
    ]
    rest: Annotated[Json, Options(PlanRequest, only=("signal", "as_of", "alternatives"))]

    def says_anything(self) -> bool:
        """Return whether options or regions say anything of the request."""
        said = self.timezone is not None
        return said or any(value not in ({}, []) for value in self.to_json().values())

    def to_json(self) -> Json:
        """Return the request as REST takes it.

        Raises:
            BadInput: a time zone, with nothing that is said in one.
        """
        slack = self.bounds.get("slack_hours", {})
        local = self.bounds.keys() & {"opening", "blackouts", "next_working_day"}
        if self.timezone is not None and not (local or self.recurring):
            raise BadInput(
                "--timezone: is the time zone of --opening, --blackout, --next-working-day or "
                "--cron; give one of them, or leave it out"
            )
        wire: Json = {"job": job_to_json(self.job, self.elastic), **self._where()}
        if self.recurring:
            wire["recurring"] = self.recurring | {"zone": self._zone} | slack
            slack = {}
        if bounds := self._bounds() | slack:
            wire["bounds"] = bounds
        if self.goal:
            wire["goal"] = self.goal
        return wire | self.rest

    @property
    def _zone(self) -> str:
        return "UTC" if self.timezone is None else self.timezone

    def _where(self) -> Json:
        regions: list[Any] = split_regions(self.regions or ())
        if self.each_region:
            regions = [{"region": region, **self.each_region} for region in regions]
        if self.rules:
            return {"candidates": {"regions": regions, **self.rules}}
        return {"regions": regions}

    def _bounds(self) -> Json:
        bounds = {name: value for name, value in self.bounds.items() if name != "slack_hours"}
        if "opening" in bounds:
            bounds["opening"] = {"zone": self._zone, "hours": bounds["opening"]}
        if "blackouts" in bounds:
            bounds["blackouts"] = [_blackout(each, self._zone) for each in bounds["blackouts"]]
        if "next_working_day" in bounds:
            bounds["zone"] = self._zone
        return bounds


def read_request(file: str | None, options: RequestOptions) -> Any:  # noqa: ANN401  # any JSON
    """Return the JSON of the request: of the file that is named, or of the options.

    Raises:
        BadInput: both are given; or the file cannot be read.
    """
    if file is None:
        return options.to_json()
    if options.says_anything():
        raise BadInput(
            "--request has the whole request; leave the regions and the other options out"
        )
    return read_json(file)


def _blackout(text: str, zone: str) -> Json:
    start, slash, end = text.partition("/")
    if slash and len(start) == len(end) == DAY:
        return {"zone": zone, "first": start, "last": end}
    return {"start": start, "end": end} if slash else {"zone": zone, "hours": text}
