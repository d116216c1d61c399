"""What reading answers take while costly plans are computed: one server process, two runs.

    python benchmarks/reads_beside_plans.py --seconds 15 --plans 4

A server (`gridtide serve`) over a home of simulated numbers is asked 50 times a second over the
reading routes: first alone, then while `--plans` other connections ask for batches of plans
without pause. Printed are the median and the 99th percentile of both, and how much planning
was done meanwhile. The bar is 20 ms for the 99th percentile beside plans.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from server_answers import NOW, write

from gridtide_store import catalogue
from gridtide_store.data_directory import DataDirectory

BAR_MS = 20.0
RATE = 50.0
PLANS_A_BATCH = 20


def main() -> None:
    """Print what reads take, alone and beside plans."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--plans", type=int, default=4, help="connections that ask for plans")
    options = parser.parse_args()
    zones = list(catalogue.load().zones)[:20]
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(Path(folder))
        write(home, zones, NOW)
        with serving(home) as host:
            read(host, zones, 2.0)  # fills what is kept in memory
            alone = read(host, zones, options.seconds)
            with planning(host, zones, options.plans) as planned:
                beside = read(host, zones, options.seconds)
                plans = planned[0]
    report("alone", alone)
    report(f"beside {options.plans} callers that plan", beside)
    print(f"{plans / options.seconds:9.0f} plans a second meanwhile; bar {BAR_MS:g} ms at p99")


def report(name: str, milliseconds: list[float]) -> None:
    """One line of the table."""
    middle, high = np.percentile(milliseconds, [50, 99])
    print(f"{name:<32} n {len(milliseconds):>5}   p50 {middle:6.2f} ms   p99 {high:6.2f} ms")


@contextmanager
def serving(home: DataDirectory) -> Iterator[str]:
    """A server over `home`: host and port."""
    command = [sys.executable, "-m", "gridtide", "serve", "--port", "0", "--json"]
    command += ["--home", str(home.root)]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert server.stdout is not None
        said = "".join(iter(server.stdout.readline, "}\n")) + "}"
        yield json.loads(said)["url"].removeprefix("http://")
    finally:
        server.terminate()
        server.wait(30)


def read(host: str, zones: list[str], seconds: float) -> list[float]:
    """Milliseconds of each answer, asked at a fixed rate over one connection."""
    connection = http.client.HTTPConnection(host, timeout=60)
    spent, began = [], time.perf_counter()
    for k in range(int(seconds * RATE)):
        time.sleep(max(0.0, began + k / RATE - time.perf_counter()))
        zone = zones[k % len(zones)]
        path = (
            f"/v1/best-window?region={zone}&hours=4",
            f"/v1/best-region?region={','.join(zones[:5])}&hours=4",
            f"/v1/zones/{zone}/forecast",
            f"/v1/zones/{zone}/intensity",
        )[k % 4]
        asked = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        spent.append((time.perf_counter() - asked) * 1000)
        assert answer.status == 200, body
    connection.close()
    return spent


@contextmanager
def planning(host: str, zones: list[str], callers: int) -> Iterator[list[int]]:
    """Ask for batches of plans without pause; a list whose only member counts plans."""
    ended, counted = threading.Event(), [0]
    questions = [
        {
            "kind": "plan",
            "region": zones[k % len(zones)],
            "job": {"hours": 4 + k % 20, "kind": "segments", "pause_cost": {"hours": 0.25}},
        }
        for k in range(PLANS_A_BATCH)
    ]
    body = json.dumps({"questions": questions})

    def ask() -> None:
        connection = http.client.HTTPConnection(host, timeout=120)
        while not ended.is_set():
            connection.request("POST", "/v1/batch", body)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            counted[0] += sum("error" not in each for each in json.loads(content)["answers"])
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield counted
    finally:
        ended.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
