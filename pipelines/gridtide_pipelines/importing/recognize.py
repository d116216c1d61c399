"""Find out what the columns of a file mean; what they do not say is an error. Pure.

- Wide: ``ts_utc`` and ``gen_<fuel>_mwh``, the energy in each slot.
- Long: ``zone``, ``start``, ``fuel``, ``mw``, the mean power.
- Files that others publish (`published`).
- Any other, with ``--time-column`` and ``--map`` (`custom`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gridtide.errors import BadInput
from gridtide_pipelines.importing.custom import custom_layout
from gridtide_pipelines.importing.layouts import (
    SYNONYMS,
    Hints,
    Layout,
    Value,
    generation_columns,
    listed,
)
from gridtide_pipelines.importing.published import published_layout
from gridtide_pipelines.importing.units import Unit, has_power_unit
from gridtide_pipelines.ingest.production_types import fuel_named
from gridtide_store.vocabulary import FUELS

LONG: Final = ("zone", "start", "fuel", "mw")
NEEDS: Final = (
    "ts_utc and gen_<fuel>_mwh (wide), or zone, start, fuel and mw (long); of another file say "
    "what its columns are: --time-column NAME --map FUEL=COLUMN"
)

# Power and energy that is not generation, or not of the past.
OTHER_POWER: Final = re.compile(
    r"load|demand|consum|total|sum\b|\bnet\b|import|export|flow|interchange|exchange"
    r"|forecast|capacity|price|residual|curtail"
)


def known_names(hints: Hints) -> set[str]:
    """Return names of columns, in lower case, that tell a header from other lines."""
    named = [
        hints.time_column,
        hints.clock_column,
        hints.zone_column,
        hints.fuel_column,
        hints.value_column,
    ]
    # With a column of fuels, what is mapped are names in that.
    mapped = [] if hints.fuel_column else [column for _, column in hints.mapping]
    columns = [*filter(None, named), *mapped]
    return {"ts_utc", *LONG, "zone id", "balancing authority", *map(str.lower, columns)}


def find_layout(name: str, columns: Sequence[str], hints: Hints) -> Layout:
    """Return the layout of a file with these columns.

    Raises:
        BadInput: it is none that is known, and the user does not say what columns are.
    """
    if absent := [each for each in hints.ignore if each not in (*columns, "*")]:
        raise BadInput(
            f"{name} has no column {listed(absent)} to ignore; it has {listed(columns)}"
        )
    if hints.custom:
        return custom_layout(name, columns, hints)
    if layout := published_layout(columns):
        return layout
    if "ts_utc" in columns:
        return _wide(name, columns, hints)
    if set(LONG).isdisjoint(columns):
        raise BadInput(f"{name} has the columns {listed(columns)}; it needs {NEEDS}")
    if missing := [column for column in LONG if column not in columns]:
        raise BadInput(
            f"{name} lacks {listed(missing)}; it has {listed(columns)} and needs {NEEDS}"
        )
    value = Value("mw", "", Unit("MW"))
    return Layout("long", "start", (value,), zone="zone", fuel="fuel")


def _wide(name: str, columns: Sequence[str], hints: Hints) -> Layout:
    unit = Unit("MWh", energy=True)
    values = [
        Value(column, signal, unit) for signal, column in generation_columns(name, columns)
    ]
    if not values:
        raise BadInput(
            f"{name} has ts_utc but no column gen_<fuel>_mwh; it has {listed(columns)}; of "
            "other columns say what they are: --map FUEL=COLUMN"
        )
    left = {"ts_utc", *hints.ignore, *(value.column for value in values)}
    unmapped = [each for each in columns if each not in left and _may_be_generation(each)]
    everything = "*" in hints.ignore
    return Layout(
        "wide", "ts_utc", tuple(values), unmapped=() if everything else tuple(unmapped)
    )


def _may_be_generation(column: str) -> bool:
    """Say whether a column of numbers may be of a fuel, so that a mix without it is wrong."""
    words = column.replace("_", " ").lower()
    if OTHER_POWER.search(words):
        return False
    fuel = words in FUELS or words in SYNONYMS or fuel_named(words) is not None
    return fuel or words.startswith("gen") or has_power_unit(column)
