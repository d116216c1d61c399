"""Find the snapshot to read: the one that the pointer names, else the newest whole one."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from gridtide.errors import GridtideError
from gridtide_store import manifest as manifests
from gridtide_store.data_directory import DataDirectory
from gridtide_store.errors import Damaged, Unusable
from gridtide_store.manifest import Manifest

NAME = re.compile(r"\w[\w-]{0,99}", re.ASCII)
# A name is 25 bytes long; what is far longer is not read to its end.
LONGEST = 4096

log = logging.getLogger(__name__)


def read_pointer(home: DataDirectory) -> Path | None:
    """Return the folder of the snapshot that the pointer names; None without a pointer.

    Raises:
        Damaged: the pointer does not name a snapshot that is there.
        Unusable: it cannot be read.
    """
    try:
        with home.current.open("rb") as file:
            content = file.read(LONGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        if home.current.is_dir():
            raise Damaged(f"{home.current} is a folder; {manifests.REPUBLISH}") from error
        raise Unusable(
            f"the data directory {home.root} cannot be read ({error.strerror}); see who "
            "may read it, or name another with --home or GRIDTIDE_HOME"
        ) from error
    name = content.decode("ascii", "backslashreplace").strip()
    if not NAME.fullmatch(name):
        shown = name if len(name) < 60 else f"{name[:60]}..."
        raise Damaged(f"{home.current} names no snapshot ({shown!r}); {manifests.REPUBLISH}")
    folder = home.snapshots / name
    if not folder.is_dir():
        raise Damaged(f"{home.current} names {name}, which is missing; {manifests.REPUBLISH}")
    return folder


def current_snapshot(home: DataDirectory) -> Path | None:
    """Return the folder of the snapshot to read; None when nothing has been published.

    Where the pointer is missing or damaged that is the newest whole snapshot there is.

    Raises:
        Damaged: the pointer does not name a snapshot, and no other can be read.
        Unusable: it cannot be read.
    """
    try:
        if folder := read_pointer(home):
            return folder
    except Damaged as error:
        if (instead := next(whole_snapshots(home), None)) is None:
            raise
        log.warning("%s; reading %s meanwhile", error, instead.name)
        return instead
    if instead := next(whole_snapshots(home), None):
        log.warning(
            "%s is missing; reading %s meanwhile; %s",
            home.current,
            instead.name,
            manifests.REPUBLISH,
        )
    return instead


def whole_snapshots(home: DataDirectory) -> Iterator[Path]:
    """Yield the folders of snapshots whose files match their hashes, newest first."""
    for folder, manifest in _newest_first(home):
        try:
            manifests.verify(folder, manifest)
        except GridtideError:
            continue
        yield folder


def _newest_first(home: DataDirectory) -> list[tuple[Path, Manifest]]:
    """Return the snapshots with a readable manifest, newest publication first.

    The order goes by what each names as the one before it, as a replay's clock may stand at
    any time; by the clock among those that nothing came after.
    """
    found: dict[str, tuple[Path, Manifest]] = {}
    for folder in home.snapshots.glob("[!.]*"):
        try:
            found[folder.name] = folder, manifests.read(folder)
        except GridtideError:
            continue
    followed = {manifest.previous for _, manifest in found.values()}
    heads = sorted(
        (manifest for name, (_, manifest) in found.items() if name not in followed),
        key=lambda manifest: (manifest.published_at, manifest.cut),
        reverse=True,
    )
    ordered: list[tuple[Path, Manifest]] = []
    for head in heads:
        name = head.id
        while name in found:
            ordered.append(found.pop(name))
            name = ordered[-1][1].previous
    return ordered
