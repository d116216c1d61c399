"""When: the answers of ``/v1/best-window``, against sums done by hand from `published`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gridtide.clock import Clock
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, Asker, FixedClock

URL = "/v1/best-window?region=DE&hours=2"


def test_the_answer_names_everything_it_stands_on(ask: Asker) -> None:
    assert ask.json(URL) == {
        "region": "DE",
        "zone": "DE",
        "zone_name": "Germany",
        "resolved_by": "zone key",
        "certainty": "exact",
        "meaning": None,
        "start": "2026-03-02T15:00:00Z",
        "end": "2026-03-02T17:00:00Z",
        "hours": 2.0,
        "signal": "ci_lifecycle_produced",
        "unit": "gCO2e/kWh",
        "mean": 125.0,
        "mean_now": 290.0,
        "saving": pytest.approx(165 / 290),
        "quality": "forecast",
        "simulated": False,
        "source": "derived@ipcc_ar5/alpha",
        "licence": "CC-BY-4.0",
        "model": "weekly@1",
        "issued_at": "2026-03-02T12:00:00Z",
        "objective": "carbon",
        "carbon_price": None,
        "price": None,
        "data_age_seconds": 0.0,
        "estimates": [],
        "as_of": "2026-03-02T12:00:00Z",
        "replay": False,
    }


@pytest.mark.parametrize(
    ("question", "start", "end", "mean"),
    [
        # Half of 16:00, all of 17:00, half of 18:00: (75 + 300 + 200) / 2.
        ("hours=2&earliest=2026-03-02T16:30Z", "16:30", "18:30", 287.5),
        # 12:00 to 14:00 is 290, 13:00 to 15:00 is 240.
        ("hours=2&deadline=2026-03-02T15:00Z", "13:00", "15:00", 240.0),
        # All of 15:00 and half of 16:00: (100 + 75) / 1.5.
        ("hours=1.5", "15:00", "16:30", 175 / 1.5),
        # A quarter of an hour of the cleanest; ties go to the earliest.
        ("hours=0.25", "15:00", "15:15", 100.0),
        # An earliest that has passed is now.
        ("hours=2&earliest=2026-03-01T00:00Z", "15:00", "17:00", 125.0),
        # 15:30 in UTC, whichever way it is written; a raw plus arrives as a space.
        ("hours=1&earliest=2026-03-02T17:30%2B02:00", "15:30", "16:30", 125.0),
        ("hours=1&earliest=2026-03-02T17:30+02:00", "15:30", "16:30", 125.0),
        ("hours=1&earliest=2026-03-02 17:30:00.000+0200", "15:30", "16:30", 125.0),
        ("hours=1&earliest=2026-03-02T10:30-05:00", "15:30", "16:30", 125.0),
    ],
)
def test_the_window_is_the_cleanest_within_the_bounds(
    ask: Asker, question: str, start: str, end: str, mean: float
) -> None:
    answer = ask.json(f"/v1/best-window?region=DE&{question}")
    assert answer["start"] == f"2026-03-02T{start}:00Z"
    assert answer["end"] == f"2026-03-02T{end}:00Z"
    assert answer["mean"] == pytest.approx(mean)


def test_more_carbon_free_energy_is_cleaner(ask: Asker) -> None:
    answer = ask.json("/v1/best-window?region=DE&hours=1&signal=cfe_produced")
    assert (answer["start"], answer["unit"]) == ("2026-03-02T13:00:00Z", "fraction")
    assert (answer["mean"], answer["mean_now"]) == (0.6, 0.2)
    # Fraction points, not a fraction of the share.
    assert answer["saving"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("region", "resolved_by", "named"),
    [
        ("de", "zone key", "de"),
        ("gcp:europe-west3", "cloud region", "gcp:europe-west3"),
        ("51.5,10.0", "country outline", "51.5,10.0"),
    ],
)
def test_any_region_leads_to_its_zone(
    ask: Asker, region: str, resolved_by: str, named: str
) -> None:
    answer = ask.json(f"/v1/best-window?region={region}&hours=2")
    assert (answer["zone"], answer["resolved_by"]) == ("DE", resolved_by)
    assert (answer["region"], answer["mean"]) == (named, 125.0)


def test_an_earlier_as_of_is_answered_as_it_would_have_been_then(ask: Asker) -> None:
    answer = ask.json(f"{URL}&as_of=2026-03-02T10:30Z")
    assert answer["issued_at"] == "2026-03-02T10:00:00Z"
    assert answer["as_of"] == "2026-03-02T10:30:00Z"
    # Half of 900, all of 800, half of 300: starting at once then, not now.
    assert answer["mean_now"] == pytest.approx((450 + 800 + 150) / 2)
    # The newest slot known then ended at 10:00.
    assert answer["data_age_seconds"] == 1800.0


def test_nothing_starts_before_that_moment_either(ask: Asker) -> None:
    answer = ask.json(f"{URL}&as_of=2026-03-02T10:30Z&deadline=2026-03-02T12:30Z")
    assert answer["start"] == "2026-03-02T10:30:00Z"
    assert answer["saving"] == 0.0


def test_a_start_at_once_is_that_of_the_minute_or_the_next_second_of_a_moment(
    home: DataDirectory,
) -> None:
    # BE is 50 from 12:00 to 16:00: all starts are equal, and the earliest possible wins.
    url = "/v1/best-window?region=BE&hours=3"
    with Asker(home, FixedClock(NOW + timedelta(seconds=59, milliseconds=250))) as ask:
        unnamed = ask.json(url)
        named = ask.json(f"{url}&as_of=2026-03-02T12:00:00.25Z")
    assert (unnamed["start"], unnamed["as_of"]) == ("2026-03-02T12:00:00Z",) * 2
    assert named["start"] == "2026-03-02T12:00:01Z"
    assert named["as_of"] == "2026-03-02T12:00:00.250000Z"


def test_an_earliest_that_has_passed_does_not_bring_the_past_back(home: DataDirectory) -> None:
    # FR is 60 from 13:00 to 15:00, and 90 from then on.
    with Asker(home, FixedClock(NOW + timedelta(hours=3))) as ask:
        answer = ask.json("/v1/best-window?region=FR&hours=2&earliest=2026-03-02T13:00Z")
    assert (answer["start"], answer["mean"]) == ("2026-03-02T15:00:00Z", 90.0)


def test_mean_now_is_unknown_where_part_of_it_is(home: DataDirectory) -> None:
    # BE is unknown from 16:00 to 17:00; at 15:00 only 17:00 to 19:00 has two known hours.
    with Asker(home, FixedClock(NOW + timedelta(hours=3))) as ask:
        answer = ask.json("/v1/best-window?region=BE&hours=2")
    assert (answer["start"], answer["mean"]) == ("2026-03-02T17:00:00Z", 40.0)
    assert answer["mean_now"] is None
    assert answer["saving"] is None


def test_a_clock_that_stands_still_is_owned_up_to(home: DataDirectory) -> None:
    with Asker(home, Clock(NOW)) as ask:
        assert ask.json(URL)["replay"] is True


def test_a_replay_before_the_newest_run_does_not_know_it(home: DataDirectory) -> None:
    with Asker(home, Clock(NOW - timedelta(hours=1))) as ask:
        answer = ask.json(URL)
    assert answer["issued_at"] == "2026-03-02T10:00:00Z"
    assert answer["as_of"] == "2026-03-02T11:00:00Z"


def test_simulated_values_say_so(ask: Asker) -> None:
    answer = ask.json("/v1/best-window?region=NL&hours=2")
    assert (answer["simulated"], answer["quality"]) == (True, "simulated")
    assert (answer["source"], answer["licence"]) == ("made_up", "none needed")
