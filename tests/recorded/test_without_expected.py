"""Recorded bodies that nobody has read before: rows worked out by hand from the body."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.source import Body, Kind, Request
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.table import table, zones_of

pytestmark = pytest.mark.recorded

KNOWN_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Elia: Biomass + Waste, Wind Onshore + Offshore; gas is null in two of three quarters and
# pumped storage in all; energy storage charges.
BELGIUM = {
    "2024-01-01T01:00:00Z": {
        "battery_storage": -40.0,
        "biomass": 71.0 + 250.0,
        "hydro": 46.7,
        "nuclear": 3948.0,
        "oil": 0.0,
        "solar": 0.0,
        "unknown": 607.0,
        "wind": 2116.0 + 2101.0,
    },
    "2024-01-01T01:30:00Z": {
        "battery_storage": -45.0,
        "biomass": 74.6 + 251.24,
        "gas": 560.96,
        "hydro": 46.67,
        "nuclear": 3947.66,
        "oil": 0.0,
        "solar": 0.0,
        "unknown": 600.66,
        "wind": 2154.14 + 2097.65,
    },
    "2024-01-01T01:45:00Z": {
        "battery_storage": -50.0,
        "biomass": 72.09 + 248.56,
        "hydro": 46.86,
        "nuclear": 3947.71,
        "oil": 0.0,
        "solar": 0.0,
        "unknown": 591.49,
        "wind": 2167.52 + 2098.98,
    },
}


def rows(
    recorded: Path, source: str, file: str, zone: str, url: str = "/"
) -> list[tuple[str, str, str, float]]:
    publisher = sources()[source]
    request = Request("GET", url, zones=zones_of(publisher, zone))
    content = (recorded / "fixtures" / source / file).read_bytes()
    readings = publisher.parse([Body(request, content, KNOWN_AT, 0)])
    return table(readings, publisher, zone, Kind.GENERATION).rows()


def test_the_belgian_mix(recorded: Path) -> None:
    wanted = [
        ("BE", time, fuel, mw) for time, mix in BELGIUM.items() for fuel, mw in mix.items()
    ]
    found = rows(recorded, "elia", "production.json", "BE")
    assert [row[:3] for row in found] == [row[:3] for row in wanted]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in wanted], abs=0.01)


def test_the_wind_of_southern_sweden(recorded: Path) -> None:
    url = "/ProductionConsumption/DownloadText?ConstraintAreaId=SN4&ProductionSortId=VI"
    found = rows(recorded, "svk", "mimer_SN4_wind_20210101.csv", "SN4", url)
    assert len(found) == 48
    # kWh of an hour, in CET: from 2021-01-01 00:00 to 2021-01-02 23:00.
    assert found[0] == ("SN4", "2020-12-31T23:00:00Z", "wind", pytest.approx(562.120272))
    assert found[-1] == ("SN4", "2021-01-02T22:00:00Z", "wind", pytest.approx(81.25584))
    # The last line of the body is the sum of all: 3,789,925.966 kWh.
    assert sum(row[3] for row in found) == pytest.approx(3789.925966)


def test_corsica(recorded: Path) -> None:
    content = (recorded / "fixtures/rte/FR_COR.json").read_bytes()
    source = sources()["edf_sei"]
    readings = source.parse([Body(Request("GET", "/"), content, KNOWN_AT, 0)])
    found = table(readings, source, "FR-COR", Kind.GENERATION).rows()
    first = {row[2]: row[3] for row in found if row[1] == "2024-12-15T10:45:00Z"}
    assert first == {
        "battery_storage": 0.0,
        "biomass": 2.0,
        "hydro": pytest.approx(14.2 + 12.5),
        "imports": 55.7,
        "oil": 105.2,
        "solar": 103.8,
        "wind": 0.0,
    }
    assert len(found) == 14
