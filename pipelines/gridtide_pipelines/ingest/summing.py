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
from gridtide_pipelines.ingest.checks import check_readings
from gridtide_pipelines.ingest.columns import collected
from gridtide_pipelines.ingest.newest import CONFLICT, newest
from gridtide_pipelines.ingest.parsing import readings, with_sorted_flags
from gridtide_pipelines.ingest.source import PARTIAL, READING
from gridtide_store.vocabulary import GENERATION, IMPORT, generation

SLOT: Final = ("start", "end")
SERIES: Final = ("body", "zone", "signal", "issued_at")
NEAR: Final = timedelta(days=1)
_SUMS: Final = (
    pl.col("value").sum(),
    pl.col("value").null_count().alias("gaps"),
    pl.col("value").count().alias("there"),
    pl.col("body").max(),
)


def number_runs(*columns: str) -> pl.Expr:
    """Return from 1 the number of each run of rows that are alike in `columns`."""
    # The sum of the numbers in each column grows where one of them does.
    each, *others = (pl.col(name).rle_id() for name in columns)
    return (sum(others, each).rle_id() + 1).set_sorted()


_RUNS: Final = (
    number_runs(*SLOT, "signal").alias("sum"),
    number_runs(*SLOT, "name").alias("stated"),
)
_SAID: Final = pl.col("value").is_not_null() | pl.col("flag").str.contains(CONFLICT).fill_null(
    value=False
)
_FAMILY: Final = (
    pl.when(pl.col("signal").str.starts_with(GENERATION))
    .then(pl.lit(GENERATION))
    .otherwise("signal")
)
# A row without a value is there where another one of its slot says something.
_KEPT: Final = _SAID.any().over("zone", _FAMILY, "start", "issued_at") & (
    _SAID | pl.col("issued_at").is_null()
)
# Of rows that are there once: whether each slot of a series has each of its codes.
_SLOTS: Final = pl.struct(SLOT).n_unique().cast(pl.UInt64)
_WHOLE: Final = (pl.col("code").n_unique() * _SLOTS == pl.len()).alias("whole")
_CODES: Final = pl.col("code").unique()
_FIRST: Final = tuple(pl.col(each).first() for each in (*SLOT, "signal"))


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
    return collected(_added_up(rows, slot, *more, partial=partial))


def _added_up(
    rows: pl.DataFrame, slot: Sequence[str], *more: pl.Expr, partial: bool = False
) -> pl.LazyFrame:
    value, flag, said = pl.col("value"), pl.col("flag"), rows["flag"]
    bare = said.null_count() == rows.height
    one = said.min() == said.max()  # so that there is none to join
    kept = flag.max() if one and not bare else flag.first()
    groups = rows.lazy().group_by(slot, maintain_order=True)
    if rows["value"].null_count() == 0 and one and (bare or not partial):
        return groups.agg(pl.col("body").max(), *more, value.sum(), kept)
    sums = groups.agg(*_SUMS, kept, *more)
    if not one:
        flags = (
            rows.lazy()
            .filter(flag.is_not_null())
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
        lacking = pl.concat_str(flag, pl.lit(PARTIAL), separator=";", ignore_nulls=True)
        flag = pl.when(lacks).then(lacking).otherwise(flag)
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
    if (
        stated.height < rows.height
        or not collected(rows.lazy().group_by(SERIES).agg(_WHOLE))["whole"].all()
    ):
        stated = pl.concat([stated, _left_out(rows, slot)])
    sums = add_up(
        stated,
        slot,
        pl.col("quality").min(),  # estimated comes before measured
        partial=partial,
    )
    if sums["value"].null_count():
        sums = collected(sums.lazy().filter(_KEPT))
    found = pl.DataFrame([sums[each] for each in READING.names()])
    if found.is_empty():
        raise NothingYet(source, "the answer holds no value yet; normal at the live edge")
    return check_readings(with_sorted_flags(found))


def _left_out(rows: pl.DataFrame, slot: Sequence[str]) -> pl.DataFrame:
    """Return a gap for each slot that lacks a code which a body with that slot states.

    That is a code of the same run, whose first slot in that body is at most `NEAR` later: what
    begins later, as a new plant or tie, is not missed. What ends is: it may be late.
    """
    since = (pl.col("start").min() - NEAR).alias("since")
    named = rows.group_by(*SERIES, "code").agg(since)
    if named.select(pl.struct(SERIES).n_unique()).item() == named.height:
        return rows.clear()
    slots = rows.select("body", *slot).unique()
    # Counts, since of many slots and many codes there are too many pairs.
    begins = named.select(*SERIES, start="since", codes=1)
    wanted = (
        pl.concat([slots.with_columns(codes=0), begins], how="diagonal_relaxed")
        .sort("start", "codes", descending=[False, True])
        .with_columns(pl.col("codes").cum_sum().over(SERIES))
        .filter(pl.col("end").is_not_null())
    )
    there = (
        rows.select(*slot, "code")
        .unique()
        .join(slots, on=slot, nulls_equal=True)
        .join(named, on=[*SERIES, "code"], nulls_equal=True)
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
    names = {
        code: code.strip().lower() for code in collected(rows.lazy().select(_CODES))["code"]
    }
    signals = {name: _signal(fuels.get(name, "unknown")) for name in names.values()}
    ordered = sorted(signals, key=lambda name: (signals[name], name))
    places = {name: place for place, name in enumerate(ordered)}
    new = [None if name in fuels else f"unmapped_code:{code}" for code, name in names.items()]
    flagged, odd = "flag" in rows.columns, any(new)
    mine = list(names.values())
    codes = pl.DataFrame(
        [
            pl.Series("signal", map(signals.get, mine), pl.Enum(sorted({*signals.values()}))),
            pl.Series("name", map(places.get, mine), pl.UInt32),
            pl.Series("new" if flagged else "flag", new, pl.String),
        ]
    )
    place = pl.col("code").cast(pl.Enum(list(names))).cat.physical()
    of_rows = codes[collected(rows.lazy().select(place))["code"]]
    stated = ("start", "end", "value", "body", *(("flag",) if flagged else ()))
    rows = pl.DataFrame([*(rows[each] for each in stated), *of_rows])
    plan = rows.lazy()
    if flagged and odd:
        both = pl.concat_str("flag", "new", separator=";", ignore_nulls=True)
        plan = plan.with_columns(
            flag=pl.when(pl.col("new").is_null()).then("flag").otherwise(both)
        )
    # In order, what belongs together is found by comparing neighbours, in a third of the time.
    rows = collected(plan.sort(*SLOT, "name", maintain_order=True).with_columns(_RUNS))
    if rows.height and rows["stated"][-1] < rows.height:
        rows = newest(rows, ["stated"]).sort("sum", maintain_order=True)
    needed = {_signal(fuel): wanted for fuel, wanted in (parts or {}).items()}
    counts = (
        pl.col("name")
        .is_in([places[each] for each in wanted if each in places])
        .sum()
        .alias(f"has_{signal}")
        for signal, wanted in needed.items()
    )
    alone = rows.height and rows["sum"][-1] == rows.height and not needed
    plan = rows.lazy() if alone else _added_up(rows, ["sum"], *_FIRST, *counts)
    for signal, wanted in needed.items():
        lacks = (pl.col("signal") == pl.lit(signal)) & (pl.col(f"has_{signal}") < len(wanted))
        plan = plan.with_columns(
            value=pl.when(~lacks).then("value"),
            flag=pl.when(lacks).then(pl.lit(PARTIAL)).otherwise("flag"),
        )
    sums = collected(plan)
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
