"""Servers over the small home of `published`, which says what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gridtide.client import Client
from gridtide.local import Host, LocalTransport
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, Asker, FixedClock, Publisher, fill


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> DataDirectory:
    """The home of the numbers above; not to be written to."""
    publisher = Publisher(tmp_path_factory.mktemp("home"))
    fill(publisher)
    publisher.publish()
    publisher.close()
    return publisher.home


@pytest.fixture(scope="session")
def ask(home: DataDirectory) -> Iterator[Asker]:
    """A server over it at 12:00, which takes its clock for the real one."""
    with Asker(home, FixedClock(NOW)) as asker:
        yield asker


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    """A home to write to."""
    publisher = Publisher(tmp_path / "home")
    yield publisher
    publisher.close()


@pytest.fixture(scope="module")
def client(ask: Asker) -> Iterator[Client]:
    """The SDK, asking the very application that `ask` asks."""
    with Client("http://test", transport=LocalTransport(Host(ask.app))) as client:
        yield client
