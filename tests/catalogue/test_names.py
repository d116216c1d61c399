"""Names of other tools and of people: resolved where they denote one zone, else explained."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, UnknownRegion
from gridtide_store import catalogue
from gridtide_store.catalogue import ZoneKind
from gridtide_store.names import Certainty, Names, fold, read_names
from gridtide_store.postcodes import AREAS, COUNTRIES, OTHER, zone_of_postcode
from gridtide_store.regions import How, resolve, resolve_zone

KNOWN = catalogue.load()
TABLE = tomllib.loads((catalogue.FOLDER / "names.toml").read_text(encoding="utf-8"))

# ISO 3166-1 alpha-3 of the countries whose alpha-2 code is a key of ours, by hand from the
# standard; GBR is left out, since the key GB is Great Britain without Northern Ireland.
ALPHA_3 = {
    **{"AND": "AD", "ALB": "AL", "AUT": "AT", "AUS": "AU", "ALA": "AX", "BIH": "BA"},
    **{"BEL": "BE", "BGR": "BG", "BLR": "BY", "CAN": "CA", "CHE": "CH", "CYP": "CY"},
    **{"CZE": "CZ", "DEU": "DE", "DNK": "DK", "EST": "EE", "ESP": "ES", "FIN": "FI"},
    **{"FRO": "FO", "FRA": "FR", "GGY": "GG", "GIB": "GI", "GRC": "GR", "HRV": "HR"},
    **{"HUN": "HU", "IRL": "IE", "IMN": "IM", "ISL": "IS", "ITA": "IT", "JEY": "JE"},
    **{"LIE": "LI", "LTU": "LT", "LUX": "LU", "LVA": "LV", "MCO": "MC", "MDA": "MD"},
    **{"MNE": "ME", "MKD": "MK", "MLT": "MT", "NLD": "NL", "NOR": "NO", "POL": "PL"},
    **{"PRT": "PT", "ROU": "RO", "SRB": "RS", "SWE": "SE", "SVN": "SI", "SJM": "SJ"},
    **{"SVK": "SK", "UKR": "UA", "USA": "US", "XKX": "XK"},
}


def meant(name: str) -> tuple[list[str], str]:
    """The candidates of the error for this name, in order, and its text."""
    with pytest.raises(UnknownRegion) as caught:
        resolve(name)
    near = caught.value.extra["nearest"]
    assert isinstance(near, list)
    return [each["zone"] for each in near], str(caught.value)


@pytest.mark.parametrize(("code", "zone"), ALPHA_3.items())
def test_three_letters_of_a_country_are_its_zone(code: str, zone: str) -> None:
    assert resolve(code).zone == resolve(code.lower()).zone == zone


def test_every_country_of_ours_has_its_three_letters_and_its_name_tested() -> None:
    countries = {zone.key for zone in KNOWN.zones.values() if zone.key == zone.country}
    assert {*ALPHA_3.values(), "GB"} == countries
    assert resolve("GBR").zone == "UK"
    for key in countries:
        assert resolve(KNOWN.zones[key].name).zone == key


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Great Britain", "GB"),
        ("UK-GB", "GB"),
        ("GB-GBN", "GB"),
        ("UK-NIR", "GB-NIR"),
        ("NIE", "GB-NIR"),
        ("EL", "GR"),
        ("Deutschland", "DE"),
        ("österreich", "AT"),
        ("Espana", "ES"),
        ("Czech Republic", "CZ"),
        ("the netherlands", "NL"),
        ("U.S.A.", "US"),
        ("IT_NORD", "IT-NO"),
        ("it-csud", "IT-CSO"),
        ("IT-Sicily", "IT-SIC"),
        ("NO_1", "NO-NO1"),
        ("SE 3", "SE-SE3"),
        ("dk_2", "DK-DK2"),
        ("10Y1001A1001A83F", "DE"),
        ("10ygb----------a", "GB"),
        ("10YFI-1--------U", "FI"),
        ("10Y1001A1001A46L", "SE-SE3"),
        ("10YIT-GRTN-----B", "IT"),
        ("AUS-NSW", "AU-NSW"),
        ("AUS_TAS", "AU-TAS"),
        ("NSW1", "AU-NSW"),
        ("CAN-ON", "CA-ON"),
        ("US-MISO", "US-MIDW-MISO"),
        ("US-BPA", "US-NW-BPAT"),
        ("US_CAL_CISO", "US-CAL-CISO"),
        ("ISO New England", "US-NE-ISNE"),
        ("Quebec", "CA-QC"),
    ],
)
def test_a_name_that_denotes_one_zone_is_resolved(name: str, zone: str) -> None:
    answer = resolve(name)
    assert (answer.zone, answer.how, answer.region) == (zone, How.ALIAS, name)
    assert (answer.certainty, answer.meaning) == (Certainty.EXACT, None)
    assert resolve_zone(name) == zone


@pytest.mark.parametrize(
    ("name", "zone", "certainty", "meaning"),
    [
        ("10YDE-VE-------2", "DE", "inside", "part of Germany"),
        ("50hertz", "DE", "inside", "a control area of Germany"),
        ("IT_ROSN", "IT-SO", "inside", "part of South Italy"),
        ("Wales", "GB", "inside", "Wales, part of Great Britain"),
        ("CAISO_NORTH", "US-CAL-CISO", "inside", "a part of CAISO"),
        ("ERCOT_SANANTONIO", "US-TEX-ERCO", "inside", "a part of ERCOT"),
        ("isone-wcma", "US-NE-ISNE", "inside", "a part of ISONE"),
        ("Vermont", "US-NE-ISNE", "inside", "the state of Vermont"),
        ("San Francisco", "US-CAL-CISO", "inside", "San Francisco, CA"),
        ("st. louis", "US-MIDW-MISO", "inside", "St Louis, MO"),
        ("Portland ME", "US-NE-ISNE", "inside", "Portland, ME"),
        ("DE_LU", "DE", "mostly", "the bidding zone of Germany and Luxembourg"),
        ("10Y1001A1001A82H", "DE", "mostly", "the bidding zone of Germany and Luxembourg"),
        ("New York", "US-NY-NYIS", "mostly", "the state or city of New York"),
    ],
)
def test_a_name_of_what_lies_in_a_zone_is_resolved_and_says_so(
    name: str, zone: str, certainty: str, meaning: str
) -> None:
    answer = resolve(name)
    assert (answer.zone, answer.certainty, answer.meaning) == (zone, certainty, meaning)
    with pytest.raises(UnknownRegion, match=zone):
        resolve_zone(name)  # a file of Wales is not one of Great Britain


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("UK", "UK"),
        ("u.k.", "UK"),
        ("GBR", "UK"),
        ("United Kingdom", "UK"),
        ("IE_SEM", "SEM"),
        ("NEM", "AU-NEM"),
        ("Canarias", "ES-CN"),
        ("CAL", "US-CAL"),
        ("Sverige", "SE"),
    ],
)
def test_a_name_of_several_zones_that_are_known_together_is_their_aggregate(
    name: str, zone: str
) -> None:
    assert resolve(name).zone == zone
    assert KNOWN.zones[zone].kind is ZoneKind.AGGREGATE
    assert len(KNOWN.members(zone)) > 1


@pytest.mark.parametrize(
    ("postcode", "zone"),
    [
        ("SW1A 1AA", "GB"),
        ("sw1a1aa", "GB"),
        ("EC1A 1BB", "GB"),
        ("N1", "GB"),
        ("KW15 1AA", "GB"),
        ("BT1 1AA", "GB-NIR"),
        ("ZE1", "GB-ZET"),
        ("JE2 3AB", "JE"),
        ("GY1 1AA", "GG"),
        ("IM1", "IM"),
        ("SE1 9AA", "GB"),
    ],
)
def test_a_postcode_is_in_the_zone_of_its_area(postcode: str, zone: str) -> None:
    answer = resolve(postcode)
    assert (answer.zone, answer.how, answer.certainty) == (zone, How.POSTCODE, "inside")


def test_a_bidding_zone_comes_before_an_outward_code_that_is_spelled_like_it() -> None:
    assert resolve("SE1").zone == "SE-SE1"


@pytest.mark.parametrize("area", sorted(COUNTRIES))
def test_an_outward_code_with_the_letters_of_a_country_needs_the_rest(area: str) -> None:
    with pytest.raises(UnknownRegion, match="Give the full postcode, as in SE5 8AA, or a zone"):
        resolve(f"{area}9")
    answer = resolve(f"{area}9 1AA")
    assert answer.how is How.POSTCODE
    near = _nearest(f"{area}9")
    assert near[0] == answer.zone
    assert not {each.country for each in KNOWN.zones.values()} & {area} or len(near) > 1


def test_the_areas_that_are_codes_of_countries_are_told_apart() -> None:
    countries = {each.country for each in KNOWN.zones.values()}
    # Of the Isle of Man and Jersey both are the same zone.
    assert countries & (AREAS | set(OTHER)) - {"IM", "JE"} <= COUNTRIES <= AREAS | set(OTHER)


def _nearest(text: str) -> list[str]:
    with pytest.raises(UnknownRegion) as caught:
        resolve(text)
    near = caught.value.extra["nearest"]
    assert isinstance(near, list)
    return [each["zone"] for each in near]


@pytest.mark.parametrize("text", ["QQ1", "SW1A 1AC", "SW1A 1A", "QX", "1AA", "ÅB1", "E1" * 50])
def test_what_is_not_a_postcode_is_unknown(text: str) -> None:
    assert zone_of_postcode(text) is None
    with pytest.raises(UnknownRegion):
        resolve(text)


@pytest.mark.parametrize(
    ("name", "zones", "says"),
    [
        ("Scotland", ["GB", "GB-ZET"], "part of Great Britain"),
        ("DE_AT_LU", ["DE", "AT", "LU"], "Germany, Austria and Luxembourg"),
        ("ERCOT_ONTARIO", ["US-TEX-ERCO"], "Did you mean US-TEX-ERCO"),
        ("Georgia", ["US-SE-SOCO"], "the state of Georgia or Georgia"),
        ("FR-BRE", ["FR"], "Did you mean FR (France)"),
        ("California", ["US-CAL-CISO", "US-CAL-LDWP"], "it means California"),
        ("US-CA", ["US-CAL-CISO", "US-CAL-LDWP"], "it means California"),
        ("WECC", ["US-CAL-CISO"], "reliability region"),
        # What two tools call different things is neither.
        ("SC", ["US-CAR-SC"], "(EIA) or South Carolina or Seychelles"),
        ("SA", ["AU-SA"], "South Australia or Saudi Arabia"),
        ("NE", ["US-CENT-SWPP"], "Nebraska or Niger"),
    ],
)
def test_a_name_of_several_zones_or_a_part_lists_those_meant_first(
    name: str, zones: list[str], says: str
) -> None:
    near, text = meant(name)
    assert near[: len(zones)] == zones
    assert says in text


@pytest.mark.parametrize(
    ("name", "country"),
    [
        ("JPN", "Japan"),
        ("IND", "India"),
        ("JP-TK", "Japan"),
        ("BRA", "Brazil"),
        ("South Korea", "South Korea"),
        ("10Y1001A1001A49F", "Russia"),
        ("me-south-1", "aws:me-south-1"),  # Bahrain, no part of Montenegro
        ("sa-east-1", "aws:sa-east-1"),  # São Paulo, not South Australia
    ],
)
def test_what_is_elsewhere_is_named_and_nothing_spelled_alike_is(
    name: str, country: str
) -> None:
    near, text = meant(name)
    assert near == []
    assert country in text
    assert "which gridtide does not cover" in text


def test_no_name_of_another_tool_hides_a_key_or_an_alias_of_ours() -> None:
    for zone in KNOWN.zones.values():
        for name in (zone.key, zone.key.replace("-", "_"), *zone.aliases):
            assert resolve(name).zone == zone.key


def test_every_certain_name_leads_to_its_zone_however_it_is_written() -> None:
    listed = [(key, name) for key, names in TABLE["zone"].items() for name in names]
    listed += [
        (each["zone"], name)
        for certainty in ("inside", "mostly")
        for each in TABLE[certainty]
        for name in each["names"]
    ]
    for key, name in listed:
        for written in (name, name.lower(), name.replace("_", "-"), f" {name} "):
            assert resolve(written).zone == key, written


def test_every_name_of_several_lists_its_zones_and_none_of_elsewhere_is_a_zone() -> None:
    for each in TABLE["several"]:
        for name in each["names"]:
            near, text = meant(name)
            assert set(each["zones"]) <= set(near), name
            assert each["means"] in text
    for code, each in TABLE["elsewhere"].items():
        for name in (code, each["name"], *each["names"]):
            assert each["name"] in meant(name)[1], name


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('several = []\n[zone]\nXX = ["Ex"]\n[elsewhere]', "no zone has the key XX"),
        ('several = []\n[zone]\nDE = ["Ex"]\nFR = ["ex"]\n[elsewhere]', "'ex' denotes a zone"),
        ('several = []\nmarkets = ["Ex"]\n[zone]\n[elsewhere]', "market ex is not the name"),
        ("several = [", "is not TOML"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(
    table: str, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "names.toml"
    path.write_text(table)
    with pytest.raises(BadInput, match=problem):
        read_names(path, {"DE": ["DE"], "FR": ["FR"]})


def test_short_codes_are_not_put_together_from_parts() -> None:
    # AU-S without its hyphen would be Australia, SE-N Senegal.
    assert KNOWN.names.find("AU-S") is None
    assert KNOWN.names.find("SE-N") is None


@given(st.text(max_size=80))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert isinstance(KNOWN.names, Names)


@pytest.mark.parametrize("name", ["DE-France", "GB-Quebec", "US_Ontario", "FR Deutschland"])
def test_a_zone_of_another_country_is_not_found_within_a_country(name: str) -> None:
    assert KNOWN.names.find(name) is None
    with pytest.raises(UnknownRegion):
        resolve(name)


@pytest.mark.parametrize(
    ("name", "zone"), [("Bosnia & Herzegovina", "BA"), ("bosnia and herzegovina", "BA")]
)
def test_and_may_be_a_sign(name: str, zone: str) -> None:
    assert resolve(name).zone == zone


@pytest.mark.parametrize("certain_first", [True, False])
def test_a_name_of_a_zone_and_of_several_is_refused(
    certain_first: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    several = 'several = [{ means = "both", names = ["Ab C"], zones = ["DE", "FR"] }]\n'
    zones, elsewhere = '[zone]\nDE = ["ab-c"]\n', "[elsewhere]\n"
    if not certain_first:
        zones, elsewhere = "[zone]\n", '[elsewhere]\nQQ = { name = "ab c", names = [] }\n'
        zones += 'DE = ["AB_C"]\n'
    path = tmp_path / "names.toml"
    path.write_text(several + zones + elsewhere, encoding="utf-8")
    with pytest.raises(BadInput, match="denotes a zone and something else"):
        read_names(path, {"DE": ["DE"], "FR": ["FR"]})


def check_character(code: str) -> str:
    """The last character of an EIC by its first 15 (ENTSO-E, EIC Reference Manual)."""
    order = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
    total = sum(
        (16 - place) * order.index(each) for place, each in enumerate(code.upper()[:15])
    )
    return order[36 - (total - 1) % 37]


def test_every_eic_in_the_table_has_its_check_character() -> None:
    names = [name for each in TABLE["zone"].values() for name in each]
    names += [
        name
        for kind in ("inside", "mostly", "several")
        for each in TABLE[kind]
        for name in each["names"]
    ]
    codes = [name for name in names if re.fullmatch(r"[0-9]{2}[YZTWVAX][0-9A-Z-]{13}", name)]
    assert len(codes) > 100
    assert [code for code in codes if check_character(code) != code[-1]] == []
