"""Merge authorities that only generate, or that were retired, into the zones they belong to.

``merges.csv`` in the catalogue lists them with reason and citation: what of a part goes into
which zone, for slots with a start in ``[since, until)``. Pure. Rules:

- Values of a part are added to those of its zone.
- A merged sum that lacks one of its parts is unknown, not smaller: where one is `required` and
  the part or the zone has no such value, and where the zone has no values at all. It is flagged
  ``unmerged:<part>``. What may have ended unnoticed is not required.
- A flow between a part and a zone it is merged into is inner, and vanishes. Another flow of the
  part is one of the zone that the part goes into as a whole.

A part of a plant that another zone owns is not moved: V.C. Summer (nuclear, in the area of
SCEG) belongs to SC by a third, but SC receives that third by the flow that both report (July
2021: SCEG generates 984 MW of nuclear power and sends 738 MW to SC; generation less total
interchange is the demand of SCEG to 1 MW). Moved, it would count in the flow once more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import polars as pl

from gridtide_pipelines.ingest.corrections import read_day
from gridtide_pipelines.ingest.newest import newest
from gridtide_pipelines.ingest.summing import add_up
from gridtide_store.catalogue import read_table
from gridtide_store.vocabulary import GENERATION

SLOT = ("zone", "signal", "start", "end", "issued_at")
# Begins the flag of a sum that lacks one of its parts: its value is noted, and does not count.
UNMERGED = "unmerged:"


@dataclass(frozen=True, slots=True)
class Merge:
    """One row of the table.

    Attributes:
        signal: of which values; "" for all that no other row of the part names.
        required: whether the sum is unknown without the part.
    """

    sources: tuple[str, ...]
    part: str
    into: str
    signal: str
    since: datetime | None
    until: datetime | None
    required: bool

    def covers(self, start: str) -> pl.Expr:
        """Select the slots in which it holds, by the column of their start."""
        inside = pl.lit(value=True)
        if self.since is not None:
            inside &= pl.col(start) >= self.since
        if self.until is not None:
            inside &= pl.col(start) < self.until
        return inside


@cache
def merges(source: str) -> Sequence[Merge]:
    """Return the rows of the table for a source, those that name a signal first."""
    rows = [
        Merge(
            tuple(row["sources"].split()),
            row["zone"],
            row["into"],
            row["signal"],
            read_day(row["since"]),
            read_day(row["until"]),
            row["required"] == "yes",
        )
        for row in read_table("merges.csv")
    ]
    mine = [row for row in rows if source in row.sources]
    return sorted(mine, key=lambda row: not row.signal)


def with_parts(zones: Collection[str], source: str) -> list[str]:
    """Return `zones` and the parts that are merged into them, which must be requested too."""
    parts = {each.part for each in merges(source) if each.into in zones}
    return [*zones, *sorted(parts - set(zones))]


def merge(readings: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return `readings` with the parts of zones merged into them.

    Args:
        readings: columns of READING, and others, of which those of the last body are kept.
    """
    table = merges(source)
    if not table:
        return readings
    pair = pl.col("zone").str.contains("->", literal=True)
    flows = _merge_flows(readings.filter(pair), table)
    rows = readings.filter(~pair).with_columns(origin=pl.col("zone"))
    rows = rows.with_columns(zone=pl.coalesce(*_targets(table), "zone"))
    mine = pl.col("zone").is_in(list({each.into for each in table}))
    sums = _sum(rows.filter(mine))
    sums = _require(sums, [each for each in table if each.required])
    kept = [each.select(readings.columns) for each in (rows.filter(~mine), sums, flows)]
    return pl.concat(kept)


def _targets(table: Sequence[Merge]) -> Iterator[pl.Expr]:
    """Yield expressions of the zone that a row goes into; null where it goes into none."""
    for each in table:
        mine = (pl.col("zone") == each.part) & each.covers("start")
        if each.signal:
            mine &= pl.col("signal") == each.signal
        yield pl.when(mine).then(pl.lit(each.into))


def _sum(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the sum over the origins of each slot, null where one is, with their list.

    It is flagged where the zone itself has no value of that slot: of the same signal, or for a
    fuel of any fuel.
    """
    rest = [
        each for each in rows.columns if each not in {*SLOT, "origin", "value", "flag", "body"}
    ]
    sums = add_up(
        newest(rows, [*SLOT, "origin"]).sort("body", maintain_order=True),
        SLOT,
        pl.col(rest).last(),
        pl.col("origin").alias("origins"),
    )
    own = pl.col("origins").list.contains(pl.col("zone"))
    fuel = pl.col("signal").str.starts_with(GENERATION)
    whole = pl.when(fuel).then((own & fuel).any().over("zone", "start", "end")).otherwise(own)
    return _unknown_unless(sums, whole, pl.col("zone"))


def _require(sums: pl.DataFrame, required: Sequence[Merge]) -> pl.DataFrame:
    """Return `sums` with those unknown that lack the zone itself or a required part.

    Where a slot has neither, it gets a row without a value.
    """
    fuel = pl.col("signal").str.starts_with(GENERATION) & pl.col("issued_at").is_null()
    for each in required:
        mine = (pl.col("zone") == each.into) & each.covers("start") & fuel
        ours = mine & (pl.col("signal") == each.signal)
        origins = pl.col("origins").list
        whole = ~ours | (origins.contains(each.into) & origins.contains(each.part))
        sums = _unknown_unless(sums, whole, pl.lit(each.part))
        here = sums.filter(mine)
        bare = here.join(here.filter(ours), on=["zone", "start"], how="anti")
        bare = bare.unique(["zone", "start"], keep="last", maintain_order=True)
        missing = bare.with_columns(
            signal=pl.lit(each.signal),
            value=pl.lit(None, pl.Float64),
            flag=pl.lit(None, pl.String),
        )
        unknown = _unknown_unless(missing, pl.lit(value=False), pl.lit(each.part))
        sums = pl.concat([sums, unknown])
    return sums


def _unknown_unless(sums: pl.DataFrame, whole: pl.Expr, part: pl.Expr) -> pl.DataFrame:
    """Return `sums` with a flag on those that are not `whole`: their values do not count."""
    flag = pl.concat_str("flag", UNMERGED + part, separator=";", ignore_nulls=True)
    return sums.with_columns(flag=pl.when(whole).then("flag").otherwise(flag))


def _merge_flows(flows: pl.DataFrame, table: Sequence[Merge]) -> pl.DataFrame:
    """Return `flows` under the zones that their ends are merged into, without inner ones."""
    ends = pl.col("zone").str.split_exact("->", 1).struct
    rows = flows.with_columns(
        ends.field("field_0").alias("a"), ends.field("field_1").alias("b")
    )
    for each in table:
        inner = pl.lit(value=False)
        for one, other in (("a", "b"), ("b", "a")):
            inner |= (pl.col(one) == each.part) & (pl.col(other) == each.into)
        rows = rows.filter(~(inner & each.covers("start")))
    for each in table:
        if not each.signal:
            rows = rows.with_columns(
                pl.when((pl.col(end) == each.part) & each.covers("start"))
                .then(pl.lit(each.into))
                .otherwise(end)
                .alias(end)
                for end in ("a", "b")
            )
    rows = rows.with_columns(origin="zone", zone=pl.col("a") + "->" + pl.col("b"))
    rows = rows.filter(pl.col("a") != pl.col("b")).drop("a", "b")
    changed = rows.filter(pl.col("zone") != pl.col("origin"))["zone"].unique()
    mine = pl.col("zone").is_in(changed.to_list())
    return pl.concat(
        [
            rows.filter(~mine).select(flows.columns),
            _sum(rows.filter(mine)).select(flows.columns),
        ]
    )
