"""The calls of both clients, and the service over a network."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import pydoc
import socket
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import gridtide
from gridtide import calls
from gridtide.client import AsyncClient, Client
from gridtide.errors import (
    BadInput,
    ServiceUnavailable,
)
from tests.sdk.conftest import Pauses
from tests.sdk.test_client import URL

CALLS = [
    name
    for name, call in vars(calls).items()
    if inspect.isfunction(call)
    and call.__module__ == calls.__name__
    and name in gridtide.__all__
]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_one_signature_and_docstring_in_both_clients_and_as_a_function(
    name: str,
) -> None:
    table = inspect.signature(getattr(calls, name))
    ours, theirs = getattr(Client, name), getattr(AsyncClient, name)
    bound, function = getattr(Client(URL, environ={}), name), getattr(gridtide, name)
    for each in (ours, theirs, bound, function):
        own = inspect.signature(each)
        first = [] if each in (bound, function) else ["self"]
        assert list(own.parameters) == [*first, *table.parameters]
        assert f"Call[{own.return_annotation}]" == table.return_annotation
        assert inspect.getdoc(each) == inspect.getdoc(getattr(calls, name))
        assert (each.__name__, inspect.iscoroutinefunction(each)) == (name, each is theirs)


def test_the_table_has_every_call() -> None:
    assert {"zones", "intensity", "forecast", "best_window", "best_region"} < set(CALLS)
    assert {"plan", "replan", "schedule", "footprint", "batch"} < set(CALLS)
    for client in (Client, AsyncClient):
        others = {"send", "close" if client is Client else "aclose"}
        assert {name for name in vars(client) if not name.startswith("_")} == {*CALLS, *others}


def test_help_shows_the_arguments_and_what_a_call_returns() -> None:
    shown = pydoc.render_doc(Client, renderer=pydoc.plaintext)
    assert " best_window(self, /, region: 'Region', hours: 'Length', *, " in shown
    assert "Find the cleanest unbroken `hours`" in shown
    alone = pydoc.render_doc(gridtide.best_window, renderer=pydoc.plaintext)
    assert "'BestWindow'" in alone
    assert "region: 'Region'" in alone
    assert "in module gridtide.shortcuts" in alone
    assert pickle.loads(pickle.dumps(gridtide.best_window)) is gridtide.best_window  # noqa: S301


def test_the_two_clients_are_made_alike() -> None:
    ours = inspect.signature(Client).parameters
    theirs = inspect.signature(AsyncClient).parameters
    assert list(ours) == list(theirs)
    differ = {name for name in ours if ours[name] != theirs[name]}
    assert differ == {"transport", "pause"}  # which are blocking here and awaited there


@pytest.mark.parametrize(
    "kwargs",
    [
        {"timeout": 0},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": True},
        {"timeout": "30"},
        {"timeout": None},
        {"retries": -1},
        {"retries": 1.5},
        {"retries": True},
    ],
)
def test_an_impossible_patience_is_refused(kwargs: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=f"{next(iter(kwargs))} (is )?.*give"):
        Client(URL, environ={}, **kwargs)


@pytest.mark.parametrize("timeout", [1e8, 1e10, 1e300, 10**300])
def test_a_time_limit_of_any_length_is_taken(timeout: float, address: str) -> None:
    with Client(address, environ={}, timeout=timeout) as client:
        assert len(client.zones()) == 1

    async def later() -> int:
        async with AsyncClient(address, environ={}, timeout=timeout) as client:
            return len(await client.zones())

    assert asyncio.run(later()) == 1


def test_a_service_over_the_network_answers_and_gets_the_key(
    address: str,
    service: Any,  # noqa: ANN401
    said: SimpleNamespace,
) -> None:
    environ = {"GRIDTIDE_URL": f"{address}/", "GRIDTIDE_API_KEY": "from the environment"}
    with Client(environ=environ) as client:
        assert client.best_window("DE", hours=4).to_json() == said.best_window

    async def later() -> object:
        async with AsyncClient(address, api_key="given", environ=environ) as client:
            return (await client.best_window("DE", hours=4)).to_json()

    assert asyncio.run(later()) == said.best_window
    assert [asked.headers["authorization"] for asked in service.asked] == [
        "Bearer from the environment",
        "Bearer given",
    ]
    assert service.asked[0].path == "/v1/best-window"


def test_nobody_at_the_address_is_unavailable_after_the_retries(pauses: Pauses) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with (
        Client(f"http://127.0.0.1:{port}", pause=pauses, clock=pauses.clock, environ={}) as one,
        pytest.raises(ServiceUnavailable, match=f"127.0.0.1:{port} did not answer .*running"),
    ):
        one.zones()
    assert len(pauses.taken) == 3

    async def later() -> None:
        async with AsyncClient(f"http://127.0.0.1:{port}", retries=0, environ={}) as client:
            await client.zones()

    with pytest.raises(ServiceUnavailable, match="did not answer"):
        asyncio.run(later())


def test_a_connection_that_is_lost_is_tried_again(
    service: Any,  # noqa: ANN401
    transport: httpx.BaseTransport,
    pauses: Pauses,
) -> None:
    class Lost(httpx.BaseTransport):
        times = 2

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if self.times:
                self.times -= 1
                raise httpx.RemoteProtocolError("Server disconnected", request=request)
            return transport.handle_request(request)

    with Client(URL, transport=Lost(), pause=pauses, clock=pauses.clock, environ={}) as client:
        assert len(client.zones()) == 1
    assert len(pauses.taken) == 2
    assert len(service.asked) == 1


@pytest.mark.parametrize("url", ["localhost:8000", "//host", "ftp://host", "host"])
def test_an_address_without_http_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="does not start with http:// or https://"):
        Client(url, environ={})
