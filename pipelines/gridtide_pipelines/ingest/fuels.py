"""Generation by a publisher's own codes as readings by fuel. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.parsing import readings
from gridtide_pipelines.ingest.source import PARTIAL
from gridtide_store.vocabulary import IMPORT, generation

SLOT: Final = ("start", "end")


def by_fuel(
    rows: pl.DataFrame,
    fuels: Mapping[str, str],
    *,
    zone: str,
    parts: Mapping[str, Collection[str]] | None = None,
) -> pl.DataFrame:
    """Return the readings of `rows`, codes of one fuel added up, sorted by slot.

    A code that is not in `fuels` is added to ``unknown`` and flagged. A fuel is null where one
    of its codes is. Of a code that several bodies have the last body counts; one that a body
    gives twice, and differently, is null and flagged.

    Args:
        rows: start, end, code (text), value (MW; null is a gap), body and, if there are any,
            flag.
        fuels: fuels by code, in lower case; ``imports`` and ``import_<name>`` are net imports.
        parts: codes, in lower case, without which a fuel's sum would be too small: where one
            of them is absent, as in a body that was cut, the fuel is null.
    """
    key = [*SLOT, "code"]
    if "flag" not in rows.columns:
        rows = rows.with_columns(flag=pl.lit(None, pl.String))
    if rows.select(pl.struct(key).is_duplicated().any()).item():
        mine = pl.col("value").filter(pl.col("body") == pl.col("body").max())
        differ = mine.n_unique() > 1
        rows = rows.group_by(key, maintain_order=True).agg(
            pl.when(~differ).then(mine.last()).alias("value"),
            pl.col("body").max(),
            pl.col("flag").last(),
            differ.alias("differ"),
        )
    else:
        rows = rows.with_columns(differ=pl.lit(value=False))
    code = pl.col("code").str.strip_chars().str.to_lowercase()
    odd = pl.when(~code.is_in(list(fuels))).then("unmapped_code:" + pl.col("code"))
    flag = pl.concat_str("flag", odd, separator=";", ignore_nulls=True).replace("", None)
    rows = rows.with_columns(
        code.alias("named"),
        code.replace_strict(dict(fuels), default="unknown").alias("fuel"),
        pl.when("differ").then(pl.lit("conflict")).otherwise(flag).alias("flag"),
    )
    needed = parts or {}
    sums = (
        rows.with_columns(
            pl.col("named").is_in(list(codes)).alias(f"has_{fuel}")
            for fuel, codes in needed.items()
        )
        .group_by(*SLOT, "fuel", maintain_order=True)
        .agg(
            pl.col("value").sum(),
            pl.col("value").null_count().alias("gaps"),
            pl.col("body").max(),
            *(pl.col(f"has_{fuel}").sum() for fuel in needed),
        )
        .with_columns(value=pl.when(pl.col("gaps") == 0).then("value"))
        .join(_flags(rows), on=[*SLOT, "fuel"], how="left", maintain_order="left")
    )
    for fuel, codes in needed.items():
        lacks = (pl.col("fuel") == fuel) & (pl.col(f"has_{fuel}") < len(codes))
        sums = sums.with_columns(
            value=pl.when(~lacks).then("value"),
            flag=pl.when(lacks).then(pl.lit(PARTIAL)).otherwise("flag"),
        )
    sums = sums.sort(*SLOT, "fuel")
    imports = pl.col("fuel").str.starts_with(IMPORT)
    signal = pl.when(imports).then("fuel").otherwise(generation("") + pl.col("fuel"))
    return readings(
        zone=zone,
        signal=sums.select(signal.alias("signal")).to_series(),
        start=sums["start"],
        end=sums["end"],
        value=sums["value"],
        flag=sums["flag"],
        body=sums["body"],
    )


def _flags(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the flags of each fuel and slot that has one, each once."""
    flagged = rows.drop_nulls("flag").group_by(*SLOT, "fuel", maintain_order=True)
    return flagged.agg(pl.col("flag").unique(maintain_order=True).str.join(";"))
