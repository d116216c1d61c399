"""Fuels, signal names, and the columns that observations and forecast runs must have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import Quality, Signal

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
PRICE: Final = "price_"
# Net imports among a publisher's generation: ``imports``, or ``import_<name>`` of each border
# it names. They are not fuels, so they do not begin as fuels do and never enter a mix.
IMPORT: Final = "import"
# Before the quantities of weather.
WEATHER: Final = "weather_"
WEATHER_UNITS: Final = {
    "wind_speed_m_s": "m/s",
    "wind_speed_100m_m_s": "m/s",
    "temp_k": "K",
    "dewpoint_k": "K",
    "dswrf_w_m2": "W/m2",
    "precip_mm": "mm",
    "cloud_pct": "%",
}
LOAD: Final = "load"
FLOW: Final = "flow"

# What a snapshot has, beside prices of every currency: the signals that are answered, and the
# load by which aggregates weigh those of their zones.
PUBLISHED: Final = (*Signal, LOAD)

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

# One row is one observation: what `source` said at `known_at` about the mean of `signal` over
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

RUN = ("zone", "signal", "model", "issued_at")


def generation(fuel: str) -> str:
    """Return the signal of the power that one fuel generates, MW.

    Storage is positive when it discharges.
    """
    return f"{GENERATION}{fuel}"


def share(fuel: str) -> str:
    """Return the signal of one fuel's share of all generation, 0 to 1."""
    return f"{SHARE}{fuel}"


def unit_of(signal: str) -> str:
    """Return the unit of a signal: ``MW``, ``gCO2e/kWh``, ``fraction``, or as ``EUR/MWh``."""
    if signal in set(Signal):
        return Signal(signal).unit
    if signal.startswith(SHARE):
        return "fraction"
    if signal.startswith(PRICE):
        return f"{signal.removeprefix(PRICE).upper()}/MWh"
    if signal.startswith(WEATHER):
        return WEATHER_UNITS[signal.removeprefix(WEATHER)]
    return "MW"


def input_of(source: str) -> str:
    """Return the publisher of a source name: ``eia`` for ``derived@ipcc_ar5/eia``."""
    return source.rpartition("/")[2] if source.startswith("derived@") else source


def digits(signal: str) -> int:
    """Return the decimals of a published value: 2, but 4 where it is a fraction of 1.

    0.01 is far below what any publisher's figure is good for, and makes the file a third
    the size; of a fraction it would leave a hundred steps.
    """
    return FRACTION_DIGITS if signal.startswith(("cfe_", SHARE)) else 2


def observations(frame: pl.DataFrame) -> pl.DataFrame:
    """Check `frame` and return it with the columns of `OBSERVATION` in order.

    Raises:
        BadInput: another column or type, a null outside ``value``, a value that is not a
            number, an unknown quality, a slot that ends before it starts or lies between
            whole seconds.
    """
    frame = _columns(frame, OBSERVATION, may_be_null=("value",))
    _refuse(
        frame,
        ~pl.col("value").is_finite(),
        "value",
        "is not a number; write null for an unknown value",
    )
    _refuse(
        frame,
        ~pl.col("quality").is_in(list(QUALITIES)),
        "quality",
        f"is not one of {', '.join(QUALITIES)}",
    )
    _refuse_slots(frame)
    return frame


def forecasts(frame: pl.DataFrame) -> pl.DataFrame:
    """Check `frame` and return it with the columns of `FORECAST`, sorted by run and slot.

    Raises:
        BadInput: another column or type, a null outside ``p10`` and ``p90``, a value that is
            no number, quantiles out of order, overlapping steps in a run, or a run with two
            known_at, sources or values of `simulated`.
    """
    frame = _columns(frame, FORECAST, may_be_null=("p10", "p90")).sort(*RUN, "slot_start")
    for name in ("p10", "p50", "p90"):
        _refuse(
            frame,
            ~pl.col(name).is_finite(),
            name,
            "is not a number; write null for an unknown value",
        )
    _refuse(frame, pl.col("p10") > pl.col("p50"), "p10", "lies above p50")
    _refuse(frame, pl.col("p90") < pl.col("p50"), "p90", "lies below p50")
    _refuse_slots(frame)
    same_run = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in RUN)
    for name in ("known_at", "source", "simulated"):
        changed = same_run & (pl.col(name) != pl.col(name).shift())
        _refuse(frame, changed, name, "changes within one run; store two runs instead")
    overlap = same_run & (pl.col("slot_start") < pl.col("slot_end").shift())
    _refuse(frame, overlap, "slot_start", "overlaps the step before it in the same run")
    return frame


def _columns(
    frame: pl.DataFrame, schema: pl.Schema, *, may_be_null: Sequence[str]
) -> pl.DataFrame:
    if set(frame.columns) != set(schema.names()):
        missing = sorted(set(schema.names()) - set(frame.columns))
        surplus = sorted(set(frame.columns) - set(schema.names()))
        raise BadInput(f"columns missing: {missing or 'none'}, not wanted: {surplus or 'none'}")
    frame = frame.select(schema.names())
    for name, wanted in schema.items():
        found = frame.schema[name]
        if found != wanted:
            hint = "; give the times an offset, in UTC" if wanted == INSTANT else ""
            raise BadInput(f"column {name} is {found}, not {wanted}{hint}")
    for name in schema.names():
        if name not in may_be_null and frame[name].null_count():
            _refuse(frame, pl.col(name).is_null(), name, "is missing")
    return frame


def _refuse_slots(frame: pl.DataFrame) -> None:
    ends_early = pl.col("slot_end") <= pl.col("slot_start")
    _refuse(frame, ends_early, "slot_end", "is not after slot_start")
    for name in ("slot_start", "slot_end"):
        # No publisher labels finer, and whole seconds let keys be compared as one integer.
        between = pl.col(name).dt.microsecond() != 0
        _refuse(frame, between, name, "is not on a whole second")


def _refuse(frame: pl.DataFrame, wrong: pl.Expr, column: str, why: str) -> None:
    if not frame.select(wrong.any()).item():
        return
    bad = frame.filter(wrong)
    row = bad.row(0, named=True)
    who = row.get("source") if "model" not in row else row["model"]
    raise BadInput(
        f"{who} [{row['zone']}] {row['signal']}, slot {row['slot_start']}: "
        f"{column} {row[column]} {why} ({len(bad)} of {len(frame)} rows); nothing was stored"
    )
