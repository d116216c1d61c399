"""Import files of generation: all of them are read and checked, then all are stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import polars as pl

from gridtide.clock import Clock
from gridtide.errors import BadInput
from gridtide.model import Quality, format_time
from gridtide_pipelines.importing.slots import (
    Label,
    compare,
    drop_stored,
    newest,
    refuse_future,
    refuse_mixed_slots,
    to_slots,
    unite,
    without_bad_values,
)
from gridtide_pipelines.importing.tables import read_table
from gridtide_store.store import Store
from gridtide_store.vocabulary import GENERATION, INSTANT, OBSERVATION

SOURCE_NAME = re.compile(r"[a-z0-9_]+")

# No slot is longer, so nothing that overlaps a span starts earlier than this before it.
LONGEST_SLOT = timedelta(days=1)


class KnownAt(StrEnum):
    """When the rows of a file count as known: when their slot ended, or now."""

    AS_LABELLED = "as-labelled"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Plan:
    """How files are to be read and stored; `zone` is a key of the catalogue.

    Attributes:
        others: further zones in the same files; a wide file has only one.
    """

    zone: str
    label: Label
    source: str = "import"
    known_at: KnownAt = KnownAt.AS_LABELLED
    resolution: timedelta | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """One file that was read and may be stored.

    Attributes:
        name: without its folder.
        content: as it was.
        slots: ``slot_start``, ``slot_end``, ``fuel``, ``value`` (mean MW; null is a gap).
        ignored: columns that were not read.
        implausible: values that no grid has, which became gaps.
        negative: slots whose total generation is negative, which became unknown.
        empty: columns or fuels that are named but have no value in any row.
    """

    name: str
    content: bytes
    slots: pl.DataFrame
    ignored: tuple[str, ...]
    implausible: int = 0
    negative: int = 0
    empty: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was stored of one file; a row is one fuel in one slot."""

    file: str
    zone: str
    source: str
    slots: int
    rows_added: int
    ignored_columns: tuple[str, ...]
    start: datetime
    end: datetime
    implausible: int = 0
    negative: int = 0
    empty: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """Return the receipt as in ``--json``."""
        return {
            "file": self.file,
            "zone": self.zone,
            "source": self.source,
            "slots": self.slots,
            "rows_added": self.rows_added,
            "ignored_columns": list(self.ignored_columns),
            "implausible_values": self.implausible,
            "negative_slots": self.negative,
            "empty_columns": list(self.empty),
            "from": format_time(self.start),
            "to": format_time(self.end),
        }


def refuse_source_name(name: str, taken: Sequence[str]) -> None:
    """Check the name that imported rows are to be stored under.

    Args:
        taken: names of the sources that gridtide retrieves itself.

    Raises:
        BadInput: not lower case with underscores, or taken.
    """
    if not SOURCE_NAME.fullmatch(name):
        raise BadInput(
            f"source {name!r} is not a name of a-z, 0-9 and _ such as carboncast; "
            "name the files' origin so"
        )
    if name in taken:
        raise BadInput(
            f"{name} is the name of a source that gridtide retrieves itself; name "
            f"the files otherwise, e.g. --source {name}_archive"
        )


def read_file(path: Path, plan: Plan, clock: Clock) -> File:
    """Read one file, parse it and check it by itself.

    In a replay it may reach beyond the clock: a row is known when its slot ends.

    Raises:
        BadInput: it cannot be read or imported; says where and what to do.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    table = read_table(path.name, content, plan.zone)
    if table.energy and plan.others:
        zones = (plan.zone, *plan.others)
        raise BadInput(
            f"{path.name} is wide, so it is of one zone, not {len(zones)} "
            f"({', '.join(zones)}); import it with one --zone"
        )
    slots = to_slots(table, plan.label, plan.resolution)
    slots, implausible, negative = without_bad_values(path.name, slots)
    if plan.known_at is KnownAt.NOW or not clock.replay:
        refuse_future(path.name, slots, clock())
    return File(path.name, content, slots, table.ignored, implausible, negative, table.empty)


def check_files(store: Store, files: Sequence[File], plan: Plan, now: datetime) -> pl.DataFrame:
    """Return the rows of all files that say something new; nothing is stored yet.

    Returns:
        OBSERVATION but for ``retrieval_id``, with ``file`` (its number). What two files say
        alike comes once, and what an earlier import of the same file stored does not come.

    Raises:
        BadInput: files that contradict each other, or what is stored.
    """
    slots = unite([file.name for file in files], [file.slots for file in files])
    incoming = slots.select(
        pl.lit(plan.zone).alias("zone"),
        (GENERATION + pl.col("fuel")).alias("signal"),
        pl.lit(plan.source).alias("source"),
        "slot_start",
        "slot_end",
        "value",
        pl.lit(str(Quality.MEASURED)).alias("quality"),
        pl.when(plan.known_at is KnownAt.NOW)
        .then(pl.lit(now, INSTANT))
        .otherwise("slot_end")
        .alias("known_at"),
        "file",
    )
    first, last = _span(slots)
    revisions = store.revisions(plan.zone, plan.source, first - LONGEST_SLOT, last)
    stored = newest(revisions)
    refuse_mixed_slots(incoming, stored)
    imported = [i for i, file in enumerate(files) if store.has_kept(plan.source, file.content)]
    return compare(drop_stored(incoming, revisions, imported), stored)


def store_files(
    store: Store, files: Sequence[File], rows: pl.DataFrame, plan: Plan, now: datetime
) -> list[Receipt]:
    """Archive the files and store their rows, as `check_files` returned them."""
    kept = [store.keep(plan.source, file.name, file.content, now) for file in files]
    retrieval = pl.col("file").replace_strict(dict(enumerate(kept)), return_dtype=pl.Int64)
    store.append(rows.with_columns(retrieval_id=retrieval).select(OBSERVATION.names()))
    receipts = []
    for number, file in enumerate(files):
        start, end = _span(file.slots)
        receipts.append(
            Receipt(
                file=file.name,
                zone=plan.zone,
                source=plan.source,
                slots=file.slots["slot_start"].n_unique(),
                rows_added=rows.filter(pl.col("file") == number).height,
                ignored_columns=file.ignored,
                start=start,
                end=end,
                implausible=file.implausible,
                negative=file.negative,
                empty=file.empty,
            )
        )
    return receipts


def _span(slots: pl.DataFrame) -> tuple[datetime, datetime]:
    """Return the start of the first and the end of the last slot; there is always one."""
    bounds = slots.select(pl.col("slot_start").min(), pl.col("slot_end").max()).row(0)
    return bounds[0], bounds[1]
