"""Readings as the rows of a table in the publisher's terms: zone, time, fuel, value. Pure.

It is what ``gridtide parse`` prints: what a body says, before anything is merged, corrected,
clipped or excluded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.source import Kind, Source
from gridtide_store.vocabulary import GENERATION, IMPORT, SHARE, WEATHER

ANY: Final = "*"
STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"
COLUMNS: Final = ("zone", "timestamp_utc", "fuel", "mw")
INTENSITY: Final = "ci_"
PRICE: Final = "price_"
FLOW: Final = "net_flow"


def zones_of(source: Source, zone: str) -> tuple[str, ...]:
    """Return the zone keys of `zone`: a key, the publisher's code, or a pair ``A->B``.

    Empty for `ANY`.
    """
    if zone == ANY:
        return ()
    keys = {code: key for key, code in source.codes.items()}
    return tuple(keys.get(part, part) for part in zone.split("->"))


def table(readings: pl.DataFrame, source: Source, zone: str, kind: Kind | None) -> pl.DataFrame:
    """Return the values of `zone` of one kind as rows of COLUMNS, sorted.

    Args:
        readings: of `Source.parse`.
        zone: as `zones_of`; rows carry this name, with `ANY` the publisher's codes.
        kind: only rows of it; None for all.
    """
    rows = readings.drop_nulls("value").with_columns(kind=_kind(), fuel=_fuel())
    if kind is not None:
        rows = rows.filter(pl.col("kind") == str(kind))
    rows = _named(rows, source, zone)
    # Of several runs of a forecast the newest is printed.
    rows = rows.sort("issued_at", nulls_last=False, maintain_order=True)
    # What holds at a lead time, or over the hours before it, is named by it.
    named = pl.when(pl.col("signal").str.starts_with(WEATHER)).then("end").otherwise("start")
    rows = rows.with_columns(start=named)
    runs = rows["issued_at"].is_not_null()
    newest = rows.filter(runs).unique(["zone", "start", "fuel"], keep="last")
    rows = pl.concat([rows.filter(~runs), newest])
    return rows.select(
        "zone",
        pl.col("start").dt.strftime(STAMP).alias("timestamp_utc"),
        "fuel",
        pl.when(pl.col("signal").str.starts_with(SHARE))
        .then((pl.col("value") * 100).round(6))
        .otherwise("value")
        .alias("mw"),
    ).sort(COLUMNS[:3])


def _named(rows: pl.DataFrame, source: Source, zone: str) -> pl.DataFrame:
    """Return the rows of `zone` under its name; a flow read against it is turned."""
    if zone == ANY:
        return rows.with_columns(pl.col("zone").replace(_coded(rows["zone"], source.codes)))
    keys = zones_of(source, zone)
    along, against = "->".join(keys), "->".join(reversed(keys))
    turned = (pl.col("zone") == against) & pl.lit(len(keys) == 2)
    return rows.filter((pl.col("zone") == along) | turned).with_columns(
        value=pl.when(turned).then(-pl.col("value")).otherwise("value"),
        zone=pl.lit(zone),
    )


def _coded(zones: pl.Series, codes: Mapping[str, str]) -> dict[str, str]:
    """Return each zone, or pair of zones, in the publisher's codes."""
    return {
        each: "->".join(codes.get(part, part) for part in each.split("->"))
        for each in zones.unique()
    }


def _kind() -> pl.Expr:
    signal = pl.col("signal")
    ahead = pl.col("issued_at").is_not_null()
    intensity = signal.str.starts_with(INTENSITY) | signal.str.starts_with(SHARE)
    return (
        pl.when(intensity)
        .then(pl.lit(str(Kind.INTENSITY)))
        .when(signal.str.starts_with(WEATHER))
        .then(pl.lit(str(Kind.WEATHER)))
        .when(ahead)
        .then(pl.lit(str(Kind.FORECAST)))
        .when(signal.str.starts_with(GENERATION) | signal.str.starts_with(IMPORT))
        .then(pl.lit(str(Kind.GENERATION)))
        .when(signal.str.starts_with(PRICE))
        .then(pl.lit(str(Kind.PRICE)))
        .otherwise(signal)
    )


def _fuel() -> pl.Expr:
    signal = pl.col("signal")
    ahead = pl.col("issued_at").is_not_null()
    bare = signal.str.strip_prefix(GENERATION).replace("flow", FLOW)
    share = signal.str.strip_prefix(SHARE).replace("unknown", "other")
    return (
        pl.when(signal.str.starts_with(SHARE))
        .then("share_pct_" + share)
        .when(signal.str.starts_with(INTENSITY) & ahead)
        .then(pl.lit("ci_forecast_gco2_kwh"))
        .when(signal.str.starts_with(INTENSITY))
        .then(pl.lit("ci_actual_gco2_kwh"))
        .when(signal.str.starts_with(WEATHER))
        .then(signal)
        .when(ahead)
        .then("forecast_" + bare)
        .otherwise(bare)
    )
