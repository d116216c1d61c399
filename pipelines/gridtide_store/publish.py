"""Publishing: an immutable snapshot under a name never used before, then the pointer."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from gridtide.model import Signal, utc
from gridtide_store import manifest as manifests
from gridtide_store.database import columns
from gridtide_store.durable import sync_file, sync_folder, write_durably
from gridtide_store.errors import Damaged, NewerHome
from gridtide_store.home import Home
from gridtide_store.ledger import Ledger
from gridtide_store.manifest import BASE, DELTA, File, Manifest, MatrixPlan
from gridtide_store.matrices import Matrix, matrices, newest_runs
from gridtide_store.snapshot import current
from gridtide_store.store import Store
from gridtide_store.tables import rows_after, write_base, write_delta
from gridtide_store.words import QUALITIES


@dataclass(frozen=True, slots=True)
class Rebase:
    """When the base is written anew: it is that old, or the delta would have so many rows."""

    age: timedelta = timedelta(hours=20)
    rows: int = 1_000_000


DAILY = Rebase()


def publish(
    store: Store,
    ledger: Ledger,
    home: Home,
    now: datetime,
    *,
    replay: bool,
    trust: Callable[[str], Sequence[str]],
    served: Sequence[str] = (),
    signals: Sequence[str] = tuple(Signal),
    rebase: Rebase = DAILY,
    keep: int = 3,
) -> str:
    """Make what the store knows about `signals` readable; the name of the new snapshot.

    The pointer moves last, so a crash at any moment leaves the snapshot before it current.
    Files that would not change are linked from that one. What dead publishers left, and all
    but the newest `keep` snapshots, is removed.

    Args:
        store: open for writing.
        ledger: what is known of the sources.
        home: the store's.
        now: by the clock of the run.
        replay: whether that clock was set to another time.
        trust: sources of a zone, most trusted first.
        served: models by preference; of runs issued at the same moment the first is served.
        signals: what goes into the snapshot.
        rebase: when to write the base anew.
        keep: snapshots to keep, so that readers in flight find theirs.
    """
    there = current(home)
    _sweep(home)
    name = f"{utc(now):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    draft = _Draft(home.snapshots / f".{name}.partial", _readable(there))
    draft.folder.mkdir(parents=True)
    base_cut, base_made_at = _fill(draft, store, now, signals=signals, rebase=rebase)
    headers = newest_runs(store.connection, signals=signals, served=served)
    plans = [
        draft.add_matrix(plan, values) for plan, values in matrices(store.connection, headers)
    ]
    manifest = Manifest(
        id=name,
        published_at=utc(now),
        replay=replay,
        previous=there.name if there else "",
        cut=store.cut,
        base_cut=base_cut,
        base_made_at=base_made_at,
        signals=tuple(signals),
        qualities=tuple(QUALITIES),
        served=tuple(served),
        trust={zone: tuple(trust(zone)) for zone in _zones(store, signals)},
        sources=ledger.sources(),
        matrices=tuple(plans),
        files=draft.files,
    )
    (draft.folder / manifests.NAME).write_bytes(manifests.encode(manifest))
    for path in draft.folder.iterdir():
        sync_file(path)
    sync_folder(draft.folder)
    draft.folder.rename(home.snapshots / name)
    sync_folder(home.snapshots)
    write_durably(home.current, f"{name}\n".encode())
    _prune(home, name, keep)
    return name


@dataclass(frozen=True, slots=True)
class _Before:
    """The snapshot that is current while another is made."""

    folder: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class _Draft:
    """A snapshot in the making, and the one before it to link from."""

    folder: Path
    before: _Before | None
    files: dict[str, File] = field(default_factory=dict)

    def add(self, name: str) -> None:
        """Note a file that has just been written."""
        self.files[name] = manifests.describe(self.folder / name)

    def link(self, name: str, before: _Before) -> None:
        """Take a file over from the snapshot before; a copy where links do not work."""
        try:
            os.link(before.folder / name, self.folder / name)
        except OSError:
            shutil.copyfile(before.folder / name, self.folder / name)
        self.files[name] = before.manifest.files[name]

    def add_matrix(self, plan: MatrixPlan, values: Matrix) -> MatrixPlan:
        """Write one matrix, or link it if the same runs are in the snapshot before."""
        if self.before and plan in self.before.manifest.matrices:
            self.link(plan.file, self.before)
        else:
            np.save(self.folder / plan.file, values)
            self.add(plan.file)
        return plan


def _fill(
    draft: _Draft, store: Store, now: datetime, *, signals: Sequence[str], rebase: Rebase
) -> tuple[int, datetime]:
    """Base and delta into the draft; the base's newest insertion, and when it was written."""
    before = draft.before
    base, delta = draft.folder / BASE, draft.folder / DELTA
    if before is None or _due(store, before.manifest, now, signals=signals, rebase=rebase):
        write_base(store.connection, base, signals=signals, scratch=store.scratch)
        draft.add(BASE)
        base_cut, base_made_at = store.cut, utc(now)
    else:
        draft.link(BASE, before)
        base_cut, base_made_at = before.manifest.base_cut, before.manifest.base_made_at
        if before.manifest.cut == store.cut:
            draft.link(DELTA, before)
            return base_cut, base_made_at
    write_delta(
        store.connection, delta, base, after=base_cut, signals=signals, scratch=store.scratch
    )
    draft.add(DELTA)
    return base_cut, base_made_at


def _due(
    store: Store, before: Manifest, now: datetime, *, signals: Sequence[str], rebase: Rebase
) -> bool:
    """Whether the base is to be written anew."""
    return (
        before.signals != tuple(signals)
        # Its rows were numbered, and named, by another release.
        or before.qualities != tuple(QUALITIES)
        or now - before.base_made_at >= rebase.age
        or rows_after(store.connection, before.base_cut) > rebase.rows
    )


def _readable(folder: Path | None) -> _Before | None:
    """The snapshot before; None if there is none, or none to link from."""
    if folder is None:
        return None
    try:
        return _Before(folder, manifests.read(folder))
    except (Damaged, NewerHome):
        return None


def _zones(store: Store, signals: Sequence[str]) -> list[str]:
    found = columns(
        store.connection,
        "SELECT DISTINCT zone FROM series WHERE signal IN (SELECT unnest(?)) ORDER BY zone",
        [list(signals)],
    )
    return [str(zone) for zone in found["zone"]]


def _sweep(home: Home) -> None:
    """Remove what publishers left that died: only one publishes at a time."""
    for partial in home.snapshots.glob(".*.partial"):
        shutil.rmtree(partial)


def _prune(home: Home, newest: str, keep: int) -> None:
    """Remove all snapshots but `newest` and those it came after, `keep` in all."""
    kept: list[str] = []
    name = newest
    while name and len(kept) < max(keep, 1):
        kept.append(name)
        before = _readable(home.snapshots / name)
        name = before.manifest.previous if before else ""
    for folder in home.snapshots.iterdir():
        if folder.name not in kept:
            shutil.rmtree(folder)
