"""A refresh of three days of every zone from every publisher, on a store of 100 million rows.

    python benchmarks/refresh_everything.py [--rows 100000000] [--fail]

The store is that of store_large.py: simulated, of 135 zones, published, three days old. Then
`gridtide refresh` fetches those three days of all sources, restricted ones too, from a
`gridtide replay --simulate` on loopback, derives, forecasts and publishes; of weather only GFS
is simulated there, others have nothing. Both are processes of their own. The operating
system measures CPU time and largest memory of the refresh with its workers; the replay server
is not counted. With --fail it ends with 1 where a bar is missed, a source failed, or a zone
that has a source got nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from refresh_replay import plain, replaying
from store_large import LARGE, NOW, SPAN
from synthetic import machine, say

from gridtide_store import catalogue
from gridtide_store.catalogue import ZoneKind
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from gridtide_store.store import Store

MOST_CPU, MOST_MB = 180.0, 1000.0
RENAME = "UPDATE {table} SET source = replace(source, 'simulated', 'eia')"
STAMP = "%Y-%m-%dT%H:%MZ"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=LARGE)
    parser.add_argument("--home", type=Path, help="a store made before; it is changed")
    parser.add_argument("--fail", action="store_true", help="exit with 1 where a bar is missed")
    options = parser.parse_args()
    machine()
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(options.home or Path(folder) / "home")
        if not home.live.exists():
            build(home, options.rows)
        cpu, megabytes, stages = refresh(home)
        empty = zones_without_values(home)
    show(stages)
    failed = sorted({f"{each.source} {each.kind}" for each in stages if failed_stage(each)})
    missed = cpu >= MOST_CPU or megabytes >= MOST_MB
    say("refresh of everything, CPU s", f"{cpu:,.1f}", f"< {MOST_CPU:g}")
    say("refresh of everything, most memory, MB", f"{megabytes:,.0f}", f"< {MOST_MB:g}")
    say("zones with a source, without values", f"{len(empty)}", " ".join(empty))
    say("failed", f"{len(failed)}", " ".join(failed))
    sys.exit(1 if options.fail and (missed or empty or failed) else 0)


def build(home: DataDirectory, rows: int) -> None:
    """Make the store and publish it, each step in a process of its own.

    Its rows are named after a source that the replay moves: those may bring simulated rows.
    """
    script = Path(__file__).with_name("store_large.py")
    for step in ("build", "publish"):
        words = [sys.executable, str(script), "--step", step, str(home.root)]
        done = subprocess.run([*words, "--rows", str(rows)], check=True, stdout=subprocess.PIPE)
        if step == "build":
            with Store.open(home) as store:
                for table in ("series", "retrieval"):
                    store.connection.execute(RENAME.format(table=table))
        say(step, "  ".join(f"{k} {v:,.1f}" for k, v in json.loads(done.stdout).items()))


def refresh(home: DataDirectory) -> tuple[float, float, list[Any]]:
    """Refresh from a replay server; CPU seconds, most memory in MB, and the stages."""
    words = ["refresh", "--home", str(home.root), "--since", f"{NOW - SPAN:{STAMP}}", "--json"]
    with tempfile.TemporaryFile("w+") as remarks, replaying(f"{NOW:{STAMP}}") as (_, environ):
        settings = {**plain(), **environ, "GRIDTIDE_ALLOW_RESTRICTED": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "gridtide", *words],
            env=settings,
            stdout=subprocess.DEVNULL,
            stderr=remarks,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        remarks.seek(0)
        assert process.returncode in (0, 3), remarks.read()[-2000:]
    ledger = Ledger(home.ledger)
    command = ledger.commands(1)[0].id
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, ledger.stages(command)


def zones_without_values(home: DataDirectory) -> list[str]:
    """Return the zones that have a source but got no value, but for those that are retired.

    A publisher that is days late by rule counts from its usual lag on.
    """
    with Store.open(home) as store:
        found = store.series()
    recent = found.filter(found["last_end"] > NOW - SPAN - timedelta(days=14))
    filled = {end for name in recent["zone"] for end in name.split("->")}
    zones = catalogue.load().zones.values()
    expected = [each for each in zones if each.sources and each.kind != ZoneKind.RETIRED]
    return sorted(each.key for each in expected if each.key not in filled)


def failed_stage(stage: Any) -> bool:  # noqa: ANN401  # a record of the ledger
    """Say whether a stage ended otherwise than done or without anything to do."""
    return stage.status not in ("done", "nothing_yet", "skipped")


def show(stages: list[Any]) -> None:
    """Print the sources with their time, rows and how their stages ended."""
    for source in sorted({each.source for each in stages}):
        mine = [each for each in stages if each.source == source]
        ended = Counter(each.status for each in mine)
        said = ", ".join(f"{count} {status}" for status, count in sorted(ended.items()))
        rows, seconds = sum(each.rows for each in mine), sum(each.ms for each in mine) / 1000
        say(f"  {source}", f"{rows:>8,} rows {seconds:>6.1f} s", said)


if __name__ == "__main__":
    main()
