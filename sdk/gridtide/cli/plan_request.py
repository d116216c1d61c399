"""The request of a plan: its options put together as the JSON that REST takes."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from gridtide.cli.options import number, whole
from gridtide.cli.plan_options import RequestOptions
from gridtide.cli.regions import split_regions
from gridtide.errors import BadInput
from gridtide.values import read_written_length

Json = dict[str, Any]

DAY = len("2026-11-20")


def read_request(options: RequestOptions) -> Any:  # noqa: ANN401  # any JSON value
    """The JSON of the request: of the file that is named, or of the options.

    Raises:
        BadInput: both are given; or the file cannot be read.
    """
    if options.request is None:
        return _of_options(options)
    if says_anything(options):
        raise BadInput(
            "--request has the whole request; leave the regions and the other options out"
        )
    return read_json(options.request)


def says_anything(options: RequestOptions) -> bool:
    """Whether options or regions say anything of the request."""
    return any(value not in ({}, []) for value in _of_options(options).values())


def _of_options(options: RequestOptions) -> Json:
    wire: Json = {"job": _job(options), **_where(options)}
    if bounds := _bounds(options):
        wire["bounds"] = bounds
    if options.cron is not None:
        wire["recurring"] = {"cron": options.cron, "zone": options.timezone} | _slack(options)
    if objective := _objective(options):
        wire["goal"] = objective
    return wire | _given(
        signal=options.signal, as_of=options.as_of, alternatives=whole(options.alternatives)
    )


def _job(options: RequestOptions) -> Json:
    job = _given(
        hours=number(options.hours),
        kind=options.kind,
        min_segment=number(options.min_segment),
        max_segments=whole(options.max_segments),
    )
    if options.power is not None:
        job["power"] = _power(options.power)
    for name, text in (
        ("pause_cost", options.pause_cost),
        ("restart_cost", options.restart_cost),
    ):
        if text is not None:
            kwh, _, hours = text.partition(":")
            job[name] = {"kwh": _number(kwh, name), "hours": _hours(hours or "0", name)}
    if options.checkpoint:
        job["checkpoints"] = [number(each) for each in options.checkpoint]
    workers: Json = {}
    if options.workers is not None:
        least, colon, most = options.workers.rpartition(":")
        workers["maximum"] = _number(most, "workers")
        if colon:
            workers["minimum"] = _number(least, "workers")
        job.setdefault("kind", "elastic")
    if options.ramp is not None:
        workers["ramp"] = number(options.ramp)
    if options.fractional_workers:
        workers["fractional_workers"] = True
    return job | ({"workers": workers} if workers else {})


def _where(options: RequestOptions) -> Json:
    regions: list[Any] = options.all_regions
    if options.pue is not None:
        regions = [{"region": region, "pue": number(options.pue)} for region in regions]
    rules = _given(
        data_gb=number(options.data_gb),
        kwh_per_gb=number(options.kwh_per_gb),
        max_latency_ms=number(options.max_latency_ms),
        latency_from=options.latency_from,
        current_region=options.current_region,
    )
    if options.allowed is not None:
        rules["allowed"] = split_regions([options.allowed])
    if options.residency is not None:
        rules["residency"] = [each.strip() for each in options.residency.split(",")]
    if options.follow:
        rules["moves"] = "follow"
    return {"candidates": {"regions": regions, **rules}} if rules else {"regions": regions}


def _bounds(options: RequestOptions) -> Json:
    bounds = _given(
        earliest=options.earliest,
        deadline=options.deadline,
        next_working_day=options.next_working_day,
    )
    if options.cron is None:
        bounds |= _slack(options)
    if options.opening is not None:
        bounds["opening"] = {"zone": options.timezone, "hours": options.opening}
    if options.blackout:
        bounds["blackouts"] = [_blackout(each, options.timezone) for each in options.blackout]
    if options.holiday:
        bounds["holidays"] = options.holiday
    if options.next_working_day is not None:
        bounds["zone"] = options.timezone
    return bounds


def _slack(options: RequestOptions) -> Json:
    if options.slack is None:
        return {}
    if options.slack.endswith("%"):
        return {"slack_fraction": _number(options.slack[:-1], "slack") / 100}
    return {"slack_hours": _hours(options.slack, "slack")}


def _objective(options: RequestOptions) -> Json:
    objective = _given(
        carbon_weight=number(options.carbon_weight),
        cost_weight=number(options.cost_weight),
        budget_grams=number(options.budget_grams),
        threshold=number(options.threshold),
        min_saving=number(options.min_saving),
        quantile=options.quantile,
        objective=options.objective,
    )
    if options.costs is not None:
        objective["costs"] = read_json(options.costs)
    return objective


def read_json(name: str) -> Any:  # noqa: ANN401  # any JSON value
    """The JSON of a file; ``-`` is standard input.

    Raises:
        BadInput: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(sys.stdin.read() if name == "-" else Path(name).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{name} cannot be read as JSON: {error}") from error


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


def _given(**members: object) -> Json:
    return {name: value for name, value in members.items() if value is not None}


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadInput(f"{_flag(name)}: {text!r} is no number; give e.g. 4 or 1.5") from error


def _hours(text: str, name: str) -> float:
    return read_written_length(text, _flag(name)) / timedelta(hours=1)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
