"""Import files of generation: all of them are read and checked, then all are stored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import polars as pl

from gridtide.clock import Clock
from gridtide.errors import BadInput
from gridtide.model import Quality, Signal, format_time
from gridtide_pipelines.importing.ahead import knowledge_time, without_future
from gridtide_pipelines.importing.content import Content
from gridtide_pipelines.importing.layouts import Hints, Label
from gridtide_pipelines.importing.slots import (
    compare,
    drop_stored,
    newest,
    refuse_mixed_slots,
    to_slots,
    unite,
    without_bad_values,
)
from gridtide_pipelines.importing.tables import Table, read_table
from gridtide_store.estimates import ESTIMATE
from gridtide_store.store import Store
from gridtide_store.vocabulary import INSTANT, OBSERVATION

SOURCE_NAME = re.compile(r"[a-z0-9_]+")

# No slot is longer, so nothing that overlaps a span starts earlier than this before it.
LONGEST_SLOT = timedelta(days=1)


NO_HINTS = Hints()


class KnownAt(StrEnum):
    """When the rows of a file count as known: when their slot ended, or now."""

    AS_LABELLED = "as-labelled"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Plan:
    """How files are to be read and stored; `zone` is a key of the catalogue.

    Attributes:
        label: None where the files tell.
        others: further zones in the same files; a file without a column of zones has only one.
        hints: what the user says of the columns.
    """

    zone: str
    label: Label | None = None
    source: str = "import"
    known_at: KnownAt = KnownAt.AS_LABELLED
    resolution: timedelta | None = None
    others: tuple[str, ...] = ()
    hints: Hints = NO_HINTS


@dataclass(frozen=True, slots=True)
class File:
    """One file that was read and may be stored.

    Attributes:
        content: as it is.
        version: of the content that was read.
        table: what it says.
        label: what its times name.
        slots: ``slot_start``, ``slot_end``, ``signal``, ``value`` (null is a gap),
            ``estimated``.
        implausible: values that no grid has, which became gaps.
        negative: slots whose total generation is negative, which became unknown.
        left_out: how many rows were left out, by reason.
    """

    content: Content
    version: tuple[int, int]
    table: Table
    label: Label
    slots: pl.DataFrame
    implausible: int
    negative: int
    left_out: Mapping[str, int]

    @property
    def name(self) -> str:
        """The name without its folder."""
        return self.content.name

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The start of the first and the end of the last slot; there is always one."""
        found = self.slots.select(pl.col("slot_start").min(), pl.col("slot_end").max()).row(0)
        return found[0], found[1]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was stored of one file; a row is one signal in one slot."""

    file: File
    zone: str
    source: str
    rows_added: int

    @property
    def slots(self) -> int:
        """How many slots the file has."""
        return self.file.slots["slot_start"].n_unique()

    def document(self) -> dict[str, object]:
        """Return the receipt as in ``--json``."""
        start, end = self.file.bounds
        return {
            "file": self.file.name,
            "zone": self.zone,
            "source": self.source,
            "slots": self.slots,
            "rows_added": self.rows_added,
            "ignored_columns": list(self.file.table.ignored),
            "implausible_values": self.file.implausible,
            "negative_slots": self.file.negative,
            "empty_columns": list(self.file.table.empty),
            "left_out": dict(self.file.left_out),
            "from": format_time(start),
            "to": format_time(end),
        }


def refuse_source_name(name: str, taken: Sequence[str]) -> None:
    """Check the name that imported rows are to be stored under.

    Args:
        taken: names of the sources that gridtide retrieves itself.

    Raises:
        BadInput: not lower case with underscores, taken, or that of our estimates.
    """
    if not SOURCE_NAME.fullmatch(name):
        raise BadInput(
            f"source {name!r} is not a name of a-z, 0-9 and _ such as carboncast; "
            "name the files' origin so"
        )
    if name == ESTIMATE or name in taken:
        does = "makes" if name == ESTIMATE else "retrieves"
        raise BadInput(
            f"{name} is the name of a source that gridtide {does} itself; name "
            f"the files otherwise, e.g. --source {name}_archive"
        )


def read_file(path: Path, plan: Plan, clock: Clock) -> File:
    """Read one file, parse it and check it by itself.

    In a replay it may reach beyond the clock: a row is known when its slot ends.

    Raises:
        BadInput: it cannot be read or imported; says where and what to do.
    """
    content = Content(path.name, path)
    with content.open():
        version = content.version()
    table = read_table(content, plan.zone, plan.hints, plan.label)
    if table.layout.zone is None and plan.others:
        zones = (plan.zone, *plan.others)
        raise BadInput(
            f"{path.name} is wide, so it is of one zone, not {len(zones)} "
            f"({', '.join(zones)}); import it with one --zone, or name the column that has the "
            "zone: --zone-column"
        )
    label = _label(table, plan)
    slots = to_slots(table, label, plan.resolution or table.layout.resolution)
    slots, implausible, negative = without_bad_values(path.name, slots)
    left_out = dict(table.left_out)
    if plan.known_at is KnownAt.NOW or not clock.replay:
        slots, ahead = without_future(path.name, slots, clock())
        left_out |= {"rows without a value that lie ahead": ahead} if ahead else {}
    return File(content, version, table, label, slots, implausible, negative, left_out)


def _label(table: Table, plan: Plan) -> Label:
    """Return what the times of a file name.

    Raises:
        BadInput: nothing says, or the file says otherwise than the user.
    """
    stated, given = table.label, plan.label
    layout = table.layout
    if stated is None and given is None:
        raise BadInput(
            f"{table.name}: it is not known whether {layout.time} names the start or the end "
            "of a slot; say which: --label start or --label end"
        )
    if (layout.published or table.both_ends) and given not in (None, stated):
        whose = layout.title if layout.published else "slots written by both their ends"
        raise BadInput(
            f"{table.name}: times of {whose} name the {stated} of a slot; leave out --label"
        )
    label = given or stated
    assert label is not None  # noqa: S101  # one of them is there
    return label


def check_files(
    store: Store, files: Sequence[File], plan: Plan, now: datetime, *, replay: bool = False
) -> pl.DataFrame:
    """Return the rows of all files that say something new; nothing is stored yet.

    In a `replay` prices that lie ahead are not known by `now`, but when their slots end.

    Returns:
        OBSERVATION but for ``retrieval_id``, with ``file`` (its number). What two files say
        alike comes once, and what an earlier import of the same file stored does not come.

    Raises:
        BadInput: files that contradict each other, or what is stored.
    """
    slots = unite([file.name for file in files], [file.slots for file in files])
    if plan.known_at is KnownAt.NOW:
        known_at = pl.lit(now, INSTANT)
    else:
        known_at = pl.col("slot_end") if replay else knowledge_time(now)
    incoming = slots.select(
        pl.lit(plan.zone).alias("zone"),
        "signal",
        pl.lit(plan.source).alias("source"),
        "slot_start",
        "slot_end",
        "value",
        _quality().alias("quality"),
        known_at.alias("known_at"),
        "file",
    )
    first, last = slots.select(pl.col("slot_start").min(), pl.col("slot_end").max()).row(0)
    revisions = store.revisions(plan.zone, plan.source, first - LONGEST_SLOT, last)
    stored = newest(revisions)
    refuse_mixed_slots(incoming, stored)
    imported = [i for i, file in enumerate(files) if _has_kept(store, plan.source, file)]
    return compare(drop_stored(incoming, revisions, imported), stored)


def _has_kept(store: Store, source: str, file: File) -> bool:
    with file.content.open() as stream:
        return store.has_kept(source, stream)


def _quality() -> pl.Expr:
    """Return the quality of a row: intensity is always computed by somebody."""
    computed = pl.col("signal").is_in([str(signal) for signal in Signal])
    return (
        pl.when("estimated")
        .then(pl.lit(str(Quality.ESTIMATED)))
        .when(computed)
        .then(pl.lit(str(Quality.DERIVED)))
        .otherwise(pl.lit(str(Quality.MEASURED)))
    )


def store_files(
    store: Store, files: Sequence[File], rows: pl.DataFrame, plan: Plan, now: datetime
) -> list[Receipt]:
    """Archive the files and store their rows, as `check_files` returned them.

    Raises:
        BadInput: a file changed after it was read.
    """
    kept = []
    for file in files:
        with file.content.open() as stream:
            if file.content.version() != file.version:
                raise BadInput(f"{file.name} changed while it was read; import it again")
            kept.append(store.keep(plan.source, file.name, stream, now))
    retrieval = pl.col("file").replace_strict(dict(enumerate(kept)), return_dtype=pl.Int64)
    store.append(rows.with_columns(retrieval_id=retrieval).select(OBSERVATION.names()))
    return [
        Receipt(file, plan.zone, plan.source, rows.filter(pl.col("file") == number).height)
        for number, file in enumerate(files)
    ]
