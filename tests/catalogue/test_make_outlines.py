"""The script that makes the outlines: simplified within its tolerance, borders and coasts."""

from __future__ import annotations

import importlib.util
import math
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide_store import geography

SCRIPT = Path(__file__).parents[2] / "infra" / "make_outlines.py"

Point: TypeAlias = tuple[float, float]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_outlines", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _script()


def off_km(point: Point, start: Point, end: Point) -> float:
    """Distance from a point to a segment, in complex numbers on the plane at the point."""
    shrink = math.cos(math.radians(point[1]))
    p, a, b = (complex(lon * shrink, lat) for lon, lat in (point, start, end))
    along = ((p - a) / (b - a)).real if a != b else 0.0
    return abs(p - a - min(1.0, max(0.0, along)) * (b - a)) * 111.195


@given(
    st.lists(st.tuples(st.floats(5, 9), st.floats(48, 52)), min_size=2, max_size=40),
    st.floats(0.1, 50),
)
def test_no_dropped_point_is_farther_than_the_tolerance(
    line: list[Point], tolerance_km: float
) -> None:
    kept = MAKE.simplify(line, tolerance_km)
    assert (kept[0], kept[-1]) == (line[0], line[-1])
    for point in line:
        assert min(off_km(point, a, b) for a, b in pairwise(kept)) <= tolerance_km + 1e-6


def test_a_straight_line_keeps_its_ends_only_and_a_small_ring_stays_a_ring() -> None:
    assert MAKE.simplify([(5.0, 50.0), (6.0, 50.0), (7.0, 50.0)], 1.0) == [(5, 50), (7, 50)]
    ring = [(5.0, 50.0), (5.01, 50.0), (5.01, 50.01), (5.0, 50.0)]
    assert MAKE.simplify(ring, 100.0) == ring


def test_the_area_of_a_degree_at_the_equator_and_at_60_north() -> None:
    def degree_at(lat: float) -> list[Point]:
        return [(0, lat - 0.5), (1, lat - 0.5), (1, lat + 0.5), (0, lat + 0.5)]

    assert MAKE.area_km2(degree_at(0)) == pytest.approx(111.195**2, rel=1e-3)
    assert MAKE.area_km2(degree_at(60)) == pytest.approx(111.195**2 / 2, rel=1e-3)


def atlas() -> dict[str, Any]:
    """Germany a square at 10 E, Poland the square east of it, Denmark 2.2 km to the north.

    Germany also has an islet of 0.5 km2 and, in the Caribbean, a square of its own.
    """
    arcs = [
        [(11, 50), (10.5, 49.9), (10, 50), (9.9, 50.5), (10, 51), (11, 51)],  # 0 Germany's rest
        [(11, 51), (11, 50)],  # 1 its east side, Poland's west side
        [(11, 51), (11.5, 51.1), (12, 51), (12, 50), (11.5, 49.9), (11, 50)],  # 2 Poland's rest
        [(9, 51.02), (9, 52), (10.2, 52), (10.2, 51.02), (9, 51.02)],  # 3 Denmark
        [(8, 50), (8.01, 50), (8.01, 50.006), (8, 50.006), (8, 50)],  # 4 the islet
        [(-68, 12), (-67, 12), (-67, 13), (-68, 13), (-68, 12)],  # 5 overseas
    ]
    return {
        "transform": {"scale": [0.001, 0.001], "translate": [0, 0]},
        "arcs": [_steps(arc) for arc in arcs],
        "objects": {
            "countries": {
                "geometries": [
                    _country("276", "MultiPolygon", [[[0, ~1]], [[4]], [[5]]]),
                    _country("616", "Polygon", [[2, ~1]]),
                    _country("208", "Polygon", [[3]]),
                    {"type": "Polygon", "arcs": [[~3]], "properties": {"name": "No id"}},
                ]
            }
        },
    }


def _country(number: str, kind: str, arcs: list[Any]) -> dict[str, Any]:
    return {"id": number, "type": kind, "arcs": arcs, "properties": {"name": number}}


def _steps(arc: list[Point]) -> list[list[int]]:
    points = [(round(lon * 1000), round(lat * 1000)) for lon, lat in arc]
    return [[x - px, y - py] for (px, py), (x, y) in pairwise([(0, 0), *points])]


def test_a_shared_side_is_a_border_and_the_open_sea_a_coast() -> None:
    poland = MAKE.outline(atlas(), "PL", tolerance_km=0.1, island_km2=4)
    assert poland["coasts"] == [[11500, 51100, 500, -100, 0, -1000, -500, -100]]
    # The shore counts as a border where it meets Germany's.
    assert poland["borders"] == [
        [11000, 51000, 0, -1000],
        [11000, 51000, 500, 100],
        [11500, 49900, -500, 100],
    ]


def test_a_shore_across_narrow_water_is_a_border() -> None:
    lines = MAKE.outline(atlas(), "DE", tolerance_km=0.1, island_km2=4)
    germany = geography.outline("DE", **lines)
    assert germany.distance_km(50.99, 10.1, borders_only=True) == pytest.approx(1.1, abs=0.1)
    south = germany.distance_km(50.01, 10.1, borders_only=True)
    assert south > 20  # open sea there; the shore that meets Poland's begins 31 km east


def test_islets_and_overseas_parts_are_left_out_and_the_rest_is_closed() -> None:
    lines = MAKE.outline(atlas(), "DE", tolerance_km=0.1, island_km2=4)
    germany = geography.outline("DE", **lines)
    assert germany.contains(50.5, 10.5)
    assert not germany.contains(50.003, 8.005)
    assert not germany.contains(12.5, -67.5)


def test_a_country_the_atlas_does_not_draw_has_no_outline() -> None:
    assert MAKE.outline(atlas(), "LU", tolerance_km=0.1, island_km2=4) is None


def test_states_of_one_zone_are_joined_without_their_common_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    states = importlib.import_module("make_state_outlines")
    arcs = [
        [(11, 41), (10, 41), (10, 42), (11, 42)],  # 0 the coast of A
        [(11, 42), (11, 41)],  # 1 between A and B
        [(11, 42), (12, 42)],  # 2 between B and C
        [(12, 42), (12, 41), (11, 41)],  # 3 the coast of B
        [(11, 42), (11, 46), (12, 46), (12, 42)],  # 4 the rest of C, as far as Canada
    ]
    geometries = [
        {"type": "Polygon", "arcs": [[0, 1]], "properties": {"name": "A"}},
        {"type": "Polygon", "arcs": [[~1, 2, 3]], "properties": {"name": "B"}},
        {"type": "MultiPolygon", "arcs": [[[4, ~2]]], "properties": {"name": "C"}},
    ]
    atlas = {
        "transform": {"scale": [0.001, 0.001], "translate": [0, 0]},
        "arcs": [_steps(arc) for arc in arcs],
        "objects": {"states": {"geometries": geometries}},
    }
    joined = states.outline(atlas, ("A", "B"))
    assert joined["borders"] == [[11000, 42000, 1000, 0]]
    assert len(joined["coasts"]) == 2
    together = geography.outline("AB", **joined)
    assert together.contains(41.5, 10.5)
    assert together.contains(41.5, 11.5)
    assert not together.contains(42.5, 11.5)
    assert states.outline(atlas, ("C",))["coasts"] == []
