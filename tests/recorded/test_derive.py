"""Intensity derived from CarbonCast's generation, against what CarbonCast published."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.derive.intensity import derive
from gridtide_store.vocabulary import OBSERVATION

pytestmark = pytest.mark.recorded

REGIONS = [
    *("AUS_QLD", "BPAT", "CISO", "DE", "ERCO", "ES", "FPL", "ISNE", "NL", "NYISO", "PJM"),
    *("PL", "SE"),
]
PUBLISHED = {
    "ci_lifecycle_produced": "ci_lifecycle_g_per_kwh",
    "ci_direct_produced": "ci_direct_g_per_kwh",
}
FUELS = {"nat_gas": "gas", "other": "unknown"}


def mix(table: pl.DataFrame, zone: str) -> pl.DataFrame:
    """A region's generation as OBSERVATION; labels are taken as the file has them."""
    fuel = pl.col("column").str.strip_prefix("gen_").str.strip_suffix("_mwh").replace(FUELS)
    label = pl.col("ts_utc").cast(OBSERVATION["slot_start"])
    return table.unpivot(
        pl.selectors.starts_with("gen_"), index="ts_utc", variable_name="column"
    ).select(
        pl.lit(zone).alias("zone"),
        ("generation_" + fuel).alias("signal"),
        pl.lit("carboncast").alias("source"),
        label.alias("slot_start"),
        label.dt.offset_by("1h").alias("slot_end"),
        pl.col("value").cast(pl.Float64),
        pl.lit("measured").alias("quality"),
        label.dt.offset_by("1h").alias("known_at"),
        pl.lit(1, dtype=pl.Int64).alias("retrieval_id"),
    )


@pytest.mark.parametrize("region", REGIONS)
def test_derived_intensity_is_the_published_one_within_a_hundredth(
    recorded: Path, region: str
) -> None:
    table = pl.read_parquet(recorded / "data" / "carboncast" / f"{region}.parquet")
    derived = derive(mix(table, region), factor_set("carboncast"))
    published = table.filter("ci_published")
    for signal, column in PUBLISHED.items():
        ours = derived.filter(pl.col("signal") == signal).select("slot_start", "value")
        both = published.select(
            pl.col("ts_utc").cast(OBSERVATION["slot_start"]).alias("slot_start"),
            pl.col(column).fill_nan(None).alias("theirs"),
        ).join(ours, on="slot_start", how="left")
        assert both.height == published.height > 13_000
        assert both["value"].null_count() == both["theirs"].null_count()
        assert both.select((pl.col("value") - pl.col("theirs")).abs().max()).item() <= 0.01


def test_an_hour_without_generation_is_unknown(recorded: Path) -> None:
    # NL reports 0 of everything for six hours of 2019-05-18 (its README counts them).
    table = pl.read_parquet(recorded / "data" / "carboncast" / "NL.parquet")
    derived = derive(mix(table, "NL"), factor_set("carboncast"))
    unknown = derived.filter(pl.col("signal") == "cfe_produced", pl.col("value").is_null())
    assert unknown["slot_start"].dt.date().unique().dt.to_string("iso").to_list() == [
        "2019-05-18"
    ]
    assert unknown.height == 6
