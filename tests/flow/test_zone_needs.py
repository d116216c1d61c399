"""What each zone needs: the fewest keys, and its sources in order of trust."""

from __future__ import annotations

import json

import pytest

from gridtide.cli.script import main
from gridtide_pipelines.ingest.needs import (
    ALLOW,
    ESTIMATED,
    live_with,
    needs_of,
    signals_of,
    sources_of,
)
from gridtide_pipelines.ingest.sources import sources
from gridtide_store import catalogue
from gridtide_store.estimates import estimated_zones


@pytest.mark.parametrize(
    ("zone", "needs"),
    [
        ("DE", ()),  # Energy-Charts needs nothing, ENTSO-E comes first with a token
        ("US-CAL-BANC", ()),  # EIA's page
        ("NO-NO1", ("ENTSOE_API_TOKEN",)),  # or eSett, which is restricted
        ("CA-AB", (ALLOW,)),
        ("CA-MB", ("EIA_API_KEY",)),
        ("CA-NB", None),
        ("BY", None),
    ],
)
def test_a_zone_needs_the_fewest_variables(zone: str, needs: tuple[str, ...] | None) -> None:
    assert live_with(zone) == needs


def test_every_source_of_a_zone_is_listed_in_order_of_trust() -> None:
    assert [each.name for each in sources_of("US-TEX-ERCO")][:3] == ["ercot", "eia", "eia_bulk"]
    for record in catalogue.load().zones.values():
        names = {each.name for each in sources_of(record.key)}
        assert set(record.sources) <= names | {"simulated"}, record.key


def test_an_estimated_zone_names_what_its_flows_need() -> None:
    assert set(ESTIMATED) == set(estimated_zones())
    variables = {name for source in sources().values() for name in needs_of(source)}
    for zone, needs in ESTIMATED.items():
        assert set(needs) <= variables
        assert signals_of(zone)[-1] == "estimate"


def test_the_command_says_it_of_one_zone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "--zone", "CA-MB,NO-NO1"], {}) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "CA-MB: needs EIA_API_KEY; estimate"
    assert said[1].startswith("NO-NO1: needs ENTSOE_API_TOKEN; ")
    assert said[2].startswith("    entsoe: needs ENTSOE_API_TOKEN; ")
    assert main(["sources", "--zone", "CA-NB", "--json"], {}) == 0
    (zone,) = json.loads(capsys.readouterr().out)["zones"]
    assert (zone["needs"], zone["signals"]) == (None, ["forecast", "load"])
