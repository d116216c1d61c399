"""A real server under hostile clients for many minutes, while one good client asks.

    python benchmarks/soak/hostile_clients.py --minutes 15

Beside a client that asks ten times a second, each on a new connection, others: hold idle
connections, send headers a byte at a time, announce bodies and stop, ask for long answers and
never read them, send large bodies in chunks, leave in the middle of an answer, pipeline
requests, send bytes that are no HTTP. Exit code 1 where the good client was refused, an answer
took longer than 1 s at the 99th percentile, memory grew, descriptors were left open or the
log has a traceback.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from serve_under_load import Publishing, grown, resident_mb, serving

from gridtide_store.data_directory import DataDirectory

GOOD_A_SECOND = 10.0
HOSTILE_THREADS = 8
GOOD_P99_MS = 1000.0
GROWTH_MB = 30.0
HOST = b"Host: localhost\r\n"
RANGE = b"GET /v1/zones/DE/intensity?start=2000-01-01T00:00Z HTTP/1.1\r\n" + HOST + b"\r\n"

Connect = Callable[[], socket.socket]


def main() -> int:
    """Run it; 1 where the server suffered."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0)
    options = parser.parse_args()
    if not 0 < options.minutes <= 240:
        parser.error("--minutes: at most 240")
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(Path(folder) / "home")
        with Publishing(home) as publishing:
            publishing.publish_observations()
            publishing.publish_forecasts()
        log = Path(folder) / "log"
        with serving(home, 1, log) as (pid, address):
            return attack(pid, address, log, options.minutes * 60)


def attack(pid: int, address: str, log: Path, seconds: float) -> int:
    """Let the good client and the hostile ones run, print what came of it."""
    host, _, port = address.rpartition(":")
    ended, did = threading.Event(), Counter[str]()
    before = descriptors(pid)

    def connect() -> socket.socket:
        return socket.create_connection((host, int(port)), timeout=5)

    threads = [
        threading.Thread(target=harass, args=(connect, ended, did, seed), daemon=True)
        for seed in range(HOSTILE_THREADS)
    ]
    for thread in threads:
        thread.start()
    spent, failed, rss = [], Counter[str](), []
    began = time.monotonic()
    for k in range(int(seconds * GOOD_A_SECOND)):
        time.sleep(max(0.0, began + k / GOOD_A_SECOND - time.monotonic()))
        sent = time.monotonic()
        if error := ask(host, int(port)):
            failed[error] += 1
        spent.append((time.monotonic() - sent) * 1000)
        if k % 10 == 0:
            rss.append((time.monotonic() - began, resident_mb(pid)))
    ended.set()
    for thread in threads:
        thread.join(60)
    time.sleep(60)  # by then every connection of theirs has ended, by its end or ours
    left = descriptors(pid) - before
    traces = log.read_text(errors="replace").count("Traceback")
    cuts = statistics.quantiles(spent, n=100)
    growth, slope = grown(rss)
    values = [each for _, each in rss]
    print("hostile acts: " + ", ".join(f"{count} {name}" for name, count in did.items()))
    print(
        f"good client: {len(spent)} requests, {failed.total()} failed {dict(failed) or ''}, "
        f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, max {max(spent):.0f} ms"
    )
    print(
        f"RSS MB: start {values[0]:.0f}, max {max(values):.0f}, end {values[-1]:.0f}; second "
        f"quarter to last quarter {growth:+.1f}, slope {slope:+.1f} MB/h; descriptors left "
        f"{left:+d}; tracebacks {traces}"
    )
    bad = failed.total() or cuts[98] > GOOD_P99_MS or growth > GROWTH_MB or left > 5 or traces
    print("FAILED" if bad else "ok")
    return int(bool(bad))


def ask(host: str, port: int) -> str:
    """One good question on a new connection; what went wrong, or nothing."""
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request("GET", "/v1/best-window?region=DE&hours=4")
        answer = connection.getresponse()
        answer.read()
    except OSError as error:
        return type(error).__name__
    except http.client.HTTPException as error:
        return type(error).__name__
    finally:
        connection.close()
    return "" if answer.status == 200 else str(answer.status)


def harass(connect: Connect, ended: threading.Event, did: Counter[str], seed: int) -> None:
    """One hostile act after the other, at most 100 connections of its own held open."""
    draw, held = random.Random(seed), list[socket.socket]()  # noqa: S311  # no secrets
    acts = (idle, slow_headers, stalled_body, unread, chunks, leave, pipeline, garbage)
    while not ended.is_set():
        act = draw.choice(acts)
        try:
            connection = connect()
        except OSError:
            time.sleep(0.1)  # it does not let us in: as it should when we hold too many
            continue
        did[act.__name__.replace("_", " ")] += 1
        with suppress(OSError):
            act(connection, draw)
        held.append(connection)
        while len(held) > 100:
            held.pop(draw.randrange(len(held))).close()
        time.sleep(0.02)
    for connection in held:
        connection.close()


def idle(connection: socket.socket, draw: random.Random) -> None:
    """Nothing at all is sent."""


def slow_headers(connection: socket.socket, draw: random.Random) -> None:
    """Some bytes of headers, and no more."""
    connection.sendall(
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + os.urandom(4).hex().encode()
    )


def stalled_body(connection: socket.socket, draw: random.Random) -> None:
    """A body is announced, and a part of it sent."""
    length = draw.choice((100, 10_000, 900_000))
    connection.sendall(
        b"POST /v1/plan HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n{" % length
    )


def unread(connection: socket.socket, draw: random.Random) -> None:
    """Long answers that are never read."""
    connection.sendall(RANGE * 4)


def chunks(connection: socket.socket, draw: random.Random) -> None:
    """Chunks up to the limit and beyond, of what is no JSON."""
    connection.sendall(
        b"POST /v1/footprint HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    )
    for _ in range(draw.randrange(1, 40)):
        connection.sendall(b"8000\r\n" + b"[" * 32768 + b"\r\n")


def leave(connection: socket.socket, draw: random.Random) -> None:
    """Gone in the middle of an answer."""
    connection.sendall(RANGE)
    connection.recv(draw.randrange(1, 4096))
    connection.close()


def pipeline(connection: socket.socket, draw: random.Random) -> None:
    """Many requests at once."""
    connection.sendall((b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * draw.randrange(2, 200))


def garbage(connection: socket.socket, draw: random.Random) -> None:
    """Bytes that are no HTTP."""
    connection.sendall(draw.randbytes(draw.randrange(1, 5000)))


def descriptors(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


if __name__ == "__main__":
    sys.exit(main())
