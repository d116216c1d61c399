"""Derive carbon intensity and the carbon-free share from the generation mix. Pure.

A slot's intensity is sum(max(MW, 0) x factor) / sum(max(MW, 0)) over its fuels: storage that
charges is not generation, storage that discharges has its own factor. Shares (GB) count like
megawatts; imports are left out, so what remains is the mix of what the zone produced.

A slot without generation is unknown, and says nothing about shares. So is a slot in which a
fuel is absent that, when it was last reported within CONTEXT, made at least MINOR of the
generation, or that was named within CONTEXT only with null or in slots without generation:
near the live edge fuels arrive at different times, and a mix of only wind and sun would read
as clean. A fuel that faded out first is not missed, nor one that was last named longer ago: it
has been closed. A value that its source names but does not give (null) is missed for as long
as it is so, unless its last report within CONTEXT was minor. The first slots of a series have
nothing before them to judge by.

Solar power left out, or null, is 0 at night: nothing is missed. By day it is missed if it made
at least MINOR of the generation in any slot of daylight within CONTEXT, or was reported only
in others: its last report may be of the night. Near sunrise and sunset (sun.MARGIN) it is
judged like other fuels.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import Quality, Signal
from gridtide_pipelines.derive.factors import WEIGHED_BY, FactorSet
from gridtide_pipelines.derive.sun import daylight
from gridtide_store.vocabulary import CERTAINTY, FUELS, GENERATION, OBSERVATION, SHARE

# Give `derive` the mix from this long before the first slot wanted.
CONTEXT: Final = timedelta(days=7)
# An absent fuel of 1 % moves the intensity by at most about 8 g/kWh (coal, 820), which is
# within what the factors themselves are uncertain by.
MINOR: Final = 0.01
# Fewer decimals keep the store small. Not as few as the 0.01 others publish: two such
# roundings of one value may differ by more than 0.01.
DECIMALS: Final = {
    Signal.CI_LIFECYCLE_PRODUCED: 4,
    Signal.CI_DIRECT_PRODUCED: 4,
    Signal.CFE_PRODUCED: 6,
}

SERIES: Final = ("zone", "source")
SLOT: Final = (*SERIES, "slot_start", "slot_end")
LINE: Final = (*SERIES, "fuel")
# A computed value is at best derived, else what its worst input is.
QUALITY: Final = pl.Enum([str(quality) for quality in CERTAINTY])
DERIVED: Final = pl.lit(str(Quality.DERIVED), dtype=QUALITY)


def derive(
    mix: pl.DataFrame, factors: FactorSet, *, start: datetime | None = None
) -> pl.DataFrame:
    """Return three rows for each slot of the mix: lifecycle and direct intensity and CFE share.

    Args:
        mix: newest revisions of ``generation_<fuel>`` or ``share_<fuel>``, as OBSERVATION;
            other signals are passed over. Where a source has both, generation counts.
        start: leave out slots that start before it, which served only as context.

    Returns:
        OBSERVATION with source ``derived@<set>/<source>``. `known_at` is when the newest
        input of the slot and its context was known, `quality` ``derived`` or the worst of
        the slot's inputs if that is less certain, `retrieval_id` that of its newest input.

    Raises:
        BadInput: an unknown fuel.
    """
    inputs = _inputs(mix)
    slots = _summed(_absences(inputs), factors)
    if start is not None:
        slots = slots.filter(pl.col("slot_start") >= start)
    rows = [
        slots.select(
            "zone",
            pl.lit(str(signal)).alias("signal"),
            (f"derived@{factors.name}/" + pl.col("source")).alias("source"),
            "slot_start",
            "slot_end",
            pl.col(signal).round(DECIMALS[signal]).alias("value"),
            pl.col("quality").cast(pl.String),
            "known_at",
            "retrieval_id",
        )
        for signal in WEIGHED_BY
    ]
    return pl.concat(rows).select(OBSERVATION.names())


def _inputs(mix: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of fuels, with `fuel` for `signal`.

    Shares only where generation is missing.
    """
    shares = pl.col("signal").str.starts_with(SHARE)
    found = mix.filter(
        pl.col("signal").str.starts_with(GENERATION)
        | (shares & (pl.col("signal") != f"{SHARE}imports"))
    )
    fuel = pl.col("signal").str.replace(f"^({GENERATION}|{SHARE})", "")
    found = found.with_columns(
        fuel.alias("fuel"), shares.alias("is_share"), pl.col("quality").cast(QUALITY)
    )
    if odd := sorted(set(found["fuel"].unique()) - set(FUELS)):
        raise BadInput(f"no fuel {', '.join(odd)}; a mix has {', '.join(FUELS)}")
    return found.filter(~pl.col("is_share") | pl.col("is_share").all().over(SERIES))


def _absences(inputs: pl.DataFrame) -> pl.DataFrame:
    """Return one row per slot and fuel of its zone: its `power`, and whether it is `missed`."""
    # Numbers for keys: with the names themselves 2 M rows take twice the time.
    slots = inputs.select(SLOT).unique().sort(SLOT).with_row_index("slot")
    lines = inputs.select(LINE).unique().with_row_index("line")
    values = inputs.join(slots, on=SLOT).join(lines, on=LINE).drop(*SLOT, "fuel")
    grid = (
        slots.join(lines, on=SERIES)
        .join(values, on=["slot", "line"], how="left")
        .sort("line", "slot")
        .with_columns(pl.col("value").clip(lower_bound=0).alias("power"))
    )
    total = pl.col("power").sum().over("slot")
    # In frames of their own: a window inside a window would be taken within the line.
    parts = grid.with_columns(
        pl.when(total > 0).then(pl.col("power") / total).alias("part"),
        pl.when(pl.col("quality").is_not_null()).then("slot_start").alias("named_at"),
    )
    light = daylight(slots).select("slot", "night", "day")
    sun = pl.col("fuel") == "solar"
    parts = parts.join(light, on="slot", maintain_order="left").with_columns(
        pl.when(pl.col("part").is_not_null()).then("slot_start").alias("part_at"),
        pl.when(sun & pl.col("day")).then("part").alias("sunny_part"),
    )
    last = parts.with_columns(
        pl.col("part", "part_at", "named_at").forward_fill().over("line"),
        pl.col("sunny_part")
        .rolling_max_by("slot_start", window_size=CONTEXT, closed="both")
        .over("line"),
    )
    # Without a share to go by, a fuel that is named at all counts as one of weight.
    named = _recent("named_at").fill_null(value=False)
    missed = (
        pl.when(sun & pl.col("night"))
        .then(pl.lit(value=False))
        .when(sun & pl.col("day"))
        .then((pl.col("sunny_part") >= MINOR).fill_null(named))
        .when(_recent("part_at"))
        .then(pl.col("part") >= MINOR)
        .otherwise(named)
    )
    return last.with_columns((pl.col("power").is_null() & missed).alias("missed"))


def _recent(moment: str) -> pl.Expr:
    """Say whether a slot starts within CONTEXT of the time in a column; null without one."""
    return pl.col("slot_start") - pl.col(moment) <= CONTEXT


def _summed(grid: pl.DataFrame, factors: FactorSet) -> pl.DataFrame:
    """Return one row per slot with a column per signal, null where it is unknown."""
    power = pl.col("power")
    slots = (
        grid.join(_weights(factors, grid), on=["zone", "fuel"])
        .group_by("slot")
        .agg(
            pl.col(SLOT).first(),
            power.sum().alias("total"),
            *((power * pl.col(s)).sum().alias(s) for s in WEIGHED_BY),
            pl.col("missed").any(),
            pl.max_horizontal(pl.col("quality").max(), DERIVED).alias("quality"),
            pl.col("known_at").max(),
            pl.col("retrieval_id").get(pl.col("known_at").arg_max()),
        )
        .sort("slot")
    )
    known = ~pl.col("missed") & (pl.col("total") > 0)
    return slots.with_columns(
        *(pl.when(known).then(pl.col(str(s)) / pl.col("total")).alias(s) for s in WEIGHED_BY),
        # A revision in the context may change what is missed here; then this revision must be
        # newer than the one before it.
        pl.col("known_at")
        .rolling_max_by("slot_start", window_size=CONTEXT, closed="both")
        .over(SERIES),
    )


def _weights(factors: FactorSet, grid: pl.DataFrame) -> pl.DataFrame:
    """Return zone, fuel and a column per signal, with the figures of zones that differ."""
    zones = grid["zone"].unique()
    table = [
        {"zone": zone, "fuel": fuel}
        | {
            str(signal): factors.zones.get(zone, {}).get(signal, {}).get(fuel, by_fuel[fuel])
            for signal, by_fuel in factors.weights.items()
        }
        for zone in zones
        for fuel in FUELS
    ]
    schema = {"zone": pl.String, "fuel": pl.String} | {str(s): pl.Float64 for s in WEIGHED_BY}
    return pl.DataFrame(table, schema=schema)
