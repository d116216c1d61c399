"""What a process forked from one that has asked can still ask: at once, or with the reason."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gridtide import local, shortcuts
from gridtide.client import Client

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
pytestmark = [pytestmark, pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")]


def in_a_fork(ask: Callable[[], object]) -> str:
    """What `ask` returned, or its error, in a forked child that ends within a minute."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            said = repr(ask())
        except BaseException as error:  # noqa: BLE001  # it is told
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        said = told.read()
    os.waitpid(child, 0)
    return said


def test_a_service_of_the_parent_is_not_waited_for_in_a_fork(
    transport: httpx.BaseTransport,
) -> None:
    client = Client("http://service", environ={}, transport=transport)
    assert len(client.zones()) == 1
    for said in (
        in_a_fork(client.zones),
        in_a_fork(lambda: in_a_fork(client.zones)),
        in_a_fork(lambda: local.host({})),
    ):
        assert "NoService: this process was forked" in said
        assert "spawn" in said
        assert "GRIDTIDE_URL" in said
    assert len(client.zones()) == 1


def test_a_client_of_a_service_elsewhere_answers_in_a_fork_and_its_own(
    address: str,
    service: Any,  # noqa: ANN401
) -> None:
    with Client(address, environ={}, retries=0) as client:
        assert len(client.zones()) == 1
        before = client._http
        assert in_a_fork(lambda: (len(client.zones()), client._http is before)) == "(1, False)"
        assert in_a_fork(lambda: in_a_fork(lambda: len(client.zones()))) == "'1'"
        assert len(client.zones()) == 1
        assert client._http is before
    assert len(service.asked) == 4


def test_a_lock_held_while_forking_holds_up_no_child(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDTIDE_URL", address)
    with shortcuts._shortcuts._lock:
        assert in_a_fork(lambda: len(shortcuts.zones())) == "1"
