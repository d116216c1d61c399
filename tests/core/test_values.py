"""Values as callers have them: what is taken as what, and that anything else is `BadInput`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
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
    Elastic,
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
from gridtide.values import read_length, read_moment, read_number, read_whole

T0 = datetime(2026, 3, 1, tzinfo=UTC)
NAIVE = datetime(2026, 3, 1)  # noqa: DTZ001  # what is refused
HOUR = timedelta(hours=1)
SERIES = Series.regular("DE", Signal.CI_LIFECYCLE_CONSUMED, T0, HOUR, [3.0, 1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    "number",
    [
        2,
        2.0,
        np.int64(2),
        np.uint8(2),
        np.float16(2),
        np.float32(2),
        np.longdouble(2),
        Decimal("2"),
        Fraction(4, 2),
        np.array(2),
        pd.Series([2])[0],
    ],
)
def test_every_kind_of_number_is_one(number: Any) -> None:  # noqa: ANN401
    found = read_number(number, "x")
    assert (found, type(found)) == (2.0, float)
    assert read_whole(number, "x") == 2
    assert read_length(number, "x") == 2 * HOUR
    assert Job(number, power=number).kwh == 4.0


@pytest.mark.parametrize(
    ("length", "hours"),
    [
        (timedelta(hours=4), 4),
        (np.timedelta64(4, "h"), 4),
        (np.timedelta64(240, "m"), 4),
        (np.timedelta64(4 * 3600 * 10**9, "ns"), 4),
        (pd.Timedelta("4h"), 4),
        ("4h", 4),
        (" 4 Hours ", 4),
        ("90min", 1.5),
        ("1h30m", 1.5),
        ("1h 30min", 1.5),
        ("0.5d", 12),
        ("PT4H", 4),
        ("PT90M", 1.5),
        ("P1DT12H", 36),
        ("P1W", 168),
        ("pt0,5h", 0.5),
        ("1800s", 0.5),
    ],
)
def test_a_length_is_read_in_every_form(length: Any, hours: float) -> None:  # noqa: ANN401
    found = read_length(length, "x")
    assert (found, type(found)) == (hours * HOUR, timedelta)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "4.5",
        "nan",
        "inf",
        "h",
        "-1h",
        "1e3h",
        "5ms",
        "1w",
        "P",
        "PT",
        "P1DT",
        "P1Y",
        "P1M",
        "PT1D",
        "1h1h",
        "4h,",
        "4 5h",
        "٤h",
        "PT4H4H",
        "9" * 400 + "h",
    ],
)
def test_text_that_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"hours is .*; give a finite number"):
        read_length(text, "hours")


@pytest.mark.parametrize(
    "moment",
    [
        T0,
        T0.astimezone(timezone(HOUR)),
        "2026-03-01T01:00+01:00",
        pd.Timestamp("2026-03-01T00:00Z"),
        pd.Timestamp("2026-03-01T01:00", tz="Europe/Berlin"),
        np.datetime64("2026-03-01T00:00"),
        np.datetime64("2026-03-01", "D"),
        np.datetime64("2026-03-01T00:00", "ns"),
    ],
)
def test_a_moment_is_read_in_every_form(moment: Any) -> None:  # noqa: ANN401
    found = read_moment(moment, "x")
    assert (found, type(found), found.tzinfo) == (T0, datetime, UTC)


def test_a_day_is_its_start_where_a_range_is_asked_for_and_else_refused() -> None:
    asked = calls.intensity("DE", start=date(2026, 3, 1), end=date(2026, 3, 2))
    assert asked.params == (("start", "2026-03-01T00:00:00Z"), ("end", "2026-03-02T00:00:00Z"))
    with pytest.raises(BadInput, match=r"earliest is .*a day without a time; give a time with"):
        Bounds(earliest=date(2026, 3, 1))  # type: ignore[arg-type]  # the test passes what the type refuses


UNKNOWN = [
    pd.NaT,
    pd.NA,
    np.datetime64("NaT"),
    np.timedelta64("NaT"),
    np.timedelta64("NaT", "h"),
]


@pytest.mark.parametrize("value", UNKNOWN)
@pytest.mark.parametrize("read", [read_number, read_whole, read_length, read_moment])
def test_an_unknown_value_is_refused_as_what_it_is(
    read: Callable[[Any, str], Any],
    value: Any,  # noqa: ANN401
) -> None:
    with pytest.raises(BadInput, match=r"start is .*N(aT|A).*, an unknown value; give"):
        read(value, "start")


def test_slack_is_hours_everywhere_and_a_share_has_its_own_name() -> None:
    for slack in (24, "24h", "PT24H", timedelta(days=1), np.int64(24)):
        assert Bounds(slack=slack).limits(T0, HOUR)[1] == T0 + 25 * HOUR
        assert Recurring("@daily", slack).bounds(T0).limits(T0, HOUR)[1] == T0 + 25 * HOUR
    assert Bounds(slack_fraction=0.5).limits(T0, 2 * HOUR)[1] == T0 + 3 * HOUR
    with pytest.raises(BadInput, match="slack is missing"):
        Recurring("@daily")


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
    others, told = [], []
    for value in WRONG:
        try:
            make(**{**members, name: value})
        except BadInput as error:
            told.append(str(error))
        except Exception as error:  # noqa: BLE001  # the test is that there is none
            others.append((value if not isinstance(value, Odd) else "Odd", error))
    assert others == []
    assert all(len(each) < 1000 for each in told)
    assert told


@pytest.mark.parametrize("count", [3, 3.0, np.int8(3), np.float64(3), Decimal(3), Fraction(3)])
def test_a_count_is_whole(count: Any) -> None:  # noqa: ANN401
    found = read_whole(count, "retries")
    assert (found, type(found)) == (3, int)
    with pytest.raises(BadInput, match=r"retries is .* give a whole number") as caught:
        read_whole(count / 2, "retries")
    (error,) = caught.value.extra["errors"]  # type: ignore[misc]  # one error is expected
    assert error == {"parameter": "retries", "message": str(caught.value)}


@pytest.mark.parametrize("unordered", [{3.0, 1.0}, frozenset([1.0]), {1.0: 3.0}])
def test_what_has_no_order_is_no_list_where_the_order_counts(unordered: Any) -> None:  # noqa: ANN401
    steps: Any = {(1, 2.0), (2, 1.0)}
    pair: Any = [unordered]
    for ask in (
        lambda: Series.regular("DE", Signal.CI_LIFECYCLE_CONSUMED, T0, HOUR, unordered),
        lambda: CostSeries.regular("EUR/kWh", T0, HOUR, unordered),
        lambda: PowerProfile(steps),
        lambda: Elastic(3, throughput=pair),
    ):
        with pytest.raises(BadInput, match=r"a list|a pair"):
            ask()
    # Holidays have no order, and the usual package keeps their names with them.
    assert Bounds(holidays={date(2026, 5, 1): "May Day"})  # type: ignore[arg-type]  # the test passes what the type refuses


@pytest.mark.parametrize("number", [3, np.int64(3), np.float32(3), Decimal(3)])
def test_the_sizes_of_an_elastic_job_are_any_numbers(number: Any) -> None:  # noqa: ANN401
    table: Any = [[1, 1], np.array([3, 2])]
    sizes = Elastic(number, ramp=number, throughput=table)
    assert sizes == Elastic(3.0, ramp=3.0, throughput=((1.0, 1.0), (3.0, 2.0)))
    assert type(sizes.maximum) is float


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            (field, value)
            for field in ("maximum", "minimum", "base", "ramp")
            for value in (True, "3", np.nan, pd.NaT, pd.NA, [1])
        ),
        *(("maximum", value) for value in (None, 10**400)),
        *(("throughput", value) for value in (5, "ab", [5], [(1, 2, 3)], [(1, True)], None)),
        ("fractional_workers", "yes"),
        ("fractional_workers", 1),
    ],
)
def test_sizes_that_are_no_numbers_are_named(field: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(BadInput, match=field):
        Elastic(**{"maximum": 3, field: value})
