"""What goes over the wire of footprints; see `gridtide.accounting`."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from gridtide.model import Quality, Signal
from gridtide_server.wire import Age, Answer, AsOf, Replay


class EnergyGrams(Answer):
    """One row with PUE, and what it emitted; null where the intensity is unknown in part."""

    start: datetime
    end: datetime
    kwh: float
    g_per_kwh: float | None
    gross_g: float | None


class Equivalent(Answer):
    """What emits as much; source says who counted one."""

    what: str
    amount: float
    source: str


class Gain(Answer):
    """How many times less, in all and by factor."""

    work: float
    power: float
    overhead: float
    intensity: float
    total: float


class Footprint(Answer):
    """What a job drew and emitted; members of a region are null where none was asked for."""

    kwh: float = Field(description="Energy from the grid, PUE included.")
    gross_g: float | None
    net_g: float | None
    known_kwh: float
    known_g: float
    g_per_kwh: float | None
    per_request_g: float | None
    equivalents: list[Equivalent]
    sci: float | None
    gain: Gain | None
    rows: list[EnergyGrams]
    region: str | None
    zone: str | None
    zone_name: str | None
    resolved_by: str | None
    signal: Signal | None
    unit: str | None
    quality: Quality | None
    simulated: bool
    source: str | None
    licence: str | None
    data_age_seconds: Age
    as_of: AsOf
    replay: Replay
