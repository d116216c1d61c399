"""Follows the pointer to the newest snapshot without failing a request."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gridtide.errors import GridtideError
from gridtide_server.errors import NotReady
from gridtide_server.view import View
from gridtide_store import manifest as manifests
from gridtide_store.data_directory import DataDirectory, Resources
from gridtide_store.errors import Damaged, NewerHome, Unusable
from gridtide_store.pointer import current_snapshot, whole_snapshots
from gridtide_store.snapshot import Snapshot

log = logging.getLogger(__name__)

Mark = tuple[int, int, int]
# Where `gridtide demo` publishes, below the data directory.
DEMO = ("live", "simulated")


class _Held:
    """A view and how many requests read it just now."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.readers = 0


class Reader:
    """The newest published snapshot of a data directory, opened on first use.

    Each request asks the file system whether the pointer was replaced: one `stat`, 1 to 2 us.
    The request that finds it replaced opens the new snapshot, or has a thread open it where
    the reader works in the `background`; the others meanwhile go on with the old one, which
    is closed when its last request is done. A new snapshot that cannot be opened is logged
    once, and the old one stays. Where there is no old one, the newest whole snapshot is read.
    A request that finds damage while it reads fails, and the next one opens the snapshot
    anew, so damage is neither served nor held on to.

    Args:
        home: the data directory whose snapshots are read.
        background: open a new snapshot beside the requests. Comparing its files with their
            hashes takes a tenth of a second and more, for which no request waits then; those
            that come meanwhile are answered from the old one.
    """

    def __init__(self, home: DataDirectory, *, background: bool = False) -> None:
        self.home = home
        self._background = background
        self._pointer = home.current
        self._held: _Held | None = None
        self._mark: Mark | None = None
        self._suspect = False
        self._switching = threading.Lock()
        self._counting = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[View]:
        """Yield the newest view, which stays open during the block.

        Raises:
            NotReady: nothing has been published; refresh, or import and publish.
            Damaged: no snapshot can be read, or a file turned out to be damaged in the block.
            Unusable: the data directory cannot be read.
        """
        if self._moved():
            self._follow()
        held = self._take()
        try:
            yield held.view
        except (Damaged, Unusable) as error:
            self._doubt(held, error)
            raise
        finally:
            self._give_back(held)

    def close(self) -> None:
        """Close the snapshot once no request uses it; the next `read` opens it again.

        A snapshot that is being opened just now is waited for.
        """
        with self._switching:
            self._mark = None
            self._replace(None)

    def _doubt(self, held: _Held, error: GridtideError) -> None:
        """Open the snapshot again at the next request: a file of it could not be read."""
        with self._counting:
            if held is not self._held:
                return
            self._suspect = True
        log.error(
            "a snapshot cannot be read",
            extra={"snapshot": held.view.snapshot.id, "reason": str(error)},
        )
        manifests.forget_hashes()

    def _moved(self) -> bool:
        return _mark(self._pointer) != self._mark or self._held is None or self._suspect

    def _follow(self) -> None:
        # A second request goes on with the old snapshot, unless this is the first one.
        if not self._switching.acquire(blocking=self._held is None):
            return
        if not self._background or self._held is None or self._suspect:
            self._switch()
            return
        try:
            # A daemon thread: the end of the process does not wait for an unused snapshot.
            threading.Thread(target=self._switch_quietly, name="snapshot", daemon=True).start()
        except RuntimeError:  # no more threads are allowed
            self._switch()

    def _switch_quietly(self) -> None:
        """Switch in a thread of its own; what cannot be opened fails the next request."""
        with suppress(GridtideError):
            self._switch()

    def _switch(self) -> None:
        """Open the snapshot of the pointer and release `_switching`, which the caller holds."""
        try:
            mark = _mark(self._pointer)
            if mark == self._mark and self._held is not None and not self._suspect:
                return
            self._replace(_Held(self._open()))
            self._mark = mark
        except GridtideError as error:
            if self._suspect:
                self._replace(None)  # damaged, so it must not be read either
            if self._held is None:
                raise
            self._mark = mark
            log.error(  # noqa: TRY400  # its message says all
                "cannot switch snapshots; the old one stays",
                extra={"snapshot": self._held.view.snapshot.id, "reason": str(error)},
            )
        finally:
            self._switching.release()

    def _open(self) -> View:
        folder = current_snapshot(self.home)
        if folder is None:
            raise NotReady(_remedy(self.home.root))
        try:
            return _view(folder, self.home.resources)
        except (Damaged, NewerHome) as error:
            if current_snapshot(self.home) != folder:
                # It was so old that it was removed before it was opened.
                return self._open()
            for other in whole_snapshots(self.home):
                if other != folder:
                    log.error(  # noqa: TRY400  # its message says all
                        "the newest snapshot cannot be read; an older one answers",
                        extra={"snapshot": other.name, "reason": str(error)},
                    )
                    return _view(other, self.home.resources)
            raise

    def _take(self) -> _Held:
        with self._counting:
            held = self._held
            if held is None:
                raise NotReady(f"{self.home.root}: the server is closing; ask again")
            held.readers += 1
            return held

    def _give_back(self, held: _Held) -> None:
        with self._counting:
            held.readers -= 1
            unused = held.readers == 0 and held is not self._held
        if unused:
            held.view.close()

    def _replace(self, held: _Held | None) -> None:
        with self._counting:
            old, self._held = self._held, held
            self._suspect = False
            unused = old is not None and old.readers == 0
        if old is not None and unused:
            old.view.close()


def _view(folder: Path, resources: Resources) -> View:
    """Open the snapshot in `folder`."""
    snapshot = Snapshot.open(folder, resources)
    log.info("reading snapshot", extra={"snapshot": snapshot.id})
    return View(snapshot, snapshot.manifest)


def _mark(pointer: Path) -> Mark | None:
    try:
        seen = pointer.stat()
    except OSError:
        return None  # opening it then raises the reason
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


def _remedy(root: Path) -> str:
    """Return what to do about a data directory without a snapshot."""
    for each in DEMO:
        if (root / each / "CURRENT").is_file():
            return (
                f"{root} has nothing published, but `gridtide demo` has published in "
                f"{root / each}; read that with --home {root / each} or GRIDTIDE_HOME"
            )
    return (
        f"{root} has nothing published; run `gridtide refresh`, or `gridtide import`, "
        "`gridtide issue` and `gridtide publish`"
    )
