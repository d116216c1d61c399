"""What importing the SDK costs: CPU time above the bare interpreter, in fresh processes.

    python benchmarks/sdk_import.py --at-most 30

The bare interpreter and each import take turns, so that a busy machine slows all alike; the
best of the rounds counts. Run it where the SDK is installed as users have it (a wheel): an
editable install adds its finder to every start, the bare one included. Needs Unix.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

BARE = "pass"
IMPORTS = {
    "import gridtide": "import gridtide",
    "... and take names of it": "from gridtide import Client, best_window, Series, Signal",
    "... and decide offline": "import gridtide.windows",
    "... and the script": "import gridtide.cli.script",
    "httpx, for comparison": "import httpx",
}
HELD_BACK = "import sys; assert not {'httpx', 'asyncio'} & set(sys.modules)"


def main() -> int:
    """Print milliseconds per import; 1 when one of ours is above ``--at-most``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--at-most", type=float, default=float("inf"), metavar="MS")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    codes = {"bare interpreter": BARE, **IMPORTS}
    best = dict.fromkeys(codes, float("inf"))
    for _ in range(options.rounds):
        for name, code in codes.items():
            best[name] = min(best[name], cpu(code))
    bare = best.pop("bare interpreter")
    print(f"{'bare interpreter':26} {bare:6.1f} ms CPU")
    for name, took in best.items():
        print(f"{name:26} {took - bare:+6.1f}")
    for code in (code for name, code in IMPORTS.items() if "httpx" not in name):
        subprocess.run([sys.executable, "-c", f"{code}\n{HELD_BACK}"], check=True)
    ours = [took - bare for name, took in best.items() if "httpx" not in name]
    return 0 if max(ours) <= options.at_most else 1


def cpu(code: str) -> float:
    """CPU milliseconds, user and system, of one Python that runs `code`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent * 1000


if __name__ == "__main__":
    sys.exit(main())
