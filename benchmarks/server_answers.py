"""Measure the CPU time of a response: a real server process, requests over one connection.

    python benchmarks/server_answers.py --zones 100 --requests 2000

Simulated numbers are published first. Each route gets that many requests; the CPU time of the
server process (from /proc, so Linux) is divided by the number. The floor is a raw ASGI
application that responds with a constant, in the same server. The wire is the decoding of a
question and the encoding of its answer in a batch, without the search between them. Then
snapshots are published while requests go on, to measure how long a switch takes and what it
costs the requests meanwhile.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import uvicorn

from gridtide.clock import Clock
from gridtide.schema.batches import decode_question
from gridtide.schema.requests import BestWindowRequest
from gridtide_server.answers.regions import resolve_region
from gridtide_server.answers.windows import Search, find_window, window_fields
from gridtide_server.app import ServerSettings, create_app
from gridtide_server.commands import address, listen
from gridtide_server.queue import WorkLimits, WorkQueue
from gridtide_server.reader import Reader
from gridtide_server.service import Service
from gridtide_store import catalogue
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from gridtide_store.pointer import current_snapshot
from gridtide_store.publish import publish
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST, OBSERVATION

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = timedelta(hours=1)
SIGNAL = "ci_lifecycle_produced"
Send = Callable[[dict[str, Any]], Awaitable[None]]


def main() -> None:
    """Print CPU microseconds for each kind of response."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--zones", type=int, default=100)
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    zones = list(catalogue.load().zones)[: options.zones]
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(Path(folder))
        write(home, zones, NOW)
        some = ",".join(zones)
        with Serving(_floor) as floor:
            report("floor: raw ASGI, a constant", floor.cpu("/", options.requests))
        with Serving(_ours, home) as ours:
            for path, requests in (
                ("/healthz", options.requests),
                (f"/v1/best-window?region={zones[0]}&hours=4", options.requests),
                (f"/v1/best-window?region={zones[0]}&hours=3.7", options.requests),
                (f"/v1/best-region?region={some}&hours=4", options.requests // 20),
                (f"/v1/zones/{zones[0]}/forecast", options.requests // 5),
                (
                    f"/v1/zones/{zones[0]}/intensity?start={NOW - 72 * HOUR:%Y-%m-%dT%H:%MZ}",
                    options.requests // 5,
                ),
                ("/v1/zones", options.requests // 20),
                ("/metrics", options.requests // 20),
            ):
                report(path, ours.cpu(path, requests))
            for hours in (4, 3.7):
                questions = [
                    {"kind": "best_window", "region": zones[k % len(zones)], "hours": hours + k}
                    for k in range(60)
                ]
                batch = json.dumps({"questions": (questions * 17)[:1000]})
                spent = ours.cpu("/v1/batch", 20, batch) / 1000
                report(f"/v1/batch of 1,000 best windows, {hours} h and more, each", spent)
            report("  decoding and encoding of one of these alone", wire(home, questions))
            plan = {"job": {"hours": 8, "kind": "interruptible"}, "region": zones[0]}
            report("/v1/plan, 8 h that may pause", ours.cpu("/v1/plan", 200, json.dumps(plan)))
            slowest, switched = [], []
            for k in range(5):
                write(home, zones, NOW + timedelta(seconds=k + 1))
                newest = current_snapshot(home)
                began, waits = time.perf_counter(), []
                while newest is not None and ours.snapshot() != newest.name:
                    waits.append(ours.once(f"/v1/best-window?region={zones[0]}&hours=4"))
                switched.append(time.perf_counter() - began)
                slowest.append(max(waits, default=0.0))
            middle, most = sorted(switched)[2] * 1000, sorted(slowest)[2] * 1000
            print(f"{middle:9.1f} ms until a new snapshot answers (median of 5)")
            print(f"{most:9.1f} ms for the slowest answer until then (median of 5)")


def wire(home: DataDirectory, questions: list[dict[str, Any]]) -> float:
    """Return the CPU seconds of decoding one question and encoding its answer."""
    reader = Reader(home)
    service = Service(reader, Clock(), WorkQueue(WorkLimits()), timedelta(hours=6))
    with reader.read() as view:
        now = service.moment(view=view)
        found = []
        for question in questions:
            request = decode_question(question)
            assert isinstance(request, BestWindowRequest)
            search = Search.of(request, now)
            region = resolve_region(request.region)
            found.append((find_window(view, region, search), search))
        encode = msgspec.json.Encoder().encode
        best = float("inf")
        for _ in range(100):
            before = time.process_time()
            for question in questions:
                decode_question(question)
            for decision, search in found:
                encode(window_fields(decision, search))
            best = min(best, (time.process_time() - before) / len(questions))
    reader.close()
    return best


def report(path: str, spent: float) -> None:
    """Print one row of the table."""
    shown = path if len(path) < 60 else f"{path[:57]}..."
    print(f"{spent * 1e6:9.0f} us CPU  {shown}")


class Serving:
    """One application in a process of its own."""

    def __init__(self, make: Callable[..., Any], *args: object) -> None:
        self._listening = listen("127.0.0.1", 0)
        spawn = multiprocessing.get_context("spawn")
        self._process = spawn.Process(target=serve, args=(self._listening, make, args))

    def __enter__(self) -> Serving:
        self._process.start()
        host = address(self._listening).removeprefix("http://")
        self._connection = http.client.HTTPConnection(host, timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.join()
        self._listening.close()

    def snapshot(self) -> str:
        """Return which snapshot is served now."""
        self._connection.request("GET", "/readyz")
        return str(json.loads(self._connection.getresponse().read())["snapshot"])

    def once(self, path: str, body: str | None = None) -> float:
        """Return the seconds of one request; with a body it is a POST."""
        began = time.perf_counter()
        self._connection.request("GET" if body is None else "POST", path, body)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        return time.perf_counter() - began

    def cpu(self, path: str, requests: int, body: str | None = None) -> float:
        """Return the CPU seconds of the server for one request, the best of three rounds."""
        best = float("inf")
        self.once(path, body)
        for _ in range(3):
            before = self._spent()
            for _ in range(requests):
                self.once(path, body)
            best = min(best, (self._spent() - before) / requests)
        return best

    def _spent(self) -> float:
        after_name = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2]
        user, system = after_name.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def serve(listening: Any, make: Callable[..., Any], args: tuple[object, ...]) -> None:  # noqa: ANN401  # a socket
    """Serve the application that `make` makes."""
    config = uvicorn.Config(make(*args), log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


def _ours(home: DataDirectory) -> Any:  # noqa: ANN401  # an ASGI application
    return create_app(ServerSettings(), Reader(home, background=True), Clock())


def _floor() -> Any:  # noqa: ANN401  # an ASGI application
    async def app(scope: dict[str, Any], receive: object, send: Send) -> None:
        if scope["type"] == "http":
            headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"{}"})

    return app


def write(home: DataDirectory, zones: list[str], now: datetime) -> None:
    """Publish ten days of every zone and a forecast of 72 h issued at `now`."""
    random = np.random.default_rng(0)
    starts = [NOW - (240 - k) * HOUR for k in range(240)]
    ahead = [NOW + k * HOUR for k in range(72)]
    with Store.open(home) as store:
        for zone in zones:
            store.append(
                pl.DataFrame(
                    {
                        "zone": zone,
                        "signal": SIGNAL,
                        "source": "made_up",
                        "slot_start": starts,
                        "slot_end": [start + HOUR for start in starts],
                        "value": 300.0,
                        "quality": "simulated",
                        "known_at": [start + HOUR for start in starts],
                        "retrieval_id": 0,
                    },
                    schema=OBSERVATION,
                )
            )
        runs = [
            pl.DataFrame(
                {
                    "zone": zone,
                    "signal": SIGNAL,
                    "model": "made_up@1",
                    "issued_at": now,
                    "slot_start": ahead,
                    "slot_end": [start + HOUR for start in ahead],
                    "p10": None,
                    "p50": random.uniform(50, 600, len(ahead)),
                    "p90": None,
                    "known_at": now,
                    "source": "made_up",
                    "simulated": True,
                },
                schema=FORECAST,
            )
            for zone in zones
        ]
        store.append_forecasts(pl.concat(runs))
        publish(store, Ledger(home.ledger), home, now, replay=False, trust=lambda _: ())


if __name__ == "__main__":
    main()
