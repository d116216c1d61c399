"""Sum what a publisher states code by code: units of a fuel, ties of a border. Pure.

Every source adds by these rules:

- Of a code that several bodies state for a slot, the newest body counts: two bodies about the
  same moment are one value in two revisions, and are not added.
- A code that one body states twice counts once. Where the two values differ, which of them
  holds is not known: null, flagged as a conflict.
- A sum that lacks one of its codes is not smaller: null, or what is there flagged as partial.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.newest import CONFLICT, newest
from gridtide_pipelines.ingest.parsing import check_readings, readings, with_sorted_flags
from gridtide_pipelines.ingest.source import PARTIAL, READING
from gridtide_store.vocabulary import GENERATION, IMPORT, generation

SLOT: Final = ("start", "end")
NEAR: Final = timedelta(days=1)


def add_up(
    rows: pl.DataFrame, slot: Sequence[str], *more: pl.Expr, partial: bool = False
) -> pl.DataFrame:
    """Return one row for each `slot`: the sum of its rows, their flags, and their last body.

    The sum is null where a row is.

    Args:
        rows: the columns of `slot`, value, flag and body.
        more: further columns of the result, each of a slot's rows.
        partial: whether a sum that lacks a row is what is there, flagged as partial; it is
            null all the same where a row is in conflict.
    """
    value, flag = pl.col("value"), pl.col("flag")
    sums = rows.group_by(slot, maintain_order=True).agg(
        value.sum(),
        value.null_count().alias("gaps"),
        value.count().alias("there"),
        pl.col("body").max(),
        flag.first(),
        *more,
    )
    if rows["flag"].null_count() < rows.height:
        flags = (
            rows.filter(flag.is_not_null())
            .group_by(slot, maintain_order=True)
            .agg(flag.unique(maintain_order=True).str.join(";"))
        )
        sums = sums.drop("flag").join(
            flags, on=slot, how="left", nulls_equal=True, maintain_order="left"
        )
    whole = pl.col("gaps") == 0
    if partial:
        wrong = flag.str.contains(CONFLICT).fill_null(value=False)
        lacks = ~whole & ~wrong & (pl.col("there") > 0)
        whole = (whole | lacks) & ~wrong
        said = pl.concat_str(flag, pl.lit(PARTIAL), separator=";", ignore_nulls=True)
        flag = pl.when(lacks).then(said).otherwise(flag)
    return sums.select(
        pl.exclude("value", "flag", "gaps", "there"), pl.when(whole).then(value), flag
    )


def sum_codes(rows: pl.DataFrame, source: str, *, partial: bool = True) -> pl.DataFrame:
    """Return READING with the newest values of each code, added by signal and slot.

    A sum that lacks one of its codes is partial (or null, see `partial`), also where a body
    leaves out a code that it states of other slots; and one is as uncertain as its worst part.
    A signal that is listed without a value is a row without one, but a slot of which no signal
    has a value is left out: it is not published yet.

    Args:
        rows: READING by code, and its columns code and order: a time of publication or the
            number of a revision, which counts before the place of the body.
        source: name of the source, for the error.
        partial: as of `add_up`.

    Raises:
        NothingYet: no row has a value.
        ValueError: rows that are no readings; see `parsing.check_shape`.
    """
    slot = ["zone", "signal", "start", "end", "issued_at"]
    stated = newest(rows, [*slot, "code"], ("order", "body"))
    sums = add_up(
        pl.concat([stated, _left_out(rows, slot)]),
        slot,
        pl.col("quality").min(),  # estimated comes before measured
        partial=partial,
    )
    mix = pl.col("signal").str.starts_with(GENERATION)
    family = pl.when(mix).then(pl.lit(GENERATION)).otherwise("signal")
    wrong = pl.col("flag").str.contains(CONFLICT).fill_null(value=False)
    said = pl.col("value").is_not_null() | wrong
    kept = said.any().over("zone", family, "start", "issued_at")
    kept &= said | pl.col("issued_at").is_null()
    found = sums.filter(kept).select(READING.names())
    if found.is_empty():
        raise NothingYet(source, "the answer holds no value yet; normal at the live edge")
    return check_readings(with_sorted_flags(found))


def _left_out(rows: pl.DataFrame, slot: Sequence[str]) -> pl.DataFrame:
    """Return a gap for each slot that lacks a code which a body with that slot states.

    That is a code of the same run, whose first slot in that body is at most `NEAR` later: what
    begins later, as a new plant or tie, is not missed. What ends is: it may be late.
    """
    series = ["body", "zone", "signal", "issued_at"]
    since = (pl.col("start").min() - NEAR).alias("since")
    named = rows.group_by(*series, "code").agg(since)
    if named.select(pl.struct(series).n_unique()).item() == named.height:
        return rows.clear()
    slots = rows.select("body", *slot).unique()
    # Counts, since of many slots and many codes there are too many pairs.
    begins = named.select(*series, start="since", codes=1)
    wanted = (
        pl.concat([slots.with_columns(codes=0), begins], how="diagonal_relaxed")
        .sort("start", "codes", descending=[False, True])
        .with_columns(pl.col("codes").cum_sum().over(series))
        .filter(pl.col("end").is_not_null())
    )
    there = (
        rows.select(*slot, "code")
        .unique()
        .join(slots, on=slot, nulls_equal=True)
        .join(named, on=[*series, "code"], nulls_equal=True)
        .filter(pl.col("since") <= pl.col("start"))
        .group_by("body", *slot)
        .len()
    )
    lacks = wanted.join(there, on=["body", *slot], nulls_equal=True).filter(
        pl.col("len") < pl.col("codes")
    )
    gaps = rows.join(lacks, on=slot, how="semi", nulls_equal=True).unique(slot)
    return gaps.with_columns(value=pl.lit(None, pl.Float64), flag=pl.lit(None, pl.String))


def by_fuel(
    rows: pl.DataFrame,
    fuels: Mapping[str, str],
    *,
    zone: str,
    parts: Mapping[str, Collection[str]] | None = None,
) -> pl.DataFrame:
    """Return the readings of `rows`, codes of one fuel added up, sorted by slot.

    A code that is not in `fuels` is added to ``unknown`` and flagged. A fuel is null where one
    of its codes is. Codes that differ in capitals alone are one.

    Args:
        rows: start, end, code (text), value (MW; null is a gap), body and, if there are any,
            flag.
        fuels: fuels by code, in lower case; ``imports`` and ``import_<name>`` are net imports.
        parts: codes, in lower case, without which a fuel's sum would be too small: where one
            of them is absent, as in a body that was cut, the fuel is null.
    """
    names = {code: code.strip().lower() for code in rows["code"].unique()}
    signal_of = {code: _signal(fuels.get(name, "unknown")) for code, name in names.items()}
    odd = {code: f"unmapped_code:{code}" for code, name in names.items() if name not in fuels}
    code = pl.col("code")
    key = (*SLOT, "signal")
    rows = rows.with_columns(
        *(() if "flag" in rows.columns else [pl.lit(None, pl.String).alias("flag")]),
        signal=code.replace_strict(
            signal_of, return_dtype=pl.Enum(sorted({*signal_of.values()}))
        ),
        name=code.replace_strict(names, return_dtype=pl.Enum(sorted({*names.values()}))),
    )
    # In order, what belongs together is found by comparing neighbours, in a third of the time.
    rows = rows.sort(*key, "name", maintain_order=True)
    rows = rows.with_columns(sum=number_runs(*key), stated=number_runs(*SLOT, "name"))
    if rows.height and rows["stated"][-1] < rows.height:
        rows = newest(rows, ["stated"]).sort("sum", maintain_order=True)
    if odd:
        new = code.replace_strict(odd, default=None, return_dtype=pl.String)
        rows = rows.with_columns(
            flag=pl.when(new.is_null())
            .then("flag")
            .otherwise(pl.concat_str("flag", new, separator=";", ignore_nulls=True))
        )
    needed = {
        _signal(fuel): [each for each, name in names.items() if name in wanted]
        for fuel, wanted in (parts or {}).items()
    }
    counts = (code.is_in(mine).sum().alias(f"has_{each}") for each, mine in needed.items())
    sums = add_up(rows, ["sum"], *(pl.col(each).first() for each in key), *counts)
    for fuel, wanted in (parts or {}).items():
        mine = _signal(fuel)
        lacks = (pl.col("signal") == pl.lit(mine)) & (pl.col(f"has_{mine}") < len(wanted))
        sums = sums.with_columns(
            value=pl.when(~lacks).then("value"),
            flag=pl.when(lacks).then(pl.lit(PARTIAL)).otherwise("flag"),
        )
    return readings(
        zone=zone,
        signal=sums["signal"],
        start=sums["start"],
        end=sums["end"],
        value=sums["value"],
        flag=sums["flag"],
        body=sums["body"],
    )


def _signal(fuel: str) -> str:
    """Return the signal of a fuel; net imports are signals of their own."""
    return fuel if fuel.startswith(IMPORT) else generation(fuel)


def number_runs(*columns: str) -> pl.Expr:
    """Return from 1 the number of each run of rows that are alike in `columns`."""
    new = (pl.col(each).ne_missing(pl.col(each).shift()) for each in columns)
    # The first row is alike to none, also where it has nulls.
    return (pl.any_horizontal(new) | (pl.int_range(pl.len()) == 0)).cum_sum().set_sorted()


def total(value: pl.Expr) -> pl.Expr:
    """Sum the codes of one fuel and slot; null where one of them is null.

    A code that consumes (storage that charges, a plant's own use) is not negative generation of
    another: beside one that generates it counts as 0, so that 100 MW of ``OTH`` beside -80 MW
    of ``UES`` are 100 MW. Where no code generates, the sum is their net consumption.
    """
    generates = (value > 0).any()
    known = value.is_not_null().all()
    return (
        pl.when(known & generates)
        .then(value.clip(lower_bound=0).sum())
        .when(known)
        .then(value.sum())
    )
