"""ENTSO-E generation by type (A75) against entsoe-py 0.8.1: CPU time of both in one run.

    python -m venv peer && peer/bin/pip install entsoe-py==0.8.1
    python benchmarks/entsoe_parse.py BODY... --peer peer/bin/python [--fail]

BODY is a recorded A75 document, one of several days and types for a ratio that means something.
Whoever measures installs the peer, which the project does not depend on; it runs in a process
of its own with its own Python. With ``--fail`` a ratio under 30 is an exit code of 1.

Question: the bytes of a body to a table of values. Ours is the whole of `entsoe.parse`, with
the checks that a hostile body needs, codes summed to fuels, and slots in UTC; theirs is
`parse_generation`, which gives a table by type. Rounds alternate, so that a busy machine slows
both alike, and each side's best round counts. Both must find the same sum of values:
generation less consumption.
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
from gridtide_pipelines.ingest.sources import entsoe

BAR = 30.0
KNOWN_AT = datetime(2026, 3, 2, tzinfo=UTC)

# Runs in the peer's Python: for each line of its input, a round over all bodies.
PEER = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from entsoe.parsers import parse_generation
bodies = [open(path, encoding="utf-8").read() for path in sys.argv[2:]]

def total(table):
    return sum(
        float(table[column].sum()) * (-1 if "Consumption" in str(column) else 1)
        for column in table.columns
    )

print(json.dumps([total(parse_generation(body)) for body in bodies]), flush=True)
for line in sys.stdin:
    spent = []
    for body in bodies:
        began = time.process_time_ns()
        parse_generation(body)
        spent.append(time.process_time_ns() - began)
    print(json.dumps(spent), flush=True)
"""


def main() -> int:
    """Print one row per body and one for all; 1 with ``--fail`` when it is under the bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("bodies", nargs="+", type=Path, metavar="BODY")
    parser.add_argument("--peer", required=True, help="Python with entsoe-py 0.8.1")
    parser.add_argument("--rounds", type=int, default=7, help="best of this many")
    parser.add_argument("--fail", action="store_true", help="exit with 1 under the bar")
    options = parser.parse_args()
    contents = [path.read_bytes() for path in options.bodies]
    with subprocess.Popen(
        [options.peer, "-c", PEER, "-", *map(str, options.bodies)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        sums = json.loads(peer.stdout.readline())
        for path, content, theirs in zip(options.bodies, contents, sums, strict=True):
            ours = parse(content)["value"].sum()
            assert isclose(ours, theirs, rel_tol=1e-6), (path.name, ours, theirs)
        rounds = []
        for _ in range(options.rounds):
            peer.stdin.write("\n")
            peer.stdin.flush()
            theirs = json.loads(peer.stdout.readline())
            rounds.append([*zip(theirs, map(measure, contents), strict=True)])
        peer.stdin.close()
    names = [path.stem for path in options.bodies]
    best = [
        tuple(min(each[i][side] for each in rounds) for side in (0, 1))
        for i in range(len(names))
    ]
    whole = tuple(sum(each[side] for each in best) for side in (0, 1))
    for name, (theirs, ours) in zip([*names, "all"], [*best, whole], strict=True):
        print(
            f"{name:40} entsoe-py {theirs / 1e6:8.2f} ms  gridtide {ours / 1e6:7.2f} ms  "
            f"{theirs / ours:6.1f}x"
        )
    return 1 if options.fail and whole[0] / whole[1] < BAR else 0


def parse(content: bytes):  # noqa: ANN201  # a frame
    """What our parser makes of a body."""
    return entsoe.parse([Body(Request("GET", "/api", zones=("X",)), content, KNOWN_AT, 0)])


def measure(content: bytes) -> int:
    """CPU nanoseconds of one parse, all threads."""
    began = time.process_time_ns()
    parse(content)
    return time.process_time_ns() - began


if __name__ == "__main__":
    sys.exit(main())
