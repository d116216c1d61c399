"""The factor sets of factors.toml: what each fuel emits, how far it counts as carbon-free."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gridtide.errors import BadInput
from gridtide.model import Signal
from gridtide_store.vocabulary import FUELS

DEFAULT = "ipcc_ar5"
TABLE = Path(__file__).with_name("factors.toml")

# The signals a mix gives, each with the part of the table it is weighted by.
WEIGHED_BY: Mapping[Signal, str] = {
    Signal.CI_LIFECYCLE_PRODUCED: "lifecycle",
    Signal.CI_DIRECT_PRODUCED: "direct",
    Signal.CFE_PRODUCED: "cfe",
}

Weights = Mapping[str, float]  # fuel to g/kWh, or to the share that counts as carbon-free


@dataclass(frozen=True, slots=True)
class FactorSet:
    """One complete set.

    Attributes:
        name: as in the table; from the second version on with it, ``ipcc_ar5-v2``.
        weights: signal to fuel to factor; every fuel is there.
        zones: zone to signal to fuel to factor, where a zone differs.
        citations: signal to fuel to where the figure is from.
    """

    name: str
    title: str
    weights: Mapping[Signal, Weights]
    zones: Mapping[str, Mapping[Signal, Weights]]
    citations: Mapping[Signal, Mapping[str, str]]

    def source(self, publisher: str) -> str:
        """Return the source name for values derived from the mix of `publisher`."""
        return f"derived@{self.name}/{publisher}"


def factor_set(name: str = DEFAULT) -> FactorSet:
    """Return the complete set of that name.

    Raises:
        BadInput: the set is unknown, or serves only to fill others.
    """
    sets = factor_sets()
    if name not in sets:
        raise BadInput(f"no factor set {name!r}; there are {', '.join(sorted(sets))}")
    return sets[name]


@cache
def factor_sets() -> Mapping[str, FactorSet]:
    """Return every complete set of this release, by its name in the table."""
    return read(TABLE.read_text(encoding="utf-8"))


def read(text: str) -> Mapping[str, FactorSet]:
    """Read the complete sets of a table; one without `cfe` serves only to fill others.

    Raises:
        BadInput: no TOML; a set that lacks a fuel; an unknown fuel; a figure that is
            negative, or without citation; a filling that is not there.
    """
    try:
        table = tomllib.loads(text)
        names = [name for name, entry in table["sets"].items() if "cfe" in entry]
        return {name: _complete(table, name) for name in names}
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"the table of factors is not TOML: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"the table of factors lacks {error}") from error


Figures = Mapping[str, tuple[float, str]]  # fuel to factor and citation
Table = Mapping[str, Any]


def _complete(table: Table, name: str) -> FactorSet:
    entry = table["sets"][name]
    figures = {
        signal: _figures(f"cfe {entry['cfe']}", table["cfe"][entry["cfe"]], "share")
        if part == "cfe"
        else _filled(table, name, part)
        for signal, part in WEIGHED_BY.items()
    }
    for signal, by_fuel in figures.items():
        if missing := [fuel for fuel in FUELS if fuel not in by_fuel]:
            raise BadInput(
                f"factor set {name}, {WEIGHED_BY[signal]}: no figure for {', '.join(missing)}; "
                "give one, or name a set to fill from"
            )
    return FactorSet(
        name=name if entry["version"] == 1 else f"{name}-v{entry['version']}",
        title=entry["title"],
        weights={signal: _values(by_fuel) for signal, by_fuel in figures.items()},
        zones={
            zone: {
                signal: _values(_figures(f"{name}, {zone}, {part}", parts[part], "g_per_kwh"))
                for signal, part in WEIGHED_BY.items()
                if part in parts
            }
            for zone, parts in entry.get("zones", {}).items()
        },
        citations={
            signal: {fuel: cite for fuel, (_, cite) in by_fuel.items()}
            for signal, by_fuel in figures.items()
        },
    )


def _filled(table: Table, name: str, part: str) -> Figures:
    """Return the figures of a set, filled from its other sets for the fuels it lacks."""
    entry = table["sets"][name]
    found: Figures = {}
    for filling in entry.get("fill", ()):
        found = {**_filled(table, filling, part), **found}
    return {**found, **_figures(f"{name}, {part}", entry.get(part, {}), "g_per_kwh")}


def _figures(where: str, entries: Table, unit: str) -> Figures:
    for fuel, figure in entries.items():
        if fuel not in FUELS:
            raise BadInput(f"factors of {where}: no fuel {fuel!r}; one of {', '.join(FUELS)}")
        if figure[unit] < 0 or (unit == "share" and figure[unit] > 1) or not figure["cite"]:
            raise BadInput(f"factors of {where}: {fuel} is {figure}; out of range or uncited")
    return {fuel: (float(figure[unit]), figure["cite"]) for fuel, figure in entries.items()}


def _values(figures: Figures) -> Weights:
    return {fuel: value for fuel, (value, _) in figures.items()}
