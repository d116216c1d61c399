"""A newer service adds fields at every level; SDK, awaited SDK and shell read it as before.

The real application answers; on the way each object of its JSON gets members that no version
of today knows.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import threading
from collections.abc import Callable, Iterator, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from gridtide.cli.script import main
from gridtide.client import AsyncClient, Client
from gridtide.errors import GridtideError
from gridtide.local import AsyncLocalTransport, Host, LocalTransport
from gridtide.planning import Cap, CostSeries, Elastic, Goal, Job, Progress, Recurring
from gridtide.schema.plans import JobRequest
from gridtide_store.data_directory import DataDirectory
from tests.server.published import HOUR, NOW, Asker, FixedClock
from tests.server.test_openapi import GETS, POSTS

Message = MutableMapping[str, Any]
NEW = {
    "added_text": "x",
    "added_number": 1e300,
    "added_null": None,
    "added_list": [{"start": 5}, None],
    "added_object": {"zone": 5, "code": "x", "status": []},
}


def newer(value: Any) -> Any:  # noqa: ANN401  # JSON
    """`value` with new members in every object."""
    if isinstance(value, dict):
        return {**NEW, **{name: newer(each) for name, each in value.items()}}
    return [newer(each) for each in value] if isinstance(value, list) else value


class Newer:
    """An application whose JSON has new members everywhere, and old ones in another order."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401
        self._app = app
        self.paths: set[str] = set()

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:  # noqa: ANN401
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.paths.add(scope["path"])
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._app(scope, receive, keep)
        start, *parts = kept
        body = b"".join(part.get("body", b"") for part in parts)
        changed = json.dumps(newer(json.loads(body))).encode()
        headers = [(name, value) for name, value in start["headers"] if b"length" not in name]
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": changed})


@pytest.fixture(scope="module")
def apps(home: DataDirectory) -> Iterator[tuple[Any, Newer]]:
    """The application of today, and the newer one."""
    with Asker(home, FixedClock(NOW)) as ask:
        yield ask.app, Newer(ask.app)


TWO = Job(timedelta(hours=2), power=1.5)
PIECES = Job(timedelta(hours=2), "segments", power=1.0, min_segment=HOUR / 2, max_segments=3)
ROWS = [(NOW - 3 * HOUR, NOW - HOUR, 2.0)]
COSTS = CostSeries.regular("EUR/kWh", NOW, HOUR, [0.1] * 24)
RUN = {"kind": "best_window", "region": "DE", "hours": 2}
QUESTIONS: list[dict[str, Any]] = [
    RUN,
    {"kind": "best_region", "regions": ["DE", "AT", "FR"], "hours": 2},
    {"kind": "plan", "job": {"hours": 2}, "regions": ["DE", "PL"]},
    {"kind": "footprint", "hours": 2, "power_kw": 1, "g_per_kwh": 100},
    {"kind": "best_window", "region": "XX", "hours": 2},
    {"kind": "nonsense"},
]
Ask = Callable[[Any], Any]
ASKS: dict[str, Ask] = {
    "zones": lambda c: c.zones(),
    "every zone": lambda c: c.zones(every=True),
    "sources": lambda c: c.sources(),
    "quality": lambda c: c.quality("DE"),
    "now": lambda c: c.intensity("FR"),
    "range": lambda c: c.intensity("DE", start=NOW - 9 * HOUR),
    "forecast": lambda c: c.forecast("BE"),
    "window": lambda c: c.best_window("DE", 2),
    "region": lambda c: c.best_region(["DE", "AT", "FR", "BE"], 6),
    "plan": lambda c: c.plan(TWO, ["DE", "PL"]),
    "plan in pieces": lambda c: c.plan(PIECES, "DE"),
    "elastic plan": lambda c: c.plan(
        Job(4 * HOUR, "elastic", power=1, workers=Elastic(2)), "DE"
    ),
    "plan by cost": lambda c: c.plan(TWO, "DE", goal=Goal("cost", costs=COSTS)),
    "recurring": lambda c: c.plan(
        TWO, "DE", recurring=Recurring("0 20 * * *", zone="UTC", slack=timedelta(hours=4))
    ),
    "replan": lambda c: c.replan(c.plan(TWO, "DE"), Progress(at=NOW)),
    "schedule": lambda c: c.schedule(
        [JobRequest(TWO, "DE"), JobRequest(TWO, ["DE", "FR", "AT"])], {"DE": Cap(jobs=1)}
    ),
    "footprint": lambda c: c.footprint(ROWS, region="DE", clean=ROWS, embodied_g=1, per=2),
    "reckoned": lambda c: c.footprint(hours=2, power_kw=1, g_per_kwh=300),
    "batch": lambda c: c.batch(QUESTIONS).answers,
    "unknown region": lambda c: c.forecast("Germny"),
    "no data": lambda c: c.forecast("PL"),
    "no price": lambda c: c.price("DE"),
    "stale": lambda c: c.intensity("ES", max_age=1),
    "no window": lambda c: c.best_window("DE", 90),
    "no common signal": lambda c: c.best_region(["ES", "GB"], 2),
    "bad input": lambda c: c.best_window("DE", 2, deadline=NOW - HOUR),
    "bad body": lambda c: c.plan(TWO, "DE", as_of=NOW + 9 * HOUR),
}


REFUSED = {"unknown region", "no data", "no price", "stale", "no window", "no common signal"}
REFUSED |= {"bad input", "bad body"}


def plain(value: Any) -> Any:  # noqa: ANN401
    """An answer or an error as it can be compared."""
    if isinstance(value, GridtideError):
        extra = {name: each for name, each in value.extra.items() if name not in NEW}
        return type(value), str(value), plain(strip(extra))
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value


def strip(value: Any) -> Any:  # noqa: ANN401
    """JSON without the new members."""
    if isinstance(value, dict):
        return {name: strip(each) for name, each in value.items() if name not in NEW}
    return [strip(each) for each in value] if isinstance(value, list) else value


def answer(app: Any, ask: Ask) -> Any:  # noqa: ANN401
    """What a `Client` of an application gets."""
    transport = LocalTransport(Host(app))
    with Client(
        "http://gridtide.example", environ={}, transport=transport, retries=0
    ) as client:
        try:
            return plain(ask(client))
        except GridtideError as error:
            return plain(error)


def later(app: Any, ask: Ask) -> Any:  # noqa: ANN401
    """What an `AsyncClient` of an application gets."""

    async def whole() -> Any:  # noqa: ANN401
        transport = AsyncLocalTransport(Host(app))
        async with AsyncClient(
            "http://gridtide.example", environ={}, transport=transport, retries=0
        ) as client:
            try:
                return plain(await ask(client))
            except GridtideError as error:
                return plain(error)

    return asyncio.run(whole())


@pytest.mark.parametrize("name", ASKS)
def test_new_members_change_no_answer(apps: tuple[Any, Newer], name: str) -> None:
    today, new = apps
    expected = answer(today, ASKS[name])
    assert isinstance(expected, tuple) is (name in REFUSED)
    assert answer(new, ASKS[name]) == expected
    if name not in ("replan", "batch"):  # what they await has to be awaited first
        assert later(new, ASKS[name]) == expected


def test_new_members_change_no_answer_that_follows_another(apps: tuple[Any, Newer]) -> None:
    _, new = apps

    async def replanned(client: AsyncClient) -> Any:  # noqa: ANN401
        return await client.replan(await client.plan(TWO, "DE"), Progress(at=NOW))

    async def batched(client: AsyncClient) -> Any:  # noqa: ANN401
        return (await client.batch(QUESTIONS)).answers

    assert later(new, replanned) == answer(new, ASKS["replan"])
    assert later(new, batched) == answer(new, ASKS["batch"])


def test_every_route_of_v1_was_among_them(apps: tuple[Any, Newer]) -> None:
    _, new = apps
    for ask in ASKS.values():
        answer(new, ask)
    called = {
        path.replace("/DE/", "/{zone}/").replace("/BE/", "/{zone}/") for path in new.paths
    }
    assert {path for path in (GETS | POSTS) if path.startswith("/v1")} <= called


def test_what_a_newer_service_planned_can_be_planned_again(apps: tuple[Any, Newer]) -> None:
    today, _ = apps
    with Client(
        "http://a.example", environ={}, transport=LocalTransport(Host(today))
    ) as client:
        plan = client.plan(PIECES, "DE")
        wire = newer(plan.to_json(with_request=False))
        again = dataclasses.replace(type(plan).from_json(wire), request=plan.request)
        assert again == plan
        moved = Progress(at=NOW)
        assert client.replan(again, moved) == client.replan(plan, moved)


@pytest.fixture(scope="module")
def addresses(apps: tuple[Any, Newer]) -> Iterator[list[str]]:
    """Both on sockets of loopback."""
    found, servers, threads = [], [], []
    for app in apps:
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", loop="asyncio"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        found.append(f"http://127.0.0.1:{listening.getsockname()[1]}")
        servers.append(server)
        threads.append(thread)
    yield found
    for server, thread in zip(servers, threads, strict=True):
        server.should_exit = True
        thread.join()


WORDS = [
    ["zones"],
    ["zones", "--all"],
    ["now", "DE", "FR", "XX"],
    ["now", "FR"],
    ["now", "ES", "--max-age", "1"],
    ["best-window", "DE", "--hours", "2"],
    ["best-region", "DE", "FR", "AT", "--hours", "6"],
    ["best-region", "ES", "GB", "--hours", "2"],
    ["plan", "DE", "PL", "--hours", "2", "--power", "1.5"],
    ["plan", "DE", "--hours", "4", "--kind", "elastic", "--chips", "2"],
    ["plan", "DE", "--hours", "99"],
    ["replan", "PLAN", "--at", "2026-03-02T12:00Z"],
    ["schedule", "SCHEDULE"],
    ["footprint", "DE", "--rows", "ROWS"],
    ["batch", "BATCH"],
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_the_shell_prints_the_same(
    addresses: list[str], words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    today, new = addresses
    (tmp_path / "ROWS").write_text("start,end,kwh\n2026-03-02T10:00Z,2026-03-02T11:00Z,3\n")
    jobs = {"jobs": [{"job": {"hours": 2}, "region": "DE"}], "caps": {"DE": {"jobs": 1}}}
    (tmp_path / "SCHEDULE").write_text(json.dumps(jobs))
    (tmp_path / "BATCH").write_text(json.dumps(QUESTIONS))
    assert main(["plan", "DE", "--hours", "3", "--json", "--url", new], {}) == 0
    (tmp_path / "PLAN").write_text(capsys.readouterr().out)
    question = [str(tmp_path / word) if (tmp_path / word).exists() else word for word in words]
    reply = []
    for address in (today, new):
        code = main([*question, "--url", address], {})
        said = capsys.readouterr()
        assert main([*question, "--json", "--url", address], {}) == code
        document = capsys.readouterr()
        reply.append(
            (
                code,
                said.out,
                said.err,
                strip(json.loads(document.out)) if document.out else None,
                strip(json.loads(document.err)) if document.err else None,
            )
        )
    assert reply[0] == reply[1]
    assert reply[0][1] or reply[0][2]
