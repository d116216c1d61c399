"""What goes over the wire of plans and batches, field by field.

What each means, `gridtide.planning.decide.response` says.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from gridtide.model import Quality, Signal
from gridtide.planning.decide.response import Code
from gridtide_server.problems import Problem
from gridtide_server.wire import Age, Answer, AsOf, BestRegion, BestWindow, Placed, Replay
from gridtide_server.wire_footprints import Footprint


class PlannedSlot(Answer):
    """Running at one power in one region over ``[start, end)``."""

    start: datetime
    end: datetime
    power_kw: float = Field(description="Of the job, before PUE.")
    region: str
    chips: float | None = Field(description="Size of an elastic job.")


class Alternative(Answer):
    """Another plan: how it differs, and what it comes to."""

    what: str
    region: str
    start: datetime
    end: datetime
    kwh: float
    grams: float | None
    mean: float
    saving_now: float | None


class Reason(Answer):
    """Why this plan."""

    code: Code
    sentence: str


class Interval(Answer):
    """Grams, were all slots at their p10 and all at their p90."""

    low: float
    high: float


class LeftOut(Answer):
    """A region that was not chosen from, and why."""

    region: str
    reason: str


class Plan(Placed):
    """When and where a job runs, and why."""

    start: datetime
    end: datetime
    slots: list[PlannedSlot]
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
    alternatives: list[Alternative]
    reason: Reason
    what_would_change: str
    left_out: list[LeftOut]
    issued_at: datetime | None
    model: str | None
    quality: Quality
    simulated: bool
    source: str
    licence: str
    data_age_seconds: Age
    as_of: AsOf
    replay: Replay


class Schedule(Answer):
    """Plans of many jobs together, in their order; none breaks a cap."""

    plans: list[Plan]
    total: float = Field(description="What the goal counts them all at.")
    least: float = Field(description="No plans for all of them count less.")
    exact: bool
    method: str = Field(description="programme, search or one by one.")
    sentence: str
    as_of: AsOf
    replay: Replay


class Batch(Answer):
    """Answers in the order of the questions; where one has none, its problem."""

    answers: list[BestRegion | BestWindow | Plan | Footprint | Problem]
    as_of: AsOf
    replay: Replay
