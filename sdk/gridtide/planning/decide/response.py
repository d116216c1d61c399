"""The response to a plan request: schedule, totals, savings, alternatives and reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from gridtide.model import Signal
from gridtide.planning.problem.state import PlanningProblem
from gridtide.schema.definition import Field
from gridtide.schema.result import Record, Shown, Tabular


class Code(StrEnum):
    """Why a plan is what it is."""

    BEST = "best"  # the least cost
    NOW_IS_BEST = "now_is_best"  # and that is at once
    NO_CHOICE = "no_choice"  # nothing else keeps to the bounds
    SAVING_TOO_SMALL = "saving_too_small"  # waiting saves less than min_saving: at once
    WITHIN_BUDGET = "within_budget"  # the earliest within the carbon budget
    CAPPED = "capped"  # the least cost in what other jobs leave of a cap
    UNDER_THRESHOLD = "under_threshold"  # the earliest at or under the threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSlot(Record):
    """Running at one power in one region over ``[start, end)``."""

    start: Annotated[datetime, Field("start of the slot")]
    end: Annotated[datetime, Field("end of the slot")]
    power_kw: Annotated[float, Field("of the job, before PUE", unit="kW")]
    region: Annotated[str, Field("where the job runs")]
    workers: Annotated[float | None, Field("of an elastic job; null for other kinds")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative(Record):
    """Another plan: how it differs, and its totals; fields as in `Plan`."""

    what: Annotated[str, Field("how it differs")]
    region: Annotated[str, Field("where it runs, or where it starts")]
    start: Annotated[datetime, Field("start of its first slot")]
    end: Annotated[datetime, Field("end of its last slot")]
    kwh: Annotated[float, Field("all energy", unit="kWh")]
    grams: Annotated[float | None, Field("of all energy", unit="gCO2e")]
    mean: Annotated[float, Field("of the signal, by the job's energy")]
    saving_now: Annotated[float | None, Field("against running at once")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Record):
    """Why this plan: a code for machines and a sentence for people."""

    code: Annotated[Code, Field("stable name of the reason")]
    sentence: Annotated[str, Field("the same as a sentence")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Record):
    """Grams, were all slots at their p10 and all at their p90."""

    low: Annotated[float, Field("by the p10 of all slots", unit="gCO2e")]
    high: Annotated[float, Field("by the p90 of all slots", unit="gCO2e")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut(Record):
    """A region that was not chosen from, and why."""

    region: Annotated[str, Field("the region")]
    reason: Annotated[str, Field("why, as a sentence")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan(Shown, Tabular, Record):
    """When and where a job runs, ``[start, end)`` its totals, and why.

    Attributes:
        problem: what was planned, for `replan`; not part of the JSON.
    """

    region: Annotated[str, Field("where it runs; where it moves, where it starts")]
    start: Annotated[datetime, Field("start of its first slot")]
    end: Annotated[datetime, Field("end of its last slot")]
    slots: Annotated[
        tuple[PlannedSlot, ...],
        Field("ascending; between two of them the job is suspended"),
    ]
    segments: Annotated[
        int,
        Field(
            "number of segments; of a job that runs already, one may be the segment it runs on"
        ),
    ]
    signal: Annotated[Signal, Field("what `mean` is of")]
    unit: Annotated[str, Field("unit of `mean`")]
    kwh: Annotated[
        float,
        Field(
            "all energy: of the job and its pauses, both times PUE, and of moving data",
            unit="kWh",
        ),
    ]
    grams: Annotated[
        float | None,
        Field("of all energy; null where the signal is not an intensity", unit="gCO2e"),
    ]
    cost: Annotated[float | None, Field("of all energy, where the goal counts costs")]
    cost_unit: Annotated[str | None, Field("unit of `cost`")]
    mean: Annotated[float, Field("of the signal, by the job's energy")]
    saving_now: Annotated[
        float | None,
        Field(
            "against running at once, in the current region where there is one: a fraction of "
            "what is minimised, or fraction points of CFE. Null: unknown, or nothing to save"
        ),
    ]
    saving_median: Annotated[
        float | None,
        Field(
            "the same against the median unbroken start at an edge of a slot within the bounds"
        ),
    ]
    saving_worst: Annotated[float | None, Field("the same against the worst such start")]
    interval: Annotated[Interval | None, Field("of `grams`, where the forecast has quantiles")]
    alternatives: Annotated[tuple[Alternative, ...], Field("best first")]
    reason: Annotated[Reason, Field("why this plan")]
    what_would_change: Annotated[str, Field("what would make another plan better, a sentence")]
    left_out: Annotated[tuple[LeftOut, ...], Field("regions ruled out or without a plan")]
    issued_at: Annotated[datetime | None, Field("when the forecast that decided was issued")]
    model: Annotated[str | None, Field("the model of that forecast")]
    problem: Annotated[PlanningProblem | None, Field(local=True)] = None
