"""A service in this process: from scripts, threads and running event loops, and its end."""

from __future__ import annotations

import asyncio
import gc
import queue
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridtide import plugins
from gridtide.client import AsyncClient, Client
from gridtide.errors import ApiError, NoData, NoService, ServiceUnavailable
from gridtide.local import AsyncLocalTransport, Host, LocalTransport

GET = httpx.Request("GET", "http://gridtide.local/state")


@pytest.fixture
def installed(service: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:  # noqa: ANN401
    """`service` as if it were installed; gives the environments it was made for."""
    module = type(sys)("gridtide_test_service")
    made: list[Any] = []

    def application(environ: dict[str, str]) -> Any:  # noqa: ANN401
        made.append(environ)
        return service

    module.application = application  # type: ignore[attr-defined]  # added at run time
    monkeypatch.setitem(sys.modules, "gridtide_test_service", module)
    point = EntryPoint("application", "gridtide_test_service:application", plugins.LOCAL)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [point])
    return lambda: made


def test_without_an_address_the_installed_service_answers(
    installed: Callable[[], list[Any]],
    service: Any,  # noqa: ANN401
) -> None:
    environ = {"GRIDTIDE_HOME": "/a/home", "GRIDTIDE_API_KEY": "k", "HOME": "/h", "EDITOR": "e"}
    with Client(environ=environ) as client:
        assert client.best_window("DE", hours=4).zone == "DE"
    assert installed() == [{"GRIDTIDE_API_KEY": "k", "GRIDTIDE_HOME": "/a/home", "HOME": "/h"}]
    assert service.lifespan == ["startup", "shutdown"]
    assert "authorization" not in service.asked[0].headers


def test_the_async_client_uses_the_same_way(
    installed: Callable[[], list[Any]],
    service: Any,  # noqa: ANN401
) -> None:
    async def main() -> str:
        async with AsyncClient(environ={}) as client:
            return (await client.best_window("DE", hours=4)).zone

    assert asyncio.run(main()) == "DE"
    assert service.lifespan == ["startup", "shutdown"]
    assert installed() == [{}]


def test_what_is_unavailable_in_this_process_is_not_asked_again(
    installed: Callable[[], list[Any]],
    service: Any,  # noqa: ANN401
) -> None:
    service.problem("unavailable", 503, "no snapshot; run gridtide refresh")
    with Client(environ={}) as client, pytest.raises(ServiceUnavailable, match="no snapshot"):
        client.zones()
    assert len(service.asked) == 1
    assert len(installed()) == 1


def test_without_a_service_the_error_names_both_ways_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda group: [])
    with pytest.raises(NoService, match=r"set GRIDTIDE_URL .*pip install 'gridtide\[service\]"):
        Client(environ={})


def test_a_blocking_client_answers_inside_a_running_event_loop(
    transport: httpx.BaseTransport,
) -> None:
    async def notebook_cell() -> str:
        assert asyncio.get_running_loop().is_running()
        client = Client("http://service", environ={}, transport=transport)
        return client.best_window("DE", hours=4).zone

    assert asyncio.run(notebook_cell()) == "DE"


def test_many_threads_share_one_client(service: Any, transport: httpx.BaseTransport) -> None:  # noqa: ANN401
    client = Client("http://service", environ={}, transport=transport)
    with ThreadPoolExecutor(8) as pool:
        zones = list(pool.map(lambda _: client.best_window("DE", hours=4).zone, range(40)))
    assert zones == ["DE"] * 40
    assert len(service.asked) == 40


def test_requests_see_the_state_of_the_lifespan_each_a_copy(service: Any) -> None:  # noqa: ANN401
    transport = LocalTransport(Host(service))
    assert transport.handle_request(GET).read() == b'{"greeting": "hello"}'
    transport.close()
    assert service.lifespan == ["startup", "shutdown"]
    transport.close()
    assert service.lifespan == ["startup", "shutdown"]


def test_a_service_without_a_lifespan_answers(service: Any) -> None:  # noqa: ANN401
    async def refuses(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        assert scope["type"] == "http", "no lifespan here"
        await service(scope, receive, send)

    async def ignores(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        if scope["type"] == "http":
            await service(scope, receive, send)

    for app in (refuses, ignores):
        transport = LocalTransport(Host(app))
        assert transport.handle_request(GET).status_code == 200
        transport.close()


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_a_service_that_cannot_start_says_so_and_leaves_no_thread() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no snapshot"})

    async def breaks(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await fails(scope, receive, send)
        raise NoData("nothing is published yet")

    with pytest.raises(ApiError, match="does not start: no snapshot"):
        Host(fails)
    with pytest.raises(NoData, match="nothing is published yet"):
        Host(breaks)
    assert "gridtide-local" not in threads()


def test_an_error_inside_the_service_comes_out_as_it_is(service: Any) -> None:  # noqa: ANN401
    async def bug(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        if scope["type"] == "http":
            raise ZeroDivisionError("a bug")
        await service(scope, receive, send)

    host = Host(bug)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        LocalTransport(host).handle_request(GET)

    async def later() -> None:
        await AsyncLocalTransport(host).handle_async_request(GET)

    with pytest.raises(ZeroDivisionError, match="a bug"):
        asyncio.run(later())
    host.close()


async def never(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
    """An application that takes a request and does not answer."""
    if scope["type"] == "http":
        await asyncio.Event().wait()


def test_no_answer_in_time_is_a_timeout_and_the_request_is_dropped() -> None:
    dropped: queue.SimpleQueue[str] = queue.SimpleQueue()

    async def notices(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        try:
            await never(scope, receive, send)
        finally:
            dropped.put(scope["type"])

    host = Host(notices)
    assert dropped.get(timeout=30) == "lifespan"  # it has none
    soon = httpx.Request("GET", GET.url, extensions={"timeout": {"read": 0.01}})
    with pytest.raises(httpx.ReadTimeout):
        LocalTransport(host).handle_request(soon)
    assert dropped.get(timeout=30) == "http"

    async def later() -> None:
        await AsyncLocalTransport(host).handle_async_request(soon)

    with pytest.raises(httpx.ReadTimeout):
        asyncio.run(later())
    assert dropped.get(timeout=30) == "http"
    host.close()
    assert "gridtide-local" not in threads()


def test_a_cancelled_question_is_dropped_by_the_service_too() -> None:
    arrived, dropped = threading.Event(), threading.Event()

    async def notices(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        arrived.set()
        try:
            await never(scope, receive, send)
        finally:
            dropped.set()

    host = Host(notices)
    arrived.clear()  # The lifespan came and went.
    dropped.clear()

    async def main() -> bool:
        asking = asyncio.ensure_future(AsyncLocalTransport(host).handle_async_request(GET))
        assert await asyncio.to_thread(arrived.wait, 30)
        asking.cancel()
        await asyncio.wait([asking])
        return asking.cancelled()

    assert asyncio.run(main())
    assert dropped.wait(30)
    host.close()


def test_a_host_nobody_holds_stops_by_itself(service: Any) -> None:  # noqa: ANN401
    host = Host(service)
    assert "gridtide-local" in threads()
    del host
    gc.collect()
    assert "gridtide-local" not in threads()
    assert service.lifespan == ["startup", "shutdown"]


def test_a_host_collected_on_its_own_loop_does_not_wait_for_itself(service: Any) -> None:  # noqa: ANN401
    holder: list[Host] = []

    async def lets_go(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        if scope["type"] == "http":
            holder.pop().close()
        await service(scope, receive, send)

    host = Host(lets_go)
    holder.append(host)
    assert host.send(GET).result().status_code == 200
    for thread in threading.enumerate():
        if thread.name == "gridtide-local":
            thread.join()
    assert "gridtide-local" not in threads()


SCRIPT = """
    import os, sys, asyncio, gridtide
    from gridtide.local import Host, LocalTransport
    from gridtide.client import Client

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            print("stopped", os.getpid() == parent, flush=True)
            return await send({"type": "lifespan.shutdown.complete"})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"zones": [], '
            b'"as_of": "2026-03-02T12:00Z", "replay": false}'})

    parent = os.getpid()
    client = Client("http://service", environ={}, transport=LocalTransport(Host(app)))
    print(len(client.zones()), flush=True)
"""


def run(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parent,
    )


def test_a_script_that_closes_nothing_ends_without_a_warning() -> None:
    done = run(SCRIPT, "-X", "dev", "-W", "error")
    assert (done.stdout, done.stderr, done.returncode) == ("0\nstopped True\n", "", 0)


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_a_forked_child_ends_and_leaves_the_parent_s_service_alone() -> None:
    done = run(
        textwrap.dedent(SCRIPT)
        + textwrap.dedent(
            """
            child = os.fork()
            if child == 0:
                sys.exit(0)
            assert os.waitpid(child, 0)[1] == 0
            print(len(client.zones()), flush=True)
            """
        )
    )
    assert (done.stdout, done.returncode) == ("0\n0\nstopped True\n", 0), done.stderr


def test_a_question_of_this_process_comes_from_no_client() -> None:
    seen: list[Any] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        if scope["type"] == "lifespan":
            raise NotImplementedError
        seen.append(scope["client"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    with httpx.Client(transport=LocalTransport(Host(note)), base_url="http://test") as client:
        assert client.get("/").status_code == 200
    assert seen == [None]
