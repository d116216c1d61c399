"""The layouts of files that others publish. Pure.

- Electricity Maps' yearly files: intensity and carbon-free share of one zone, by hour, traced
  along the flows between zones; the header has been spelled in several ways over the years.
- EIA's six-month files ``EIA930_BALANCE_...csv``: generation and demand of all authorities.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from gridtide.model import Signal
from gridtide_pipelines.importing.layouts import Label, Layout, Value
from gridtide_pipelines.importing.numbers import Mark
from gridtide_pipelines.importing.units import Unit
from gridtide_pipelines.ingest.sources import eia_bulk
from gridtide_pipelines.ingest.sources.eia_bulk_parts import AUTHORITY, DEMAND, END, FUEL
from gridtide_store.vocabulary import LOAD, generation

HOUR: Final = timedelta(hours=1)
GRAMS: Final = Unit("g/kWh")
PERCENT: Final = Unit("%", 0.01)

MAPS_ZONE: Final = re.compile(r"zone (id|key)", re.IGNORECASE)
MAPS_TIME: Final = re.compile(r"datetime \(utc\)", re.IGNORECASE)
MAPS_VALUES: Final = (
    (Signal.CI_DIRECT_CONSUMED, re.compile(r"carbon intensity.*\(direct\)", re.IGNORECASE)),
    (
        Signal.CI_LIFECYCLE_CONSUMED,
        re.compile(r"carbon intensity.*\((lca|life ?cycle)\)", re.IGNORECASE),
    ),
    (
        Signal.CFE_CONSUMED,
        re.compile(r"(low[- ]carbon|carbon[- ]free).*percentage.*", re.IGNORECASE),
    ),
)
MAPS_ESTIMATED: Final = re.compile(r"data estimated", re.IGNORECASE)


def published_layout(columns: Sequence[str]) -> Layout | None:
    """Return the layout of a published file with these columns; None if it is none."""
    return _electricity_maps(columns) or _eia(columns)


def _electricity_maps(columns: Sequence[str]) -> Layout | None:
    time = next(filter(MAPS_TIME.fullmatch, columns), None)
    zone = next(filter(MAPS_ZONE.fullmatch, columns), None)
    values = [
        Value(column, str(signal), PERCENT if signal == Signal.CFE_CONSUMED else GRAMS)
        for signal, pattern in MAPS_VALUES
        for column in columns
        if pattern.fullmatch(column)
    ]
    if time is None or zone is None or not values:
        return None
    return Layout(
        "Electricity Maps",
        time,
        tuple(values),
        zone=zone,
        label=Label.START,
        published=True,
        timezone="UTC",
        mark=Mark.POINT,
        estimated=next(filter(MAPS_ESTIMATED.fullmatch, columns), None),
    )


def _eia(columns: Sequence[str]) -> Layout | None:
    if AUTHORITY not in columns or END not in columns:
        return None
    values = []
    for name, column in eia_bulk.read_columns(columns).items():
        if name == DEMAND:
            values.append(Value(column, LOAD, Unit("MW")))
        elif name.startswith(FUEL):
            fuel = eia_bulk.FUELS.get(name.removeprefix(FUEL), "unknown")
            values.append(Value(column, generation(fuel), Unit("MW")))
    if not values:
        return None
    return Layout(
        "EIA balance file",
        END,
        tuple(values),
        zone=AUTHORITY,
        label=Label.END,
        published=True,
        timezone="UTC",
        day_first=False,
        mark=Mark.POINT,
        resolution=HOUR,
        sparse=True,
        joined=True,
    )
