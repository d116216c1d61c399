"""Corrections of systematic errors: each rule, at both ends of its period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridtide.model import Quality
from gridtide_pipelines.ingest.corrections import corrections
from gridtide_pipelines.ingest.normalize import Normalized, normalize
from gridtide_pipelines.ingest.parsing import readings
from gridtide_pipelines.ingest.source import Body, Kind, Request, Span
from gridtide_pipelines.ingest.sources import sources
from gridtide_store import catalogue

HOUR = timedelta(hours=1)
KNOWN = datetime(2026, 6, 1, tzinfo=UTC)
PJM, CISO, SC = "US-MIDA-PJM", "US-CAL-CISO", "US-CAR-SC"
TEPC, AZPS, SRP = "US-SW-TEPC", "US-SW-AZPS", "US-SW-SRP"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def normalized(
    *given: tuple[str, str, str, float | None],
    corrected: bool = True,
    span: Span | None = None,
    source: str = "eia",
    issued_at: datetime | None = None,
) -> Normalized:
    """Readings of (zone, signal, published start, value), each of an hour, on their way."""
    frame = readings(
        zone=[each[0] for each in given],
        signal=[each[1] for each in given],
        start=[at(each[2]) for each in given],
        end=HOUR,
        value=[each[3] for each in given],
        quality=Quality.FORECAST if issued_at else Quality.MEASURED,
        issued_at=issued_at,
    )
    kind = Kind.FORECAST if issued_at else Kind.LOAD
    bodies = [Body(Request("GET", "/x", kind=kind), b"", KNOWN, 7)]
    return normalize(frame, sources()[source], bodies, span=span, corrected=corrected)


def said(found: Normalized) -> list[tuple[str, float | None]]:
    """Start and value of each observation."""
    rows = found.observations.select("slot_start", "value").rows()
    return [(f"{start:%Y-%m-%dT%H}", value) for start, value in rows]


def test_a_slot_is_moved_by_whole_hours_with_its_end_and_flagged() -> None:
    found = normalized((PJM, "load", "2026-03-01T05", 1.0))
    row = found.observations.row(0, named=True)
    assert row["slot_start"] == at("2026-03-01T06")
    assert row["slot_end"] == at("2026-03-01T07")
    assert row["quality"] == "measured"
    assert found.flags == {"corrected:shift": 1}


def test_the_switch_leaves_values_as_they_were_published() -> None:
    found = normalized(
        (PJM, "load", "2026-03-01T05", 1.0),
        ("US-CAL-BANC", "load", "2026-03-01T05", 9000.0),
        corrected=False,
    )
    assert said(found) == [("2026-03-01T05", 9000.0), ("2026-03-01T05", 1.0)]
    assert found.flags == {}


def test_a_correction_is_for_its_zone_signal_and_sources_alone() -> None:
    for zone, signal in ((PJM, "price_usd"), ("US-MIDW-MISO", "load"), ("PJM", "load")):
        assert said(normalized((zone, signal, "2026-03-01T05", 1.0))) == [
            ("2026-03-01T05", 1.0)
        ]
    assert said(normalized((PJM, "generation_wind", "2026-03-01T05", 1.0))) == [
        ("2026-03-01T06", 1.0)
    ]
    other = normalized((PJM, "load", "2026-03-01T05", 1.0), source="uk_carbon_intensity")
    assert said(other) == [("2026-03-01T05", 1.0)]


def test_a_forecast_is_left_as_published() -> None:
    found = normalized((PJM, "load", "2026-06-01T05", 1.0), issued_at=KNOWN)
    assert found.forecasts["slot_start"].to_list() == [at("2026-06-01T05")]
    assert found.flags == {}


@pytest.mark.parametrize(
    ("zone", "signal", "inside", "outside"),
    [
        (TEPC, "load", "2021-10-31T23", "2021-11-01T00"),
        (TEPC, "load", "2015-07-01T00", "2015-06-30T23"),
        (CISO, "load", "2022-06-14T06", "2022-06-14T07"),
        (CISO, "load", "2022-06-15T07", "2022-06-15T06"),
        (CISO, "load", "2022-06-16T06", "2022-06-16T07"),
        (CISO, "generation_gas", "2023-11-01T00", "2023-10-31T23"),
        (CISO, "generation_gas", "2024-11-30T23", "2024-12-01T00"),
        (SC, "load", "2020-12-30T23", "2020-12-31T00"),
        (f"{TEPC}->{AZPS}", "flow", "2021-10-24T23", "2021-10-25T00"),
        (f"{PJM}->US-NY-NYIS", "flow", "2015-07-01T00", "2015-06-30T23"),
        ("US-CAL-IID->US-CAL-CISO", "flow", "2021-01-01T08", "2021-01-01T07"),
    ],
)
def test_the_first_published_start_of_a_period_is_in_it_and_the_last_is_not(
    zone: str, signal: str, inside: str, outside: str
) -> None:
    ((moved, _),) = said(normalized((zone, signal, inside, 1.0)))
    assert moved != inside
    ((left, _),) = said(normalized((zone, signal, outside, 1.0)))
    assert left == outside


@pytest.mark.parametrize(
    ("published", "moved"),
    [
        # EST, EDT, and the hours around both changes of 2020.
        ("2020-01-15T12", "2020-01-15T07"),
        ("2020-07-15T12", "2020-07-15T08"),
        ("2020-03-08T06", "2020-03-08T01"),
        ("2020-03-08T07", "2020-03-08T03"),
        ("2020-11-01T05", "2020-11-01T01"),
        ("2020-11-01T06", "2020-11-01T01"),
    ],
)
def test_a_slot_may_be_moved_by_the_offset_of_a_time_zone(published: str, moved: str) -> None:
    assert said(normalized((SC, "load", published, 1.0))) == [(moved, 1.0)]


def test_what_pjm_reports_of_a_border_moves_by_four_hours_in_winter_and_three_in_summer() -> (
    None
):
    pair = f"{PJM}->US-NY-NYIS"
    assert said(normalized((pair, "flow", "2026-01-15T12", 5.0))) == [("2026-01-15T08", 5.0)]
    assert said(normalized((pair, "flow", "2025-07-15T12", 5.0))) == [("2025-07-15T09", 5.0)]
    # The other end reports in time.
    turned = f"US-NY-NYIS->{PJM}"
    assert said(normalized((turned, "flow", "2025-07-15T12", 5.0))) == [("2025-07-15T12", -5.0)]


def test_where_labels_change_the_hour_that_needs_no_correction_stands() -> None:
    found = normalized(
        (TEPC, "load", "2021-10-31T22", 22.0),
        (TEPC, "load", "2021-10-31T23", 23.0),
        (TEPC, "load", "2021-11-01T00", 24.0),
        (TEPC, "load", "2021-11-01T01", 25.0),
    )
    assert said(found) == [
        ("2021-10-31T23", 22.0),
        ("2021-11-01T00", 24.0),
        ("2021-11-01T01", 25.0),
    ]
    assert "conflict" not in found.flags


def test_a_slot_that_moves_out_of_the_requested_time_is_kept() -> None:
    span = Span(at("2021-10-01T00"), at("2021-10-02T00"))
    pair = f"{TEPC}->{AZPS}"
    found = normalized(
        (pair, "flow", "2021-10-01T00", 5.0), (pair, "flow", "2021-09-30T20", 6.0), span=span
    )
    # -7 h, and the pair in order of name.
    assert said(found) == [("2021-09-30T17", -5.0)]
    assert found.flags == {"corrected:shift": 2, "unasked_time:flow": 1}


def test_a_sign_is_reversed_until_its_day() -> None:
    # The shift of the same reports takes three hours off.
    pair = f"{PJM}->US-NY-NYIS"
    before = normalized((pair, "flow", "2019-10-31T03", 7.0))
    assert said(before) == [("2019-10-31T00", -7.0)]
    assert before.flags == {"corrected:factor": 1, "corrected:shift": 1}
    assert said(normalized((pair, "flow", "2019-10-31T04", 7.0))) == [("2019-10-31T01", 7.0)]


def test_what_is_counted_twice_is_nothing_and_a_gap_stays_a_gap() -> None:
    found = normalized(
        (AZPS, "generation_nuclear", "2019-12-04T05", 4000.0),
        (AZPS, "generation_nuclear", "2019-12-04T06", 4000.0),
    )
    assert said(found) == [("2019-12-04T05", 0.0), ("2019-12-04T06", 4000.0)]
    null = normalized((AZPS, "generation_nuclear", "2019-12-04T05", None))
    assert said(null) == [("2019-12-04T05", None)]


def test_of_two_reports_the_wrong_one_is_left_out() -> None:
    both = ((f"{AZPS}->{SRP}", "flow"), (f"{SRP}->{AZPS}", "flow"))
    for hour, value in (("2020-06-01T06", 40.0), ("2020-06-01T07", 90.0)):
        found = normalized((*both[0], hour, 90.0), (*both[1], hour, -40.0))
        assert said(found) == [(hour, value)]
    alone = normalized((*both[0], "2020-06-01T06", 90.0))
    assert said(alone) == []


@pytest.mark.parametrize(
    ("zone", "value", "fits"),
    [
        ("US-CAL-BANC", 6500.0, True),
        ("US-CAL-BANC", 6501.0, False),
        ("US-CAL-BANC", 0.0, False),
        (AZPS, 30_001.0, False),
        ("US-TEN-TVA", 30_001.0, True),
    ],
)
def test_a_value_outside_the_range_of_its_zone_is_implausible(
    zone: str,
    value: float,
    fits: bool,  # noqa: FBT001
) -> None:
    found = normalized((zone, "load", "2026-03-01T05", value))
    assert said(found) == ([("2026-03-01T05", value)] if fits else [])
    assert found.flags == ({} if fits else {"implausible:load": 1})


def test_every_row_of_the_table_is_of_known_zones_sources_and_rules() -> None:
    zones = set(catalogue.load().zones)
    for each in corrections():
        assert set(each.sources) <= set(sources()) | {"eia_bulk"}
        assert set(each.zone.removesuffix("->*").split("->")) <= zones
        assert each.since is not None
        assert each.until is None or each.since < each.until
    rows = catalogue.read_table("corrections.csv")
    assert all(row["why"] and row["citation"] for row in rows)
