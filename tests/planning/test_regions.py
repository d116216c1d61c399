"""CandidateRegions: time and place chosen together, what rules a place out, and moving."""

from __future__ import annotations

from typing import Any

import pytest

from gridtide.errors import BadInput, NoCommonSignal, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.decide.response import Plan
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import (
    CandidateRegion,
    CandidateRegions,
    Moves,
    distance_km,
)
from tests.planning.settings import CFE, CI, HOUR, T0


def hourly(zone: str, *values: float | None) -> Series:
    return Series.regular(zone, CI, T0, HOUR, values)


def candidate(region: str, *values: float | None, **members: Any) -> CandidateRegion:  # noqa: ANN401
    return CandidateRegion(region, Outlook(hourly(region, *values)), **members)


DE = candidate("DE", 5, 4, 9, jurisdiction="EU", latitude=50.11, longitude=8.68)
FR = candidate("FR", 9, 3, 2, jurisdiction="EU", latitude=48.86, longitude=2.35)
US = candidate("US", 1, 1, 1, jurisdiction="US", latitude=40.71, longitude=-74.01)


def test_region_and_time_are_chosen_together() -> None:
    found = plan(Job(HOUR), {"DE": hourly("DE", 5, 4, 9), "FR": hourly("FR", 9, 3, 2)}, now=T0)
    assert (found.region, found.start, found.grams) == ("FR", T0 + 2 * HOUR, pytest.approx(2))
    assert found.alternatives[0].grams == pytest.approx(4)
    assert found.alternatives[0].what == "run in DE"
    # Without a home, at once is in the chosen region.
    assert found.saving_now == pytest.approx(7 / 9)


def test_a_job_run_at_once_for_too_small_a_saving_names_where_waiting_is_better() -> None:
    pair = {"DE": hourly("DE", 10, 9.8), "FR": hourly("FR", 11, 9)}
    found = plan(Job(HOUR), pair, goal=Goal(min_saving=0.2), now=T0)
    assert (found.region, found.reason.code) == ("DE", "saving_too_small")
    assert found.saving_now == 0
    assert [(each.what, each.grams) for each in found.alternatives] == [
        ("run in FR", pytest.approx(9)),
        ("start at 2026-03-01T01:00:00Z", pytest.approx(9.8)),
    ]


def test_running_at_once_elsewhere_includes_the_move_of_the_data() -> None:
    moving = CandidateRegions(
        (candidate("DE", 90, 90), candidate("FR", 3, 1)),
        current_region="DE",
        data_gb=10,
        kwh_per_gb=0.01,
    )
    found = plan(Job(HOUR), moving, now=T0)
    at_once = next(each for each in found.alternatives if each.what == "run at once")
    assert (found.region, at_once.region) == ("FR", "FR")
    assert (found.kwh, at_once.kwh) == pytest.approx((1.1, 1.1))
    assert "if the chosen time were 1.82 gCO2e/kWh worse" in found.what_would_change


def test_staying_where_a_moving_job_begins_includes_no_later_move() -> None:
    moving = CandidateRegions(
        (candidate("DE", 1, 90, 30), candidate("FR", 50, 1, 40)),
        current_region="DE",
        data_gb=10,
        kwh_per_gb=0.01,
        moves=Moves.FOLLOW,
    )
    found = plan(Job(2 * HOUR, Kind.INTERRUPTIBLE), moving, now=T0)
    assert [each.region for each in found.slots] == ["DE", "FR"]
    stays = [each.kwh for each in found.alternatives if each.region == "DE"]
    assert stays == pytest.approx([2.0] * 2)


def test_savings_are_counted_against_running_at_home() -> None:
    found = plan(Job(HOUR), CandidateRegions((DE, FR), current_region="DE"), now=T0)
    assert (found.region, found.saving_now) == ("FR", pytest.approx(3 / 5))
    # Starts at home on edges count 5, 4 and 9 g.
    assert (found.saving_median, found.saving_worst) == pytest.approx((3 / 5, 7 / 9))


def test_overhead_and_an_own_intensity_count() -> None:
    hot = CandidateRegion("FR", Outlook(hourly("FR", 9, 3, 2)), pue=2.5)
    found = plan(Job(HOUR), CandidateRegions((DE, hot)), now=T0)
    assert (found.region, found.kwh, found.grams) == ("DE", 1, pytest.approx(4))
    own = CandidateRegion("FR", Outlook(hourly("FR", 9, 3, 2)), pue=2.5, intensity=1.5)
    solar = plan(Job(HOUR), CandidateRegions((DE, own)), now=T0)
    assert (solar.region, solar.start, solar.kwh) == ("FR", T0, 2.5)
    assert (solar.grams, solar.mean) == pytest.approx((3.75, 1.5))


def test_rules_leave_regions_out_and_say_why() -> None:
    listed = plan(Job(HOUR), CandidateRegions((DE, FR, US), allowed=frozenset({"DE"})), now=T0)
    assert listed.region == "DE"
    assert [each.region for each in listed.left_out] == ["FR", "US"]
    assert listed.left_out[0].reason == "it is not on the list of allowed regions"
    resident = plan(
        Job(HOUR), CandidateRegions((DE, FR, US), residency=frozenset({"EU"})), now=T0
    )
    assert resident.region == "FR"
    assert resident.left_out[0].reason == "its jurisdiction, US, is not one of EU"
    near = CandidateRegions((DE, FR, US), current_region="DE", max_latency_ms=20)
    assert plan(Job(HOUR), near, now=T0).region == "FR"
    table = CandidateRegions(
        (DE, FR, US), current_region="DE", max_latency_ms=20, latency_ms={"FR": 30, "US": 9}
    )
    assert plan(Job(HOUR), table, now=T0).region == "US"


def test_the_great_circle_is_as_long_as_published() -> None:
    # Frankfurt to Paris and to New York by an ellipsoid: 478 km and 6,205 km.
    assert distance_km(DE, FR) == pytest.approx(478, rel=0.005)
    assert distance_km(DE, US) == pytest.approx(6205, rel=0.005)


def test_a_region_without_a_window_is_left_out_and_the_others_answer() -> None:
    short = candidate("FR", 1)
    found = plan(Job(2 * HOUR), CandidateRegions((DE, short)), now=T0)
    assert found.region == "DE"
    assert "FR: no unbroken run of 2 h" in found.left_out[0].reason
    with pytest.raises(NoFeasibleWindow, match=r"DE: no unbroken run.*FR: no unbroken run"):
        plan(Job(9 * HOUR), CandidateRegions((DE, short)), now=T0)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"regions": ()}, "no region is given; name at least one"),
        ({"regions": (DE, DE)}, "named twice"),
        ({"current_region": "NO"}, "'NO' must be one of the regions DE, FR; add it"),
        ({"allowed": {"DE", "fra"}}, "allowed: 'fra' must be one of .*; did you mean FR?"),
        ({"latency_ms": {"NO": 5.0}}, "latency_ms: 'NO' must be one of the regions DE, FR"),
        ({"latency_from": "de"}, "latency_from: 'de' must be one of .*did you mean DE?"),
        ({"data_gb": -1.0}, "give 0 or more"),
        ({"data_gb": 5.0}, "needs kwh_per_gb.*and current_region"),
        ({"data_gb": 5.0, "current_region": "DE"}, "needs kwh_per_gb"),
        ({"kwh_per_gb": -1.0}, "give 0 or more"),
        ({"max_latency_ms": 5.0}, "needs latency_from, or current_region"),
    ],
)
def test_regions_that_make_no_sense_are_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        CandidateRegions(**{"regions": (DE, FR), **members})


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"pue": 0.9}, "pue is 0.9; give 1 or more"),
        ({"intensity": float("nan")}, "intensity is nan, which is not finite"),
        ({"latitude": 5.0}, "give both latitude and longitude"),
        ({"latitude": 95.0, "longitude": 5.0}, "latitude is 95.0; give from -90 to 90"),
    ],
)
def test_a_region_that_makes_no_sense_is_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        candidate("DE", 1, **members)


def test_an_empty_list_of_regions_and_mixed_signals_are_refused() -> None:
    with pytest.raises(BadInput, match="name at least one"):
        plan(Job(HOUR), {}, now=T0)
    free = Series.regular("FR", CFE, T0, HOUR, [0.5])
    with pytest.raises(NoCommonSignal, match="not on ci_lifecycle_consumed"):
        plan(Job(HOUR), {"DE": hourly("DE", 5), "FR": free}, now=T0)
    with pytest.raises(NoFeasibleWindow, match="no region is left to run in: DE: it is not on"):
        plan(Job(HOUR), CandidateRegions((DE,), allowed=frozenset()), now=T0)


def test_an_unknown_latency_is_refused_with_what_to_give() -> None:
    nowhere = candidate("FR", 1)
    with pytest.raises(BadInput, match="give it in latency_ms, or give both their latitude"):
        plan(
            Job(HOUR),
            CandidateRegions((DE, nowhere), current_region="DE", max_latency_ms=20),
            now=T0,
        )


def test_data_to_move_counts_half_at_either_end() -> None:
    # 1 kWh of moving at (5 + 9) / 2 g right now: 7 g, so the 2 g hour in FR comes to 9 g.
    moving = CandidateRegions((DE, FR), current_region="DE", data_gb=100, kwh_per_gb=0.01)
    found = plan(Job(HOUR), moving, now=T0)
    assert (found.region, found.grams) == ("DE", pytest.approx(4))
    assert {each.what: each.grams for each in found.alternatives}["run in FR"] == pytest.approx(
        9
    )
    less = plan(
        Job(HOUR),
        CandidateRegions((DE, FR), current_region="DE", data_gb=20, kwh_per_gb=0.01),
        now=T0,
    )
    assert (less.region, less.kwh, less.grams) == ("FR", 1.2, pytest.approx(2 + 1.4))
    # Its saving counts the move: 5 g at home now.
    assert less.saving_now == pytest.approx((5 - 3.4) / 5)


def test_a_move_that_cannot_be_counted_leaves_the_region_out() -> None:
    dark = candidate("DE", None, None)
    moving = CandidateRegions((dark, FR), current_region="DE", data_gb=20, kwh_per_gb=0.01)
    with pytest.raises(NoFeasibleWindow, match="moving data from or to it cannot be counted"):
        plan(Job(HOUR), moving, now=T0)
    with pytest.raises(NoFeasibleWindow, match="moving data from or to it cannot be counted"):
        plan(Job(HOUR), moving, goal=Goal(budget_grams=50), now=T0)
    home = CandidateRegions(
        (FR, dark), current_region="FR", data_gb=20, kwh_per_gb=0.01, moves=Moves.FOLLOW
    )
    assert plan(Job(HOUR), home, now=T0).region == "FR"


def test_a_move_from_where_the_forecast_has_ended_counts_its_last_value() -> None:
    old = CandidateRegions(
        (candidate("DE", 5), FR), current_region="DE", data_gb=20, kwh_per_gb=0.01
    )
    found = plan(Job(HOUR), old, now=T0 + 2 * HOUR)
    # 0.2 kWh at (5 + 2) / 2 g.
    assert (found.region, found.grams) == ("FR", pytest.approx(2 + 0.7))


def test_a_budget_covers_the_move() -> None:
    moving = CandidateRegions((DE, FR), current_region="DE", data_gb=20, kwh_per_gb=0.01)
    found = plan(Job(HOUR), moving, goal=Goal(budget_grams=3.5), now=T0)
    assert (found.region, found.grams) == ("FR", pytest.approx(3.5))


def test_regions_share_bounds() -> None:
    bounds = Bounds(deadline=T0 + 2 * HOUR)
    found: Plan = plan(Job(HOUR), CandidateRegions((DE, FR)), bounds, now=T0)
    assert (found.region, found.start) == ("FR", T0 + HOUR)


def test_a_round_trip_is_twice_the_distance_in_glass() -> None:
    # A quarter of the equator, 10,007.6 km, there and back at 204.2 km/ms: 98.0 ms.
    far = [
        CandidateRegion(name, Outlook(hourly(name, 1, 2)), latitude=0, longitude=east)
        for name, east in (("A", 0), ("B", 90))
    ]
    tight = CandidateRegions(tuple(far), current_region="A", max_latency_ms=97.9)
    assert tight.ruled_out() == {"B": "a round trip takes 98 ms, over the 97.9 ms"}
    assert (
        CandidateRegions(tuple(far), current_region="A", max_latency_ms=98.1).ruled_out() == {}
    )
