"""Find anomalies among the readings of a publisher. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.source import Source
from gridtide_store.anomalies import ANOMALY
from gridtide_store.vocabulary import generation

FROZEN: Final = "frozen"

# Load, wind and solar power of a zone never stay the same to the megawatt for a day: from
# FROZEN_LEAST on a whole megawatt is at most one per cent, less than they change in an hour.
# Smaller ones are rounded to the same number for long; hydro, nuclear power and flows over
# direct current cables do run flat for days, and intensities of hydro zones for years.
FROZEN_SIGNALS: Final = ("load", generation("wind"), generation("solar"))
FROZEN_AFTER: Final = timedelta(hours=24)
FROZEN_LEAST: Final = 100.0  # MW

SERIES: Final = ("zone", "signal")


def flagged(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each flag that the parser gave a reading, with the flag as `why`."""
    return (
        rows.drop_nulls("flag").with_columns(why=pl.col("flag").str.split(";")).explode("why")
    )


def one_each(
    rows: pl.DataFrame, key: Sequence[str], flags: Counter[str], noted: list[pl.DataFrame]
) -> pl.DataFrame:
    """Keep one row per key, sorted by it: the first end's report, then what was known last.

    The others are counted in `flags` and added to `noted`.
    """
    again = rows.select(key).is_duplicated()
    if not again.any():
        return rows.sort(key)
    best_first = rows.filter(again).sort(
        "turned", "known_at", "body", descending=[False, True, True], maintain_order=True
    )
    same_body = (pl.col("body") == pl.col("body").first()) & (
        pl.col("turned") == pl.col("turned").first()
    )
    one = best_first.group_by(key, maintain_order=True).agg(
        pl.exclude(key).first(),
        (pl.struct("end", "value").filter(same_body).n_unique() > 1).alias("conflict"),
        ((pl.col("turned") == pl.col("turned").first()).sum() - 1).alias("surplus"),
    )
    flags["conflict"] += int(one["conflict"].sum())
    flags["duplicate"] += int(one.filter(~pl.col("conflict"))["surplus"].sum())
    noted.append(_passed_over(best_first, one, key))
    one = one.with_columns(pl.when(~pl.col("conflict")).then("value"))
    return pl.concat([rows.filter(~again), one.select(rows.columns)]).sort(key)


def _passed_over(
    best_first: pl.DataFrame, one: pl.DataFrame, key: Sequence[str]
) -> pl.DataFrame:
    """Return the readings of a slot that do not stand, with ``conflict`` or ``duplicate``.

    Of a slot whose body contradicts itself these are all of that body's.

    Args:
        best_first: several readings for each key, the best one first.
        one: for each key whether it is a `conflict`.
        key: columns that name a slot.
    """
    best = pl.col("turned") == pl.col("turned").first().over(key)
    same = best & (pl.col("body") == pl.col("body").first().over(key))
    later = best & (pl.int_range(pl.len()).over(key) > 0)
    return (
        best_first.join(one.select(*key, "conflict"), on=key, maintain_order="left")
        .filter(pl.when("conflict").then(same).otherwise(later))
        .with_columns(
            why=pl.when("conflict").then(pl.lit("conflict")).otherwise(pl.lit("duplicate"))
        )
        .drop("conflict")
    )


def collect(found: Sequence[pl.DataFrame], source: Source) -> pl.DataFrame:
    """Return readings with the column `why` as anomalies of `source`, columns `ANOMALY`."""
    rows = pl.concat(found, how="diagonal")
    return rows.with_columns(
        pl.lit(source.name).alias("source"),
        pl.col("start").alias("slot_start"),
        pl.col("end").alias("slot_end"),
        pl.col("why").alias("flag"),
    ).select(ANOMALY.names())


def split_frozen(
    observations: pl.DataFrame, before: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split off the values that repeat the same one for longer than FROZEN_AFTER.

    The first values of a run stay: they were stored before anything could be seen.

    Args:
        observations: columns `OBSERVATION`, of one source.
        before: what the publisher said of the slots before, at least FROZEN_AFTER back;
            columns zone, signal, slot_start, slot_end, value.

    Returns:
        The observations, in which frozen power of a fuel is unknown and frozen load is left
        out; and the anomalies, columns `ANOMALY`.
    """
    mine = observations.filter(pl.col("signal").is_in(FROZEN_SIGNALS))
    names = (*SERIES, "slot_start", "slot_end", "value")
    earlier = before.join(mine, on=[*SERIES, "slot_start"], how="anti").select(names)
    slots = (
        pl.concat([earlier, mine.select(names)])
        .drop_nulls("value")
        .filter(pl.col("value").abs() >= FROZEN_LEAST)
        .sort(*SERIES, "slot_start")
    )
    goes_on = (pl.col("value") == pl.col("value").shift().over(SERIES)) & (
        pl.col("slot_start") == pl.col("slot_end").shift().over(SERIES)
    )
    runs = slots.with_columns(
        run=(~goes_on.fill_null(value=False)).cum_sum().over(SERIES)
    ).with_columns(since=pl.col("slot_start").min().over(*SERIES, "run"))
    frozen = runs.filter(pl.col("slot_end") - pl.col("since") > FROZEN_AFTER).select(
        *SERIES, "slot_start"
    )
    odd = observations.join(frozen, on=[*SERIES, "slot_start"], how="semi")
    if odd.is_empty():
        return observations, pl.DataFrame(schema=ANOMALY)
    rest = observations.join(frozen, on=[*SERIES, "slot_start"], how="anti")
    unknown = odd.filter(pl.col("signal") != "load").with_columns(
        value=pl.lit(None, pl.Float64)
    )
    return pl.concat([rest, unknown]), odd.with_columns(
        flag=pl.lit(FROZEN), issued_at=pl.lit(None, ANOMALY["issued_at"])
    ).select(ANOMALY.names())
