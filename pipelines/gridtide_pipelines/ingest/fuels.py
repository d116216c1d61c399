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
    if rows.select(pl.struct(key).n_unique()).item() < rows.height:
        rows = _last_of_each(rows, key)
    codes = {code: code.strip().lower() for code in rows["code"].unique()}
    named = {code: fuels.get(name, "unknown") for code, name in codes.items()}
    needed = parts or {}
    rows = rows.with_columns(
        pl.col("code")
        .replace_strict(named, return_dtype=pl.Enum(sorted(set(named.values()))))
        .alias("fuel"),
        *(
            pl.col("code")
            .is_in([c for c, n in codes.items() if n in wanted])
            .alias(f"has_{fuel}")
            for fuel, wanted in needed.items()
        ),
    )
    sums = (
        rows.group_by(*SLOT, "fuel")
        .agg(
            pl.col("value").sum(),
            pl.col("value").null_count().alias("gaps"),
            pl.col("body").max(),
            *(pl.col(f"has_{fuel}").sum() for fuel in needed),
        )
        .with_columns(value=pl.when(pl.col("gaps") == 0).then("value"))
        .sort(*SLOT, "fuel")
    )
    odd = {code: f"unmapped_code:{code}" for code, name in codes.items() if name not in fuels}
    if odd or "flag" in rows.columns:
        sums = sums.join(
            _flags(rows, odd), on=[*SLOT, "fuel"], how="left", maintain_order="left"
        )
    else:
        sums = sums.with_columns(flag=pl.lit(None, pl.String))
    for fuel, wanted in needed.items():
        lacks = (pl.col("fuel") == pl.lit(fuel)) & (pl.col(f"has_{fuel}") < len(wanted))
        sums = sums.with_columns(
            value=pl.when(~lacks).then("value"),
            flag=pl.when(lacks).then(pl.lit(PARTIAL)).otherwise("flag"),
        )
    sums = sums.with_columns(pl.col("fuel").cast(pl.String))
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


def _last_of_each(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return one row for each code and slot, of the last body that has it."""
    mine = pl.col("value").filter(pl.col("body") == pl.col("body").max())
    differ = mine.n_unique() > 1
    flag = pl.col("flag").last() if "flag" in rows.columns else pl.lit(None, pl.String)
    return rows.group_by(key, maintain_order=True).agg(
        pl.when(~differ).then(mine.last()).alias("value"),
        pl.col("body").max(),
        pl.when(differ).then(pl.lit("conflict")).otherwise(flag).alias("flag"),
    )


def _flags(rows: pl.DataFrame, odd: Mapping[str, str]) -> pl.DataFrame:
    """Return the flags of each fuel and slot that has one, each once."""
    new = pl.col("code").replace_strict(odd, default=None, return_dtype=pl.String)
    given = [pl.col("flag")] if "flag" in rows.columns else []
    flagged = rows.select(*SLOT, "fuel", pl.concat_list(*given, new).alias("flag"))
    flagged = flagged.explode("flag").drop_nulls("flag")
    return flagged.group_by(*SLOT, "fuel", maintain_order=True).agg(
        pl.col("flag").unique(maintain_order=True).str.join(";")
    )
