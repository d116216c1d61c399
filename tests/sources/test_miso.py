"""What is special about the source of the Midcontinent ISO."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from gridtide_pipelines.ingest.source import Body, Kind, Query, Request, Span
from gridtide_pipelines.ingest.sources.miso import SOURCE, parse, requests

DATA = Path(__file__).with_name("data") / "miso"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # EST, all year
HOUR = timedelta(hours=1)


def written(*names: str, path: str = "/") -> pl.DataFrame:
    contents = [(DATA / f"{name}.json").read_bytes() for name in names]
    return parse([Body(Request("GET", path), each, NOW, n) for n, each in enumerate(contents)])


def test_labels_are_starts_in_est_and_numbers_are_text() -> None:
    frame = written("fuelmix")
    assert frame["start"].unique().to_list() == [MIDNIGHT, MIDNIGHT + timedelta(minutes=415)]
    first = dict(frame.filter(start=MIDNIGHT)["signal", "value"].rows())
    assert first["generation_battery_storage"] == -150
    assert first["imports"] == 3200
    assert first["generation_unknown"] == 900
    new = written("fuelmix_new_code")
    assert new["signal", "value", "flag"].rows() == [
        ("generation_unknown", 787, "unmapped_code:Fusion")
    ]


def test_rows_of_today_in_both_files_count_once() -> None:
    assert written("fuelmix", "fuelmix").equals(
        written("fuelmix").with_columns(body=pl.lit(1, pl.UInt32))
    )


def test_wind_and_solar_are_told_apart_by_address_or_by_night() -> None:
    frame = written("forecast_wind", "forecast_solar")
    assert frame["signal"].unique(maintain_order=True).to_list() == [
        *("generation_wind", "generation_solar")
    ]
    assert set(frame["issued_at"]) == {MIDNIGHT + 6 * HOUR}
    named = written("forecast_wind", path="/api/WindSolar/getsolarforecast")
    assert set(named["signal"]) == {"generation_solar"}


def test_load_and_its_forecast_are_of_the_day_named_beside_them() -> None:
    frame = written("load")
    assert frame["start", "value"].rows() == [
        (MIDNIGHT, 70100),
        (MIDNIGHT + timedelta(minutes=5), 70050),
        (MIDNIGHT, 70000),
        (MIDNIGHT + 23 * HOUR, 72000),
    ]
    assert frame["issued_at"].null_count() == 2


def test_load_just_after_midnight_is_of_the_day_that_ended() -> None:
    content = (DATA / "load.json").read_bytes().replace(b"00:05", b"23:55")
    for said, day in ((b"Interval 23:55", 0), (b"Interval 00:00", -1)):
        body = Body(Request("GET", "/"), content.replace(b"Interval 06:55", said), NOW, 1)
        frame = parse([body])
        load = frame.filter(pl.col("issued_at").is_null())
        # Of which day the forecast is, nothing says then.
        assert frame.height - load.height == (0 if day else 2)
        first = MIDNIGHT + day * 24 * HOUR
        assert load["start"].to_list() == [first, first + 24 * HOUR - timedelta(minutes=5)]


def test_no_address_is_requested_for_two_kinds() -> None:
    paths = [
        request.path
        for kind in SOURCE.kinds
        for (request,) in requests(Query(kind, ("US-MIDW-MISO",), NOW - HOUR, NOW, NOW))
    ]
    assert len(paths) == len(set(paths))


def test_today_and_yesterday_in_est_have_an_address_each() -> None:
    start = NOW - 24 * HOUR
    query = Query(Kind.GENERATION, ("US-MIDW-MISO",), start, NOW, NOW)
    assert [(request.path, request.span) for (request,) in requests(query)] == [
        ("/api/FuelMix/Yesterday", Span(start, MIDNIGHT)),
        ("/api/FuelMix/Today", Span(MIDNIGHT, NOW)),
    ]
