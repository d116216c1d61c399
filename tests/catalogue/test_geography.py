"""Inside, outside and how far: against brute force, known towns and published distances."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide_store import catalogue, coordinates, geography
from gridtide_store.geography import BORDER_KM, haversine_km, outline

ATLAS = geography.load()

# Towns within some kilometres of a border, from their published coordinates.
BORDER_TOWNS = [
    ("DE", "Frankfurt (Oder)", 52.342, 14.551),
    ("PL", "Słubice", 52.351, 14.561),
    ("DE", "Görlitz", 51.156, 14.988),
    ("PL", "Zgorzelec", 51.152, 15.006),
    ("DE", "Konstanz", 47.660, 9.175),
    ("CH", "Kreuzlingen", 47.646, 9.178),
    ("DE", "Kehl", 48.573, 7.815),
    ("DE", "Aachen", 50.776, 6.084),
    ("NL", "Vaals", 50.770, 6.018),
    ("NL", "Kerkrade", 50.866, 6.063),
    ("DE", "Herzogenrath", 50.870, 6.095),
    ("DE", "Freilassing", 47.840, 12.978),
    ("AT", "Salzburg", 47.800, 13.045),
    ("AT", "Braunau", 48.258, 13.034),
    ("DE", "Simbach", 48.266, 13.023),
    ("SK", "Bratislava", 48.148, 17.107),
    ("AT", "Hainburg", 48.146, 16.945),
    ("SK", "Komárno", 47.763, 18.129),
    ("HU", "Komárom", 47.743, 18.120),
    ("BG", "Ruse", 43.849, 25.954),
    ("RO", "Giurgiu", 43.903, 25.969),
    ("EE", "Narva", 59.377, 28.190),
    ("EE", "Valga", 57.778, 26.047),
    ("LV", "Valka", 57.775, 26.010),
    ("CH", "Geneva", 46.204, 6.143),
    ("CH", "Basel", 47.558, 7.588),
    ("CH", "Chiasso", 45.835, 9.031),
    ("FI", "Tornio", 65.848, 24.147),
    ("SI", "Nova Gorica", 45.956, 13.648),
    ("LU", "Esch-sur-Alzette", 49.496, 5.981),
    ("LU", "Schengen", 49.469, 6.362),
    ("DE", "Perl", 49.474, 6.376),
    ("HU", "Esztergom", 47.785, 18.740),
    ("SK", "Štúrovo", 47.799, 18.718),
    ("PL", "Cieszyn", 49.751, 18.632),
    ("CZ", "Český Těšín", 49.746, 18.626),
    ("NL", "Maastricht", 50.851, 5.691),
    ("BE", "Baarle-Hertog", 51.443, 4.930),
    ("DE", "Büsingen", 47.697, 8.690),
    ("IT", "Campione", 45.969, 8.972),
    ("AT", "Jungholz", 47.577, 10.449),
    ("BA", "Sastavci", 43.560, 19.410),
    ("IE", "Lifford", 54.836, -7.484),
    ("GB", "Warrenpoint", 54.100, -6.252),
    ("GB", "Derry", 54.997, -7.320),
    ("IE", "Dundalk", 54.001, -6.403),
    ("GR", "Evzoni", 41.100, 22.560),
    ("MK", "Gevgelija", 41.145, 22.502),
    ("RS", "Loznica", 44.533, 19.223),
    ("BA", "Zvornik", 44.385, 19.103),
    ("RO", "Drobeta-Turnu Severin", 44.632, 22.656),
    ("MD", "Ungheni", 47.204, 27.796),
    ("LI", "Vaduz", 47.141, 9.521),
    ("CH", "Buchs", 47.167, 9.478),
    ("FR", "Saint-Louis", 47.588, 7.559),
    ("FR", "Menton", 43.775, 7.500),
    ("DK", "Kruså", 54.847, 9.403),
    ("SE", "Haparanda", 65.836, 24.137),
    ("AL", "Sarandë", 39.875, 20.005),
]


def zone_by_outline(lat: float, lon: float) -> str | None:
    """The key of the zone the outlines answer with, or None where they do not."""
    zone = coordinates.by_outline(lat, lon)
    return zone.key if zone else None


@pytest.mark.parametrize(
    ("country", "town", "lat", "lon"), BORDER_TOWNS, ids=[t[1] for t in BORDER_TOWNS]
)
def test_a_border_town_is_never_given_to_the_neighbour(
    country: str, town: str, lat: float, lon: float
) -> None:
    assert zone_by_outline(lat, lon) in (country, None), town


def test_towns_a_little_farther_from_the_border_are_answered() -> None:
    answered = {town for _, town, lat, lon in BORDER_TOWNS if zone_by_outline(lat, lon)}
    assert answered >= {"Aachen", "Salzburg", "Bratislava", "Geneva", "Maastricht", "Dundalk"}


@pytest.mark.parametrize(
    ("sea", "lat", "lon"),
    [
        ("North Sea", 55.0, 3.0),
        ("Baltic", 56.0, 19.0),
        ("Adriatic", 43.0, 15.5),
        ("Aegean", 38.9, 25.0),
        ("Galway Bay mouth", 53.15, -9.6),
    ],
)
def test_the_sea_is_in_no_country(sea: str, lat: float, lon: float) -> None:
    assert [c for c, shape in ATLAS.one_zone.items() if shape.contains(lat, lon)] == [], sea


def test_an_outline_answers_for_each_country_of_one_zone_and_no_other() -> None:
    zones = Counter(
        z.country for z in catalogue.load().zones.values() if z.kind is catalogue.ZoneKind.ZONE
    )
    # Natural Earth draws Svalbard as Norway, and Gibraltar too small to stand on.
    assert set(ATLAS.one_zone) == {c for c, n in zones.items() if n == 1} - {"SJ", "GI"}
    assert {zones[country] for country in ATLAS.one_zone} == {1}


def test_overseas_parts_are_left_out() -> None:
    assert not ATLAS.one_zone["NL"].contains(12.18, -68.26)  # Bonaire


@pytest.mark.parametrize("country", [*ATLAS.one_zone, *ATLAS.several_zones, *ATLAS.states])
def test_every_outline_is_closed(country: str) -> None:
    shape = {**ATLAS.one_zone, **ATLAS.several_zones, **ATLAS.states}[country]
    ends: Counter[tuple[float, float]] = Counter()
    for border_part in shape.border_parts:
        ends[border_part.lons[0], border_part.lats[0]] += 1
        ends[border_part.lons[-1], border_part.lats[-1]] += 1
    assert {end: n for end, n in ends.items() if n % 2} == {}


@pytest.mark.parametrize(
    ("route", "a", "b", "km"),
    [
        # Great-circle distances between airports, as gcmap.com publishes them (WGS 84), which
        # a sphere meets within 0.5 %.
        ("JFK-LHR", (40.6398, -73.7789), (51.4706, -0.4619), 5554),
        ("SYD-LAX", (-33.9461, 151.1772), (33.9425, -118.4081), 12061),
        ("NAN-HNL, across the date line", (-17.7554, 177.4434), (21.3187, -157.9225), 5100),
    ],
)
def test_distances_on_the_globe(
    route: str, a: tuple[float, float], b: tuple[float, float], km: float
) -> None:
    assert haversine_km(*a, *b) == pytest.approx(km, rel=0.005), route


LAT, LON = st.floats(-90, 90), st.floats(-180, 180)


@given(LAT, LON, LAT, LON)
def test_distance_is_the_same_there_and_back_and_half_a_turn_at_most(
    lat1: float, lon1: float, lat2: float, lon2: float
) -> None:
    there = haversine_km(lat1, lon1, lat2, lon2)
    assert there == pytest.approx(haversine_km(lat2, lon2, lat1, lon1), abs=1e-6)
    assert 0 <= there <= math.pi * geography.EARTH_KM + 1e-6


# A square with a square hole, in thousandths of a degree; the hole is a border.
FRAME = outline(
    "XX",
    borders=[[4000, 4000, 2000, 0, 0, 2000, -2000, 0, 0, -2000]],
    coasts=[[0, 0, 10000, 0, 0, 10000, -10000, 0, 0, -10000]],
)


@given(st.floats(-1, 11), st.floats(-1, 11))
def test_inside_a_frame_is_inside_the_square_and_outside_its_hole(
    lat: float, lon: float
) -> None:
    in_square = 0 <= lat < 10 and 0 <= lon < 10
    in_hole = 4 <= lat < 6 and 4 <= lon < 6
    assert FRAME.contains(lat, lon) == (in_square and not in_hole)


def test_distance_to_a_frame_and_to_its_border() -> None:
    degree = 111.195  # km of one degree of latitude on the mean sphere
    assert FRAME.distance_km(1, 5) == pytest.approx(degree, rel=1e-3)
    assert FRAME.distance_km(1, 5, borders_only=True) == pytest.approx(3 * degree, rel=1e-3)
    assert FRAME.distance_km(1, 5, within=100) == math.inf
    assert FRAME.far_km(-30, 5) == pytest.approx(30 * degree, rel=0.02)


# A ring of 70 points is cut into three pieces, so boxes and seams are exercised.
TURNS = [i / 69 * math.tau for i in range(70)]
WHEEL_POINTS = [
    (round(8000 + 900 * math.cos(turn)), round(50000 + 700 * math.sin(turn))) for turn in TURNS
]


def steps(points: list[tuple[int, int]]) -> list[int]:
    """A line as the file has it."""
    flat, last = [], (0, 0)
    for point in points:
        flat += [point[0] - last[0], point[1] - last[1]]
        last = point
    return flat


WHEEL = outline("WH", borders=[steps([*WHEEL_POINTS[:-1], WHEEL_POINTS[0]])], coasts=[])


@given(st.floats(49, 51), st.floats(6.5, 9.5))
def test_distance_and_inside_agree_with_brute_force(lat: float, lon: float) -> None:
    ring = [(x / 1000, y / 1000) for x, y in [*WHEEL_POINTS[:-1], WHEEL_POINTS[0]]]
    samples = [
        (a[0] + (b[0] - a[0]) * t / 40, a[1] + (b[1] - a[1]) * t / 40)
        for a, b in pairwise(ring)
        for t in range(41)
    ]
    brute = min(haversine_km(lat, lon, y, x) for x, y in samples)
    assert WHEEL.distance_km(lat, lon) == pytest.approx(brute, rel=0.02, abs=0.3)
    turns = sum(
        math.remainder(
            math.atan2(b[1] - lat, b[0] - lon) - math.atan2(a[1] - lat, a[0] - lon), math.tau
        )
        for a, b in pairwise(ring)
    )
    if brute > 0.1:
        assert WHEEL.contains(lat, lon) == (abs(turns) > math.pi)


def test_the_margin_at_borders_covers_the_worst_town_we_know() -> None:
    # Vaals lies in the Netherlands and 1.8 km inside Natural Earth's Germany.
    vaals = ATLAS.one_zone["DE"]
    assert vaals.contains(50.770, 6.018)
    assert 1.5 < vaals.distance_km(50.770, 6.018) < BORDER_KM
