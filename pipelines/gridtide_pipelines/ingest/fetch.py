"""Retrieve raw responses from publishers: the only module that sends requests to them.

Everything that can go wrong becomes one of the errors in errors.py: nothing a publisher sends
ends more than its own step. Credentials are added below the client and taken out of what comes
back, so that no log line, message, kept address or kept body holds them.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import metadata
from types import TracebackType
from typing import TypeAlias
from urllib.parse import urlencode

import httpx

from gridtide.clock import Clock
from gridtide.errors import BadInput, MissingExtra
from gridtide.http.deadline import Allowance
from gridtide_pipelines.errors import (
    NothingYet,
    SourceChanged,
    SourceRefused,
    SourceUnavailable,
)
from gridtide_pipelines.ingest.access import base_name, base_url, secrets_of
from gridtide_pipelines.ingest.credentials import Keyed, redact
from gridtide_pipelines.ingest.headers import ClockCheck, read_retry_after
from gridtide_pipelines.ingest.limits import (
    DEFAULT,
    Limits,
    Routed,
    TooLarge,
    Unreadable,
    unpack,
)
from gridtide_pipelines.ingest.parsing import says_nothing_yet
from gridtide_pipelines.ingest.source import Request, Response, Source
from gridtide_store.settings import Settings

Fetch: TypeAlias = Callable[[Source, Request], Response]

ATTEMPTS = 5
FIRST_WAIT = 1.0  # seconds, doubled at each try, with up to as much again by chance
# Statuses with which some publishers say that they have no data for the requested time.
NO_DATA = frozenset({400, 404})

log = logging.getLogger(__name__)


class Fetcher:
    """Sends requests to publishers over HTTP, politely; a context manager, and a `Fetch`.

    Tries again on no answer, 408, 429 and 5xx, with growing waits or as long as the publisher
    requests; never longer than `limits` has it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        limits: Limits = DEFAULT,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = Clock(),  # noqa: B008  # it holds no state
        jitter: Callable[[], float] = random.random,
        undated_last: bool = False,
    ) -> None:
        """Prepare the client without opening a connection.

        Args:
            undated_last: whether a publisher whose answers have no Date header gets
                ClockUnknown once, so that others can show first that the clock is ahead.
            environ: what it says of proxies and certificates is obeyed; see
                gridtide.http.proxies.

        Raises:
            BadInput: a base URL among the settings is not an http(s) URL.
        """
        for name, url in settings.base_urls.items():
            if not url.startswith(("http://", "https://")):
                raise BadInput(f"GRIDTIDE_{name.upper()}_URL={url!r} is not an http(s) URL")
        self._settings = settings
        self._sleep, self._monotonic, self._now, self._jitter = sleep, monotonic, now, jitter
        self._limits, self._next = limits, dict[str, float]()
        # At another time (GRIDTIDE_NOW) the answers come from a replay, whose own clock says
        # nothing.
        self._clock = None if settings.now else ClockCheck(now, postpone=undated_last)
        self._allowance = Allowance(monotonic)
        self._client = httpx.Client(
            transport=Keyed(transport or Routed(environ or {}, self._allowance)),
            timeout=httpx.Timeout(limits.silence, connect=limits.connect),
            headers={"User-Agent": _agent(), "Accept-Encoding": "gzip"},
        )

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def __call__(self, source: Source, request: Request) -> Response:
        """Send `request` and return the response: of a success, or `source.readable`.

        Raises:
            SourceUnavailable: no response, 429 or 5xx after all tries; try again later.
            SourceRefused: 401 or 403; look at the credentials or the licence.
            SourceChanged: another status, an encoding not requested, or a body far too large.
            NothingYet: the response says that it has no data yet, or its status does
                (`source.not_published`).
            ClockAhead: this machine's clock is far ahead of the publishers'.
            ClockUnknown: see `undated_last`; try again after the other publishers.
        """
        if source.answer:
            return Response(source.answer(request))
        began = self._monotonic()
        tries = 0
        while True:
            tries += 1
            self._pace(source, request.host)
            try:
                response = self._once(source, request, began + self._limits.seconds)
            except _Again as again:
                wait = again.wait or FIRST_WAIT * 2 ** (tries - 1) * (1 + self._jitter())
                spent = self._monotonic() - began
                if tries == ATTEMPTS or spent + wait > self._limits.seconds:
                    wanted = f" and requests to wait {wait:.0f} s" if again.wait else ""
                    raise SourceUnavailable(
                        source.name,
                        f"{again}{wanted}; gave up after {tries} tries in {spent:.0f} s, "
                        "the next refresh tries again",
                        zone=_only_zone(request),
                    ) from again
                log.debug("%s: %s; again in %.1f s", source.name, again, wait)
                self._sleep(wait)
            else:
                fields = {
                    "source": source.name,
                    "kind": str(request.kind),
                    "zones": len(request.zones),
                    "bytes": len(response.content),
                    "ms": round((self._monotonic() - began) * 1000),
                }
                log.info("retrieved %s%s", source.name, request.path, extra=fields)
                return response

    def _once(self, source: Source, request: Request, deadline: float) -> Response:
        secrets = secrets_of(source, self._settings)
        spec = source.credentials
        known = spec is not None and request.host in spec.hosts
        values = tuple(secrets.get(name, "") for name in spec.variables) if spec else ()
        headers = dict(request.headers)
        if request.method == "POST":
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        self._allowance.renew(deadline=deadline, size=self._limits.body)
        try:
            with self._client.stream(
                request.method,
                base_url(source, request.host, self._settings) + request.path,
                params=list(request.params),
                headers=headers,
                content=urlencode(request.form).encode() if request.form else None,
                extensions={"credentials": (spec.send if spec and known else None, values)},
            ) as answer:
                if self._clock:
                    success = answer.is_success
                    self._clock.judge(source.name, answer.headers, success=success)
                content = redact(self._read(source, answer, deadline), secrets)
        except (BadInput, MissingExtra) as error:
            # Of a proxy or certificates: another try would say the same.
            raise SourceUnavailable(source.name, str(error)) from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            said = _describe(error, secret=bool(secrets))
            raise _Again(f"no answer from {request.path} ({said})") from error
        if answer.status_code == httpx.codes.NO_CONTENT:
            raise NothingYet(source.name, f"HTTP 204 at {request.path}: no content yet")
        if not answer.is_success and answer.status_code not in source.readable:
            raise self._refusal(source, request, answer, content, secret=bool(secrets))
        return Response(
            content,
            answer.status_code,
            {
                name: redact(value.encode(), secrets).decode()
                for name, value in answer.headers.items()
            },
        )

    def _read(self, source: Source, response: httpx.Response, deadline: float) -> bytes:
        parts = bytearray()
        most = min(self._limits.body, source.largest_body)
        short = not response.is_success and response.status_code not in source.readable
        encoding = response.headers.get("Content-Encoding", "")
        # The bytes as they came: httpx itself would unpack as deep as the answer says.
        raw = response.stream
        assert isinstance(raw, httpx.SyncByteStream)  # noqa: S101  # the client is a blocking one
        try:
            for part in unpack(raw, encoding, most=most):
                parts += part
                if short and len(parts) > self._limits.error:
                    break
                if self._monotonic() > deadline:
                    raise _Again(f"only {len(parts)} bytes in {self._limits.seconds:g} s")
        except TooLarge as error:
            remedy = "is the base URL right?"
            raise SourceChanged(source.name, f"{error}; {remedy}") from error
        except Unreadable as error:
            remedy = "look whether something between here and the publisher changes answers"
            raise SourceChanged(source.name, f"the body is {error}; {remedy}") from error
        return bytes(parts)

    def _refusal(
        self,
        source: Source,
        request: Request,
        response: httpx.Response,
        content: bytes,
        *,
        secret: bool,
    ) -> Exception:
        """Return the error for an unsuccessful response, with what the publisher says.

        Not where credentials were sent, as they might be repeated in many spellings.
        """
        status = response.status_code
        text = f"HTTP {status} at {request.path}"
        said = " ".join(content.decode("utf-8", "replace").split())
        if status in source.not_published or (status in NO_DATA and says_nothing_yet(said)):
            return NothingYet(source.name, f"{text}: the publisher has no data for this time")
        if said and not secret:
            text += f" ({said[:200]})"
        if status in (408, 429) or status >= 500:
            header = response.headers.get("Retry-After", "")
            return _Again(text, read_retry_after(header, self._now(), least=FIRST_WAIT))
        if status in (401, 403):
            names = " and ".join(source.credentials.variables) if source.credentials else ""
            remedy = f"check {names or 'the licence and limits'}"
            return SourceRefused(source.name, f"{text}; {remedy}", zone=_only_zone(request))
        remedy = "the address or its meaning has changed, the source needs a look"
        return SourceChanged(source.name, f"{text}; {remedy}", zone=_only_zone(request))

    def _pace(self, source: Source, host: str) -> None:
        """Wait until the least time between two requests to a host has passed."""
        name = base_name(source, host)
        wait = self._next.get(name, 0.0) - self._monotonic()
        if wait > 0:
            self._sleep(wait)
        self._next[name] = self._monotonic() + source.min_interval.total_seconds()


class _Again(Exception):
    """The request may succeed at another try, after `wait` seconds if the publisher says so."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


def _describe(error: Exception, *, secret: bool) -> str:
    """Describe an error, without the publisher's own text where that may repeat a secret.

    An error before the request, at a proxy say, repeats none.
    """
    name = type(error).__name__
    before = httpx.TimeoutException | httpx.ConnectError | httpx.ProxyError
    if secret and not isinstance(error, before):
        return name
    return f"{name}: {error}"


def _only_zone(request: Request) -> str | None:
    return request.zones[0] if len(request.zones) == 1 else None


def _agent() -> str:
    """Return name and version, with the project's address once it has one."""
    about = metadata("gridtide-service")
    urls = [line.partition(", ")[2] for line in about.get_all("Project-URL") or ()]
    return f"gridtide/{about['Version']}" + (f" (+{urls[0]})" if urls else "")
