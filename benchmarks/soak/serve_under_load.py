"""A real server under requests for many minutes while snapshots are published under it.

A process of its own asks over every read route and for some plans, at a fixed rate; this one
publishes new forecasts evenly over the run and reads the server's memory. Exit code 1 where a
request failed, the 99th percentile of a read route reached 50 ms, or memory grew.

    python benchmarks/soak/serve_under_load.py --minutes 15 --rate 120 --changes 15
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.publish import publish
from gridtide_store.records import Facts
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST, OBSERVATION

HOUR = timedelta(hours=1)
SIGNAL = "ci_lifecycle_produced"
HISTORY_DAYS = 60
ZONES = ("DE", "FR", "NL", "BE", "GB", "ES", "PL", "AT", "CH", "CZ", "DK-DK1", "FI", "GR")
ZONES += ("HU", "IE", "IT-NO", "PT", "RO", "SE-SE3", "NO-NO1", "US-CAL-CISO", "US-TEX-ERCO")
READ_P99_MS = 50.0
NOT_READS = ("plan", "batch", "all reads")
THREADS = 12
# One request in so many plans a job; a plan may take longer than a read.
PLAN_EVERY = 40
# The server fills its caches first: what it takes until then is no growth.
WARM_SHARE = 0.25
GROWTH_SHARE, GROWTH_MB = 0.10, 20.0
SECONDS_TO_START = 60


def main() -> int:
    """Run the soak; 1 where it fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--rate", type=float, default=120.0, help="requests a second")
    parser.add_argument("--changes", type=int, default=15, help="snapshots published")
    parser.add_argument("--workers", type=int, default=1, help="of gridtide serve")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        return ask(options.client, options.minutes * 60, options.rate)
    if not 0 < options.minutes <= 240 or not 0 < options.rate <= 1000:
        parser.error("--minutes: at most 240; --rate: at most 1000")
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(Path(folder) / "home")
        with Publishing(home) as publishing:
            publishing.publish_observations()
            publishing.publish_forecasts()
            with serving(home, options.workers, Path(folder) / "log") as (pid, address):
                return soak(options, publishing, pid, address, Path(folder) / "log")


def soak(
    options: argparse.Namespace, publishing: Publishing, pid: int, address: str, log: Path
) -> int:
    """Ask, publish and watch; print the report; 1 where it fails."""
    seconds = options.minutes * 60
    command = [sys.executable, __file__, "--client", address]
    command += ["--minutes", str(options.minutes), "--rate", str(options.rate)]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    reading: list[str] = []
    reader = threading.Thread(target=lambda: reading.extend(client.stdout or ()), daemon=True)
    reader.start()
    # As the unit of the refresh does: who publishes stands back behind who answers.
    os.nice(5)
    began, rss, changes = time.monotonic(), [], 0
    try:
        while client.poll() is None and (spent := time.monotonic() - began) < seconds + 60:
            rss.append((spent, resident_mb(pid)))
            if changes < options.changes and spent >= seconds * (changes + 0.5) / max(
                1, options.changes
            ):
                publishing.publish_forecasts()
                changes += 1
            time.sleep(min(1.0, seconds / 60))
    finally:
        client.kill()
    reader.join(10)
    if not reading:
        print("the client ended without a report")
        return 1
    return report(json.loads("".join(reading)), rss, changes, log)


def report(
    measured: dict[str, object], rss: list[tuple[float, float]], changes: int, log: Path
) -> int:
    """Print the figures; 1 where one of them is out of bounds."""
    errors, routes = dict(measured["errors"]), dict(measured["routes"])  # type: ignore[call-overload]  # JSON
    print(f"{'route':<34}{'requests':>10}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    slow = []
    for name, (count, middle, high, most) in sorted(routes.items()):
        print(f"{name:<34}{count:>10}{middle:>9.2f}{high:>9.2f}{most:>9.2f}")
        if name not in NOT_READS and high >= READ_P99_MS:
            slow.append(name)
    traces = log.read_text(errors="replace").count("Traceback")
    growth, slope = grown(rss)
    values = [each for _, each in rss]
    print(
        f"requests {measured['requests']}, errors {sum(errors.values())} {errors or ''}, "
        f"snapshot changes {changes}, tracebacks {traces}, "
        f"latest start {measured['late_ms']:.0f} ms"
    )
    print(
        f"RSS MB: start {values[0]:.0f}, min {min(values):.0f}, max {max(values):.0f}, end "
        f"{values[-1]:.0f}; second quarter to last quarter {growth:+.1f}, slope "
        f"{slope:+.1f} MB/h"
    )
    middle_mb = statistics.median(values)
    grew = growth > GROWTH_MB and growth > middle_mb * GROWTH_SHARE
    for failed, what in (
        (bool(errors), "requests failed"),
        (traces > 0, "the log has a traceback"),
        (bool(slow), f"99th percentile of {', '.join(slow)} not under {READ_P99_MS:g} ms"),
        (grew, "memory grew"),
    ):
        if failed:
            print(f"FAILED: {what}")
    return int(bool(errors) or bool(slow) or grew or traces > 0)


def grown(rss: list[tuple[float, float]]) -> tuple[float, float]:
    """MB from the second to the last quarter of the run, and MB an hour after warming up."""
    whole = rss[-1][0] or 1.0
    second = [mb for at, mb in rss if whole * WARM_SHARE <= at < whole / 2]
    last = [mb for at, mb in rss if at >= whole * 0.75]
    warm = [(at, mb) for at, mb in rss if at >= whole * WARM_SHARE]
    if len(warm) < 4 or not second or not last:
        return 0.0, 0.0
    slope = statistics.linear_regression(*zip(*warm, strict=True)).slope
    return statistics.median(last) - statistics.median(second), slope * 3600


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children, in MB."""
    pids, total = [pid], 0.0
    children = Path(f"/proc/{pid}/task/{pid}/children")
    pids += [int(each) for each in children.read_text().split()] if children.exists() else []
    for each in pids:
        try:
            status = Path(f"/proc/{each}/status").read_text()
        except OSError:
            continue
        line = next((line for line in status.splitlines() if line.startswith("VmRSS")), "0 0")
        total += int(line.split()[1]) / 1000
    return total


class Publishing:
    """Writes a store of made-up zones and publishes it."""

    def __init__(self, home: DataDirectory) -> None:
        self._home = home
        self._start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self._draw = np.random.default_rng(0)

    def __enter__(self) -> Publishing:
        self._lock = writer_lock(self._home, "soak", self._start)
        self._lock.__enter__()
        self._opened = Store.open(self._home)
        self._store = self._opened.__enter__()
        self._ledger = Ledger(self._home.ledger)
        self._ledger.set_source(Facts("made_up", "Made up", "", "none needed", simulated=True))
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.__exit__(None, None, None)
        self._lock.__exit__(None, None, None)

    def publish_observations(self) -> None:
        """Hourly slots of every zone up to the current hour."""
        hours = HISTORY_DAYS * 24
        starts = [self._start - (hours - k) * HOUR for k in range(hours)]
        ends = [start + HOUR for start in starts]
        for zone in ZONES:
            frame = {"zone": zone, "signal": SIGNAL, "source": "made_up", "slot_start": starts}
            frame |= {"slot_end": ends, "value": self._draw.uniform(20, 600, hours)}
            frame |= {"quality": "simulated", "known_at": ends, "retrieval_id": 0}
            self._store.append(pl.DataFrame(frame, schema=OBSERVATION))

    def publish_forecasts(self) -> None:
        """A new run of every zone, and a snapshot with it."""
        now = datetime.now(UTC)
        steps = [self._start + k * HOUR for k in range(96)]
        runs = []
        for zone in ZONES:
            middle = self._draw.uniform(50, 600, len(steps))
            frame = {"zone": zone, "signal": SIGNAL, "model": "made_up@1", "issued_at": now}
            frame |= {"slot_start": steps, "slot_end": [step + HOUR for step in steps]}
            frame |= {"p10": middle - 20, "p50": middle, "p90": middle + 20, "known_at": now}
            frame |= {"source": "made_up", "simulated": True}
            runs.append(pl.DataFrame(frame, schema=FORECAST))
        self._store.append_forecasts(pl.concat(runs))
        publish(self._store, self._ledger, self._home, now, replay=False, trust=lambda _: ())


@contextmanager
def serving(home: DataDirectory, workers: int, log: Path) -> Iterator[tuple[int, str]]:
    """A server over `home`: its process id and address."""
    command = [sys.executable, "-m", "gridtide", "serve", "--port", "0", "--home"]
    command += [str(home.root), "--workers", str(workers)]
    environ = {name: text for name, text in os.environ.items() if "GRIDTIDE" not in name}
    with log.open("w") as errors:
        server = subprocess.Popen(command, stderr=errors, stdout=errors, env=environ)
    try:
        for _ in range(SECONDS_TO_START * 10):
            said = log.read_text()
            if "gridtide serves " in said:
                break
            time.sleep(0.1)
        else:
            sys.exit(f"the server did not start: {said}")
        address = said.partition("gridtide serves http://")[2].split()[0]
        while workers > 1 and len(resident_children(server.pid)) < workers:
            time.sleep(0.1)
        yield server.pid, address
    finally:
        server.terminate()
        try:
            server.wait(40)
        except subprocess.TimeoutExpired:
            server.kill()


def resident_children(pid: int) -> list[str]:
    """Process ids of the children."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def questions(draw: random.Random) -> Iterator[tuple[str, str, str, bytes | None]]:
    """Requests without end: route, method, path and body."""
    while True:
        zone, hours = draw.choice(ZONES), draw.choice((1, 2, 4, 3.5, 8))
        since = datetime.now(UTC) - timedelta(hours=draw.choice((24, 72, 720)))
        some = ",".join(draw.sample(ZONES, 4))
        job = {"hours": hours, "kind": draw.choice(("unbroken", "interruptible"))}
        few = [{"kind": "best_window", "region": each, "hours": 2} for each in ZONES[:5]]
        reads = (
            ("best-window", f"/v1/best-window?region={zone}&hours={hours}"),
            ("best-region", f"/v1/best-region?region={some}&hours={hours}"),
            ("zones", "/v1/zones"),
            ("forecast", f"/v1/zones/{zone}/forecast"),
            ("intensity, latest", f"/v1/zones/{zone}/intensity"),
            ("intensity, range", f"/v1/zones/{zone}/intensity?start={since:%Y-%m-%dT%H:00Z}"),
            ("healthz", "/healthz"),
            ("readyz", "/readyz"),
            ("metrics", "/metrics"),
        )
        for name, path in (*reads, *reads[:2], *reads[3:6]):
            yield name, "GET", path, None
        if draw.random() < len(reads) / PLAN_EVERY * 2:
            yield "plan", "POST", "/v1/plan", json.dumps({"job": job, "region": zone}).encode()
            yield "batch", "POST", "/v1/batch", json.dumps({"questions": few}).encode()


def ask(address: str, seconds: float, rate: float) -> int:
    """Ask for so long, then print what was measured as JSON."""
    spent: dict[str, list[float]] = defaultdict(list)
    errors: Counter[str] = Counter()
    lock, numbers, late = threading.Lock(), iter(range(int(seconds * rate))), [0.0]
    source = questions(random.Random(0))  # noqa: S311  # the same questions each time
    began = time.perf_counter() + 0.5

    def work() -> None:
        connection, tags = http.client.HTTPConnection(address, timeout=60), {}
        while True:
            with lock:
                number = next(numbers, None)
                if number is None:
                    return
                name, method, path, body = next(source)
            due = began + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            start = time.perf_counter()
            headers = {"If-None-Match": tags[path]} if number % 2 and path in tags else {}
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                content = response.read()
                fault = "" if response.status in (200, 304) else f"{name} {response.status}"
                if fault and not errors[fault]:
                    sys.stderr.write(f"{fault}: {content[:300]!r}\n")
            except (OSError, http.client.HTTPException) as error:
                fault, response = f"{name} {type(error).__name__}", None
                connection.close()
            with lock:
                spent[name].append(time.perf_counter() - start)
                late[0] = max(late[0], start - due)
                if fault:
                    errors[fault] += 1
            if response is not None and (tag := response.headers.get("etag")):
                tags[path] = tag

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    spent["all reads"] = [
        each for name in spent if name not in NOT_READS for each in spent[name]
    ]
    print(
        json.dumps(
            {
                "requests": sum(len(v) for k, v in spent.items() if k != "all reads"),
                "errors": errors,
                "late_ms": late[0] * 1000,
                "routes": {name: percentiles(values) for name, values in spent.items()},
            }
        )
    )
    return 0


def percentiles(values: list[float]) -> tuple[int, float, float, float]:
    """Count, and median, 99th percentile and maximum in ms."""
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99, 1)]
    return (len(ordered), *(each * 1000 for each in at))  # type: ignore[return-value]  # checked by the caller


if __name__ == "__main__":
    sys.exit(main())
