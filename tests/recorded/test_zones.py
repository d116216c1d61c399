"""The zones of the published table: each that names a source is filled by one here."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.needs import live_with, sources_of
from gridtide_store import catalogue

pytestmark = pytest.mark.recorded

# Under another name here, or by another publisher.
INSTEAD = {"pei_wind": "other_canada", "bchydro": "statcan_hfed"}
OTHER = {"IS": "landsnet"}  # it is in no answer of ENTSO-E
# Zones that are not filled, each with the reason; docs/sources.md names them.
NOT_FILLED = {
    "BY": "ENTSO-E publishes no mix of it",
    "MT": "ENTSO-E publishes no mix of it",
    "AU-TAS-FI": "a page that speaks SignalR, of unknown terms",
    "AU-TAS-KI": "a page that speaks SignalR, of unknown terms",
    "AU-WA-RI": "a page that speaks SignalR, of unknown terms",
    "US-AK-SEAPA": "a page without a time, of unknown terms",
}
LOAD_ONLY = {"CA-NB"}


def test_every_zone_that_names_a_source_is_filled_by_it(recorded: Path) -> None:
    with (recorded / "design/zones.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["kind"] == "zone"]
    named = {row["zone"]: row["primary_source"] for row in rows}
    wrong = []
    for zone, source in named.items():
        if source == "none" or zone in NOT_FILLED:
            continue
        ours = OTHER.get(zone, INSTEAD.get(source, source))
        if ours not in {each.name for each in sources_of(zone)}:
            wrong.append(f"{zone}: {source}")
        if live_with(zone) is None and zone not in LOAD_ONLY:
            wrong.append(f"{zone}: no intensity")
    assert wrong == []
    assert NOT_FILLED.keys() <= {zone for zone, source in named.items() if source != "none"}
    filled = [zone for zone in NOT_FILLED if zone in catalogue.load().zones]
    assert [zone for zone in filled if sources_of(zone)] == []
    document = (Path(__file__).parents[2] / "docs/sources.md").read_text()
    assert [zone for zone in NOT_FILLED if f"`{zone}`" not in document] == []
