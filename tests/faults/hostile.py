"""A real server process and the sockets of clients that do not behave."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# Short, so that the tests are; each is a setting of the server.
SHORT = {
    "GRIDTIDE_HEADER_SECONDS": "1.5",
    "GRIDTIDE_BODY_SECONDS": "1.5",
    "GRIDTIDE_WRITE_SECONDS": "1.5",
    "GRIDTIDE_IDLE_SECONDS": "1.5",
    "GRIDTIDE_MAX_CONNECTIONS": "40",
    "GRIDTIDE_MAX_BUFFER_BYTES": "20000000",
}
# What an end within some seconds may take on a machine that does much else.
PATIENCE = 30.0
# Memory that the whole of an attack may cost, in MB.
ALLOWED_MB = 150.0
NEWCOMER_SECONDS = 5.0
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class Server:
    """A running ``gridtide serve``."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def connect(self) -> socket.socket:
        """A new connection, whose reads give up after `PATIENCE`."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def send(self, data: bytes) -> socket.socket:
        """A new connection on which `data` was sent, or as much as the server took."""
        connection = self.connect()
        with suppress(OSError):
            connection.sendall(data)
        return connection

    def answer(self, data: bytes) -> tuple[int | None, bytes]:
        """Status and bytes of what is answered to `data` until the connection ends."""
        with self.send(data) as connection:
            said = read_to_end(connection)
        return status(said), said

    def rss_mb(self) -> float:
        """Resident memory of the server and its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = [str(self.process.pid), *children.read_text().split()]
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
        return sum(pages) * resource.getpagesize() / 1e6

    def newcomer(self) -> float:
        """Seconds until a well-behaved new client has its answer."""
        began = time.monotonic()
        code, said = self.answer(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert code == 200, said
        return time.monotonic() - began

    def said(self) -> str:
        """The log so far."""
        return self.log.read_text(errors="replace")


@contextmanager
def serving(
    home: Path, *words: str, descriptors: int | None = None, **environ: str
) -> Iterator[Server]:
    """A server over `home` with short limits, ready to be requested."""
    log = home.parent / f"log-{time.monotonic_ns()}"
    own = {name: value for name, value in os.environ.items() if "GRIDTIDE" not in name}
    own |= SHORT | {"GRIDTIDE_LOG_LEVEL": "INFO", "GRIDTIDE_LOG_JSON": "1"} | environ
    command = [sys.executable, "-m", "gridtide", "serve", "--port", "0", "--home", str(home)]
    command += ["--now", "2026-03-02T12:00Z", *words]
    if descriptors is not None:
        command = ["/bin/sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *command]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stderr=errors, stdout=errors, env=own)
    try:
        port = wait_for(
            lambda: re.search(rb"gridtide serves http://[^ ]+:(\d+)", log.read_bytes())
        )
        server = Server(process, int(port[1]), log)
        wait_for(lambda: server.newcomer() >= 0)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        process.kill()
        process.wait()


def wait_for(found: Callable[[], object], seconds: float = 60.0) -> re.Match[bytes]:
    """What `found` gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value  # type: ignore[return-value]  # checked by the caller
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def read_to_end(connection: socket.socket, most: int = 1_000_000) -> bytes:
    """What comes until the server ends the connection; a reset is an end too."""
    said = b""
    with suppress(ConnectionResetError, BrokenPipeError):
        while len(said) < most and (part := connection.recv(65536)):
            said += part
    return said


def status(said: bytes) -> int | None:
    """The status of the first final response in `said`; None where there is none."""
    codes = [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]
    return next((code for code in codes if code != 100), None)


def problem(said: bytes) -> dict[str, object]:
    """The problem document of a refusal."""
    head, _, body = said.rpartition(b"\r\n\r\n")
    assert b"application/problem+json" in head.lower(), said
    assert b"x-content-type-options: nosniff" in head.lower(), said
    printed = json.loads(body)
    assert isinstance(printed, dict)
    return printed


def reset(connection: socket.socket) -> None:
    """Leave without a farewell."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def flood(server: Server, first: bytes, part: bytes, most: int) -> int:
    """Send `first` and then `part` again and again; bytes taken until the end."""
    taken = 0
    with server.connect() as connection, suppress(OSError):
        connection.sendall(first)
        while taken < most:
            connection.sendall(part)
            taken += len(part)
    return taken


@contextmanager
def unharmed(server: Server, allowed_mb: float = ALLOWED_MB) -> Iterator[None]:
    """What happens in the block costs little memory, no newcomer and no traceback."""
    before, logged = server.rss_mb(), len(server.said())
    yield
    seconds, grown = server.newcomer(), server.rss_mb() - before
    assert server.process.poll() is None
    assert seconds < NEWCOMER_SECONDS
    assert grown < allowed_mb
    log = server.said()[logged:]
    assert "Traceback" not in log, log[-3000:]
    assert '"level": "ERROR"' not in log, log[-3000:]
    for line in log.splitlines():
        assert json.loads(line)["logger"], line
