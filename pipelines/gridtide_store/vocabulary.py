"""The words of the store: fuels, signal names, and the columns of its two tables."""

from __future__ import annotations

from typing import Final

import polars as pl

from gridtide.model import Quality

FUELS: Final = (
    "coal",
    "gas",
    "oil",
    "nuclear",
    "hydro",
    "wind",
    "solar",
    "biomass",
    "geothermal",
    "hydro_storage",
    "battery_storage",
    "unknown",
)

GENERATION: Final = "generation_"
SHARE: Final = "share_"

# What an observation may be; a forecast has its own table, with its issue. In the order of
# the store's enum: a new word comes last.
QUALITIES: Final = (
    Quality.MEASURED,
    Quality.ESTIMATED,
    Quality.NOWCAST,
    Quality.SIMULATED,
    Quality.DERIVED,
)

# Every quality, from the most certain to the least: what is made of several values is of the
# worst of theirs.
CERTAINTY: Final = (
    Quality.MEASURED,
    Quality.DERIVED,
    Quality.ESTIMATED,
    Quality.NOWCAST,
    Quality.FORECAST,
    Quality.SIMULATED,
)

# Decimals of a published fraction of 1.
FRACTION_DIGITS: Final = 4

INSTANT: Final = pl.Datetime("us", "UTC")

# One row is one belief: what `source` said at `known_at` about the mean of `signal` over
# [slot_start, slot_end). A null value is a withdrawal, or a value known to be unknown.
OBSERVATION: Final = pl.Schema(
    {
        "zone": pl.String(),
        "signal": pl.String(),
        "source": pl.String(),
        "slot_start": INSTANT,
        "slot_end": INSTANT,
        "value": pl.Float64(),
        "quality": pl.String(),
        "known_at": INSTANT,
        "retrieval_id": pl.Int64(),
    }
)

# One row is one step of one run; zone, signal, model and issued_at name the run.
FORECAST: Final = pl.Schema(
    {
        "zone": pl.String(),
        "signal": pl.String(),
        "model": pl.String(),
        "issued_at": INSTANT,
        "slot_start": INSTANT,
        "slot_end": INSTANT,
        "p10": pl.Float64(),
        "p50": pl.Float64(),
        "p90": pl.Float64(),
        "known_at": INSTANT,
        "source": pl.String(),
        "simulated": pl.Boolean(),
    }
)


def generation(fuel: str) -> str:
    """Signal of the power one fuel gives, MW; storage positive when it discharges."""
    return f"{GENERATION}{fuel}"


def share(fuel: str) -> str:
    """Signal of one fuel's part of all generation, 0 to 1."""
    return f"{SHARE}{fuel}"


def input_of(source: str) -> str:
    """The publisher behind a source name: ``derived@ipcc_ar5/eia`` is made from ``eia``."""
    return source.rpartition("/")[2] if source.startswith("derived@") else source


def digits(signal: str) -> int:
    """Decimals a published value keeps: 2, but 4 where it is a fraction of 1.

    0.01 is far below what any publisher's figure is good for, and makes the file a third
    the size; of a fraction it would leave a hundred steps.
    """
    return FRACTION_DIGITS if signal.startswith(("cfe_", SHARE)) else 2
