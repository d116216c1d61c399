"""Recorded reports of AEMO, 2018 to 2026: rows worked out by hand, and the table of units."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.source import Body, Request
from gridtide_pipelines.ingest.sources.aemo import SOURCE
from gridtide_pipelines.ingest.table import table

pytestmark = pytest.mark.recorded

KNOWN_AT = datetime(2026, 6, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def read(recorded: Path, name: str, zone: str) -> dict[tuple[str, str], float]:
    """Values by time and fuel."""
    content = (recorded / "fixtures/aemo" / name).read_bytes()
    frame = SOURCE.parse([Body(Request("GET", "/"), content, KNOWN_AT, 1)])
    rows = table(frame, SOURCE, zone, None).drop("zone").rows()
    return {(time, fuel): value for time, fuel, value in rows}


@pytest.mark.parametrize(
    ("name", "zone", "time", "fuel", "value"),
    [
        # AGLHAL burns gas and HDWF2 is a wind farm in South Australia; 00:05 ends at UTC+10.
        (
            "MMSDM_2018_04/PUBLIC_DVD_DISPATCH_UNIT_SCADA_201804010000.zip",
            *("AU-SA", "2018-03-31T14:00:00Z", "gas", 40.16999),
        ),
        (
            "MMSDM_2026_03/PUBLIC_ARCHIVE_DISPATCH_UNIT_SCADA_FILE01_202603010000.zip",
            *("AU-SA", "2026-02-28T14:00:00Z", "wind", 98.3),
        ),
        # AEMO intervened in this interval: the run of the intervention counts.
        (
            "MMSDM_2018_04/PUBLIC_DVD_DISPATCHINTERCONNECTORRES_201804010000.zip",
            *("AU-VIC->AU-NSW", "2018-03-31T14:00:00Z", "net_flow", 26.2874),
        ),
        (
            "MMSDM_2026_03/PUBLIC_ARCHIVE_DISPATCHREGIONSUM_FILE01_202603010000.zip",
            *("AU-NSW", "2026-02-28T14:00:00Z", "load", 7116.32),
        ),
        # The half hour that ends at 18:00; parts of Queensland are not read.
        (
            "reports/PUBLIC_ROOFTOP_PV_ACTUAL_MEASUREMENT_20230902183000_0000000396168829.zip",
            *("AU-QLD", "2023-09-02T07:30:00Z", "solar", 12.434),
        ),
        # -96.3 over Directlink and -325.6 over QNI.
        (
            "reports/PUBLIC_TRADINGIS_202308301800_0000000395916754.zip",
            *("AU-NSW->AU-QLD", "2023-08-30T07:55:00Z", "net_flow", -421.9),
        ),
        (
            "reports/PUBLIC_TRADINGIS_202308301800_0000000395916754.zip",
            *("AU-NSW", "2023-08-30T07:55:00Z", "price_aud", 299.99),
        ),
    ],
)
def test_tables_of_all_years_are_read(
    recorded: Path, name: str, zone: str, time: str, fuel: str, value: float
) -> None:
    assert read(recorded, name, zone)[time, fuel] == pytest.approx(value, abs=0.001)


def test_the_table_of_units_is_what_the_script_makes_of_the_registration_list(
    recorded: Path,
) -> None:
    path = ROOT / "infra/make_aemo_units.py"
    spec = importlib.util.spec_from_file_location("make_aemo_units", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    book = recorded / "fixtures/aemo/registration/NEM-Registration-and-Exemption-List.xlsx"
    made = script.build(book.read_bytes())
    assert [tuple(row) for row in script.read_table()] == made
    assert len(made) > 500
