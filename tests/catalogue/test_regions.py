"""What a user may pass as a region, and what is refused with which candidates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, UnknownRegion
from gridtide_store import catalogue
from gridtide_store.regions import How, Resolution, resolve, split_regions

KNOWN = catalogue.load()


def nearest(region: str) -> list[str]:
    """What the error for this region suggests, in order."""
    with pytest.raises(UnknownRegion) as caught:
        resolve(region)
    candidates = caught.value.extra["nearest"]
    assert isinstance(candidates, list)
    for candidate in candidates:
        assert candidate["region"] in str(caught.value)
        assert candidate["name"] in str(caught.value)
    return [candidate["region"] for candidate in candidates]


def outcome(region: str) -> Resolution | BadInput:
    """What `resolve` gives or raises."""
    try:
        return resolve(region)
    except BadInput as error:
        return error


@pytest.mark.parametrize(
    ("region", "zone", "how"),
    [
        ("DE", "DE", "zone key"),
        ("us-cal-ciso", "US-CAL-CISO", "zone key"),
        (" FR ", "FR", "zone key"),
        ("NO", "NO", "zone key"),  # an aggregate is a zone of the catalogue
        ("CISO", "US-CAL-CISO", "alias"),
        ("aus_qld", "AU-QLD", "alias"),
        ("BANC", "US-CAL-BANC", "alias"),
        ("aws:us-east-1", "US-MIDA-PJM", "cloud region"),
        ("GCP:Europe-West1", "BE", "cloud region"),
        ("azure:westeurope", "NL", "cloud region"),
        ("gcp:us-south1", "US-TEX-ERCO", "cloud region"),
        ("azure:northcentralus", "US-MIDA-PJM", "cloud region"),
    ],
)
def test_a_name_is_resolved_and_says_by_what(region: str, zone: str, how: str) -> None:
    answer = resolve(region)
    assert (answer.zone, answer.how) == (zone, how)
    assert answer.zone_name == KNOWN.zones[zone].name
    assert answer.region == region.strip()


@pytest.mark.parametrize(
    ("city", "place", "zone"),
    [
        ("Berlin", "52.5200,13.4050", "DE"),
        ("Warsaw", "52.2297, 21.0122", "PL"),
        ("Zurich", "47.3769,8.5417", "CH"),
        ("Bratislava", "48.1486,17.1077", "SK"),
        ("Vienna", "48.2082,16.3738", "AT"),
        ("Pristina", "42.6629,21.1655", "XK"),
        ("Reykjavik", "64.1466,-21.9426", "IS"),
        ("Crete", "35.2401,24.8093", "GR"),
    ],
)
def test_a_city_inside_a_country_of_one_zone(city: str, place: str, zone: str) -> None:
    answer = resolve(place)
    assert (answer.zone, answer.how) == (zone, How.OUTLINE), city


@pytest.mark.parametrize(
    ("city", "place", "zone", "how"),
    [
        ("San Francisco", "37.7749,-122.4194", "US-CAL-CISO", How.CITY),
        ("New York", "40.7128,-74.0060", "US-NY-NYIS", How.CITY),
        ("New York", "40.730610,-73.935242", "US-NY-NYIS", How.CITY),
        ("Seattle", "47.6062,-122.3321", "US-NW-SCL", How.CITY),
        ("Los Angeles, near a cloud site of CAISO", "34.05,-118.24", "US-CAL-LDWP", How.CITY),
        ("Chicago", "41.8781,-87.6298", "US-MIDA-PJM", How.CITY),
        ("Worcester, Massachusetts", "42.2626,-71.8023", "US-NE-ISNE", How.STATES),
        ("Springfield, 7 km from Connecticut", "42.1015,-72.5898", "US-NE-ISNE", How.STATES),
        ("Montpelier, Vermont", "44.2601,-72.5754", "US-NE-ISNE", How.STATES),
        ("Morgantown, West Virginia", "39.6295,-79.9559", "US-MIDA-PJM", How.STATES),
        ("Annapolis, Maryland", "38.9784,-76.4922", "US-MIDA-PJM", How.STATES),
    ],
)
def test_a_city_or_state_of_the_us_that_is_in_one_zone(
    city: str, place: str, zone: str, how: How
) -> None:
    answer = resolve(place)
    assert (answer.zone, answer.how, answer.certainty) == (zone, how, "inside"), city


@pytest.mark.parametrize(
    ("place", "first"),
    [
        ("44.99,-72.10", "US-NE-ISNE"),  # Derby Line, at the border of Québec
        ("42.745,-73.28", "US-NY-NYIS"),  # Vermont, at the border of New York
        ("40.7163,-74.0250", "US-MIDA-PJM"),  # the Hudson, between Manhattan and Jersey City
        ("38.5767,-121.5300", "US-CAL-BANC"),  # West Sacramento, across the river from SMUD
        ("45.5152,-122.6784", "US-NW-PGE"),  # Portland: PGE and PacifiCorp interleave
    ],
)
def test_a_place_near_a_border_of_zones_is_not_certain(place: str, first: str) -> None:
    assert nearest(place)[0] == first


@pytest.mark.parametrize(
    ("city", "place", "zone"),
    [
        ("Paris", "48.8566,2.3522", "FR"),
        ("Ashburn", "39.0438,-77.4874", "US-MIDA-PJM"),
        ("Washington's west, at no state's heart", "38.95,-77.25", "US-MIDA-PJM"),
        ("Sydney", "-33.8688,151.2093", "AU-NSW"),
        ("Dallas airport", "32.8998,-97.0403", "US-TEX-ERCO"),
        ("Monza, 15 km from Milan", "45.5845,9.2744", "IT-NO"),
    ],
)
def test_a_city_near_a_cloud_site(city: str, place: str, zone: str) -> None:
    answer = resolve(place)
    assert (answer.zone, answer.how) == (zone, How.SITE), city


@pytest.mark.parametrize(
    ("place", "first", "why"),
    [
        ("55,3", "NL", "at sea"),  # North Sea
        ("50.95,1.86", "BE", "FR, a country of 2 zones"),  # Calais
        ("55.676,12.568", "DK-DK2", "DK, a country of 2 zones"),  # Copenhagen
        ("54.597,-5.930", "GB-NIR", "GB, a country of 3 zones"),  # Belfast
        ("47.558,7.588", "CH", "3 km of a border"),  # Basel
        ("46.193,6.236", "CH", "FR, a country of 2 zones"),  # Annemasse, 7 km from Geneva
        ("41.2565,-95.9345", "US-CENT-SWPP", "no cloud site"),  # Omaha, MISO across the river
        ("51.443,4.930", "NL", "border"),  # Baarle-Hertog, a Belgian enclave
        ("0,0", "ES-CN-FV", "at sea"),
    ],
)
def test_a_place_that_is_not_certain_lists_neighbours(place: str, first: str, why: str) -> None:
    assert nearest(place)[0] == first
    with pytest.raises(UnknownRegion, match=why):
        resolve(place)


def test_the_own_country_is_listed_though_its_middle_is_far() -> None:
    calais = nearest("50.95,1.86")
    assert "FR" in calais
    assert {"DK-DK1", "DK-DK2"} <= set(nearest("55.676,12.568"))


def test_distances_are_measured_and_sorted() -> None:
    with pytest.raises(UnknownRegion) as caught:
        resolve("55.676,12.568")
    km = [candidate["distance_km"] for candidate in caught.value.extra["nearest"]]  # type: ignore[attr-defined]  # added at run time
    assert km == sorted(km)
    # Copenhagen to the middle of DK-DK2 (55.23 N 12.16 E): 49.6 km north, 25.6 km east.
    assert km[0] == pytest.approx(55.8, abs=1)


@pytest.mark.parametrize(
    ("region", "suggested"),
    [
        ("us-east-1", "aws:us-east-1"),
        ("germny", "DE"),
        ("Victoria", "AU-VIC"),  # also in British Columbia
        ("Frankfurt", "aws:eu-central-1"),
        ("Springfield", "Springfield IL"),
        ("aws:us-east-11", "aws:us-east-1"),
        ("US-CAL-CSIO", "US-CAL-CISO"),
    ],
)
def test_an_unknown_name_suggests_the_likely_one_first(region: str, suggested: str) -> None:
    assert nearest(region)[0] == suggested


def test_a_name_like_nothing_points_to_the_list() -> None:
    assert nearest("qqqqqq") == []
    with pytest.raises(UnknownRegion, match="gridtide zones --all"):
        resolve("qqqqqq")


def test_a_cloud_region_elsewhere_says_so_and_never_suggests_another_one() -> None:
    with pytest.raises(UnknownRegion, match="in zone ZA, which gridtide does not cover"):
        resolve("aws:af-south-1")
    assert set(nearest("aws:ap-northeast-1")) <= set(KNOWN.zones)
    with pytest.raises(UnknownRegion, match="in SG, a zone gridtide does not cover"):
        resolve("1.3521,103.8198")


@pytest.mark.parametrize(
    ("region", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("151.21,-33.87", "did you mean -33.87,151.21"),
        ("95,10", "latitude"),
        ("10,200", "did you mean -160"),
        ("52.5", "latitude and longitude"),
        ("1,2,3", "latitude and longitude"),
        ("1e999,1", "latitude"),
    ],
)
def test_coordinates_off_the_globe_name_the_likely_cause(region: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        resolve(region)
    assert not isinstance(caught.value, UnknownRegion)


def test_longitude_first_is_noticed_where_the_swap_makes_sense() -> None:
    with pytest.raises(UnknownRegion, match=r"did you mean 52\.5,13\.4 \(Germany\)"):
        resolve("13.4,52.5")


def test_a_long_text_is_not_repeated() -> None:
    with pytest.raises(UnknownRegion) as caught:
        resolve("a" * 100_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["nan,nan", "inf,0", "٣,٤", "52,5;13", "0x10,1"])
def test_what_only_looks_like_numbers_is_a_name(text: str) -> None:
    with pytest.raises(UnknownRegion, match="Unknown region"):
        resolve(text)


@given(st.text(max_size=40))
def test_any_text_is_resolved_to_a_zone_or_refused(text: str) -> None:
    answer = outcome(text)
    assert isinstance(answer, BadInput) or answer.zone in KNOWN.zones


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_any_place_is_answered_with_a_zone_or_its_neighbours(lat: float, lon: float) -> None:
    answer = outcome(f"{lat},{lon}")
    if isinstance(answer, BadInput):
        assert len(nearest(f"{lat},{lon}")) == 5
    else:
        assert answer.how in (How.OUTLINE, How.CITY, How.STATES, How.SITE)


@pytest.mark.parametrize(
    ("values", "regions"),
    [
        (["DE,52.5,13.4,FR"], ["DE", "52.5,13.4", "FR"]),
        (["DE", "FR,SE"], ["DE", "FR", "SE"]),
        (["-33.9, 151.2"], ["-33.9,151.2"]),
        (["1,2,3,4"], ["1,2", "3,4"]),
        (["1,2,3"], ["1,2", "3"]),  # the 3 is refused when it is resolved
        (["DE,7,FR"], ["DE", "7", "FR"]),
        ([], []),
    ],
)
def test_commas_split_a_list_but_not_a_place(values: list[str], regions: list[str]) -> None:
    assert split_regions(values) == regions


@pytest.mark.parametrize("value", ["DE,,FR", "", "DE,"])
def test_an_empty_item_of_a_list_is_refused(value: str) -> None:
    with pytest.raises(BadInput, match="empty region"):
        split_regions([value])


NAMES = st.sampled_from([*KNOWN.zones, *KNOWN.cloud_regions])
PLACES = st.tuples(st.floats(-90, 90), st.floats(-180, 180)).map(lambda p: f"{p[0]},{p[1]}")


@given(st.lists(NAMES | PLACES, min_size=1))
def test_a_joined_list_splits_into_what_was_joined(regions: list[str]) -> None:
    assert split_regions([",".join(regions)]) == regions
