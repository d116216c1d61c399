"""A month of NYISO's generation against gridstatus 0.37.0: CPU time of both in one run.

    python -m venv peer && peer/bin/pip install gridstatus==0.37.0
    python benchmarks/nyiso_parse.py 20250201rtfuelmix_csv.zip --peer peer/bin/python [--fail]

The file is a ZIP of one month; its name begins with the month. Whoever measures installs the
peer, which the project does not depend on; it runs in a process of its own with its own Python.
With ``--fail`` a ratio under 4 is an exit code of 1.

Question: the bytes of the ZIP to a table of values. Ours is the whole of `nyiso.parse`: limits
on what is unpacked, codes summed to fuels, slots with start and end in UTC, readings checked.
Theirs is `get_fuel_mix` of the month with the ZIP at hand, which gives a column for each code.
Rounds alternate, so that a busy machine slows both alike, and each side's best round counts.
Both must find the same sum of values.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from math import isclose
from pathlib import Path

from gridtide_pipelines.ingest.source import Body, Request
from gridtide_pipelines.ingest.sources import nyiso

BAR = 4.0

# Runs in the peer's Python: a round for each line of its input.
PEER = """
import json, sys, time, warnings, zipfile
from datetime import date
warnings.simplefilter("ignore")
from gridstatus import NYISO, utils
path, month = sys.argv[2:]
utils.get_zip_folder = lambda url, **_: zipfile.ZipFile(path)
first = date.fromisoformat(month)
after = date(first.year + first.month // 12, first.month % 12 + 1, 1)

def mix():
    return NYISO().get_fuel_mix(str(first), end=str(after))

print(json.dumps(float(mix().drop(columns=["Time"]).sum().sum())), flush=True)
for line in sys.stdin:
    began = time.process_time_ns()
    mix()
    print(json.dumps(time.process_time_ns() - began), flush=True)
"""


def main() -> int:
    """Print both times and their ratio; 1 with ``--fail`` when it is under the bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("zip", type=Path)
    parser.add_argument("--peer", required=True, help="Python with gridstatus 0.37.0")
    parser.add_argument("--rounds", type=int, default=7, help="best of this many")
    parser.add_argument("--fail", action="store_true", help="exit with 1 under the bar")
    options = parser.parse_args()
    content = options.zip.read_bytes()
    month = f"{options.zip.name[:4]}-{options.zip.name[4:6]}-01"
    with subprocess.Popen(
        [options.peer, "-c", PEER, "-", str(options.zip), month],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        theirs = json.loads(peer.stdout.readline())
        ours = parse(content)["value"].sum()
        assert isclose(ours, theirs, rel_tol=1e-6), (ours, theirs)
        rounds = []
        for _ in range(options.rounds):
            peer.stdin.write("\n")
            peer.stdin.flush()
            rounds.append((json.loads(peer.stdout.readline()), measure(content)))
        peer.stdin.close()
    best = [min(each[side] for each in rounds) for side in (0, 1)]
    ratio = best[0] / best[1]
    print(
        f"{options.zip.name}  gridstatus {best[0] / 1e6:.1f} ms  "
        f"gridtide {best[1] / 1e6:.1f} ms  {ratio:.1f}x"
    )
    return 1 if options.fail and ratio < BAR else 0


def parse(content: bytes):  # noqa: ANN201  # a frame
    """What our parser makes of the ZIP."""
    known_at = datetime(2026, 3, 2, tzinfo=UTC)
    return nyiso.parse([Body(Request("GET", "/"), content, known_at, 0)])


def measure(content: bytes) -> int:
    """CPU nanoseconds of one parse, all threads."""
    began = time.process_time_ns()
    parse(content)
    return time.process_time_ns() - began


if __name__ == "__main__":
    sys.exit(main())
