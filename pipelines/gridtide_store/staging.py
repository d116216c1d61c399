"""Stage a snapshot: the files written for it, and those linked from the snapshot before."""

from __future__ import annotations

import io
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from gridtide.errors import GridtideError
from gridtide.model import utc
from gridtide_store import manifest as manifests
from gridtide_store.database import transaction
from gridtide_store.manifest import DELTA, RUNS, File, Manifest, MatrixPlan
from gridtide_store.opening import (
    PUBLISHED_BASE,
    PUBLISHED_DELTA,
    format_identity,
    new_identity,
    read_note,
    write_note,
)
from gridtide_store.snapshot_runs import Matrix
from gridtide_store.store import Store
from gridtide_store.tables import rows_after, write_delta, write_runs, write_year, years_after
from gridtide_store.vocabulary import QUALITIES

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rebase:
    """When the base is brought up to date: at that age, or at more rows in the delta."""

    age: timedelta = timedelta(hours=20)
    rows: int = 1_000_000


DAILY = Rebase()


@dataclass(frozen=True, slots=True)
class Before:
    """The snapshot that is current while another is made."""

    folder: Path
    manifest: Manifest


@dataclass(slots=True)
class StagedSnapshot:
    """A snapshot that is being written, and the one before it to link from.

    Attributes:
        damaged: files of the one before that were found not to be what was published.
    """

    folder: Path
    before: Before | None
    files: dict[str, File] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)

    def add(self, name: str) -> None:
        """Record a file that has just been written."""
        self.files[name] = manifests.describe(self.folder / name)

    def is_whole(self, name: str) -> bool:
        """Say whether a file of the snapshot before is there as it was published."""
        before = self.before
        if before is None or name in self.damaged:
            return False
        try:
            manifests.verify(before.folder, before.manifest, [name])
        except GridtideError as error:
            log.warning("%s; writing it again", error)
            self.damaged.add(name)
            return False
        return True

    def link(self, name: str) -> bool:
        """Link a file of the snapshot before; copy it where links do not work.

        Returns:
            False if it is not there as it was published; then it must be written.
        """
        before = self.before
        if before is None or not self.is_whole(name):
            return False
        try:
            os.link(before.folder / name, self.folder / name)
        except OSError:
            shutil.copyfile(before.folder / name, self.folder / name)
        self.files[name] = before.manifest.files[name]
        return True

    def add_matrix(self, plan: MatrixPlan, values: Matrix) -> MatrixPlan:
        """Write one matrix, or link it if the same one is in the snapshot before."""
        content = io.BytesIO()
        np.save(content, values)
        made = manifests.describe_bytes(content.getbuffer())
        there = self.before.manifest.files.get(plan.file) if self.before else None
        if there != made or not self.link(plan.file):
            (self.folder / plan.file).write_bytes(content.getbuffer())
            self.files[plan.file] = made
        return plan


@dataclass(frozen=True, slots=True)
class Made:
    """The publications that wrote base and delta, as in the manifest."""

    base_cut: int
    base_made_at: datetime
    base: str
    delta: str


def fill(
    staged: StagedSnapshot,
    store: Store,
    now: datetime,
    *,
    signals: Sequence[str],
    rebase: Rebase,
) -> Made:
    """Put base and delta into the staged snapshot, linked where they are unchanged.

    The store notes which publication wrote what it holds, so a file is linked only if it was
    written from this very store, and from a state that this one has come from.
    """
    before = staged.before.manifest if staged.before else None
    linkable = _linkable(store, before, signals)
    written = {}
    if (
        before is None
        or not linkable
        or _due(store, before, now, rebase)
        # Their hashes are remembered, so `link` does not read the files again.
        or not all(staged.is_whole(name) for name in linkable)
    ):
        _fill_base(staged, store, linkable, signals=signals)
        base_cut, base_made_at = store.cut, utc(now)
        written = {PUBLISHED_BASE: new_identity(), PUBLISHED_DELTA: new_identity()}
    else:
        for name in linkable:
            staged.link(name)
        base_cut, base_made_at = before.base_cut, before.base_made_at
        if not (
            before.cut == store.cut
            and _is_noted(store, PUBLISHED_DELTA, before.delta)
            and staged.link(DELTA)
        ):
            written = {PUBLISHED_DELTA: new_identity()}
    if written:
        write_delta(store.connection, staged.folder / DELTA, after=base_cut, signals=signals)
        staged.add(DELTA)
        with transaction(store.connection):
            for name, number in written.items():
                write_note(store.connection, name, number)
    return Made(
        base_cut,
        base_made_at,
        *(
            format_identity(read_note(store.connection, note))
            for note in (PUBLISHED_BASE, PUBLISHED_DELTA)
        ),
    )


def _fill_base(
    staged: StagedSnapshot,
    store: Store,
    linkable: Mapping[str, int | None],
    *,
    signals: Sequence[str],
) -> None:
    """Put the base as of now into the staged snapshot.

    A year of which no observation was added since the base before is linked; one that changed,
    or whose file is damaged, is written, and so are the forecast runs.
    """
    connection, before = store.connection, staged.before
    after = before.manifest.base_cut if before and linkable else -1
    changed = years_after(connection, after, signals)
    years = {*changed, *(year for year in linkable.values() if year is not None)}
    for year in sorted(years):
        name = manifests.name_base(year)
        if year in changed or not staged.link(name):
            write_year(connection, staged.folder / name, year, signals=signals)
            staged.add(name)
    write_runs(connection, staged.folder / RUNS, signals=signals)
    staged.add(RUNS)


def _linkable(
    store: Store, before: Manifest | None, signals: Sequence[str]
) -> dict[str, int | None]:
    """Return the files of the base before with their year, where they may be linked.

    None may where they were written from another store or another state of it, in another
    form, or for other signals.
    """
    if (
        before is None
        or before.store != store.id
        or not _is_noted(store, PUBLISHED_BASE, before.base)
        or before.signals != tuple(signals)
        or before.qualities != tuple(QUALITIES)
        or before.runs.file != RUNS
    ):
        return {}
    return {each.file: each.year for each in (*before.bases, before.runs)}


def _is_noted(store: Store, note: str, said: str) -> bool:
    return bool(said) and said == format_identity(read_note(store.connection, note))


def _due(store: Store, before: Manifest, now: datetime, rebase: Rebase) -> bool:
    """Say whether the base is to be brought up to date, and the delta to begin anew."""
    return (
        now - before.base_made_at >= rebase.age
        or rows_after(store.connection, before.base_cut) > rebase.rows
    )
