"""Publishing after a refresh, beside writing the same bytes.

    python benchmarks/store_publish.py

A store of 17.5 million slots with a published base. A refresh brings the next hour of each
zone, revises the ten days before, and a forecast of 72 hours for each zone; then it is
published: delta, matrices, manifest, pointer. Repeated hour by hour, so the delta grows. The
floor, in the same run, is writing and syncing files of the same sizes.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import polars as pl
from synthetic import (
    END,
    HOUR,
    START,
    arguments,
    filled,
    forecast,
    machine,
    megabytes,
    observed,
    published,
    say,
)

ROUNDS = 6
REVISED = 240


def main() -> None:
    """Print the table."""
    options = arguments(__doc__)
    machine()
    with filled(options.zones, options.hours) as store:
        _, seconds = published(store, END)
        say("publish with a new base", f"{seconds:.1f} s")
        found, floor = [], []
        for number in range(ROUNDS):
            hour = options.hours + number
            store.append(
                pl.concat(
                    observed(zone, hour - REVISED, REVISED + 1, revision=number + 1)
                    for zone in range(options.zones)
                )
            )
            store.append_forecasts(forecast(options.zones, START + HOUR * hour))
            folder, seconds = published(store, END + HOUR * number)
            found.append(seconds)
            floor.append(plain(folder))
        say("rows in a refresh", f"{options.zones * (REVISED + 1):,} + {options.zones * 72:,}")
        say("publish, each refresh", "  ".join(f"{one:.3f}" for one in found))
        say("publish, median", f"{statistics.median(found):.3f} s", "< 1 s")
        say("floor: the same bytes written and synced", f"{statistics.median(floor):.3f} s")
        for path in sorted(folder.iterdir()):
            say(path.name, f"{megabytes(path)}, in {path.stat().st_nlink} snapshots")


def plain(folder: Path) -> float:
    """Seconds to write and sync what is new in the snapshot."""
    new = [path.read_bytes() for path in folder.iterdir() if path.stat().st_nlink == 1]
    began = time.perf_counter()
    for number, content in enumerate(new):
        with (folder.parent / f".floor-{number}").open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    for number in range(len(new)):
        (folder.parent / f".floor-{number}").unlink()
    return seconds


if __name__ == "__main__":
    main()
