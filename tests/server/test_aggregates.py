"""The history of an aggregate, by the load of its zones; and what it is not asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gridtide.client import Client
from gridtide.errors import NoData
from gridtide.local import Host, LocalTransport
from gridtide_store import catalogue
from gridtide_store.estimates import yearly_load
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed

START = NOW - 4 * HOUR
DK = "/v1/zones/DK/intensity"
HALF = HOUR / 2


@pytest.fixture
def danish(publisher: Publisher) -> Iterator[Asker]:
    """Two zones of Denmark, one of them with load, the other without its last hour."""
    publisher.add(
        observed("DK-DK1", [100.0, 200.0, 300.0, 400.0], start=START),
        observed("DK-DK1", [3000.0, 1000.0, 2000.0, 2000.0], start=START, signal="load"),
        # Half hours: the means of the hours are 50, 60 and 70.
        observed("DK-DK2", [40.0, 60.0, 60.0, 60.0, 60.0, 80.0], start=START, step=HALF),
        observed("DK-DK2", [1000.0, 1000.0, None, 2000.0], start=START, signal="load"),
    )
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        yield ask


def test_a_range_is_the_mean_of_the_zones_weighted_by_load(danish: Asker) -> None:
    answer = danish.json(f"{DK}?start=2026-03-02T08:00Z")
    typical = yearly_load()["DK-DK2"]
    assert [slot["value"] for slot in answer["slots"]] == [
        87.5,  # (3000 x 100 + 1000 x 50) / 4000
        130.0,  # (1000 x 200 + 1000 x 60) / 2000
        pytest.approx((2000 * 300 + typical * 70) / (2000 + typical), abs=0.01),
        400.0,
    ]
    assert [slot["start"][11:13] for slot in answer["slots"]] == ["08", "09", "10", "11"]
    assert {slot["quality"] for slot in answer["slots"]} == {"derived"}
    # In the last hour DK2 has load but no value.
    assert answer["aggregate"]["known_share"] == [1.0, 1.0, 1.0, 0.5]


def test_the_response_names_the_zones_and_what_they_count_for(danish: Asker) -> None:
    answer = danish.json(f"{DK}?start=2026-03-02T08:00Z&end=2026-03-02T10:00Z")
    assert (answer["zone"], answer["certainty"]) == ("DK", "exact")
    assert answer["aggregate"]["zones"] == [
        {
            "zone": "DK-DK1",
            "name": "West Denmark",
            "load_share": 0.6667,
            "known_slots": 2,
            "weighed_by": "load",
            "source": "derived@ipcc_ar5/alpha",
        },
        {
            "zone": "DK-DK2",
            "name": "East Denmark",
            "load_share": 0.3333,
            "known_slots": 2,
            "weighed_by": "load",
            "source": "derived@ipcc_ar5/alpha",
        },
    ]


def test_the_latest_slot_is_the_newest_of_which_nearly_all_is_known(danish: Asker) -> None:
    # At 11:00 half of the load is known; the hour before, all of it.
    answer = danish.json(DK)
    assert [slot["start"][11:16] for slot in answer["slots"]] == ["10:00"]
    assert answer["aggregate"]["known_share"] == [1.0]
    assert answer["data_age_seconds"] == 3600.0
    before = danish.json(f"{DK}?as_of=2026-03-02T09:30Z")
    assert [slot["start"][11:16] for slot in before["slots"]] == ["08:00"]


def test_values_and_load_known_later_do_not_count_before(publisher: Publisher) -> None:
    later = NOW - HOUR
    publisher.add(
        observed("DK-DK1", [100.0, 200.0], start=START),
        observed("DK-DK2", [50.0, 60.0], start=START),
        observed("DK-DK1", [9000.0] * 2, start=START, signal="load", known_at=later),
        observed("DK-DK2", [70.0], start=START, known_at=later),
    )
    publisher.publish()
    load = yearly_load()
    typical = (load["DK-DK1"] * 100 + load["DK-DK2"] * 50) / (load["DK-DK1"] + load["DK-DK2"])
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        address = f"{DK}?start=2026-03-02T08:00Z&end=2026-03-02T09:00Z"
        before = ask.json(f"{address}&as_of=2026-03-02T10:30Z")
        now = ask.json(address)
    assert before["slots"][0]["value"] == pytest.approx(typical, abs=0.01)
    assert {each["weighed_by"] for each in before["aggregate"]["zones"]} == {"estimated load"}
    assert now["slots"][0]["value"] == pytest.approx(
        (9000 * 100 + load["DK-DK2"] * 70) / (9000 + load["DK-DK2"]), abs=0.01
    )
    assert now["slots"][0]["known_at"] == "2026-03-02T11:00:00Z"


def test_a_gap_of_all_zones_is_a_gap_and_an_aggregate_of_few_says_so(
    publisher: Publisher,
) -> None:
    publisher.add(observed("US-NY-NYIS", [100.0, None, 300.0], start=START))
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        answer = ask.json("/v1/zones/USA/intensity?start=2026-03-02T08:00Z")
    assert [slot["value"] for slot in answer["slots"]] == [100.0, None, 300.0, None]
    share = answer["aggregate"]["known_share"]
    members = [each.key for each in catalogue.load().members("US")]
    newer = {key for key in members if catalogue.load().zones[key].began}
    assert newer == {"US-NW-BHBA", "US-NW-SWPW"}  # of April 2026
    there = set(members) - newer
    expected = yearly_load()["US-NY-NYIS"] / sum(yearly_load()[key] for key in there)
    assert share == [pytest.approx(expected, abs=1e-4), 0.0, share[0], 0.0]
    assert 0.03 < share[0] < 0.05
    without = [each for each in answer["aggregate"]["zones"] if each["source"] is None]
    assert len(without) == len(members) - 1


def test_slots_longer_than_an_hour_or_cut_by_one_are_unknown(publisher: Publisher) -> None:
    day = timedelta(days=1)
    publisher.add(
        observed("DK-DK1", [100.0, 200.0], start=START),
        observed("DK-DK2", [50.0], start=START, step=day, known_at=NOW),
    )
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        answer = ask.json(f"{DK}?start=2026-03-02T08:00Z&end=2026-03-02T10:00Z")
    assert [slot["value"] for slot in answer["slots"]] == [100.0, 200.0]
    assert answer["aggregate"]["zones"][1]["known_slots"] == 0


def test_a_range_is_answered_where_the_newest_slots_are_of_no_use(publisher: Publisher) -> None:
    day = timedelta(days=1)
    publisher.add(
        observed("DK-DK1", [100.0, 200.0], start=START - 20 * day),
        observed("DK-DK2", [50.0], start=NOW - 1.5 * day, step=day),
    )
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        answer = ask.json(f"{DK}?start=2026-02-10T08:00Z&end=2026-02-10T10:00Z")
    assert [slot["value"] for slot in answer["slots"]] == [100.0, 200.0]
    assert answer["data_age_seconds"] == 12 * 3600


def test_a_range_of_too_many_slots_is_refused_with_the_range_that_is_not(
    publisher: Publisher,
) -> None:
    five = timedelta(minutes=5)
    publisher.add(observed("DK-DK1", [100.0] * 3, start=START, step=five))
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        answer = ask(f"{DK}?start=2025-03-02T08:00Z&end=2026-03-02T10:00Z")
    assert answer.status_code == 422
    assert "at most 100000" in answer.json()["detail"]


@pytest.mark.parametrize(
    "address",
    [
        "/v1/best-window?region=DK&hours=2",
        "/v1/best-region?region=DK&hours=2",
        "/v1/zones/DK/forecast",
    ],
)
def test_a_decision_is_refused_with_the_zones(danish: Asker, address: str) -> None:
    problem = danish.problem(address, 404, "no_data")
    assert problem["zones"] == ["DK-DK1", "DK-DK2"]
    assert "DK (Denmark) is an aggregate of 2 zones" in problem["detail"]


def test_a_country_that_was_imported_as_one_zone_answers_for_itself(
    publisher: Publisher,
) -> None:
    publisher.add(
        observed("DK", [111.0], start=START),
        observed("DK-DK1", [100.0], start=START),
    )
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        answer = ask.json(f"{DK}?start=2026-03-02T08:00Z&end=2026-03-02T09:00Z")
    assert [slot["value"] for slot in answer["slots"]] == [111.0]
    assert answer["aggregate"] is None


def test_a_zone_without_a_publisher_says_so_and_names_the_nearest(ask: Asker) -> None:
    for address in ("/v1/zones/AD/intensity", "/v1/best-window?region=AD&hours=1"):
        problem = ask.problem(address, 404, "no_data")
        assert "AD (Andorra) has no publisher" in problem["detail"]
        near = [each["zone"] for each in problem["nearest"]]
        assert near[:2] == ["FR", "ES"] or near[:2] == ["ES", "FR"]
        known = catalogue.load().zones
        assert all(known[key].sources for key in near)


def test_a_range_longer_than_a_year_is_refused_with_its_first_part(danish: Asker) -> None:
    address = f"{DK}?start=2024-03-01T00:00Z&end=2026-03-01T00:00Z"
    assert "at most 366 days" in danish.problem(address, 422, "bad_input")["detail"]


def test_an_aggregate_without_any_history_lists_its_zones(danish: Asker) -> None:
    assert "IT-NO" in danish.problem("/v1/zones/IT/intensity", 404, "no_data")["detail"]


def test_the_sdk_reads_an_aggregate(danish: Asker) -> None:
    with Client("http://test", transport=LocalTransport(Host(danish.app))) as client:
        answer = client.intensity("Denmark", start=START)
        assert answer.aggregate is not None
        assert answer.aggregate.known_share == (1.0, 1.0, 1.0, 0.5)
        with pytest.raises(NoData, match="DK-DK1"):
            client.best_window("DK", hours=1)


def test_every_zone_of_an_aggregate_has_a_yearly_load() -> None:
    known = catalogue.load()
    members = {each.key for key in known.zones for each in known.members(key)}
    assert members == set(yearly_load())
    assert sum(load == 0 for load in yearly_load().values()) == 3  # they generate only


def test_a_footprint_by_history_needs_one_zone(danish: Asker) -> None:
    question = {"region": "DK", "start": "2026-03-02T08:00Z", "hours": 1, "power_kw": 1}
    problem = danish.problem("/v1/footprint", 404, "no_data", question)
    assert problem["zones"] == ["DK-DK1", "DK-DK2"]


def test_a_zone_that_ended_has_no_weight_from_then_on(publisher: Publisher) -> None:
    start = datetime(2026, 3, 31, 23, tzinfo=UTC)
    publisher.add(observed("US-NW-WACM", [600.0, None], start=start))
    publisher.add(observed("US-NW-SWPW", [None, 500.0], start=start))
    publisher.add(observed("US-NW-PSCO", [400.0, 400.0], start=start))
    publisher.publish()
    with Asker(publisher.home, FixedClock(start + timedelta(hours=3))) as ask:
        answer = ask.json("/v1/zones/US-NW/intensity?start=2026-03-31T23:00Z")["aggregate"]
        problem = ask.problem("/v1/best-window?region=US-NW&hours=1", 404, "no_data")
    load = yearly_load()
    members = {each.key: load[each.key] for each in catalogue.load().members("US-NW")}
    old, new = {"US-NW-WACM", "US-NW-WAUW"}, {"US-NW-SWPW", "US-NW-BHBA"}
    before, after = (sum(members[key] for key in members.keys() - gone) for gone in (new, old))
    assert answer["known_share"][:2] == [
        pytest.approx((load["US-NW-WACM"] + load["US-NW-PSCO"]) / before, abs=1e-4),
        pytest.approx((load["US-NW-SWPW"] + load["US-NW-PSCO"]) / after, abs=1e-4),
    ]
    assert old.isdisjoint(problem["zones"])
    assert new <= set(problem["zones"])
