"""Authorities merged into the zones they belong to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridtide_pipelines.ingest.merges import merges, with_parts
from gridtide_pipelines.ingest.normalize import Normalized, normalize
from gridtide_pipelines.ingest.parsing import readings
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.sources.eia import SOURCE
from gridtide_store import catalogue

HOUR = timedelta(hours=1)
KNOWN = datetime(2026, 6, 1, tzinfo=UTC)
AVRN, BPAT, PACW = "US-NW-AVRN", "US-NW-BPAT", "US-NW-PACW"
DEAA, HGMA, SRP = "US-SW-DEAA", "US-SW-HGMA", "US-SW-SRP"
GRIF, WALC = "US-SW-GRIF", "US-SW-WALC"
AEC, SOCO, MISO = "US-SE-AEC", "US-SE-SOCO", "US-MIDW-MISO"
GAS, WIND, SOLAR = "generation_gas", "generation_wind", "generation_solar"


def normalized(
    *given: tuple[str, str, float | None],
    day: str = "2026-03-01",
    body: list[int] | None = None,
    source: str = "eia",
) -> Normalized:
    """Readings of (zone, signal, value) of the hour from 05:00 UTC, on their way."""
    start = datetime.fromisoformat(f"{day}T05:00+00:00")
    frame = readings(
        zone=[each[0] for each in given],
        signal=[each[1] for each in given],
        start=[start] * len(given),
        end=HOUR,
        value=[each[2] for each in given],
        body=body or 0,
    )
    bodies = [Body(Request("GET", "/x"), b"", KNOWN + n * HOUR, 70 + n) for n in range(2)]
    return normalize(frame, sources()[source], bodies)


def said(found: Normalized) -> dict[tuple[str, str], float | None]:
    rows = found.observations.select("zone", "signal", "value").rows()
    return {(zone, signal): value for zone, signal, value in rows}


WHOLE = (
    (AVRN, WIND, 328.0),
    (AVRN, GAS, 411.0),
    (AVRN, SOLAR, 2.0),
    (BPAT, WIND, 384.0),
    (BPAT, SOLAR, 15.0),
    (PACW, GAS, 0.0),
    (PACW, WIND, 122.0),
)


def test_a_part_goes_fuel_by_fuel_into_the_zones_it_belongs_to() -> None:
    found = normalized(*WHOLE)
    assert said(found) == {
        (BPAT, WIND): 712.0,
        (BPAT, SOLAR): 17.0,
        (PACW, GAS): 411.0,
        (PACW, WIND): 122.0,
    }
    assert found.flags == {}
    assert set(found.observations["quality"]) == {"measured"}


def test_a_sum_that_lacks_a_part_is_unknown_and_not_smaller() -> None:
    # The wind of AVRN is missing, then the whole of AVRN.
    found = normalized(*WHOLE[1:])
    assert said(found)[BPAT, WIND] is None
    assert said(found)[PACW, GAS] == 411.0
    assert found.flags == {f"unmerged:{AVRN}": 1}
    # What the zone itself has is noted with the flag, so that it can be accepted.
    noted = found.anomalies.select("zone", "signal", "value", "flag").rows()
    own = next(value for zone, signal, value in WHOLE[1:] if (zone, signal) == (BPAT, WIND))
    assert noted == [(BPAT, WIND, own, f"unmerged:{AVRN}")]
    assert said(normalized(*WHOLE[3:])) == {
        (BPAT, WIND): None,
        (BPAT, SOLAR): 15.0,
        (PACW, GAS): None,
        (PACW, WIND): 122.0,
    }
    null = normalized((AVRN, WIND, None), *WHOLE[1:])
    assert said(null)[BPAT, WIND] is None


def test_a_part_without_the_zone_is_unknown() -> None:
    assert said(normalized(*WHOLE[:3])) == {
        (BPAT, WIND): None,
        (BPAT, SOLAR): None,
        (PACW, GAS): None,
    }
    # The zone is there, its wind is not.
    assert said(normalized(*WHOLE[:3], *WHOLE[4:]))[BPAT, WIND] is None


def test_where_both_lack_the_fuel_it_is_a_gap_and_not_absent() -> None:
    found = normalized((SRP, SOLAR, 11.0))
    assert said(found) == {(SRP, SOLAR): 11.0, (SRP, GAS): None}


def test_a_part_that_may_have_ended_is_added_where_it_reports() -> None:
    without = normalized((SRP, GAS, 1900.0), (DEAA, GAS, -2.0))
    assert said(without) == {(SRP, GAS): 1898.0}
    both = normalized((SRP, GAS, 1900.0), (DEAA, GAS, -2.0), (HGMA, GAS, 300.0))
    assert said(both) == {(SRP, GAS): 2198.0}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2023-10-31", {(WALC, GAS): 845.0}),
        ("2023-11-01", {(WALC, GAS): 371.0, (GRIF, GAS): 474.0}),
    ],
)
def test_a_merge_holds_for_its_days(
    day: str, expected: dict[tuple[str, str], float | None]
) -> None:
    assert said(normalized((WALC, GAS, 371.0), (GRIF, GAS, 474.0), day=day)) == expected


def test_a_retired_authority_is_a_zone_of_its_own_before() -> None:
    given = ((SOCO, "load", 20_000.0), (AEC, "load", 600.0))
    assert said(normalized(*given, day="2021-08-31")) == {
        (SOCO, "load"): 20_000.0,
        (AEC, "load"): 600.0,
    }
    assert said(normalized(*given, day="2021-09-01")) == {(SOCO, "load"): 20_600.0}
    assert said(normalized(given[0], day="2021-09-01")) == {(SOCO, "load"): 20_000.0}
    assert said(normalized(given[1], day="2021-09-01")) == {(SOCO, "load"): None}


def test_a_flow_between_merged_pairs_is_inner_and_vanishes() -> None:
    found = normalized(
        (f"{AVRN}->{BPAT}", "flow", 670.0),
        (f"{BPAT}->{AVRN}", "flow", -61.0),
        (f"{PACW}->{AVRN}", "flow", -338.0),
        (f"{BPAT}->{PACW}", "flow", 50.0),
        (f"{DEAA}->{SRP}", "flow", 9.0),
    )
    assert said(found) == {(f"{BPAT}->{PACW}", "flow"): 50.0}


def test_a_flow_of_a_retired_authority_continues_in_its_zone() -> None:
    given = (
        (f"{MISO}->{AEC}", "flow", 100.0),
        (f"{MISO}->{SOCO}", "flow", -30.0),
        (f"{AEC}->{SOCO}", "flow", 5.0),
    )
    assert said(normalized(*given, day="2021-09-01")) == {(f"{MISO}->{SOCO}", "flow"): 70.0}
    assert len(said(normalized(*given, day="2021-08-31"))) == 3


def test_the_newest_page_of_each_part_counts_once_and_the_sum_is_known_with_the_last() -> None:
    found = normalized(
        (WALC, GAS, 1.0),
        (WALC, GAS, 2.0),
        (GRIF, GAS, 10.0),
        day="2023-10-31",
        body=[0, 1, 0],
    )
    row = found.observations.row(0, named=True)
    assert (row["value"], row["retrieval_id"]) == (12.0, 71)
    assert row["known_at"] == KNOWN + HOUR


def test_a_part_whose_body_contradicts_itself_leaves_the_sum_unknown() -> None:
    given = ((WALC, GAS, 1.0), (WALC, GAS, 2.0), (GRIF, GAS, 10.0))
    found = normalized(*given, day="2023-10-31", body=[0, 0, 0])
    assert said(found) == {(WALC, GAS): None}
    assert found.flags == {"conflict": 1}
    (noted,) = found.anomalies.select("zone", "signal", "flag").rows()
    assert noted == (WALC, GAS, "conflict")
    # The same value twice is no contradiction, nor is that of a later body.
    again = normalized(*given[:1] * 2, given[2], day="2023-10-31", body=[0, 0, 0])
    assert (said(again), again.flags) == ({(WALC, GAS): 11.0}, {})
    later = normalized(*given[:2], given[1], given[2], day="2023-10-31", body=[0, 1, 1, 0])
    assert (said(later), later.flags) == ({(WALC, GAS): 12.0}, {})


def test_other_sources_are_left_alone() -> None:
    assert len(said(normalized(*WHOLE, source="uk_carbon_intensity"))) == len(WHOLE)


def test_parts_are_requested_with_the_zone_they_are_merged_into() -> None:
    assert with_parts([BPAT], "eia") == [BPAT, AVRN]
    assert with_parts([BPAT], "entsoe") == [BPAT]
    start = datetime(2026, 3, 1, tzinfo=UTC)
    query = Query(Kind.GENERATION, (BPAT,), start, start + 24 * HOUR, KNOWN)
    ((request,),) = SOURCE.requests(query)
    codes = [value for name, value in request.params if name == "facets[respondent][]"]
    assert codes == ["BPAT", "AVRN"]
    assert request.zones == (BPAT,)


def test_what_is_always_merged_is_not_a_zone_of_the_source() -> None:
    zones = catalogue.load().zones
    for each in merges("eia"):
        assert each.part in zones
        assert each.into in SOURCE.zones
        always = each.since is None or each.since.year <= 2018
        assert (each.part in SOURCE.zones) != always
    rows = catalogue.read_table("merges.csv")
    assert all(row["why"] and row["citation"] for row in rows)
