"""The newest hours of a publisher: what is known of them when, and what must wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.normalize import Normalized, normalize
from gridtide_pipelines.ingest.parsing import readings
from gridtide_pipelines.ingest.source import Body, Kind, Request, Span
from gridtide_pipelines.ingest.sources import sources

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PJM = "US-MIDA-PJM"  # its fuels are labelled an hour early


def normalized(known_at: datetime, *hours: int) -> Normalized:
    """Wind power of PJM in the hours that EIA labels so, counted from noon."""
    frame = readings(
        zone=PJM,
        signal="generation_wind",
        start=[NOON + hour * HOUR for hour in hours],
        end=HOUR,
        value=[100.0 + hour for hour in hours],
    )
    body = Body(Request("GET", "/x", zones=(PJM,)), b"", known_at, 1)
    span = Span(NOON - 24 * HOUR, known_at)
    return normalize(frame, sources()["eia"], [body], span=span)


def stored(found: Normalized) -> list[tuple[datetime, float]]:
    return found.observations.select("slot_start", "value").rows()


def test_an_hour_that_only_a_correction_moves_beyond_now_waits() -> None:
    found = normalized(NOON, -2, -1)
    assert stored(found) == [(NOON - HOUR, 98.0)]
    assert dict(found.flags) == {"corrected:shift": 1, "not_over": 1}
    assert set(found.anomalies["flag"]) == {"corrected:shift"}
    assert (found.refused, found.refused_slots) == ((), ())
    # An hour later it is over, and stored.
    later = normalized(NOON + HOUR, -2, -1)
    assert stored(later) == [(NOON - HOUR, 98.0), (NOON, 99.0)]
    assert dict(later.flags) == {"corrected:shift": 2}


def test_an_hour_that_is_labelled_beyond_now_is_an_anomaly_all_the_same() -> None:
    found = normalized(NOON, -2, 0)
    assert stored(found) == [(NOON - HOUR, 98.0)]
    assert found.flags["future:generation_wind"] == 1
    assert "not_over" not in found.flags
    assert found.refused_slots == ((PJM, NOON + HOUR),)


def test_a_forecast_of_several_pages_is_known_with_its_last() -> None:
    source = sources()["entsoe"]
    request = Request("GET", "/x", kind=Kind.FORECAST, zones=("AT",))
    pages = [Body(request, b"", NOON + n * HOUR, 1 + n) for n in range(2)]
    frame = readings(
        zone="AT",
        signal="load",
        start=[NOON + 24 * HOUR, NOON + 25 * HOUR],
        end=HOUR,
        value=[1.0, 2.0],
        quality=Quality.FORECAST,
        issued_at=NOON,
        body=[0, 1],
    )
    other = frame.with_columns(pl.lit("generation_wind").alias("signal"))[:1]
    found = normalize(pl.concat([frame, other]), source, pages).forecasts
    assert found.select("signal", "known_at").rows() == [
        ("generation_wind", NOON),
        ("load", NOON + HOUR),
        ("load", NOON + HOUR),
    ]
