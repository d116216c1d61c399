"""The replay server: recorded responses, simulated ones for the rest, faults, and counts.

Each source is below a path of its own, ``/<source>``, each further host of it below
``/<source>.<host>``, so that settings can point gridtide at them. A server that simulates marks
all its responses as simulated, also recorded ones: both go into one data directory.

Three paths control the server: ``/_replay/counts`` (GET, DELETE), ``/_replay/faults`` and
``/_replay/now`` (GET, PUT).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gridtide.clock import Clock
from gridtide.errors import BadInput
from gridtide.model import format_time, parse_time
from gridtide_pipelines.ingest.headers import REPLAYED, SIMULATED
from gridtide_pipelines.ingest.source import Request, Source
from gridtide_pipelines.replay.faults import (
    Answers,
    Fault,
    Reply,
    Sending,
    read_fault,
    send_whole,
)
from gridtide_pipelines.replay.publisher import Publisher, simulate_nothing
from gridtide_pipelines.replay.publishers import publishers
from gridtide_pipelines.replay.recording import Recording, parse, secret_parameters

CONTROL: Final = "/_replay"
UNKNOWN: Final = "unknown"  # kind of a request whose publisher has no module here
MOST_MISSING: Final = 1000  # requests that are listed
MOST_SHOWN: Final = 300  # characters of an address in a message
METHODS: Final = ["GET", "POST"]


@dataclass(slots=True)
class Count:
    """Requests of one kind of one source, the bytes sent for them, and requests by zone."""

    requests: int = 0
    bytes: int = 0
    zones: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)


class ReplayServer:
    """What is replayed, how it is spoiled, and what was requested; `application` serves it."""

    def __init__(
        self,
        recording: Recording | None,
        sources: Mapping[str, Source],
        *,
        simulate: bool = False,
        faults: Sequence[Fault] = (),
        clock: Clock = Clock(),  # noqa: B008  # it holds no state
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare the responses.

        Args:
            recording: None where nothing is recorded.
            sources: those that are played, by name.
            simulate: whether a request that is not recorded has a simulated response.
            clock: the time of the replay. Where it is another one, later recordings are not
                sent; simulated observations are of slots that are over then.
            say: takes a line about each request without a response.
        """
        self._recording, self._sources = recording, sources
        self._publishers: Mapping[str, Publisher] = publishers(sources)
        self._secret = secret_parameters(sources)
        self._simulate, self._say = simulate, say
        self.clock, self.faults = clock, tuple(faults)
        self._counts: dict[str, dict[str, Count]] = {}
        self._missing: list[dict[str, str]] = []

    def application(self) -> ASGIApp:
        """Return the application that serves the responses and the control paths."""
        return Starlette(
            routes=[
                Route(f"{CONTROL}/counts", self._show_counts, methods=["GET"]),
                Route(f"{CONTROL}/counts", self._forget_counts, methods=["DELETE"]),
                Route(f"{CONTROL}/faults", self._show_faults, methods=["GET"]),
                Route(f"{CONTROL}/faults", self._set_faults, methods=["PUT"]),
                Route(f"{CONTROL}/now", self._show_now, methods=["GET"]),
                Route(f"{CONTROL}/now", self._set_now, methods=["PUT"]),
                Route("/{name}{path:path}", self._play, methods=METHODS),
            ]
        )

    def counts(self) -> dict[str, Any]:
        """Return what was requested since the start, or since the counts were deleted."""
        return {
            "sources": {
                source: {
                    kind: {
                        "requests": count.requests,
                        "bytes": count.bytes,
                        "zones": dict(sorted(count.zones.items())),
                        "statuses": dict(sorted(count.statuses.items())),
                    }
                    for kind, count in sorted(kinds.items())
                }
                for source, kinds in sorted(self._counts.items())
            },
            "missing": list(self._missing),
        }

    async def _play(self, http: HttpRequest) -> Response:
        name, _, host = http.path_params["name"].partition(".")
        if name not in self._sources:
            known = ", ".join(sorted(self._sources))
            return _text(404, f"unknown source {name!r}; must be one of {known}")
        path = "/" + http.path_params["path"].removeprefix("/")
        form = parse((await http.body()).decode("utf-8", "replace"))
        query = (*parse(http.url.query), *form)
        part = http.headers.get("Range", "")
        headers = (("Range", part),) if part else ()
        received = Request(http.method, path, query, host=host, headers=headers)
        request, kind = self._describe(name, received)
        fault = next((each for each in self.faults if each.concerns(name, request.zones)), None)
        left_out = _zone_left_out(fault, request)
        reply, simulated = await run_in_threadpool(self._answer, name, request, left_out)
        sending = send_whole(reply)
        if fault and not (left_out and simulated):
            publisher = self._publishers[name]
            answers = Answers(
                f"{http.url.path}?{http.url.query}",
                reply,
                publisher.no_data,
                publisher.refusal,
            )
            sending = fault.send(answers)
        marks = {REPLAYED: "1"} | ({SIMULATED: "1"} if self._simulate else {})
        sending = replace(sending, headers={**marks, **sending.headers})
        return Played(sending, self._count(name, kind, request, sending))

    def _describe(self, name: str, request: Request) -> tuple[Request, str]:
        """Return the request with its kind and zones, and the name of the kind for counts."""
        kind, zones = self._publishers[name].describe(request)
        named = replace(request, kind=kind or request.kind, zones=tuple(dict.fromkeys(zones)))
        return named, str(kind or UNKNOWN)

    def _answer(self, name: str, request: Request, left_out: str | None) -> tuple[Reply, bool]:
        """Return the recorded response, else a simulated one, else 404; whether simulated."""
        line = self._recording and self._recording.find(name, request, self.clock.fixed)
        if line:
            headers = {SIMULATED: "1"} if line.simulated else {}
            content_type = line.content_type or "application/octet-stream"
            return Reply(line.file.read_bytes(), line.status, content_type, headers), False
        if self._simulate:
            without = frozenset({left_out} if left_out else ())
            if reply := self._publishers[name].simulate(request, without, self.clock()):
                return reply, True
        return self._refuse(name, request), False

    def _refuse(self, name: str, request: Request) -> Reply:
        query = urlencode([each for each in request.params if each[0] not in self._secret])
        url = f"{request.path}?{query}" if query else request.path
        reasons = [self._recording.nearest(request)] if self._recording else []
        reasons += ["this request cannot be simulated"] if self._simulate else []
        said = "; ".join(
            [f"not recorded: {name} {request.method} {url[:MOST_SHOWN]}", *reasons]
        )
        self._say(said)
        if len(self._missing) < MOST_MISSING:
            self._missing.append({"source": name, "method": request.method, "url": url})
        if not self._plays(name):
            # A refresh of all sources goes on without those of which there is nothing here.
            said = f"no data: nothing of the source {name} is recorded or simulated"
        return Reply(said.encode(), 404, "text/plain")

    def _plays(self, name: str) -> bool:
        """Return whether there is any response of a source."""
        simulated = self._publishers[name].simulate is not simulate_nothing
        recorded = self._recording is not None and self._recording.holds(name)
        return recorded or (self._simulate and simulated)

    def _count(self, name: str, kind: str, request: Request, sending: Sending) -> Count:
        count = self._counts.setdefault(name, {}).setdefault(kind, Count())
        count.requests += 1
        status = str(sending.status)
        count.statuses[status] = count.statuses.get(status, 0) + 1
        for zone in request.zones:
            count.zones[zone] = count.zones.get(zone, 0) + 1
        return count

    async def _show_counts(self, _: HttpRequest) -> Response:
        return JSONResponse(self.counts())

    async def _forget_counts(self, _: HttpRequest) -> Response:
        self._counts.clear()
        self._missing.clear()
        return Response(status_code=204)

    async def _show_faults(self, _: HttpRequest) -> Response:
        return JSONResponse([str(fault) for fault in self.faults])

    async def _show_now(self, _: HttpRequest) -> Response:
        return JSONResponse(format_time(self.clock()))

    async def _set_now(self, http: HttpRequest) -> Response:
        try:
            text = json.loads(await http.body())
            self.clock = Clock(None if text is None else parse_time(text, name="now"))
        except (ValueError, BadInput) as error:
            return _text(400, str(error))
        return await self._show_now(http)

    async def _set_faults(self, http: HttpRequest) -> Response:
        try:
            texts = json.loads(await http.body())
            if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
                return _text(400, 'faults: send a JSON list, e.g. ["entsoe:DE=hang"]')
            self.faults = tuple(read_fault(text, self._sources) for text in texts)
        except (ValueError, BadInput) as error:
            return _text(400, str(error))
        return await self._show_faults(http)


def _zone_left_out(fault: Fault | None, request: Request) -> str | None:
    """Return the zone without data in a request for several, whose others have their data."""
    if fault and fault.kind == "no-data" and fault.number is None and len(request.zones) > 1:
        return fault.zone
    return None


def _text(status: int, text: str) -> Response:
    return Response(text, status, media_type="text/plain")


class Played(Response):
    """A response sent in parts with pauses, as long as the client is there to receive it."""

    def __init__(self, sending: Sending, count: Count) -> None:
        self._sending, self._count = sending, count
        self.background = None
        self.status_code = sending.status
        headers = dict(sending.headers)
        if sending.length is not None:
            headers["Content-Length"] = str(sending.length)
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Where bytes are missing at the end the server closes the connection."""
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            if await _wait(gone, self._sending.delay):
                return
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            left = self._sending.length
            for part in self._sending.parts:
                if isinstance(part, float):
                    if await _wait(gone, part):
                        return
                    continue
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": part, "more_body": True})
                self._count.bytes += len(part)
                left = None if left is None else left - len(part)
            if left == 0:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()


async def _until_gone(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait(gone: asyncio.Future[None], seconds: float) -> bool:
    """Wait, and return whether the client has gone meanwhile."""
    if seconds > 0:
        await asyncio.wait({gone}, timeout=seconds)
    return gone.done()
