"""What a process forked from one that has asked can still ask: at once, or with the reason."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridtide import local, shortcuts
from gridtide.client import AsyncClient, Client

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


def test_closing_a_service_of_the_parent_in_a_fork_stops_nothing(
    service: Any,  # noqa: ANN401
) -> None:
    host = local.Host(service)
    client = Client("http://service", environ={}, transport=local.LocalTransport(host))
    assert in_a_fork(host.close) == "None"
    assert in_a_fork(client.close) == "None"
    assert service.lifespan == ["startup"]
    assert len(client.zones()) == 1
    host.close()
    assert service.lifespan == ["startup", "shutdown"]


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
    with shortcuts._clients._lock:
        assert in_a_fork(lambda: len(shortcuts.zones())) == "1"


def test_an_awaited_client_of_a_service_elsewhere_answers_in_a_fork(
    address: str,
    service: Any,  # noqa: ANN401
) -> None:
    client = AsyncClient(address, environ={}, retries=0)

    async def count() -> int:
        return len(await client.zones())

    async def parent() -> tuple[int, str, str, int]:
        first, before = await count(), client._http
        one = in_a_fork(lambda: in_new_loop(count))
        two = in_a_fork(lambda: in_a_fork(lambda: in_new_loop(count)))
        assert client._http is before
        last = await count()
        await client.aclose()
        return first, one, two, last

    assert asyncio.run(parent()) == (1, "1", "'1'", 1)
    assert len(service.asked) == 4


def in_new_loop(ask: Callable[[], Any]) -> object:
    """What `ask` answers on a loop of its own, in a fork of one that runs a loop."""
    asyncio.events._set_running_loop(None)
    return asyncio.run(ask())


STARTED = """
import multiprocessing, os, sys
from gridtide import shortcuts

def count(address):
    os.environ["GRIDTIDE_URL"] = address
    return len(shortcuts.zones())

if __name__ == "__main__":
    method, address = sys.argv[1:]
    here = count(address)
    with multiprocessing.get_context(method).Pool(1) as pool:
        print(here, pool.apply_async(count, (address,)).get(50), count(address))
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_a_process_of_every_start_method_answers(
    address: str, tmp_path: Path, method: str
) -> None:
    (script := tmp_path / "script.py").write_text(STARTED)
    said = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), method, address],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (said.stdout, said.stderr) == ("1 1 1\n", "")
