"""A small service of the tests' own: a real ASGI application with answers written here."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from copy import deepcopy
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import uvicorn

from gridtide.local import AsyncLocalTransport, Host, LocalTransport

Message = MutableMapping[str, Any]
Json = dict[str, Any]

PLACE: Json = {
    "region": "DE",
    "zone": "DE",
    "zone_name": "Germany",
    "resolved_by": "zone key",
    "certainty": "exact",
    "meaning": None,
}
ANSWER: Json = {
    **PLACE,
    "signal": "ci_lifecycle_consumed",
    "unit": "gCO2e/kWh",
    "simulated": False,
    "source": "a_source, b_source",
    "licence": "CC-BY-4.0",
    "data_age_seconds": 2100.0,
    "estimates": [],
    "as_of": "2026-03-02T12:00:00Z",
    "replay": False,
}
BEST_WINDOW: Json = {
    **ANSWER,
    "start": "2026-03-02T14:00:00Z",
    "end": "2026-03-02T18:00:00Z",
    "hours": 4.0,
    "mean": 300.0,
    "mean_now": 400.0,
    "saving": 0.25,
    "quality": "forecast",
    "model": "weekly@1",
    "issued_at": "2026-03-02T11:30:00Z",
    "objective": "carbon",
    "carbon_price": None,
    "price": None,
}
FORECAST: Json = {
    **ANSWER,
    "quality": "forecast",
    "model": "weekly@1",
    "issued_at": "2026-03-02T11:30:00Z",
    "known_at": "2026-03-02T11:31:00Z",
    "slots": [
        {
            "start": "2026-03-02T12:00:00Z",
            "end": "2026-03-02T13:00:00Z",
            "p10": 380.0,
            "p50": 400.0,
            "p90": 420.5,
        },
        {
            "start": "2026-03-02T13:00:00Z",
            "end": "2026-03-02T14:00:00Z",
            "p10": None,
            "p50": 300.0,
            "p90": None,
        },
    ],
}
INTENSITY: Json = {
    **ANSWER,
    "stale": False,
    "aggregate": None,
    "slots": [
        {
            "start": "2026-03-02T11:00:00Z",
            "end": "2026-03-02T11:30:00Z",
            "value": 410.25,
            "quality": "measured",
            "known_at": "2026-03-02T11:40:00Z",
            "source": "a_source",
        }
    ],
}
ZONES: Json = {
    "zones": [
        {
            "zone": "DE",
            "name": "Germany",
            "country": "DE",
            "timezone": "Europe/Berlin",
            "lat": 51.0,
            "lon": 10.0,
            "kind": "bidding zone",
            "aliases": ["DE-LU"],
            "signals": ["ci_lifecycle_consumed", "cfe_produced"],
            "default_signal": "ci_lifecycle_consumed",
            "newest_slot_end": "2026-03-02T11:30:00Z",
            "data_age_seconds": 1800.0,
            "forecast": {
                "model": "weekly@1",
                "issued_at": "2026-03-02T11:30:00Z",
                "end": "2026-03-05T11:00:00Z",
            },
            "simulated": False,
            "source": "a_source",
            "licence": "CC-BY-4.0",
            "prices": ["price_eur"],
        }
    ],
    "as_of": "2026-03-02T12:00:00Z",
    "replay": False,
}
BEST_REGION: Json = {
    **BEST_WINDOW,
    "ranking": [
        BEST_WINDOW,
        {
            **BEST_WINDOW,
            "region": "aws:us-east-1",
            "zone": "US-PJM",
            "zone_name": "PJM",
            "resolved_by": "cloud region",
            "certainty": "inside",
            "meaning": "Frankfurt",
            "mean": 350.0,
            "mean_now": None,
            "saving": None,
        },
        {
            "region": "FR",
            "zone": "FR",
            "zone_name": "France",
            "resolved_by": "zone key",
            "certainty": "exact",
            "meaning": None,
            "hours": 4.0,
            "signal": "ci_lifecycle_consumed",
            "unit": "gCO2e/kWh",
            "window": None,
            "reason": "FR: no unbroken run of 4 h",
        },
    ],
}
PLAN: Json = {
    **PLACE,
    "start": "2026-03-02T15:00:00Z",
    "end": "2026-03-02T18:00:00Z",
    "slots": [
        {
            "start": f"2026-03-02T{start}:00:00Z",
            "end": f"2026-03-02T{end}:00:00Z",
            "power_kw": 2.5,
            "region": "DE",
            "workers": None,
        }
        for start, end in ((15, 16), (17, 18))
    ],
    "segments": 2,
    "signal": "ci_lifecycle_consumed",
    "unit": "gCO2e/kWh",
    "kwh": 5.0,
    "grams": 1500.0,
    "cost": None,
    "cost_unit": None,
    "mean": 300.0,
    "saving_now": 0.25,
    "saving_median": 0.125,
    "saving_worst": 0.5,
    "interval": {"low": 1400.0, "high": 1600.5},
    "alternatives": [
        {
            "what": "run at once",
            "region": "DE",
            "start": "2026-03-02T12:00:00Z",
            "end": "2026-03-02T14:00:00Z",
            "kwh": 5.0,
            "grams": 2000.0,
            "mean": 400.0,
            "saving_now": 0.0,
        }
    ],
    "reason": {"code": "best", "sentence": "Run in DE."},
    "what_would_change": "A later deadline.",
    "left_out": [{"region": "FR", "reason": "no forecast"}],
    "prices": [],
    "issued_at": "2026-03-02T11:30:00Z",
    "model": "weekly@1",
    "quality": "forecast",
    "simulated": False,
    "source": "a_source",
    "licence": "CC-BY-4.0",
    "data_age_seconds": 2100.0,
    "estimates": [],
    "as_of": "2026-03-02T12:00:00Z",
    "replay": False,
}
ROUTES = {
    "/v1/plan": PLAN,
    "/v1/replan": PLAN,
    "/v1/zones": ZONES,
    "/v1/zones/DE/intensity": INTENSITY,
    "/v1/zones/DE/forecast": FORECAST,
    "/v1/best-window": BEST_WINDOW,
    "/v1/best-region": BEST_REGION,
}


@dataclass
class Reply:
    """One scripted answer."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    params: list[tuple[str, str]]
    headers: dict[str, str]
    method: str
    body: Any


class Service:
    """Answers by `ROUTES`, after the scripted replies; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: list[Reply] = []
        self.lifespan: list[str] = []

    def reply(self, status: int, body: object, **headers: str) -> None:
        """Script one answer: JSON, or the bytes as they are."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.append(Reply(status, body, named))

    def problem(self, code: str, status: int, detail: str, **extra: object) -> None:
        """Script one RFC 9457 problem."""
        self.reply(status, problem(code, status, detail, **extra))

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["greeting"] = "hello"
            for phase in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{phase}"
                self.lifespan.append(phase)
                await send({"type": f"lifespan.{phase}.complete"})
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        self.asked.append(
            Asked(
                scope["raw_path"].decode(),
                parse_qsl(scope["query_string"].decode()),
                {name.decode(): value.decode() for name, value in scope["headers"]},
                scope["method"],
                json.loads(body) if body else None,
            )
        )
        if self.script:
            reply = self.script.pop(0)
        elif scope["path"] == "/state":
            reply = Reply(200, scope["state"], {})
        elif scope["path"] in ROUTES:
            reply = Reply(200, ROUTES[scope["path"]], {})
        else:
            reply = Reply(404, problem("not_found", 404, f"no {scope['path']} here"), {})
        said = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = [(k.encode(), v.encode()) for k, v in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": said})


def problem(code: str, status: int, detail: str, **extra: object) -> Json:
    """An RFC 9457 problem."""
    return {
        "type": f"urn:gridtide:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": detail,
        "code": code,
        **extra,
    }


@pytest.fixture
def said() -> SimpleNamespace:
    """What the service says, as JSON values."""
    return SimpleNamespace(
        zones=deepcopy(ZONES),
        intensity=deepcopy(INTENSITY),
        forecast=deepcopy(FORECAST),
        best_window=deepcopy(BEST_WINDOW),
        best_region=deepcopy(BEST_REGION),
        plan=deepcopy(PLAN),
    )


@pytest.fixture
def service() -> Service:
    """A service nobody has asked anything yet."""
    return Service()


@pytest.fixture
def transport(service: Service) -> Iterator[httpx.BaseTransport]:
    """The way to `service` for a `Client`."""
    transport = LocalTransport(Host(service))
    yield transport
    transport.close()


@pytest.fixture
def async_transport(service: Service) -> Iterator[httpx.AsyncBaseTransport]:
    """The way to `service` for an `AsyncClient`."""
    host = Host(service)
    yield AsyncLocalTransport(host)
    host.close()


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    """`service` on a real socket of loopback."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(service, log_config=None, lifespan="off", ws="none", loop="asyncio")
    )
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


class Pauses:
    """Takes pauses without taking time; the clock goes on by them."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)

    async def wait(self, seconds: float) -> None:
        self(seconds)

    def clock(self) -> float:
        return sum(self.taken)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()
