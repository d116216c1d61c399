"""What is special about the sources of PJM, SPP and BPA."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import bpa, pjm, sources, spp
from gridtide_store import catalogue

DATA = Path(__file__).with_name("data")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def said(name: str, content: bytes, path: str = "/") -> pl.DataFrame:
    return sources()[name].parse([Body(Request("GET", path), content, NOW, 7)])


def written(name: str, file: str) -> pl.DataFrame:
    return said(name, (DATA / name / file).read_bytes())


def test_pjm_is_restricted_and_no_zone_names_it() -> None:
    assert pjm.SOURCE.restricted
    assert not [z for z in catalogue.load().zones.values() if "pjm" in z.sources]
    frame = written("pjm", "gen_by_fuel.json").head(5)
    values = dict(frame["signal", "value"].rows())
    assert values["generation_battery_storage"] == -12.5
    assert values["generation_unknown"] == 1750


def test_every_run_of_a_forecast_of_pjm_keeps_its_own_time() -> None:
    frame = written("pjm", "forecast_solar.json")
    assert frame["issued_at", "value"].rows() == [
        (datetime(2026, 3, 2, 1, tzinfo=UTC), 5100),
        (datetime(2026, 3, 2, 2, tzinfo=UTC), 5200),
    ]
    query = Query(Kind.GENERATION, ("US-MIDA-PJM",), NOW - 40 * DAY, NOW, NOW)
    first, second = pjm.requests(query)
    assert dict(first[0].params)["datetime_beginning_utc"] == (
        "2026-01-21T12:00:00 to 2026-02-21T00:00:00"
    )
    assert second[0].span is not None
    assert second[0].span.end == NOW


def test_parts_of_a_fuel_of_spp_are_added_up_and_areas_told_apart() -> None:
    frame = written("spp", "genmix_2026.csv").sort("zone", "start", "signal")
    east = frame.filter(zone="US-CENT-SWPP")
    assert east["signal", "value"].rows()[:7] == [
        ("generation_battery_storage", -40),
        ("generation_coal", 10000),
        ("generation_gas", 9500),
        ("generation_hydro", 1000),
        ("generation_unknown", 30),
        ("generation_wind", 10000),
        ("load", 31000),
    ]
    assert east.filter(signal="generation_hydro")["value"].to_list() == [1000, None]
    west = frame.filter(zone="US-NW-SWPW")
    assert west.filter(signal="load")["value"].to_list() == [3100, 3110]
    new = written("spp", "genmix_year_new_code.csv")
    assert new["signal", "value", "flag"].rows() == [
        ("generation_coal", 8000, None),
        ("generation_unknown", 7, "unmapped_code:Fusion"),
        ("load", 31000, None),
    ]


def test_a_large_file_of_spp_is_parsed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    content = (DATA / "spp/genmix_2026.csv").read_bytes()
    monkeypatch.setattr(spp, "PART", 150)
    parts = list(spp.parts(io.BytesIO(content)))
    assert len(parts) > 1
    found = pl.concat([said("spp", part) for part in parts])
    whole = said("spp", content)
    assert found.sort(found.columns).equals(whole.sort(whole.columns))
    assert list(spp.parts(io.BytesIO())) == [b""]


def test_a_file_of_spp_without_areas_is_of_the_one_in_its_address() -> None:
    content = (DATA / "spp/genmix_2018.csv").read_bytes()
    assert set(said("spp", content)["zone"]) == {"US-CENT-SWPP"}
    west = said("spp", content, "/?path=/SWPW/GenMix2Hour_SWPW.csv")
    assert set(west["zone"]) == {"US-NW-SWPW"}


def test_each_area_of_spp_has_files_of_its_own_and_one_of_a_year_has_both() -> None:
    zones = ("US-CENT-SWPP", "US-NW-SWPW")
    query = Query(Kind.GENERATION, zones, NOW - 370 * DAY, NOW, NOW)
    found = [(r.params[0][1].rpartition("/")[2], r.zones) for (r,) in spp.requests(query)]
    assert found == [
        ("GenMix_2025.csv", zones),
        ("GenMix365_SPP.csv", zones[:1]),
        ("GenMix365_SWPW.csv", zones[1:]),
        ("GenMix2Hour_SPP.csv", zones[:1]),
        ("GenMix2Hour_SWPW.csv", zones[1:]),
    ]


def test_large_files_of_spp_are_requested_for_days_that_are_over() -> None:
    zones = ("US-CENT-SWPP",)
    midnight = NOW.replace(hour=0)

    def paths(start: datetime) -> list[tuple[str, datetime]]:
        query = Query(Kind.GENERATION, zones, start, NOW, NOW)
        found = [request for (request,) in spp.requests(query)]
        return [(r.params[0][1], r.span.start) for r in found if r.span]

    assert paths(midnight) == [("/SPP/GenMix2Hour_SPP.csv", midnight)]
    assert paths(midnight - DAY) == [
        ("/SPP/GenMix365_SPP.csv", midnight - DAY),
        ("/SPP/GenMix2Hour_SPP.csv", midnight),
    ]
    assert [path for path, _ in paths(NOW - 800 * DAY)] == [
        *("/GenMix_2023.csv", "/GenMix_2024.csv", "/GenMix_2025.csv"),
        *("/SPP/GenMix365_SPP.csv", "/SPP/GenMix2Hour_SPP.csv"),
    ]


def test_wind_and_solar_power_of_bpa_in_one_are_unknown() -> None:
    frame = written("bpa", "baltwg3.csv")
    start = datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert frame.filter(start=start)["signal", "value"].rows() == [
        ("generation_hydro", 4500),
        ("generation_nuclear", 1100),
        ("generation_unknown", 2300),
        ("load", 6500),
    ]
    assert frame.height == 8  # rows still to come say nothing
    old = written("bpa", "baltwg_2014.csv")
    assert old["signal", "value"].rows() == [
        ("generation_hydro", 11225),
        ("generation_unknown", 1599),
        ("generation_wind", 3732),
        ("load", 6553),
    ]
    assert bpa.SOURCE.zones == {"US-NW-BPAT"}


def test_the_double_hour_of_bpa_follows_the_order_of_rows() -> None:
    header = "\t".join(("Date/Time", "Load", "VER", "Hydro"))
    rows = [f"11/01/2026 {t}\t{n}\t{n}\t{n}" for n, t in enumerate(("01:55", "01:00", "01:55"))]
    frame = said("bpa", "\n".join([header, *rows, ""]).encode()).filter(signal="load")
    rows_of = frame.sort("start")["start", "value", "flag"].rows()
    assert [(f"{start:%H:%M}", value, flag) for start, value, flag in rows_of] == [
        ("08:00", None, "ambiguous_time"),  # there once: of either hour
        ("08:55", 0, None),
        ("09:00", None, "ambiguous_time"),
        ("09:55", 2, None),
    ]


@pytest.mark.parametrize("name", ["bpa", "spp"])
def test_html_in_place_of_a_file_is_source_changed(name: str) -> None:
    with pytest.raises(SourceChanged, match=name):
        said(name, b"<!DOCTYPE html>\n<html><body>Date/Time\tLoad</body></html>")
