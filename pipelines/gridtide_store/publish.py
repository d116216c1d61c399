"""Publish an immutable snapshot under a new name, then move the pointer to it."""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from gridtide.errors import GridtideError
from gridtide.model import Signal, utc
from gridtide_store import manifest as manifests
from gridtide_store.data_directory import DataDirectory, sync_file, sync_folder, write_durably
from gridtide_store.database import columns
from gridtide_store.errors import Damaged, translate_errors
from gridtide_store.ledger import Ledger
from gridtide_store.manifest import Manifest
from gridtide_store.pointer import current_snapshot
from gridtide_store.records import Facts, SourceReport
from gridtide_store.snapshot_runs import clock_of, matrices, newest_runs
from gridtide_store.source_reports import report_sources
from gridtide_store.staging import DAILY, Before, Rebase, StagedSnapshot, fill
from gridtide_store.store import Store
from gridtide_store.vocabulary import PRICE, PUBLISHED, QUALITIES

__all__ = ["DAILY", "Rebase", "publish"]

log = logging.getLogger(__name__)

# Signals of which the newest forecast runs are served.
FORECAST = frozenset(Signal)


def publish(
    store: Store,
    ledger: Ledger,
    home: DataDirectory,
    now: datetime,
    *,
    replay: bool,
    trust: Callable[[str], Sequence[str]],
    served: Sequence[str] = (),
    signals: Sequence[str] | None = None,
    known: Mapping[str, SourceReport] = MappingProxyType({}),
    rebase: Rebase = DAILY,
    keep: int = 3,
) -> str:
    """Publish what the store holds about `signals` and return the name of the new snapshot.

    The pointer moves last, so a crash at any moment leaves the snapshot before it current.
    Files that would not change are linked from that one, once their content has been compared
    with its hash. What dead publishers left, and all but the newest `keep` snapshots, is
    removed. A pointer that was damaged or missing is whole afterwards.

    Args:
        store: open for writing.
        ledger: what is known of the sources.
        home: the store's.
        now: by the clock of the run.
        replay: whether that clock was set to another time.
        trust: sources of a zone, most trusted first.
        served: models by preference; of runs issued at the same moment the first is served.
        signals: what goes into the snapshot; by default `PUBLISHED` and the prices.
        known: sources that can be requested, also those that gave nothing yet.
        rebase: when to write the base again.
        keep: snapshots to keep, so that readers in flight find theirs.

    Raises:
        Unusable: the disk is full, or the folder cannot be written.
        Damaged: the store cannot be read.
    """
    name = f"{utc(now):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    with translate_errors(store.home.live):
        signals = _published(store) if signals is None else signals
        there = _there(home)
        _sweep(home)
        before = _readable(there)
        staged = StagedSnapshot(home.snapshots / f".{name}.partial", before)
        staged.folder.mkdir(parents=True)
        try:
            made = fill(staged, store, now, signals=signals, rebase=rebase)
            clock = clock_of(utc(now), replay=replay)
            forecast = [signal for signal in signals if signal in FORECAST]
            runs = newest_runs(store.connection, signals=forecast, served=served, clock=clock)
            plans = [
                staged.add_matrix(plan, values)
                for plan, values in matrices(store.connection, runs)
            ]
            facts = _facts(store, ledger, before)
            manifest = Manifest(
                id=name,
                published_at=utc(now),
                replay=replay,
                previous=there.name if there else "",
                cut=store.cut,
                base_cut=made.base_cut,
                base_made_at=made.base_made_at,
                signals=tuple(signals),
                qualities=tuple(QUALITIES),
                served=tuple(served),
                trust={zone: tuple(trust(zone)) for zone in _zones(store, signals)},
                sources=facts,
                reports=report_sources(store, ledger, facts, known, utc(now)),
                matrices=tuple(plans),
                files=staged.files,
                store=store.id,
                base=made.base,
                delta=made.delta,
            )
            (staged.folder / manifests.NAME).write_bytes(manifests.encode(manifest))
            _settle(staged.folder, home.snapshots / name)
        except BaseException:
            # On a full disk the next try must find the room that this one took.
            shutil.rmtree(staged.folder, ignore_errors=True)
            raise
        _move_pointer(home, name)
        _prune(home, name, keep, damaged=bool(staged.damaged))
    return name


def _settle(staged: Path, folder: Path) -> None:
    """Give the staged folder its name, once all of it is on the disk."""
    for path in staged.iterdir():
        sync_file(path)
    sync_folder(staged)
    staged.rename(folder)
    sync_folder(folder.parent)


def _move_pointer(home: DataDirectory, name: str) -> None:
    if home.current.is_dir() and not home.current.is_symlink():
        # Not ours to delete, but it blocks the pointer.
        aside = home.current.with_name(f"{home.current.name}.folder-{secrets.token_hex(4)}")
        home.current.rename(aside)
        log.warning("%s was a folder; it is %s now", home.current, aside)
    write_durably(home.current, f"{name}\n".encode())


def _there(home: DataDirectory) -> Path | None:
    """Return the snapshot that is current until now.

    None if there is none, or none readable.
    """
    try:
        return current_snapshot(home)
    except Damaged as error:
        log.warning("%s; publishing all of it again", error)
        return None


def _readable(folder: Path | None) -> Before | None:
    """Return the snapshot before; None if there is none, or none to link from."""
    if folder is None:
        return None
    try:
        return Before(folder, manifests.read(folder))
    except GridtideError as error:
        log.warning("%s; publishing all of it again", error)
        return None


def _facts(store: Store, ledger: Ledger, before: Before | None) -> dict[str, Facts]:
    """Return the facts of each source.

    Those a lost ledger knew are taken from the snapshot before.
    """
    earlier: Mapping[str, Facts] = {}
    if before and before.manifest.store == store.id:
        earlier = before.manifest.sources
    return {**earlier, **ledger.sources()}


def _published(store: Store) -> list[str]:
    """Return what goes into a snapshot: the prices are those of the store's currencies."""
    found = columns(
        store.connection,
        "SELECT DISTINCT signal FROM series WHERE starts_with(signal, ?) ORDER BY signal",
        [PRICE],
    )
    return [*PUBLISHED, *map(str, found["signal"])]


def _zones(store: Store, signals: Sequence[str]) -> list[str]:
    found = columns(
        store.connection,
        "SELECT DISTINCT zone FROM series WHERE signal IN (SELECT unnest(?)) ORDER BY zone",
        [list(signals)],
    )
    return [str(zone) for zone in found["zone"]]


def _sweep(home: DataDirectory) -> None:
    """Remove what publishers that died have left; only one publishes at a time."""
    for partial in home.snapshots.glob(".*.partial"):
        shutil.rmtree(partial)


def _prune(home: DataDirectory, newest: str, keep: int, *, damaged: bool) -> None:
    """Remove all snapshots but `newest` and those before it, `keep` in all.

    Where damage was seen in the one before, its like among the others go too: they share its
    files, and no reader may come back to them.
    """
    kept: list[str] = []
    name = newest
    while name and len(kept) < max(keep, 1):
        before = _readable(home.snapshots / name)
        if before is None or (damaged and not _whole(before)):
            break
        kept.append(name)
        name = before.manifest.previous
        if name and not (home.snapshots / name).is_dir():
            break
    for folder in home.snapshots.iterdir():
        if folder.name not in kept:
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()


def _whole(before: Before) -> bool:
    try:
        manifests.verify(before.folder, before.manifest)
    except GridtideError:
        return False
    return True
