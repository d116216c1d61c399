"""The points at which the weather of each zone is read, from weather_points.csv."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gridtide_store import catalogue
from gridtide_store.geography import haversine_km

Floats: TypeAlias = npt.NDArray[np.float64]

# By which points a quantity is weighed, where a zone has them; else by those of its box.
BOX: Final = "box"
ROLES: Final[Mapping[str, str]] = {
    "wind_speed_m_s": "wind",
    "wind_speed_100m_m_s": "wind",
    "temp_k": "load",
    "dewpoint_k": "load",
    "dswrf_w_m2": "solar",
    "precip_mm": "load",
    "cloud_pct": "solar",
}
# Names the set of points in the names of models: another table is another name.
POINTS: Final = "points1"
# Of a zone, where each costs a request or a call.
MOST_POINTS: Final = 5
FEW_POINTS: Final = f"{POINTS}s{MOST_POINTS}"


@dataclass(frozen=True, slots=True)
class Locations:
    """The points at which the weather of some zones is read.

    Attributes:
        lat: degrees, one of each different point.
        lon: degrees.
        members: for each zone and role the indexes of its points and their weights.
    """

    lat: Floats
    lon: Floats
    members: Mapping[tuple[str, str], tuple[npt.NDArray[np.int64], Floats]]

    def mean(self, zone: str, quantity: str, values: Floats) -> float | None:
        """Return the weighted mean of `values`, one of each point; None where one is NaN."""
        which, weights = self.members.get((zone, ROLES[quantity])) or self.members[zone, BOX]
        mean = float(values[which] @ weights)
        return mean if np.isfinite(mean) else None

    def of_zone(self, zone: str) -> list[int]:
        """Return the indexes of the points of a zone, of any role."""
        mine = [which for (each, _), (which, _) in self.members.items() if each == zone]
        return sorted({int(place) for which in mine for place in which})

    def spread(self, most: int) -> Locations:
        """Return these with at most `most` points a zone, for publishers of single points.

        The heaviest comes first, then the one that is heavy and far from those before it. The
        weight of a point that is left out goes to the nearest that is not.
        """
        members: dict[tuple[str, str], tuple[npt.NDArray[np.int64], Floats]] = {}
        for zone in sorted({zone for zone, _ in self.members}):
            used = {role if (zone, role) in self.members else BOX for role in ROLES.values()}
            total: dict[int, float] = {}
            for role in sorted(used):
                for place, weight in zip(*self.members[zone, role], strict=True):
                    total[int(place)] = total.get(int(place), 0.0) + float(weight)
            kept: list[int] = []
            while len(kept) < min(most, len(total)):
                left = sorted(set(total) - set(kept))
                kept.append(max(left, key=lambda each: total[each] * self._away(each, kept)))
            for role in used:
                moved = dict.fromkeys(sorted(kept), 0.0)
                for place, weight in zip(*self.members[zone, role], strict=True):
                    nearest = min(moved, key=lambda each: self._km(int(place), each))
                    moved[nearest] += float(weight)
                some = {place: weight for place, weight in moved.items() if weight}
                members[zone, role] = np.array([*some]), np.array([*some.values()])
        places = sorted({place for which, _ in members.values() for place in which.tolist()})
        return Locations(
            self.lat[places],
            self.lon[places],
            {
                key: (np.searchsorted(places, which), weights)
                for key, (which, weights) in members.items()
            },
        )

    def _away(self, index: int, others: Sequence[int]) -> float:
        """Return how far a point is from the nearest of others; 1 where there is none."""
        return min((self._km(index, each) for each in others), default=1.0)

    def _km(self, one: int, other: int) -> float:
        return haversine_km(self.lat[one], self.lon[one], self.lat[other], self.lon[other])


@cache
def few_points() -> Locations:
    """Return the points of all zones for publishers of single points: few a zone, spread."""
    return locations().spread(MOST_POINTS)


@cache
def locations() -> Locations:
    """Return the points of all zones, from weather_points.csv."""
    rows = catalogue.read_table("weather_points.csv")
    places = sorted({(float(row["lat"]), float(row["lon"])) for row in rows})
    index = {place: number for number, place in enumerate(places)}
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for row in rows:
        place = index[float(row["lat"]), float(row["lon"])]
        key = row["zone"], row["role"]
        found.setdefault(key, []).append((place, float(row["weight"])))
    members = {}
    for key, mine in found.items():
        weights = np.array([weight for _, weight in mine])  # rounded in the table
        members[key] = np.array([place for place, _ in mine]), weights / weights.sum()
    return Locations(
        np.array([lat for lat, _ in places]), np.array([lon for _, lon in places]), members
    )


def zones() -> frozenset[str]:
    """Return the zones that have points."""
    return frozenset(zone for zone, _ in locations().members)
