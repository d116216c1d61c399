"""What a plan says: when and where to run, what it comes to, and why."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from gridtide.model import Signal
from gridtide.planning.decide.request import Question
from gridtide.schema.records import to_wire
from gridtide.schema.responses import Wire


class Code(StrEnum):
    """Why a plan is what it is."""

    BEST = "best"  # it counts least
    NOW_IS_BEST = "now_is_best"  # and that is at once
    NO_CHOICE = "no_choice"  # nothing else keeps to the bounds
    SAVING_TOO_SMALL = "saving_too_small"  # waiting saves less than asked for: at once
    WITHIN_BUDGET = "within_budget"  # the earliest within the carbon budget
    CAPPED = "capped"  # it counts least in what other jobs leave of a cap
    UNDER_THRESHOLD = "under_threshold"  # the earliest at or under the threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSlot(Wire):
    """Running at one power in one region over ``[start, end)``.

    Attributes:
        power_kw: of the job, before PUE.
        chips: size of an elastic job, else ``None``.
    """

    start: datetime
    end: datetime
    power_kw: float
    region: str
    chips: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative(Wire):
    """Another plan: how it differs, and what it comes to; members as in `Plan`."""

    what: str
    region: str
    start: datetime
    end: datetime
    kwh: float
    grams: float | None
    mean: float
    saving_now: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Wire):
    """A code for machines and a sentence for people."""

    code: Code
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Wire):
    """Grams, were all slots at their p10 and all at their p90."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut(Wire):
    """A region that was not chosen from, and why."""

    region: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Wire):
    """When and where a job runs, ``[start, end)`` with what lies between, and why.

    Attributes:
        region: where it runs; where it moves, where it starts.
        slots: ascending; between two of them it stands still.
        pieces: how many pieces it runs in; of a job that runs already, one may be what it runs
            on.
        signal, unit: what `mean` is of.
        kwh: all energy: the job's, its pauses', both times PUE, and that of moving data.
        grams: of all energy; ``None`` where the signal is no intensity.
        cost, cost_unit: of all energy, where the goal has a cost series.
        mean: of the signal, by the job's energy.
        saving_now: against running at once, `at home` where there is one: a fraction of what
            the goal counts, or fraction points of CFE. ``None``: unknown, or nothing to save.
        saving_median, saving_worst: the same against the median and the worst unbroken start
            at an edge of a slot within the bounds.
        interval: of `grams`, where the forecast has quantiles.
        alternatives: best first.
        reason: why this plan.
        what_would_change: what would make another plan better, a sentence.
        left_out: regions ruled out or without a plan.
        issued_at, model: of the forecast that decided.
        question: what was asked, for `replan`; not part of the wire form.
    """

    region: str
    start: datetime
    end: datetime
    slots: tuple[PlannedSlot, ...]
    pieces: int
    signal: Signal
    unit: str
    kwh: float
    grams: float | None
    cost: float | None
    cost_unit: str | None
    mean: float
    saving_now: float | None
    saving_median: float | None
    saving_worst: float | None
    interval: Interval | None
    alternatives: tuple[Alternative, ...]
    reason: Reason
    what_would_change: str
    left_out: tuple[LeftOut, ...]
    issued_at: datetime | None
    model: str | None
    question: Question | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON object, as the service sends it."""
        wire = replace(self, question=None)
        return {
            each.name: to_wire(getattr(wire, each.name))
            for each in fields(wire)
            if each.name != "question"
        }
