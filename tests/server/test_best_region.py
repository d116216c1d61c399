"""Where and when: the answers of ``/v1/best-region``, against sums done by hand."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.server.published import Asker


def names(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [each["region"] for each in answer["ranking"]]


def test_each_region_has_its_own_window_and_the_cleanest_comes_first(ask: Asker) -> None:
    answer = ask.json("/v1/best-region?region=DE&region=FR&hours=2")
    assert names(answer) == ["FR", "DE"]
    first, second = answer["ranking"]
    assert (first["start"], first["mean"]) == ("2026-03-02T13:00:00Z", 60.0)
    # In the same region at once: (80 + 60) / 2 = 70.
    assert first["saving"] == pytest.approx(10 / 70)
    assert (second["start"], second["mean"]) == ("2026-03-02T15:00:00Z", 125.0)


def test_the_answer_is_the_first_of_the_ranking_and_best_window_agrees(ask: Asker) -> None:
    answer = ask.json("/v1/best-region?region=DE,FR&hours=2")
    ranking = answer.pop("ranking")
    assert answer == ranking[0]
    for region, ranked in zip(("FR", "DE"), ranking, strict=True):
        assert ranked == ask.json(f"/v1/best-window?region={region}&hours=2")


def test_a_tie_goes_to_the_earliest_window_then_to_the_order_given(ask: Asker) -> None:
    # NL is DE an hour later; the cloud region is DE under another name.
    answer = ask.json("/v1/best-region?region=NL,gcp:europe-west3,DE&hours=2")
    assert names(answer) == ["gcp:europe-west3", "DE", "NL"]
    assert {each["mean"] for each in answer["ranking"]} == {125.0}


def test_a_region_without_such_a_window_comes_last_with_the_reason(ask: Asker) -> None:
    answer = ask.json("/v1/best-region?region=BE,ES,DE&hours=6")
    assert names(answer) == ["DE", "ES", "BE"]
    ended, short = answer["ranking"][1:]
    assert ended["window"] is None
    assert "ended 2026-03-02T11:00:00Z" in ended["reason"]
    assert short["window"] is None
    # Known from 12:00 to 16:00 only, before its hole.
    assert "longest possible run is 4 h" in short["reason"]
    assert (short["zone"], short["zone_name"]) == ("BE", "Belgium")


def test_a_region_given_twice_is_ranked_once(ask: Asker) -> None:
    answer = ask.json("/v1/best-region?region=DE,FR,ES&region=DE&region=ES&hours=2")
    assert names(answer) == ["FR", "DE", "ES"]


def test_regions_may_be_a_list_with_commas(ask: Asker) -> None:
    answer = ask.json("/v1/best-region?region=51.5,10.0,FR&hours=2")
    assert names(answer) == ["FR", "51.5,10.0"]


def test_the_deadline_holds_in_every_region(ask: Asker) -> None:
    answer = ask.json("/v1/best-region?region=DE,FR&hours=2&deadline=2026-03-02T14:00Z")
    assert [each["mean"] for each in answer["ranking"]] == [70.0, 290.0]


def test_regions_are_compared_on_the_signal_named(ask: Asker) -> None:
    answer = ask.json("/v1/best-region?region=FR,DE&hours=1&signal=cfe_produced")
    assert names(answer) == ["DE", "FR"]
    assert answer["mean"] == 0.6
    assert answer["ranking"][1]["window"] is None
    assert "it has ci_lifecycle_produced" in answer["ranking"][1]["reason"]
    problem = ask.problem(
        "/v1/best-region?region=FR,GB&hours=1&signal=cfe_produced", 422, "no_common_signal"
    )
    assert problem["signals"] == {
        "FR": ["ci_lifecycle_produced"],
        "GB": ["ci_direct_consumed"],
    }


def test_regions_that_share_no_signal_are_not_compared(ask: Asker) -> None:
    problem = ask.problem("/v1/best-region?region=DE,GB&hours=2", 422, "no_common_signal")
    assert problem["signals"] == {
        "DE": ["cfe_produced", "ci_lifecycle_produced"],
        "GB": ["ci_direct_consumed"],
    }


def test_500_regions_are_answered_and_501_are_not(ask: Asker) -> None:
    # Coordinates inside Germany, 100 m apart.
    places = [f"{51.5 + k / 1000:.3f},10.0" for k in range(501)]
    url = "/v1/best-region?" + urlencode([("hours", 2), *(("region", p) for p in places[:500])])
    answer = ask.json(url)
    assert len(answer["ranking"]) == 500
    problem = ask.problem(f"{url}&region={places[500]}", 422, "too_many_regions")
    assert "501 regions" in problem["detail"]
    assert "at most 500" in problem["detail"]


def test_10_000_zones_are_refused_before_any_is_looked_up(ask: Asker) -> None:
    regions = ",".join(f"Z{k}" for k in range(10_000))
    problem = ask.problem(f"/v1/best-region?region={regions}&hours=2", 422, "too_many_regions")
    assert "unknown" not in problem["detail"]


def test_all_unknown_regions_are_named_at_once(ask: Asker) -> None:
    url = "/v1/best-region?region=DE,Germny,FR,aws:us-east-9&hours=2"
    problem = ask.problem(url, 404, "unknown_region")
    assert problem["unknown"] == ["Germny", "aws:us-east-9"]
    assert "'Germny'" in problem["detail"]
    assert "'aws:us-east-9'" in problem["detail"]
    near = {each["region"] for each in problem["nearest"]}
    assert {"DE", "aws:us-east-1"} <= near


def test_one_unknown_region_of_many_is_reported_as_if_alone(ask: Asker) -> None:
    alone = ask.problem("/v1/best-window?region=Germny&hours=2", 404, "unknown_region")
    among = ask.problem("/v1/best-region?region=DE,Germny&hours=2", 404, "unknown_region")
    assert among == alone


def test_the_search_for_names_stops_where_a_list_is_nonsense(ask: Asker) -> None:
    regions = ",".join(f"NOWHERE{k}" for k in range(100))
    problem = ask.problem(f"/v1/best-region?region={regions}&hours=2", 404, "unknown_region")
    assert len(problem["unknown"]) == 20
    assert "where the search stopped" in problem["detail"]


def test_no_region_with_a_forecast_that_reaches_now_is_no_data(ask: Asker) -> None:
    problem = ask.problem("/v1/best-region?region=ES&hours=2", 404, "no_data")
    assert "gridtide refresh" in problem["detail"]


def test_no_region_with_such_a_window_is_infeasible(ask: Asker) -> None:
    problem = ask.problem("/v1/best-region?region=DE,FR&hours=80", 422, "no_feasible_window")
    assert "DE" in problem["detail"]
    assert "FR" in problem["detail"]
    assert "72 h" in problem["detail"]


def test_too_many_regions_are_too_many_even_if_they_are_the_same(ask: Asker) -> None:
    regions = ",".join(["DE"] * 10_000)
    ask.problem(f"/v1/best-region?region={regions}&hours=2", 422, "too_many_regions")
