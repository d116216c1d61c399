"""Stage a snapshot: the files written for it, and those linked from the snapshot before."""

from __future__ import annotations

import io
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from gridtide.errors import GridtideError
from gridtide.model import utc
from gridtide_store import manifest as manifests
from gridtide_store.database import transaction
from gridtide_store.manifest import BASE, DELTA, File, Manifest, MatrixPlan
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
from gridtide_store.tables import rows_after, write_base, write_delta
from gridtide_store.vocabulary import QUALITIES

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rebase:
    """When the base is written again: it is that old, or the delta would have so many rows."""

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
        damaged: whether a file of the one before was found not to be what was published.
    """

    folder: Path
    before: Before | None
    files: dict[str, File] = field(default_factory=dict)
    damaged: bool = False

    def add(self, name: str) -> None:
        """Record a file that has just been written."""
        self.files[name] = manifests.describe(self.folder / name)

    def link(self, name: str) -> bool:
        """Link a file of the snapshot before; copy it where links do not work.

        Returns:
            False if it is not there as it was published; then it must be written.
        """
        before = self.before
        if before is None:
            return False
        try:
            manifests.verify(before.folder, before.manifest, [name])
        except GridtideError as error:
            log.warning("%s; writing it again", error)
            self.damaged = True
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
    base, delta = staged.folder / BASE, staged.folder / DELTA
    written = {}
    if (
        before is None
        or _due(store, before, now, signals=signals, rebase=rebase)
        or not staged.link(BASE)
    ):
        write_base(store.connection, base, signals=signals, scratch=store.scratch)
        staged.add(BASE)
        base_cut, base_made_at = store.cut, utc(now)
        written = {PUBLISHED_BASE: new_identity(), PUBLISHED_DELTA: new_identity()}
    else:
        base_cut, base_made_at = before.base_cut, before.base_made_at
        if not (
            before.cut == store.cut
            and _is_noted(store, PUBLISHED_DELTA, before.delta)
            and staged.link(DELTA)
        ):
            written = {PUBLISHED_DELTA: new_identity()}
    if written:
        write_delta(
            store.connection,
            delta,
            base,
            after=base_cut,
            signals=signals,
            scratch=store.scratch,
        )
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


def _is_noted(store: Store, note: str, said: str) -> bool:
    return bool(said) and said == format_identity(read_note(store.connection, note))


def _due(
    store: Store, before: Manifest, now: datetime, *, signals: Sequence[str], rebase: Rebase
) -> bool:
    """Say whether the base is to be written again."""
    return (
        before.store != store.id
        or not _is_noted(store, PUBLISHED_BASE, before.base)
        or before.signals != tuple(signals)
        or before.qualities != tuple(QUALITIES)
        or now - before.base_made_at >= rebase.age
        or rows_after(store.connection, before.base_cut) > rebase.rows
    )
