"""Zones whose mix is estimated, because no publisher states it, and how uncertain that is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from gridtide.model import Signal
from gridtide_store import catalogue
from gridtide_store.vocabulary import input_of

# The name under which estimated generation is stored, and what is derived from it.
ESTIMATE = "estimate"
HOURS_A_YEAR = 8766
# Beside the uncertainty of the mix: what flows in is counted by the mean of the zone it comes
# from, and a load that is not published by its mean over a year.
RELATIVE = 0.5


@dataclass(frozen=True, slots=True)
class EstimatedZone:
    """What is known of the mix of one zone.

    Attributes:
        power: mean over a year of each fuel but hydro power, MW.
        load: mean over a year, MW; a rough estimate.
        neighbours: whose flows with it must be known.
        least: the least uncertainty of ``lifecycle``, ``direct`` and ``cfe``.
        cite: where the mix is from.
    """

    zone: str
    power: Mapping[str, float]
    load: float
    neighbours: tuple[str, ...]
    least: Mapping[str, float]
    cite: str

    @property
    def flows(self) -> dict[str, str]:
        """The stored pair of zones of each flow, by neighbour."""
        return {each: "->".join(sorted((self.zone, each))) for each in self.neighbours}

    @property
    def basis(self) -> str:
        """What the values are made from, in a sentence."""
        return (
            f"estimated from the mix of a year ({self.cite}) and hourly flows with "
            f"{' and '.join(self.neighbours)}"
        )

    def uncertainty(self, signal: Signal, value: float) -> float:
        """Return how far an estimated value may be off, either way; in the signal's unit."""
        if not signal.lower_is_cleaner:
            return min(1.0, max(self.least["cfe"], RELATIVE * (1 - value)))
        kind = "direct" if signal.startswith("ci_direct") else "lifecycle"
        return max(self.least[kind], RELATIVE * value)


@cache
def estimated_zones() -> Mapping[str, EstimatedZone]:
    """Return the zones of ``catalogue/estimates.toml``, by key."""
    text = (catalogue.FOLDER / "estimates.toml").read_text(encoding="utf-8")
    load = yearly_load()
    return {
        zone: EstimatedZone(
            zone=zone,
            power={
                fuel: share * fields["generation_twh"] * 1e6 / HOURS_A_YEAR
                for fuel, share in fields["mix"].items()
                if fuel != "hydro"
            },
            load=load[zone],
            neighbours=tuple(fields["neighbours"]),
            least=fields["uncertainty"],
            cite=fields["cite"],
        )
        for zone, fields in tomllib.loads(text).items()
    }


@cache
def yearly_load() -> Mapping[str, float]:
    """Return the mean load over a year of each zone of an aggregate, MW; a rough estimate."""
    return {
        row["zone"]: float(row["twh"]) * 1e6 / HOURS_A_YEAR
        for row in catalogue.read_table("yearly_load.csv")
    }


def with_neighbours(zones: Sequence[str]) -> list[str]:
    """Return zones with those from which they are estimated."""
    table = estimated_zones()
    near = (each for zone in zones if zone in table for each in table[zone].neighbours)
    return list(dict.fromkeys([*zones, *near]))


def is_estimate(source: str) -> bool:
    """Say whether values of this source are estimated by gridtide."""
    return input_of(source) == ESTIMATE
