"""What travels is bounded below httpx: bytes of the wire, and connections that come late."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx
import pytest

from gridtide import client as clients
from gridtide.client import Client
from gridtide.errors import ServiceUnavailable
from gridtide.http import deadline
from gridtide.http.deadline import Allowance


class Slow(httpcore.NetworkBackend):
    """Connects when it is let go; `closed` says that the connection was given back."""

    def __init__(self) -> None:
        self.go, self.closed = threading.Event(), threading.Event()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        assert self.go.wait(30)
        stream = httpcore.MockStream([])
        stream.close = self.closed.set  # type: ignore[method-assign]  # notes that the stream is closed
        return stream


def test_a_connection_that_comes_after_its_time_is_closed() -> None:
    inner, allowance = Slow(), Allowance()
    transport = httpx.HTTPTransport()
    transport._pool._network_backend = inner
    deadline.bound(transport, allowance)
    allowance.renew(deadline=time.monotonic() + 0.05, size=0)
    with pytest.raises(httpx.ConnectTimeout, match="no connection to somewhere in"):
        transport.handle_request(httpx.Request("GET", "http://somewhere/"))
    assert not inner.closed.is_set()
    inner.go.set()
    assert inner.closed.wait(30)


def test_bytes_behind_a_packed_body_count_as_well(
    address: str,
    service: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nothing of them is part of the answer, so no bound on its size holds them up.
    packed = gzip.compress(json.dumps({"zones": []}).encode()) + bytes(300_000)
    service.reply(200, packed, content_encoding="gzip")
    with Client(address, environ={}, retries=0) as client:
        monkeypatch.setattr(deadline, "OVERHEAD", 100_000)
        monkeypatch.setattr(clients, "LARGEST", 100_000)
        with pytest.raises(ServiceUnavailable, match="more bytes than any answer has"):
            client.zones()
