"""Cloud regions: each in the right country, and its own site certain."""

from __future__ import annotations

from itertools import combinations

import pytest

from gridtide_store import catalogue, geography
from gridtide_store.catalogue import CloudRegion
from gridtide_store.geography import haversine_km
from gridtide_store.regions import How, resolve

KNOWN = catalogue.load()
ATLAS = geography.load()
COVERED = [site for site in KNOWN.cloud_regions.values() if site.zone in KNOWN.zones]

# Which US state each site must be in, as boxes (south, west, north, east) around the state.
STATES = {
    "aws:us-east-1": (36.5, -83.7, 39.5, -75.2),  # Virginia
    "aws:us-east-2": (38.4, -84.9, 42.0, -80.5),  # Ohio
    "aws:us-west-1": (32.5, -124.5, 42.0, -114.1),  # California
    "aws:us-west-2": (42.0, -124.6, 46.3, -116.4),  # Oregon
    "azure:centralus": (40.3, -96.7, 43.5, -90.1),  # Iowa
    "azure:eastus": (36.5, -83.7, 39.5, -75.2),  # Virginia
    "azure:eastus2": (36.5, -79.0, 37.0, -78.0),  # Boydton, Virginia
    "azure:northcentralus": (36.9, -91.6, 42.5, -87.4),  # Illinois
    "azure:southcentralus": (25.8, -106.7, 36.5, -93.5),  # Texas
    "azure:westcentralus": (40.9, -111.1, 45.1, -104.0),  # Wyoming
    "azure:westus": (32.5, -124.5, 42.0, -114.1),  # California
    "azure:westus2": (45.5, -124.8, 49.0, -116.9),  # Washington
    "azure:westus3": (31.3, -114.9, 37.0, -109.0),  # Arizona
    "gcp:us-central1": (40.3, -96.7, 43.5, -90.1),  # Iowa
    "gcp:us-east1": (32.0, -83.4, 35.3, -78.5),  # South Carolina
    "gcp:us-east4": (36.5, -83.7, 39.5, -75.2),  # Virginia
    "gcp:us-east5": (38.4, -84.9, 42.0, -80.5),  # Ohio
    "gcp:us-south1": (25.8, -106.7, 36.5, -93.5),  # Texas
    "gcp:us-west1": (42.0, -124.6, 46.3, -116.4),  # Oregon
    "gcp:us-west2": (32.5, -124.5, 42.0, -114.1),  # California
    "gcp:us-west3": (37.0, -114.1, 42.0, -109.0),  # Utah
    "gcp:us-west4": (35.0, -120.1, 42.0, -114.0),  # Nevada
}


def test_every_us_site_is_in_its_state() -> None:
    sites = {s.key: s for s in COVERED if KNOWN.zones[s.zone].country == "US"}
    assert set(sites) == set(STATES)
    for key, (south, west, north, east) in STATES.items():
        assert south < sites[key].lat < north, key
        assert west < sites[key].lon < east, key


@pytest.mark.parametrize(
    ("region", "zone"),
    [
        ("gcp:us-south1", "US-TEX-ERCO"),  # Dallas: in some tables in Oregon
        ("azure:northcentralus", "US-MIDA-PJM"),  # Chicago: ComEd is PJM, not MISO
        ("gcp:us-central1", "US-MIDW-MISO"),  # MidAmerican Energy
        ("gcp:us-west1", "US-NW-BPAT"),  # Northern Wasco County PUD
        ("azure:westus2", "US-NW-GCPD"),  # Quincy: Grant County PUD
        ("azure:norwayeast", "NO-NO1"),  # Oslo
        ("azure:norwaywest", "NO-NO2"),  # Stavanger
        ("aws:eu-north-1", "SE-SE3"),  # Stockholm
        ("aws:eu-south-1", "IT-NO"),  # Milan
        ("aws:ca-central-1", "CA-QC"),  # Montréal
        ("azure:canadacentral", "CA-ON"),  # Toronto
        ("azure:australiacentral", "AU-NSW"),  # Canberra is in the NEM's NSW1
    ],
)
def test_the_zone_is_that_of_the_utility(region: str, zone: str) -> None:
    assert resolve(region).zone == zone


@pytest.mark.parametrize("site", COVERED, ids=[site.key for site in COVERED])
def test_a_site_lies_in_the_country_of_its_zone(site: CloudRegion) -> None:
    country = KNOWN.zones[site.zone].country
    shape = ATLAS.one_zone.get(country) or ATLAS.several_zones[country]
    inside = shape.contains(site.lat, site.lon)
    assert inside or shape.distance_km(site.lat, site.lon) < 10


@pytest.mark.parametrize("site", COVERED, ids=[site.key for site in COVERED])
def test_the_coordinates_of_a_site_give_its_zone(site: CloudRegion) -> None:
    answer = resolve(f"{site.lat},{site.lon}")
    if site.key == "gcp:us-west2":
        # The point is that of the town; its middle is served by the city's own utility.
        assert (answer.zone, answer.how) == ("US-CAL-LDWP", How.CITY)
        return
    assert answer.zone == site.zone
    assert answer.how in (How.OUTLINE, How.CITY, How.SITE)


def test_sites_that_overlap_agree_on_the_zone() -> None:
    clashes = [
        (a.key, b.key)
        for a, b in combinations(KNOWN.cloud_regions.values(), 2)
        if a.zone != b.zone
        and haversine_km(a.lat, a.lon, b.lat, b.lon) < a.certain_km + b.certain_km
    ]
    assert clashes == []


def test_no_site_is_certain_beyond_30_km() -> None:
    assert {s.key for s in COVERED if not 1 <= s.certain_km <= 30} == set()


def test_a_point_is_answered_up_to_30_km_from_a_site_and_not_beyond() -> None:
    # Due west of aws:ap-southeast-2 (33.8688 S): one degree of longitude is 92.3 km there.
    assert resolve("-33.8688,150.8887").how is How.SITE  # 29.6 km
    with pytest.raises(Exception, match="no cloud site within 30 km"):
        resolve("-33.8688,150.8800")  # 30.4 km


def test_regions_elsewhere_stay_listed_with_their_zone() -> None:
    elsewhere = {s.zone for s in KNOWN.cloud_regions.values()} - set(KNOWN.zones)
    assert {"ZA", "JP-TK", "SG", "BR-CS", "IN-WE"} <= elsewhere
