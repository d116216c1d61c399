"""Measure the time of reading requests while costly plans are computed, in two runs.

    python benchmarks/reads_beside_plans.py --seconds 15 --plans 4

A server (`gridtide serve`) over simulated numbers gets 50 requests a second on the reading
routes: first alone, then while `--plans` other connections request batches of plans without
pause. The median and the 99th percentile of both runs are printed, and how many plans were made
meanwhile. The bar is 20 ms for the 99th percentile beside plans.

All callers have one address, so that all but one of the four planning threads are theirs, which
share one interpreter: a fourth caller waits for the first of three batches. Where those take
more than its patience of 5 s it is refused, which is counted, and asks again when it may.
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
    """Print the time of reading requests, alone and beside plans."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--plans", type=int, default=4, help="connections that request plans")
    options = parser.parse_args()
    zones = list(catalogue.load().zones)[:20]
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(Path(folder))
        write(home, zones, NOW)
        with serving(home) as host:
            read(host, zones, 2.0)  # fills the memory of the server
            alone = read(host, zones, options.seconds)
            with planning(host, zones, options.plans) as planned:
                beside = read(host, zones, options.seconds)
                plans, refused = planned
    report("alone", alone)
    report(f"beside {options.plans} callers that plan", beside)
    print(f"{plans / options.seconds:9.0f} plans a second meanwhile; bar {BAR_MS:g} ms at p99")
    print(f"{refused:9} batches refused, having waited too long for a thread")


def report(name: str, milliseconds: list[float]) -> None:
    """Print one row of the table."""
    middle, high = np.percentile(milliseconds, [50, 99])
    print(f"{name:<32} n {len(milliseconds):>5}   p50 {middle:6.2f} ms   p99 {high:6.2f} ms")


@contextmanager
def serving(home: DataDirectory) -> Iterator[str]:
    """Run a server over `home`; yield its host and port."""
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
    """Return the milliseconds of each request, sent at a fixed rate over one connection."""
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
        sent = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        spent.append((time.perf_counter() - sent) * 1000)
        assert answer.status == 200, body
    connection.close()
    return spent


@contextmanager
def planning(host: str, zones: list[str], callers: int) -> Iterator[list[int]]:
    """Request batches of plans without pause; yield a list that counts plans and refusals."""
    ended, counted = threading.Event(), [0, 0]
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
            if answer.status == 503:
                counted[1] += 1
                ended.wait(float(answer.headers["Retry-After"]))
                continue
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
