"""Correct systematic errors of publishers: wrong hours, reversed signs, codes counted twice.

``corrections.csv`` in the catalogue lists them, each with its reason and citation. A row is for
values of some sources, of one zone and signal, with a published start in ``[since, until)``.
Rules:

- ``shift``: the slot moves by `amount` hours, and by the offset from UTC of `timezone` then.
- ``factor``: the value is multiplied by `amount`.
- ``omit``: the value is not used; of a flow the report of the other end stands.
- ``range``: a value outside `amount`, such as ``1..6500``, is implausible.

Each corrected value is flagged ``corrected:<rule>``. Forecasts are left as published. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, Literal, cast

import polars as pl

from gridtide_store.catalogue import read_table
from gridtide_store.vocabulary import GENERATION, INSTANT

Rule = Literal["shift", "factor", "omit", "range"]
ANY_END: Final = "*"
SLOT: Final = ("zone", "signal", "start")


@dataclass(frozen=True, slots=True)
class Correction:
    """One row of the table.

    Attributes:
        zone: a key; for flows the pair as it is reported, ``A->*`` for all that A reports.
        signal: ``generation`` for every fuel.
        since: None from the beginning; `until` None to this day.
    """

    sources: tuple[str, ...]
    zone: str
    signal: str
    since: datetime | None
    until: datetime | None
    rule: Rule
    amount: str
    timezone: str

    @property
    def applies(self) -> pl.Expr:
        """Select the rows that it is for, by zone, signal and published start."""
        pair = self.zone.removesuffix(ANY_END)
        zone = pl.col("zone")
        mine = zone == self.zone if pair == self.zone else zone.str.starts_with(pair)
        if self.signal == GENERATION.rstrip("_"):
            mine &= pl.col("signal").str.starts_with(GENERATION)
        else:
            mine &= pl.col("signal") == self.signal
        if self.since is not None:
            mine &= pl.col("published") >= self.since
        if self.until is not None:
            mine &= pl.col("published") < self.until
        return mine & pl.col("issued_at").is_null()

    @property
    def shift(self) -> pl.Expr:
        """How far the slot moves."""
        hours = pl.lit(timedelta(hours=float(self.amount)))
        if not self.timezone:
            return hours
        local = pl.col("published").dt.convert_time_zone(self.timezone).dt
        return local.base_utc_offset() + local.dst_offset() + hours

    @property
    def outside(self) -> pl.Expr:
        """Whether the value is outside the range."""
        low, high = (float(end) for end in self.amount.split(".."))
        return ~pl.col("value").is_between(low, high)


@cache
def corrections() -> Sequence[Correction]:
    """Return the rows of the table."""
    return [
        Correction(
            tuple(row["sources"].split()),
            row["zone"],
            row["signal"],
            read_day(row["since"]),
            read_day(row["until"]),
            cast("Rule", row["rule"]),
            row["amount"],
            row["timezone"],
        )
        for row in read_table("corrections.csv")
    ]


def correct(readings: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return `readings` of a source, corrected and flagged.

    Two columns are added: `published`, the start before it was moved, and `implausible`.

    Where a publisher changed its labels, a slot that was moved meets one that did not have to
    be. Both are of the same hour, and the second stands.

    Args:
        readings: columns of READING, and others, which are kept.
    """
    rows = readings.with_columns(
        published=pl.col("start"), moved=pl.lit(value=False), implausible=pl.lit(value=False)
    )
    present = set(readings["zone"].unique())
    filers = {f"{zone.partition('->')[0]}->{ANY_END}" for zone in present}
    for each in corrections():
        if source not in each.sources or each.zone not in present | filers:
            continue
        rows = _apply(rows, each)
    still = rows.filter(~pl.col("moved"))
    moved = rows.filter("moved").join(still, on=[*SLOT, "body"], how="anti")
    return pl.concat([still, moved]).drop("moved")


def read_day(text: str) -> datetime | None:
    """Return the instant of a day, or of a time in UTC, in a table; None where it is blank."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _apply(rows: pl.DataFrame, each: Correction) -> pl.DataFrame:
    mine = each.applies
    if each.rule == "omit":
        return rows.filter(~mine)
    if each.rule == "range":
        outside = (mine & each.outside).fill_null(value=False)
        return rows.with_columns(implausible=pl.col("implausible") | outside)
    flag = pl.concat_str(
        "flag", pl.lit(f"corrected:{each.rule}"), separator=";", ignore_nulls=True
    )
    changes = {"flag": pl.when(mine).then(flag).otherwise("flag")}
    if each.rule == "factor":
        value = pl.col("value")
        changes["value"] = pl.when(mine).then(value * float(each.amount)).otherwise(value)
    else:
        for name in ("start", "end"):
            instant = (pl.col(name) + each.shift).cast(INSTANT)
            changes[name] = pl.when(mine).then(instant).otherwise(name)
        changes["moved"] = pl.col("moved") | mine
    return rows.with_columns(**changes)
