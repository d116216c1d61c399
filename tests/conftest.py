"""What every test may lean on: a fixed clock, no sockets but loopback, recorded data."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from gridtide_store.logs import OneLine, OneObject

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RECORDED = "GRIDTIDE_RECORDED_DATA"
# An example may take as long as it takes: a loaded machine is no fault of the code.
settings.register_profile("whole", max_examples=40, deadline=None)
# `make check` tries fewer examples where a test names no number of its own.
settings.register_profile("quick", max_examples=25, deadline=None)
settings.load_profile("whole")
LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture
def now() -> datetime:
    """A fixed moment, so that no test depends on the day it runs."""
    return NOW


@pytest.fixture
def clock(now: datetime) -> Callable[[], datetime]:
    """The clock to hand to code that asks for one."""
    return lambda: now


@pytest.fixture(autouse=True)
def _no_sockets_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails at once instead of hanging."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:  # noqa: ANN401  # socket's own type
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _no_log_handlers_of_ours() -> None:
    """A command's main that ran before, in a test or a fixture, has left nothing behind."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler.formatter, OneLine | OneObject):
            root.removeHandler(handler)
    root.setLevel(logging.WARNING)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded data, which is not part of the repository."""
    folder = os.environ.get(RECORDED)
    if folder and Path(folder).is_dir():
        return Path(folder)
    reason = f"recorded data, not distributed: set {RECORDED} to its folder"
    if os.environ.get("REQUIRE_RECORDED_DATA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lies under tests/recorded runs over recorded data, under tests/faults on faults."""
    for item in items:
        if item.path.parent.name == "recorded":
            item.add_marker(pytest.mark.recorded)
        if item.path.parent.name == "faults":
            # Real processes and deadlines that pass: never part of the quick run.
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.slow)
