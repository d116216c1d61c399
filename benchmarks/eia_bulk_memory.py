"""A six-month file of EIA of 100 MB: memory and CPU time to parse it, and to take it in.

    python benchmarks/eia_bulk_memory.py [--megabytes 100] [--fail]

The file has the columns of 2024 and all authorities, hour by hour, with numbers of its own.
``parse`` is the command ``gridtide parse eia_bulk FILE --zone '*'``; ``ingest`` retrieves the
file from a server on loopback, archives, parses, normalizes and stores it. Each runs in a
process of its own, whose peak memory counts. With ``--fail`` more than 300 MB is an exit code
of 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from gridtide_pipelines.ingest.sources.eia_bulk import FUELS, JOINT, STAMP
from gridtide_pipelines.ingest.sources.eia_bulk_parts import (
    AUTHORITY,
    DEMAND,
    END,
    FUEL,
    LOCAL_END,
)
from gridtide_store import catalogue

BAR = 300.0  # MB
START = datetime(2024, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATH = "electricity/gridmonitor/sixMonthFiles/EIA930_BALANCE_2024_Jul_Dec.csv"

RUN = """
import os, sys
words = sys.argv[1:]
sys.argv = ["gridtide", *words]
sys.stdout = open(os.devnull, "w")
if words[0] == "parse":
    from gridtide.cli.script import main
    main(words)
else:
    import time
    from datetime import datetime, timedelta, timezone
    from pathlib import Path
    from gridtide_pipelines.ingest.fetch import Fetcher
    from gridtide_pipelines.ingest.groups import Ingestion, ingest
    from gridtide_pipelines.ingest.limits import DEFAULT
    from gridtide_pipelines.ingest.source import Kind, Query
    from gridtide_pipelines.ingest.sources.eia_bulk import SOURCE
    from gridtide_pipelines.backfill import MEMORY_MB
    from gridtide_store.data_directory import DataDirectory, Resources, writer_lock
    from gridtide_store.settings import Settings
    from gridtide_store.store import Store
    _, url, folder = words
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    settings = Settings(home=Path(folder), base_urls={"eia_bulk": url})
    home = DataDirectory(settings.home, Resources(memory_mb=MEMORY_MB))  # as a backfill
    start = datetime(2024, 7, 1, tzinfo=timezone.utc)
    with (
        Fetcher(settings) as fetch,
        writer_lock(home, "benchmark", now),
        Store.open(home) as store,
    ):
        end = start + timedelta(days=184)
        query = Query(Kind.GENERATION, tuple(sorted(SOURCE.zones)), start, end, now)
        work = Ingestion(
            SOURCE, query, store=store, now=lambda: now, limits=DEFAULT,
            monotonic=time.monotonic,
        )
        numbers = list(range(len(work.groups)))
        ingest(work, numbers, fetch, in_store_thread=lambda function: function())
        intake = work.finish()
        assert intake.rows > 1000, intake
import resource
usage = resource.getrusage(resource.RUSAGE_SELF)
# Not ru_maxrss, which counts the process that started this one, too.
with open("/proc/self/status") as status:
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM:"))
print(int(peak) * 1024 / 1e6, usage.ru_utime + usage.ru_stime, file=sys.stderr)
"""


def main() -> int:
    """Print one row for each way; 1 with ``--fail`` when one needs more than the bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=float, default=100.0)
    parser.add_argument("--fail", action="store_true", help="exit with 1 over the bar")
    options = parser.parse_args()
    most = 0.0
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder) / "served"
        path = served / PATH
        path.parent.mkdir(parents=True)
        write_balance(path, options.megabytes)
        handler = partial(SimpleHTTPRequestHandler, directory=str(served))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        for words in (
            ["parse", "eia_bulk", str(path), "--zone", "*"],
            ["ingest", url, f"{folder}/home"],
        ):
            memory, seconds = measure(words)
            most = max(most, memory)
            print(
                f"{words[0]:7} {path.stat().st_size / 1e6:6.1f} MB file  "
                f"peak {memory:6.1f} MB  CPU {seconds:5.1f} s"
            )
        server.shutdown()
    return 1 if options.fail and most > BAR else 0


def measure(words: list[str]) -> tuple[float, float]:
    """Peak memory in MB and CPU seconds of one way, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words], stderr=subprocess.PIPE, text=True, check=True
    )
    memory, seconds = done.stderr.splitlines()[-1].split()
    return float(memory), float(seconds)


def write_balance(path: Path, megabytes: float) -> None:
    """Write a file of about that size; all authorities, as many hours as it takes."""
    labels = [each for each in FUELS if each not in JOINT]
    raw = [FUEL + each for each in labels]
    columns = [AUTHORITY, "Data Date", "Hour Number", LOCAL_END, END, DEMAND]
    columns += [*raw, *(f"{each} (Imputed)" for each in raw)]
    columns += [*(f"{each} (Adjusted)" for each in raw), "Region"]
    codes = [zone.eia for zone in catalogue.load().zones.values() if zone.eia]
    row = 35 * len(labels) // 2 + 120
    hours = max(48, min(int(megabytes * 1e6 / row / len(codes)), 184 * 24))
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(f'"{name}"' for name in columns) + "\n")
        for number, code in enumerate(codes):
            for hour in range(hours):
                end = START + (hour + 1) * HOUR
                label = f"{end:{STAMP}}"
                values = [
                    f'"{1 + (number * 31 + hour * 7 + n * 13) % 20},{(hour * n) % 900 + 100}"'
                    for n in range(len(labels))
                ]
                if n_blank := number % 5:
                    values[-n_blank:] = [""] * n_blank
                row_of = [code, label[:10], "1", label, label, '"20,000"', *values]
                row_of += [""] * len(labels)
                file.write(",".join([*row_of, *values, "X"]) + "\n")


if __name__ == "__main__":
    sys.exit(main())
