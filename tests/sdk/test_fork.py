"""What a process forked from one that has asked can still ask: at once, or with the reason."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridtide import forks, local, shortcuts
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


def test_a_fork_waits_for_what_another_thread_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.begun", begun, raising=False)
    (tmp_path / "slow_to_load.py").write_text(
        "import sys, time\nsys.begun.set()\ntime.sleep(0.5)\nWHOLE = 'whole'\n"
    )

    def load() -> None:
        with forks.loading():
            import_module("slow_to_load")

    (thread := threading.Thread(target=load)).start()
    begun.wait()
    assert in_a_fork(lambda: import_module("slow_to_load").WHOLE) == "'whole'"
    thread.join()


def test_a_fork_that_has_waited_long_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = threading.Event(), threading.Event()

    def load() -> None:
        with forks.loading():
            begun.set()
            end.wait()

    def load_in_child() -> str:
        with forks.loading(), forks.loading():
            return in_a_fork(lambda: "and its own")

    (thread := threading.Thread(target=load)).start()
    begun.wait()
    monkeypatch.setattr(forks, "LONGEST", 0.01)
    assert "and its own" in in_a_fork(load_in_child)
    end.set()
    thread.join()
    with forks.loading():
        assert "and its own" in in_a_fork(load_in_child)


def test_threads_of_a_fork_share_the_connections_it_opens(address: str) -> None:
    with Client(address, environ={}, retries=0) as client:
        assert len(client.zones()) == 1

        def ask() -> tuple[int, int]:
            opened, began, own = [], threading.Barrier(4), client._open

            def slowly(transport: httpx.BaseTransport | None) -> httpx.Client:
                opened.append(transport)
                time.sleep(0.2)
                return own(transport)

            def zones() -> int:
                began.wait()
                return len(client.zones())

            client._open = slowly  # type: ignore[method-assign]  # to meet the others there
            with ThreadPoolExecutor(4) as threads:
                answered = [threads.submit(zones) for _ in range(4)]
            return sum(each.result() for each in answered), len(opened)

        assert in_a_fork(ask) == "(4, 1)"


FIRST = """
import os, signal, sys, threading
import gridtide

def ask():
    return len(gridtide.zones())

thread = threading.Thread(target=ask)
thread.start()
while "httpx" not in sys.modules:
    pass
if child := os.fork():
    thread.join()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
signal.alarm(50)
os._exit(70 + ask())
"""


def test_a_fork_while_another_thread_asks_first_answers(address: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FIRST],
        env={**os.environ, "GRIDTIDE_URL": address},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (ended.returncode, ended.stderr) == (71, "")


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
