"""Estimate the mix of a zone that publishes none, from a year's mix and hourly flows. Pure.

What the zone generates in an hour is its load and what flows out of it, less what flows in.
All fuels but hydro power have their mean over the year; hydro power has the rest, since it
is what follows load and trade in these zones. What is consumed is that and what flows in, each
with the intensity of production of the zone it comes from: a first order of flow tracing.

An hour of which a flow is unknown is not estimated, nor its consumption where power flows in
from a zone whose intensity is unknown. A load that is not published is its mean over a year.
What is known for a part of an hour counts for the hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from gridtide.model import Quality, Signal
from gridtide_pipelines.derive.factors import FactorSet
from gridtide_pipelines.derive.intensity import DECIMALS
from gridtide_store.estimates import ESTIMATE, EstimatedZone
from gridtide_store.trust import order_by_trust
from gridtide_store.vocabulary import CERTAINTY, FLOW, LOAD, OBSERVATION, generation

HOUR: Final = timedelta(hours=1)
# What is produced there, to what is consumed here.
CONSUMED: Final = {
    Signal.CI_LIFECYCLE_PRODUCED: Signal.CI_LIFECYCLE_CONSUMED,
    Signal.CI_DIRECT_PRODUCED: Signal.CI_DIRECT_CONSUMED,
    Signal.CFE_PRODUCED: Signal.CFE_CONSUMED,
}
QUALITY: Final = pl.Enum([str(quality) for quality in CERTAINTY])
KEY: Final = ("zone", "signal", "source", "slot_start")

Trust = Callable[[str], Sequence[str]]


def inputs_of(zone: EstimatedZone) -> list[tuple[str, str]]:
    """Return zone and signal of every series that an estimate is made from."""
    return [
        (zone.zone, LOAD),
        *((pair, FLOW) for pair in zone.flows.values()),
        *((each, str(signal)) for each in zone.neighbours for signal in CONSUMED),
    ]


def outputs_of(zone: EstimatedZone) -> list[tuple[str, str]]:
    """Return zone and signal of every series that `estimate` makes."""
    fuels = [generation(fuel) for fuel in ("hydro", *zone.power)]
    return [(zone.zone, signal) for signal in (*fuels, *map(str, CONSUMED.values()))]


def whole_hours(
    spans: Iterable[tuple[datetime, datetime]],
) -> list[tuple[datetime, datetime]]:
    """Return one span of whole hours for each month in which spans start, sorted."""
    found: dict[tuple[int, int], tuple[datetime, datetime]] = {}
    for start, end in spans:
        first = start.replace(minute=0, second=0, microsecond=0)
        last = end - (end - first) % HOUR
        last += HOUR if last < end else timedelta()
        month = (start.year, start.month)
        low, high = found.get(month, (first, last))
        found[month] = min(low, first), max(high, last)
    return sorted(found.values())


def estimate(
    zone: EstimatedZone, known: pl.DataFrame, factors: FactorSet, trust: Trust
) -> pl.DataFrame:
    """Return generation by fuel of each hour, and intensity and CFE share of what is consumed.

    Args:
        zone: whose.
        known: newest revisions of the series of `inputs_of`, and of what was estimated before,
            as OBSERVATION.
        factors: how much each fuel emits.
        trust: sources of a zone, most trusted first.

    Returns:
        OBSERVATION of the hours that were over when the newest input was known, with quality
        ``estimated``, or ``simulated`` where an input is. An hour that was estimated before and
        cannot be any more has null.
    """
    mine = pl.col("source").is_in([ESTIMATE, factors.source(ESTIMATE)])
    inputs = _hourly(zone, known.filter(~mine | (pl.col("zone") != zone.zone)), trust)
    hours = _generated(zone, inputs)
    frames = [
        _rows(zone, hours, fuel, generation(name), ESTIMATE)
        for name, fuel in _fuels(zone, hours).items()
    ]
    source = factors.source(ESTIMATE)
    for produced, consumed in CONSUMED.items():
        mixed = _consumed(zone, hours, inputs, factors, produced)
        frames.append(_rows(zone, mixed, pl.col("mean"), consumed, source, DECIMALS[produced]))
    found = pl.concat(frames)
    before = known.filter(mine, pl.col("zone") == zone.zone)
    return pl.concat([found, _withdrawn(before, found, known.filter(~mine))])


def _hourly(zone: EstimatedZone, known: pl.DataFrame, trust: Trust) -> pl.DataFrame:
    """Return the mean of each hour by the most trusted source that has one; null: withdrawn.

    It is known when it is the newest of its values, and when those that more trusted sources
    had for the hour are withdrawn.
    """
    hour = pl.col("slot_start").dt.truncate("1h")
    seconds = (pl.col("slot_end") - pl.col("slot_start")).dt.total_seconds()
    length = pl.when(pl.col("value").is_not_null()).then(seconds)
    inside = pl.col("slot_end") <= pl.col("slot_start").dt.truncate("1h") + HOUR
    means = (
        known.filter(inside)
        .with_columns(pl.col("quality").cast(QUALITY), hour.alias("hour"))
        .group_by("zone", "signal", "source", "hour")
        .agg(
            ((pl.col("value") * length).sum() / length.sum()).fill_nan(None).alias("value"),
            pl.col("quality").filter(pl.col("value").is_not_null()).max(),
            pl.col("known_at").max(),
            pl.col("retrieval_id").get(pl.col("known_at").arg_max()),
        )
    )
    order = {
        (key, source): rank
        for key in means["zone"].unique()
        for rank, source in enumerate(_ranked(zone, key, means, trust))
    }
    ranks = pl.DataFrame(
        [(key, source, rank) for (key, source), rank in order.items()],
        {"zone": pl.String, "source": pl.String, "rank": pl.Int64},
        orient="row",
    )
    slot = ["zone", "signal", "hour"]
    ranked = means.join(ranks, on=["zone", "source"]).sort(*slot, "rank")
    missing = pl.col("value").is_null()
    # The first that has a value, and those before it.
    counted = ranked.filter((~missing).cum_sum().over(slot) - (~missing).cast(pl.Int64) == 0)
    return counted.group_by(slot, maintain_order=True).agg(
        pl.col("value", "quality").last(),
        pl.col("known_at").max(),
        pl.col("retrieval_id").get(pl.col("known_at").arg_max()),
    )


def _ranked(zone: EstimatedZone, key: str, means: pl.DataFrame, trust: Trust) -> Sequence[str]:
    """Return the sources of a zone, or of the flow between two, most trusted first."""
    ends = sorted(key.split("->"), key=lambda each: each != zone.zone)
    there = means.filter(pl.col("zone") == key)["source"].unique()
    return order_by_trust(there, [source for end in ends for source in trust(end)])


def _series(inputs: pl.DataFrame, key: str, signal: str, name: str) -> pl.DataFrame:
    """Return one series by hour, its columns named after `name`."""
    rows = inputs.filter(pl.col("zone") == key, pl.col("signal") == signal)
    return rows.select(
        "hour",
        pl.col("value").alias(name),
        pl.col("known_at").alias(f"{name} known"),
        pl.col("retrieval_id").alias(f"{name} retrieval"),
        pl.col("quality").alias(f"{name} quality"),
    )


def _generated(zone: EstimatedZone, inputs: pl.DataFrame) -> pl.DataFrame:
    """Return the hours that can be estimated, with `total` generation and flows `to` zones."""
    hours = inputs.select(pl.col("hour").unique().sort())
    for neighbour, pair in zone.flows.items():
        sign = 1 if pair.startswith(zone.zone) else -1
        flow = _series(inputs, pair, FLOW, f"to {neighbour}").drop_nulls(f"to {neighbour}")
        hours = hours.join(flow.with_columns(pl.col(f"to {neighbour}") * sign), on="hour")
    hours = hours.join(
        _series(inputs, zone.zone, LOAD, "load"), on="hour", how="left"
    ).with_columns(pl.col("load").fill_null(zone.load))
    out = pl.sum_horizontal(pl.col(f"to {each}") for each in zone.neighbours)
    hours = hours.with_columns((pl.col("load") + out).alias("total"))
    return _over(hours.filter(pl.col("total") > sum(zone.power.values())).sort("hour"))


def _over(hours: pl.DataFrame) -> pl.DataFrame:
    """Return the hours that were over when their newest input was known."""
    return hours.filter(pl.max_horizontal(_of(hours, "known")) >= pl.col("hour") + HOUR)


def _of(hours: pl.DataFrame, what: str) -> list[str]:
    """Return the columns that say `what` of each input."""
    return [name for name in hours.columns if name.endswith(f" {what}")]


def _fuels(zone: EstimatedZone, hours: pl.DataFrame) -> dict[str, pl.Expr]:
    others = sum(zone.power.values())
    return {"hydro": pl.col("total") - others} | {
        fuel: pl.lit(power) for fuel, power in zone.power.items()
    }


def _consumed(
    zone: EstimatedZone,
    hours: pl.DataFrame,
    inputs: pl.DataFrame,
    factors: FactorSet,
    produced: Signal,
) -> pl.DataFrame:
    """Return the hours with the `mean` over what is generated and what flows in."""
    by_fuel = {
        **factors.weights[produced],
        **factors.zones.get(zone.zone, {}).get(produced, {}),
    }
    weighed = pl.sum_horizontal(
        power * by_fuel[fuel] for fuel, power in _fuels(zone, hours).items()
    )
    total = pl.col("total")
    for each in zone.neighbours:
        there = _series(inputs, each, produced, f"there {each}")
        inflow = (-pl.col(f"to {each}")).clip(lower_bound=0)
        hours = hours.join(there, on="hour", how="left")
        # Nothing is needed of a zone from which no power comes.
        value = pl.when(inflow > 0).then(inflow * pl.col(f"there {each}")).otherwise(0.0)
        weighed, total = weighed + value, total + inflow
    return hours.with_columns((weighed / total).alias("mean")).drop_nulls("mean")


def _rows(
    zone: EstimatedZone,
    hours: pl.DataFrame,
    value: pl.Expr,
    signal: str,
    source: str,
    decimals: int = 2,
) -> pl.DataFrame:
    """Return the rows of one signal, as known with the newest of its inputs."""
    newest = pl.max_horizontal(_of(hours, "known"))
    pairs = zip(_of(hours, "known"), _of(hours, "retrieval"), strict=True)
    retrieval = pl.coalesce(pl.when(pl.col(at) == newest).then(each) for at, each in pairs)
    least = pl.lit(str(Quality.ESTIMATED), dtype=QUALITY)
    return hours.select(
        pl.lit(zone.zone).alias("zone"),
        pl.lit(str(signal)).alias("signal"),
        pl.lit(source).alias("source"),
        pl.col("hour").alias("slot_start"),
        (pl.col("hour") + HOUR).alias("slot_end"),
        value.round(decimals).alias("value"),
        pl.max_horizontal(*_of(hours, "quality"), least).cast(pl.String).alias("quality"),
        newest.alias("known_at"),
        retrieval.alias("retrieval_id"),
    ).cast(OBSERVATION)


def _withdrawn(before: pl.DataFrame, found: pl.DataFrame, inputs: pl.DataFrame) -> pl.DataFrame:
    """Return null for each hour that was estimated before, and is not any more."""
    gone = before.drop_nulls("value").join(found, on=KEY, how="anti")
    if gone.is_empty() or inputs.is_empty():
        return gone.clear()
    newest = inputs.sort("known_at").tail(1)
    return gone.with_columns(
        pl.lit(None, dtype=pl.Float64).alias("value"),
        pl.lit(newest["known_at"][0]).cast(OBSERVATION["known_at"]).alias("known_at"),
        pl.lit(newest["retrieval_id"][0], dtype=pl.Int64).alias("retrieval_id"),
    )
