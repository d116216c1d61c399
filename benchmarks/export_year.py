"""Exporting a year of all zones: time, CPU and memory, from the snapshot and from the store.

    python benchmarks/export_year.py [--rows N]

Simulated: the 135 zones of store_large.py, hourly. Each export is a process of its own, whose
CPU time and largest memory the operating system measures; the shortest one, a day of one
zone, is the floor.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from store_large import NOW, build, publish
from synthetic import machine, megabytes, say

from gridtide.model import format_time
from gridtide_store.data_directory import DataDirectory

YEAR = ("--from", "2025-06-01", "--to", "2026-06-01")
EXPORTS = {
    "a day of one zone": ("--zone", "DE", "--from", "2026-05-01", "--to", "2026-05-02"),
    "a year of intensity, Parquet": YEAR,
    "a year of intensity, CSV": YEAR,
    "a year of two more signals": (*YEAR, "--signal", "ci_direct_produced,cfe_produced"),
    "a year of the mix, load and flows": (*YEAR, "--signal", "generation,load,flow"),
}
RUN = """
import sys
from pathlib import Path
from gridtide.cli.script import main
code = main(sys.argv[2:], {})
Path(sys.argv[1]).write_text(Path("/proc/self/status").read_text())
sys.exit(code)
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000_000)
    machine()
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(Path(folder) / "home")
        build(home, rows)
        publish(home, rows)
        say("live.duckdb", megabytes(home.live))
        for number, (name, words) in enumerate(EXPORTS.items()):
            path = Path(folder) / f"{number}.{'csv' if 'CSV' in name else 'parquet'}"
            export(home, path, name, words)


def export(home: DataDirectory, path: Path, name: str, words: tuple[str, ...]) -> None:
    """Run one export and print what it took."""
    every = ("--home", str(home.root), "--now", format_time(NOW))
    began = time.perf_counter()
    status = path.with_suffix(".status")
    with path.with_suffix(".said").open("w+") as out:
        words = ("export", str(path), *words, *every)
        process = subprocess.Popen([sys.executable, "-c", RUN, str(status), *words], stdout=out)
        _, code, used = os.wait4(process.pid, 0)
        out.seek(0)
        rows = out.read().split()[0]
    assert code == 0, name
    took = f"{time.perf_counter() - began:.1f} s, CPU {used.ru_utime + used.ru_stime:.1f} s"
    peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1000
    say(name, f"{rows} rows, {megabytes(path)}, {took}, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
