"""How fast decisions are: every bar of the planners, reproductions and simulations in one run.

    GRIDTIDE_RECORDED_DATA=FOLDER python benchmarks/decisions.py [--peer PYTHON] [--fail]

PYTHON is one that has CATS beside ours, see `windows_vs_cats`; without it that row is left out,
and without FOLDER the reproductions have little to do. Times are CPU time, the best of several
rounds. With ``--fail`` a missed bar is an exit code of 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OURS = ("reproduce_twin", "planner_jobs", "reproduce_papers", "simulate_year")


def main() -> int:
    """Print the rows of each benchmark; 1 when one of them fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--peer", help="a Python with CATS")
    parser.add_argument("--fail", action="store_true", help="exit with 1 at a missed bar")
    options = parser.parse_args()
    failed = []
    runs = [(sys.executable, name) for name in OURS]
    if options.peer:
        runs.insert(0, (options.peer, "windows_vs_cats"))
    else:
        print("windows_vs_cats: left out; name a Python that has CATS with --peer")
    for python, name in runs:
        print(f"== {name}", flush=True)
        words = [python, str(HERE / f"{name}.py"), *(["--fail"] if options.fail else [])]
        if subprocess.run(words, check=False).returncode:  # our own files
            failed.append(name)
    print(f"missed or broken: {', '.join(failed)}" if failed else "nothing missed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
