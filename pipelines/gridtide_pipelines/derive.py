"""From the generation mix to carbon intensity and the carbon-free share. Pure.

A slot's intensity is sum(max(MW, 0) x factor) / sum(max(MW, 0)) over its fuels: storage that
charges is no generation, storage that discharges has its own factor. Shares (GB) count like
megawatts; imports are left out, so what remains is the mix of what the zone produced.

A slot without generation is unknown. So is a slot in which a fuel is absent that, when it was
last reported within CONTEXT, made at least MINOR of the generation: near the live edge fuels
arrive at different times, and a mix of only wind and sun would read as clean. A fuel that
faded out first (the sun, where a publisher leaves out zeros) is not missed, nor one whose
last report is older: it has been closed. A value withdrawn by its source is missed unless its
last report was minor. The first slots of a series have nothing before them to judge by.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import Quality, Signal
from gridtide_pipelines.factors import WEIGHED_BY, FactorSet
from gridtide_store.words import CERTAINTY, FUELS, GENERATION, OBSERVATION, SHARE

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
    """Three rows for each slot of the mix: lifecycle and direct intensity, and CFE share.

    Args:
        mix: newest beliefs of ``generation_<fuel>`` or ``share_<fuel>``, as OBSERVATION;
            other signals are passed over. Where a source has both, generation counts.
        start: leave out slots that start before it, which served only as context.

    Returns:
        OBSERVATION with source ``derived@<set>/<source>``. `known_at` is when the newest
        input of the slot and its context was known, `quality` ``derived`` or the worst of
        the slot's inputs if that is less certain, `retrieval_id` that of its newest input.

    Raises:
        BadInput: a fuel nobody knows.
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
    """The rows of fuels, with `fuel` for `signal`; shares only where there is no generation."""
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
    """One row per slot and fuel of its zone, with `power` and whether the fuel is `missed`."""
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
    reported = pl.col("power").is_not_null()
    total = pl.col("power").sum().over("slot")
    part = pl.when(total > 0).then(pl.col("power") / total).when(reported).then(0.0)
    # In a frame of its own: a window inside a window would be taken within the line.
    last = grid.with_columns(part.alias("part")).with_columns(
        pl.col("part").forward_fill().over("line").alias("last_part"),
        pl.when(reported).then("slot_start").forward_fill().over("line").alias("last_at"),
    )
    recent = pl.col("slot_start") - pl.col("last_at") <= CONTEXT
    withdrawn = pl.col("quality").is_not_null()
    missed = pl.when(recent).then(pl.col("last_part") >= MINOR).otherwise(withdrawn)
    return last.with_columns((~reported & missed).alias("missed"))


def _summed(grid: pl.DataFrame, factors: FactorSet) -> pl.DataFrame:
    """One row per slot with a column per signal, null where it is unknown."""
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
        # A revision in the context may change what is missed here; then this belief must be
        # newer than the one before it.
        pl.col("known_at")
        .rolling_max_by("slot_start", window_size=CONTEXT, closed="both")
        .over(SERIES),
    )


def _weights(factors: FactorSet, grid: pl.DataFrame) -> pl.DataFrame:
    """zone, fuel and a column per signal, with the figures of zones that differ."""
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
