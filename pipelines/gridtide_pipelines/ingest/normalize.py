"""Normalize readings to rows of the store: what is refused or merged, counted by flag.

- Values outside PLAUSIBLE are mistakes of units or parsing: they are not stored, but counted
  and named. The slot then has a gap. Of a fuel it is a row without a value, for the fuel was
  named: one that is absent for long counts as closed.
- Generation that is negative in total is none: all fuels of that slot are gaps, and counted.
- Systematic errors of a publisher are corrected, and authorities that only generate merged into
  their neighbours, each by a table with citations (corrections.py, merges.py).
- Observations of slots that were not over when the answer came, and rows of another time than
  was requested, are mistakes of the publisher's clock or ours: counted and named, not stored.
  A slot that only a correction moves beyond now waits: it is stored when it is over.
- Rows of unrequested zones (an answer may bring its neighbours) are counted, not stored.
  A flow is kept where either end was requested.
- A sum that lacks one of its parts is unknown: it would pass for the whole.
- The same reading twice is one. Where two bodies differ the one known later stands: pages are
  read while the publisher revises. Where one body contradicts itself the value is unknown.
- A flow is stored under the pair in order of name, positive along the arrow. Where both ends
  report the same border, and never quite agree, the report of the first named one stands.
- A publisher's forecast is stored as a run of a model with the publisher's name. It is one
  only if it was requested as a forecast, and only its slots that were not over yet: beside
  past values a publisher repeats what it had forecast last, which is not a forecast made now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.anomalies import collect, flagged, one_each
from gridtide_pipelines.ingest.corrections import correct
from gridtide_pipelines.ingest.merges import UNMERGED, merge
from gridtide_pipelines.ingest.mixing import is_simulated
from gridtide_pipelines.ingest.parsing import without_negative_totals
from gridtide_pipelines.ingest.source import PARTIAL, READING, Body, Kind, Source, Span
from gridtide_pipelines.ingest.spans import future, unasked, without_waiting
from gridtide_store.vocabulary import FORECAST, GENERATION, INSTANT, OBSERVATION, SHARE

# Outside these a value is a mistake, not weather. Intensity: UNECE (2021, LCA of electricity)
# puts coal at up to about 1095 gCO2e/kWh; 2000 leaves room for old small units. Power: all of
# China together peaks at about 1.5 million MW (NEA, July 2025), so more is kW read as MW.
# Negative generation is own use or pumping and kept as reported; a load below 0 is implausible.
INTENSITY: Final = (0.0, 2000.0)
FRACTION: Final = (0.0, 1.0)
# Day-ahead prices have been between -500 and 10,000 EUR/MWh; other currencies are smaller.
PRICE: Final = (-1_000_000.0, 10_000_000.0)
MOST_POWER: Final = 2_000_000.0  # MW
POWER: Final = (-MOST_POWER, MOST_POWER)
PLAUSIBLE: Final[Sequence[tuple[str, tuple[float, float]]]] = (
    ("ci_", INTENSITY),
    ("cfe_", FRACTION),
    (SHARE, FRACTION),
    (GENERATION, POWER),
    ("import", POWER),
    ("flow", POWER),
    ("load", (0.0, MOST_POWER)),
    ("price_", PRICE),
)

SLOT: Final = ("zone", "signal", "start")
NAMED: Final = 5  # refused values named one by one


@dataclass(frozen=True, slots=True)
class Normalized:
    """Rows for the store, and the anomalies that were found.

    Attributes:
        anomalies: the values of all of these but ``outside``, ``hindsight`` and ``not_over``,
            columns `ANOMALY`, with the part of the flag before the signal.
        flags: how many readings of each anomaly (slots for ``negative_total``):
            ``unmapped_code:<code>``, ``partial``, ``conflict``,
            ``duplicate``, ``implausible:<signal>``, ``outside:<zone>``, ``hindsight``,
            ``not_over``, ``future:<signal>``, ``unasked_time:<signal>``.
        refused: the first few values that were not stored for what they say, each as a
            sentence.
        refused_slots: zone and start of each of them.
    """

    observations: pl.DataFrame
    forecasts: pl.DataFrame
    anomalies: pl.DataFrame
    flags: Mapping[str, int]
    refused: tuple[str, ...] = ()
    refused_slots: tuple[tuple[str, datetime], ...] = ()


def normalize(
    readings: pl.DataFrame,
    source: Source,
    bodies: Sequence[Body],
    *,
    known_at: pl.Expr | None = None,
    span: Span | None = None,
    corrected: bool = True,
) -> Normalized:
    """Turn the `readings` of one group of `bodies` into frames of OBSERVATION and FORECAST.

    Args:
        bodies: those the readings were parsed from; they say which zones and kind were
            requested, when each was known and as which retrieval it is kept. Bodies
            requested for no zone are for all.
        known_at: when each reading was known, over the columns of READING, if that is not
            when its body was (an old file, known when its slots ended: ``pl.col("end")``).
        span: the time that was requested; None for a file.
        corrected: whether systematic errors of the publisher are corrected.
    """
    flags: Counter[str] = Counter()
    simulated = is_simulated(source, bodies)
    rows = readings.join(_about(bodies), on="body", how="left", maintain_order="left")
    if known_at is not None:
        rows = rows.with_columns(known_at.alias("known_at"))
    rows = merge(correct(rows, source.name if corrected else ""), source.name)
    if span is not None:
        rows = without_waiting(rows, flags)
    found = rows["flag"].drop_nulls().str.split(";").explode()
    flags.update(dict(found.value_counts().iter_rows()))
    rows = _oriented(_keep_requested(rows, bodies, flags))
    noted = [flagged(rows)]
    named = pl.element().eq(PARTIAL) | pl.element().str.starts_with(UNMERGED)
    partial = pl.col("flag").str.split(";").list.eval(named).list.any().fill_null(value=False)
    rows = rows.with_columns(value=pl.when(~partial).then("value"))
    refused = [rows.clear().with_columns(pl.lit("").alias("why"))]
    if span is not None:
        rows = _refuse(rows, future(), "future", flags, refused)
        rows = _refuse(rows, unasked(span), "unasked_time", flags, refused)
    gaps = _fuels_without_value(rows)
    rows = pl.concat([_refuse(rows, ~_plausible(), "implausible", flags, refused), gaps])
    odd = pl.concat(refused)
    ahead = pl.col("issued_at").is_not_null()
    observed = one_each(rows.filter(~ahead), SLOT, flags, noted)
    observed = _without_negative_totals(observed, flags, noted)
    foreseen = one_each(_runs(rows.filter(ahead), flags), (*SLOT, "issued_at"), flags, noted)
    return Normalized(
        observations=observed.select(
            "zone",
            "signal",
            pl.lit(source.name).alias("source"),
            pl.col("start").alias("slot_start"),
            pl.col("end").alias("slot_end"),
            "value",
            pl.lit(str(Quality.SIMULATED)).alias("quality") if simulated else "quality",
            "known_at",
            "retrieval_id",
        ).select(OBSERVATION.names()),
        forecasts=foreseen.drop_nulls("value")
        .select(
            "zone",
            "signal",
            pl.lit(source.name).alias("model"),
            "issued_at",
            pl.col("start").alias("slot_start"),
            pl.col("end").alias("slot_end"),
            pl.lit(None, dtype=pl.Float64).alias("p10"),
            pl.col("value").alias("p50"),
            pl.lit(None, dtype=pl.Float64).alias("p90"),
            # A run is known as a whole: with its last page.
            pl.col("known_at").max().over("zone", "signal", "issued_at"),
            pl.lit(source.name).alias("source"),
            pl.lit(simulated).alias("simulated"),
        )
        .select(FORECAST.names()),
        anomalies=collect([*refused, *noted], source),
        flags={name: count for name, count in sorted(flags.items()) if count},
        refused=_sentences(odd, source),
        refused_slots=tuple(odd.select("zone", "start").iter_rows()),
    )


def _about(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return request, `known_at` and retrieval of each body, by its index."""
    return pl.DataFrame(
        {
            "body": range(len(bodies)),
            "known_at": [body.known_at for body in bodies],
            "retrieval_id": [body.retrieval_id for body in bodies],
            "is_forecast": [body.request.kind is Kind.FORECAST for body in bodies],
        },
        schema={
            "body": READING["body"],
            "known_at": INSTANT,
            "retrieval_id": OBSERVATION["retrieval_id"],
            "is_forecast": pl.Boolean,
        },
    )


def _keep_requested(
    rows: pl.DataFrame, bodies: Sequence[Body], flags: Counter[str]
) -> pl.DataFrame:
    """Keep the rows of zones that were requested; a flow has two."""
    requested = {zone for body in bodies for zone in body.request.zones}
    if not requested:
        return rows
    ends = pl.col("zone").str.split("->")
    inside = ends.list.eval(pl.element().is_in(list(requested))).list.any()
    outside = rows.filter(~inside)["zone"].value_counts()
    flags.update({f"outside:{zone}": count for zone, count in outside.iter_rows()})
    return rows.filter(inside)


def _oriented(rows: pl.DataFrame) -> pl.DataFrame:
    """Name flows by their pair in order of name; the report of the first end comes last."""
    ends = pl.col("zone").str.split_exact("->", 1).struct
    first, second = ends.field("field_0"), ends.field("field_1")
    turned = (second < first).fill_null(value=False)
    return rows.with_columns(
        pl.when(turned).then(second + "->" + first).otherwise("zone").alias("zone"),
        pl.when(turned).then(-pl.col("value")).otherwise("value").alias("value"),
        turned.alias("turned"),
    )


def _plausible() -> pl.Expr:
    signal, value = pl.col("signal"), pl.col("value")
    fits = value.is_null()
    for prefix, (low, high) in PLAUSIBLE:
        fits |= signal.str.starts_with(prefix) & value.is_between(low, high)
    return fits & ~pl.col("implausible")


def _fuels_without_value(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row without value for each fuel and slot without a plausible observation."""
    fuel = pl.any_horizontal(
        pl.col("signal").str.starts_with(prefix) for prefix in (GENERATION, SHARE)
    )
    mine = rows.filter(fuel, pl.col("issued_at").is_null())
    odd = mine.filter(~_plausible()).with_columns(value=pl.lit(None, pl.Float64))
    if odd.is_empty():
        return odd
    fitting = mine.filter(_plausible())
    return odd.join(fitting, on=SLOT, how="anti").unique(SLOT, keep="last", maintain_order=True)


def _without_negative_totals(
    rows: pl.DataFrame, flags: Counter[str], noted: list[pl.DataFrame]
) -> pl.DataFrame:
    """Return `rows` with the fuels unknown in slots whose total generation is negative."""
    mine = pl.col("signal").str.starts_with(GENERATION)
    if not rows.select((mine & (pl.col("value") < 0)).any()).item():
        return rows  # no total is
    mix = rows.filter(mine).with_columns(fuel=pl.col("signal").str.strip_prefix(GENERATION))
    found, count = without_negative_totals(mix, ["zone", "start", "end"])
    if not count:
        return rows
    flags["negative_total"] += count
    gone = found.filter(pl.col("value").is_null()).select("zone", "start", "end", "signal")
    noted.append(
        rows.drop_nulls("value")
        .join(gone, on=gone.columns, how="semi")
        .with_columns(why=pl.lit("negative_total"))
    )
    return pl.concat([rows.filter(~mine), found.select(rows.columns)]).sort(SLOT)


def _refuse(
    rows: pl.DataFrame,
    odd: pl.Expr,
    why: str,
    flags: Counter[str],
    refused: list[pl.DataFrame],
) -> pl.DataFrame:
    """Return the rows that are not `odd`; the others go to `refused` and are counted."""
    marked = rows.with_columns(odd.alias("why"))
    if not marked["why"].fill_null(value=True).any():
        return rows
    parts = marked.partition_by("why", as_dict=True, include_key=False)
    bad, good = parts.get((True,), rows.clear()), parts.get((False,), rows.clear())
    counts = bad["signal"].value_counts()
    flags.update({f"{why}:{name}": count for name, count in counts.iter_rows()})
    refused.append(bad.with_columns(pl.lit(why).alias("why")))
    return good


def _sentences(odd: pl.DataFrame, source: Source) -> tuple[str, ...]:
    return tuple(
        f"{source.name} [{row['zone']}]: {row['signal']} {row['value']} at {row['start']}"
        for row in odd.head(NAMED).iter_rows(named=True)
    )


def _runs(rows: pl.DataFrame, flags: Counter[str]) -> pl.DataFrame:
    """Return the forecasts that were requested as such, of slots not over at their issue."""
    ahead = pl.col("is_forecast") & (pl.col("end") > pl.col("issued_at"))
    runs = rows.filter(ahead)
    flags["hindsight"] += rows.height - runs.height
    return runs
