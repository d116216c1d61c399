"""A wrong value of any parameter of any public call is bad input that names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gridtide
from gridtide import calls, windows
from gridtide.accounting import emissions, sci
from gridtide.errors import BadInput
from gridtide.model import Quality, Series, Signal, Slot
from gridtide.planning import (
    Bounds,
    CandidateRegion,
    CandidateRegions,
    Cap,
    Cost,
    CostSeries,
    Days,
    Goal,
    Job,
    Outlook,
    PowerProfile,
    Progress,
    Recurring,
    Request,
    Weekly,
    plan,
    plan_batch,
    replan,
)
from tests.core.test_values import HOUR, T0, UNKNOWN

NAIVE = datetime(2026, 3, 1)  # noqa: DTZ001  # what is refused


SERIES = Series.regular("DE", Signal.CI_LIFECYCLE_CONSUMED, T0, HOUR, [3.0, 1.0, 2.0, 4.0])


class Odd:
    """What cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __float__(self) -> float:
        return 1.0


WRONG: list[Any] = [
    *[True, np.bool_(1), 1j, b"4", "nonsense", float("nan"), float("inf"), 10**400],
    *[object(), Odd(), [], [None], {}, {"a": 1}, (1, 2, 3), lambda: 1, int, Decimal("sNaN")],
    *[np.array([1, 2]), pd.Series([1, 2]), *UNKNOWN, NAIVE, timedelta.min, "\ud800"],
    *[-(10**400), np.float64("nan"), np.timedelta64(1, "Y")],
]


JOB = Job(HOUR)


OUTLOOK = Outlook(SERIES)


PLACE = CandidateRegion("DE", OUTLOOK)


ROW = (T0, T0 + HOUR, 1.0)


VIEW: dict[str, Any] = {"signal": None, "as_of": None}


RUN: dict[str, Any] = {"hours": 1, "earliest": None, "deadline": None, **VIEW}


FOOT: dict[str, Any] = {
    "hours": 1,
    "region": None,
    "start": None,
    "clean": None,
    "power_kw": 1,
    "g_per_kwh": 1,
    **VIEW,
}


PLAN: dict[str, Any] = {
    "job": JOB,
    "where": "DE",
    "bounds": None,
    "goal": None,
    "alternatives": 3,
    "recurring": None,
    **VIEW,
}


FACTORS = {"hours": 1, "power_kw": 1, "g_per_kwh": 1, "processors": 1, "pue": 1}


ELASTIC: dict[str, Any] = {
    "objective": "weighted",
    "costs": CostSeries.regular("EUR", T0, HOUR, [1.0]),
    "carbon_weight": 1,
    "cost_weight": 1,
}


PUBLIC: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (calls.zones, {"every": False}),
    (calls.intensity, {"region": "DE", "start": None, "end": None, "max_age": None, **VIEW}),
    (calls.forecast, {"region": "DE", "model": None, **VIEW}),
    (calls.best_window, {"region": "DE", **RUN}),
    (calls.best_region, {"regions": ["DE"], **RUN}),
    (calls.plan, PLAN),
    (calls.footprint, {"rows": None, **FOOT}),
    (calls.replan, {"plan": None, "progress": Progress(T0)}),
    (calls.schedule, {"requests": [], "caps": {}, "goal": None, **VIEW}),
    (windows.best_window, {"series": SERIES, "duration": HOUR, "earliest": T0}),
    (windows.best_window, {"series": SERIES, "duration": HOUR, "deadline": T0 + 4 * HOUR}),
    (windows.mean_over, {"series": SERIES, "start": T0, "end": T0 + HOUR}),
    (windows.best_region, {"series": {"DE": SERIES}, "duration": HOUR, "start": T0}),
    (windows.best_region_and_window, {"series": {"DE": SERIES}, "duration": HOUR}),
    (windows.saving, {"mean": 1.0, "mean_now": 2.0, "signal": SERIES.signal}),
    (Slot, {"start": T0, "end": T0 + HOUR, "value": 1.0, "quality": Quality.MEASURED}),
    (Series, {"zone": "DE", "signal": SERIES.signal, "slots": ()}),
    (
        Series.regular,
        {"zone": "DE", "signal": SERIES.signal, "start": T0, "step": HOUR, "values": [1.0]},
    ),
    (Job, {"duration": HOUR, "kind": "unbroken", "power": 1.0, "workers": None}),
    (
        Job,
        {
            "duration": 2 * HOUR,
            "kind": "segments",
            "min_segment": HOUR,
            "max_segments": 2,
            "pause_cost": Cost(),
            "restart_cost": Cost(),
            "checkpoints": [HOUR],
        },
    ),
    (PowerProfile, {"steps": [(HOUR, 1.0)]}),
    (Cost, {"kwh": 1.0, "time": HOUR}),
    (
        Bounds,
        {
            "earliest": T0,
            "deadline": T0 + HOUR,
            "slack": HOUR,
            "next_working_day": None,
            "opening": None,
            "blackouts": [(T0, T0 + HOUR)],
            "zone": "UTC",
            "holidays": [date(2026, 1, 1)],
        },
    ),
    (Bounds, {"slack_fraction": 0.5}),
    (Recurring, {"cron": "@daily", "slack": HOUR, "zone": "UTC"}),
    (Recurring, {"cron": "@daily", "slack_fraction": 0.5}),
    (Weekly, {"zone": "UTC", "hours": {0: [(0, 60)]}}),
    (Weekly.parse, {"zone": "UTC", "text": "daily 08:00-09:00"}),
    (Days, {"zone": "UTC", "first": date(2026, 1, 1), "last": date(2026, 1, 2)}),
    (Goal, {"budget_grams": 1.0}),
    (Goal, {"threshold": 1.0, "quantile": "p50"}),
    (Goal, {"min_saving": 0.1}),
    (Goal, ELASTIC),
    (CostSeries, {"unit": "EUR", "slots": ()}),
    (CostSeries.regular, {"unit": "EUR", "start": T0, "step": HOUR, "values": [1.0]}),
    (Cap, {"jobs": 1, "kw": 1.0}),
    (
        Progress,
        {
            "at": T0,
            "done": HOUR,
            "running": True,
            "running_for": HOUR,
            "segments": 1,
            "grams": 1.0,
        },
    ),
    (Progress, {"at": T0, "grams": 1.0}),
    (Progress, {"at": T0, "running": True, "region": "DE", "workers": 1.0}),
    (Outlook, {"expected": SERIES, "p10": None, "p90": None, "issued_at": T0, "model": None}),
    (CandidateRegion, {"name": "DE", "outlook": OUTLOOK, "pue": 1.0, "intensity": 1.0}),
    (CandidateRegion, {"name": "DE", "outlook": OUTLOOK, "jurisdiction": None}),
    (CandidateRegion, {"name": "DE", "outlook": OUTLOOK, "latitude": 1.0, "longitude": 1.0}),
    (
        CandidateRegions,
        {
            "regions": [PLACE],
            "current_region": "DE",
            "allowed": ["DE"],
            "residency": ["DE"],
            "max_latency_ms": 1.0,
            "latency_from": "DE",
            "latency_ms": {"DE": 1.0},
            "data_gb": 1.0,
            "kwh_per_gb": 1.0,
            "moves": "one",
        },
    ),
    (gridtide.Candidate, {"region": "DE", "pue": 1.0, "intensity": 1.0, "jurisdiction": None}),
    (gridtide.Candidate, {"region": "DE", "latitude": 1.0, "longitude": 1.0}),
    (
        gridtide.Candidates,
        {
            "regions": ["DE"],
            "current_region": "DE",
            "allowed": ["DE"],
            "residency": ["DE"],
            "max_latency_ms": 1.0,
            "latency_from": "DE",
            "latency_ms": {"DE": 1.0},
            "data_gb": 1.0,
            "kwh_per_gb": 1.0,
            "moves": "one",
        },
    ),
    (gridtide.JobRequest, {"job": JOB, "where": "DE", "bounds": None, "recurring": None}),
    (
        plan,
        {
            "job": JOB,
            "where": SERIES,
            "bounds": None,
            "goal": None,
            "now": T0,
            "alternatives": 3,
        },
    ),
    (
        replan,
        {
            "plan": plan(JOB, SERIES, now=T0),
            "progress": Progress(T0),
            "new_forecast": SERIES,
        },
    ),
    (
        plan_batch,
        {"requests": [Request(JOB, SERIES)], "caps": {"DE": Cap(1)}, "goal": None, "now": T0},
    ),
    (sci.Factors, FACTORS),
    (sci.gain, {"before": sci.Factors(**FACTORS), "after": sci.Factors(**FACTORS)}),  # type: ignore[arg-type]  # the test passes what the type refuses
    (sci.sci, {"kwh": 1, "g_per_kwh": 1, "embodied": 1, "per": 1, "offset_g": None}),
    (sci.embodied_g, {"total_g": 1, "reserved": HOUR, "lifespan": HOUR, "share": 1.0}),
    (sci.equivalents, {"grams": 1}),
    (emissions.energy_kwh, {"hours": 1, "processors": 1, "power_kw": 1, "pue": 1}),
    (emissions.emissions_g, {"kwh": 1, "g_per_kwh": 1}),
    (emissions.training, {"offset_g": None, "net_g_per_kwh": None, **FACTORS}),
    (emissions.inference, {"requests": 1, "kwh_per_request": 1, "g_per_kwh": 1, "pue": 1}),
    (emissions.integrate, {"rows": [ROW], "series": SERIES, "pue": 1, "clean": [ROW]}),
    (emissions.gains, {"footprints": [1, 2]}),
]


CASES = [
    pytest.param(make, members, name, id=f"{getattr(make, '__qualname__', make)}-{name}")
    for make, members in PUBLIC
    for name in members
]


@pytest.mark.parametrize(("make", "members", "name"), CASES)
def test_a_wrong_value_of_any_parameter_is_bad_input(
    make: Callable[..., Any], members: dict[str, Any], name: str
) -> None:
    if make is not calls.replan:  # its plan is what a service answered
        make(**members)
    others, messages = [], []
    for value in WRONG:
        try:
            make(**{**members, name: value})
        except BadInput as error:
            messages.append(str(error))
        except Exception as error:  # noqa: BLE001  # the test is that there is none
            others.append((value if not isinstance(value, Odd) else "Odd", error))
    assert others == []
    assert all(len(each) < 1000 for each in messages)
    assert messages
