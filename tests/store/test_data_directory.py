"""Where a home lies, and that one process at a time writes it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from gridtide.errors import Busy
from gridtide.model import format_time
from gridtide_store.data_directory import (
    DataDirectory,
    default_home,
    is_wanted,
    lock_holder,
    write_durably,
    writer_lock,
)
from gridtide_store.errors import Unusable
from gridtide_store.store import Store

HOLD = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from gridtide_store.data_directory import DataDirectory, writer_lock
since = datetime(2026, 3, 2, 11, tzinfo=UTC)
with writer_lock(DataDirectory(Path(sys.argv[1])), "gridtide refresh", since):
    print("held", flush=True)
    sys.stdin.read()
"""
# Leaves a forked child behind that outlives the holder, as a pool of workers may.
FORK = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from gridtide_store.data_directory import DataDirectory, writer_lock
since = datetime(2026, 3, 2, 11, tzinfo=UTC)
with writer_lock(DataDirectory(Path(sys.argv[1])), "gridtide refresh", since):
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        sys.stdin.read()
        os._exit(0)
    os.kill(os.getpid(), 9)
"""
OPEN = """
import sys
from pathlib import Path
from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store
with Store.open(DataDirectory(Path(sys.argv[1]))):
    print("open", flush=True)
    sys.stdin.read()
"""


def start(script: str, home: DataDirectory) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.communicate()


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"HOME": "/home/u"}, "linux", "/home/u/.local/share/gridtide"),
        ({"HOME": "/home/u", "XDG_DATA_HOME": "/data"}, "linux", "/data/gridtide"),
        (
            {"HOME": "/home/u", "XDG_DATA_HOME": "data"},
            "linux",
            "/home/u/.local/share/gridtide",
        ),
        ({"HOME": "/Users/u"}, "darwin", "/Users/u/Library/Application Support/gridtide"),
        ({"HOME": "/u", "LOCALAPPDATA": "/u/Local"}, "win32", "/u/Local/gridtide"),
        ({"HOME": "/u"}, "win32", "/u/AppData/Local/gridtide"),
    ],
)
def test_the_default_home_is_the_platforms_folder_for_user_data(
    environ: dict[str, str], platform: str, expected: str
) -> None:
    assert default_home(environ, platform) == Path(expected)


def test_a_second_process_learns_who_holds_the_lock_since_when(
    home: DataDirectory, now: datetime
) -> None:
    holder = start(HOLD, home)
    assert said(holder) == "held"
    try:
        with (
            pytest.raises(Busy, match="gridtide refresh") as caught,
            writer_lock(home, "gridtide import", now),
        ):
            pass
    finally:
        end(holder)
    message = str(caught.value)
    assert f"(pid {holder.pid})" in message
    assert "since 2026-03-02T11:00:00Z" in message
    assert caught.value.exit_code == 4
    with writer_lock(home, "gridtide import", now):
        pass


def test_the_lock_is_not_taken_twice_within_a_process(
    home: DataDirectory, now: datetime
) -> None:
    with (
        writer_lock(home, "one", now),
        pytest.raises(Busy, match="one"),
        writer_lock(home, "two", now),
    ):
        pass


def test_a_killed_holder_leaves_no_lock_behind(home: DataDirectory, now: datetime) -> None:
    holder = start(HOLD, home)
    assert said(holder) == "held"
    holder.kill()
    end(holder)
    with writer_lock(home, "next", now):
        assert '"next"' in home.lock.read_text()


def test_who_holds_the_lock_is_read_without_taking_a_free_one(
    home: DataDirectory, now: datetime
) -> None:
    assert lock_holder(home) is None
    with writer_lock(home, "import", now):
        assert lock_holder(home) == (
            f"import (pid {os.getpid()}) holds the lock since {format_time(now)}"
        )
    assert home.lock.read_bytes() == b""
    # Whoever tried the lock would be refused it, and report a holder.
    with home.lock.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert lock_holder(home) is None
        file.write(b"?")
        file.flush()
        assert lock_holder(home) == "another process holds the lock"


def test_a_killed_holder_is_not_reported(home: DataDirectory) -> None:
    holder = start(HOLD, home)
    assert said(holder) == "held"
    holder.kill()
    end(holder)
    assert home.lock.read_bytes() != b""
    assert lock_holder(home) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_worker_that_outlives_its_killed_parent_does_not_keep_the_lock(
    home: DataDirectory, now: datetime
) -> None:
    holder = start(FORK, home)
    try:
        # The child says so itself: before it runs it has let go of nothing.
        child = int(said(holder))
        assert holder.wait() == -signal.SIGKILL
        os.kill(child, 0)
        with writer_lock(home, "next", now):
            pass
    finally:
        end(holder)


def test_a_store_another_process_has_open_is_busy_without_a_stack_of_duckdb(
    home: DataDirectory,
) -> None:
    holder = start(OPEN, home)
    assert said(holder) == "open"
    try:
        with pytest.raises(Busy, match=r"live\.duckdb is open elsewhere; wait"):
            Store.open(home)
    finally:
        end(holder)
    Store.open(home).close()


def test_a_store_is_not_opened_twice_within_a_process(store: Store) -> None:
    with pytest.raises(Busy, match="open elsewhere"):
        Store.open(store.home)


def test_a_home_that_is_a_file_is_refused_with_the_remedy(
    tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "home").write_text("no folder")
    with (
        pytest.raises(Unusable, match=r"home cannot be written \(.*\).*--home"),
        writer_lock(DataDirectory(tmp_path / "home"), "gridtide refresh", now),
    ):
        pass


def test_a_lock_that_cannot_be_opened_is_refused_with_the_remedy(
    tmp_path: Path, now: datetime
) -> None:
    home = DataDirectory(tmp_path / "home")
    home.lock.mkdir(parents=True)
    with (
        pytest.raises(Unusable, match="cannot be written"),
        writer_lock(home, "gridtide refresh", now),
    ):
        pass


def test_a_file_that_cannot_be_written_whole_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()  # in the place of the file, which it cannot replace
    with pytest.raises(OSError, match="directory"):
        write_durably(tmp_path / "file", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_command_waits_for_a_holder_that_gives_way(
    home: DataDirectory, now: datetime
) -> None:
    with ExitStack() as held:
        held.enter_context(writer_lock(home, "backfill", now, gives_way=True))
        assert not is_wanted(home)
        seen = []

        def sleep(seconds: float) -> None:
            seen.append(is_wanted(home))
            if len(seen) == 3:
                held.close()

        with writer_lock(home, "refresh", now, sleep=sleep):
            assert seen == [True, True, True]
            assert not is_wanted(home)
            assert (lock_holder(home) or "").startswith("refresh (pid ")


def test_a_holder_whose_note_is_empty_is_waited_for_until_it_shows(
    home: DataDirectory, now: datetime
) -> None:
    """A backfill that gives way empties its note an instant before it releases the lock."""
    home.root.mkdir(parents=True)
    slept = []
    with ExitStack() as held:
        file = held.enter_context(home.lock.open("wb"))
        fcntl.flock(file, fcntl.LOCK_EX)

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            held.close()

        with writer_lock(home, "refresh", now, sleep=sleep):
            assert len(slept) == 1
    # One that then writes that it does not give way is busy.
    with home.lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        def write(seconds: float) -> None:
            slept.append(seconds)
            home.lock.write_text('{"command": "publish", "pid": 1, "since": "2026"}')

        with (
            pytest.raises(Busy, match="publish"),
            writer_lock(home, "refresh", now, sleep=write),
        ):
            pass
    assert len(slept) == 2


def test_nobody_is_waited_for_who_does_not_give_way(home: DataDirectory, now: datetime) -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError("it waits")

    with (
        writer_lock(home, "refresh", now),
        pytest.raises(Busy, match="refresh"),
        writer_lock(home, "publish", now, sleep=sleep),
    ):
        pass
    # Nor does one that gives way wait for another of its kind.
    with (
        writer_lock(home, "backfill", now, gives_way=True),
        pytest.raises(Busy, match="backfill"),
        writer_lock(home, "backfill", now, gives_way=True, sleep=sleep),
    ):
        pass


def test_a_holder_that_never_gives_way_is_named_when_the_time_is_over(
    home: DataDirectory, now: datetime
) -> None:
    slept: list[float] = []
    with (
        writer_lock(home, "backfill", now, gives_way=True),
        pytest.raises(Busy, match=r"backfill \(pid \d+\) holds the lock"),
        writer_lock(home, "refresh", now, wait=3.0, sleep=slept.append),
    ):
        pass
    assert sum(slept) == pytest.approx(3.0)
    assert not is_wanted(home)
