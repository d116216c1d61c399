"""Retrieve raw responses from publishers: the only module that sends requests to them.

Everything that can go wrong becomes one of the errors in errors.py: nothing a publisher sends
ends more than its own step. Credentials are added below the client and taken out of what comes
back, so that no log line, message, kept address or kept body holds them.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import TypeAlias
from urllib.parse import urlencode

import httpx

from gridtide.clock import Clock
from gridtide.errors import BadInput, MissingExtra
from gridtide.http.deadline import Allowance
from gridtide_pipelines.errors import (
    HostUnreached,
    NothingYet,
    SourceChanged,
    SourceUnavailable,
)
from gridtide_pipelines.ingest.access import secrets_of, url_of
from gridtide_pipelines.ingest.credentials import (
    FORM,
    Keyed,
    Sent,
    Token,
    read_token,
    redact_response,
)
from gridtide_pipelines.ingest.headers import (
    REPLAYED,
    ClockCheck,
    read_retry_after,
    user_agent,
)
from gridtide_pipelines.ingest.kept_responses import KeptResponses
from gridtide_pipelines.ingest.large import write_large
from gridtide_pipelines.ingest.limits import (
    DEFAULT,
    Limits,
    Routed,
    TooLarge,
    Unreadable,
    unpack,
)
from gridtide_pipelines.ingest.pace import Pace
from gridtide_pipelines.ingest.source import Login, Request, Response, Source
from gridtide_pipelines.ingest.statuses import Again, Unauthorized, only_zone, refusal
from gridtide_store.settings import Settings

Fetch: TypeAlias = Callable[[Source, Request], Response]

ATTEMPTS = 5
# A name that is not known, or a port where nothing listens: no load of theirs that passes.
ATTEMPTS_TO_CONNECT = 3
UNREACHED = (httpx.ConnectError, httpx.ConnectTimeout)
# Of these the text is of our own side alone; a proxy's is of before the request.
NOTHING_SENT = (*UNREACHED, httpx.TimeoutException, httpx.ProxyError)
FIRST_WAIT = 1.0  # seconds, doubled at each try, with up to as much again by chance

log = logging.getLogger(__name__)


class Fetcher:
    """Sends requests to publishers over HTTP, politely; a context manager, and a `Fetch`.

    Several threads may use it. Tries again on no answer, 408, 429 and 5xx, with growing waits
    or as long as the publisher requests; never longer than `limits` has it, and less often
    where nothing connects.
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
            environ: of proxies and certificates; see gridtide.http.proxies.

        Raises:
            BadInput: a base URL among the settings is not an http(s) URL.
        """
        for name, url in settings.base_urls.items():
            if not url.startswith(("http://", "https://")):
                raise BadInput(f"GRIDTIDE_{name.upper()}_URL={url!r} is not an http(s) URL")
        self._settings = settings
        self._sleep, self._monotonic, self._now, self._jitter = sleep, monotonic, now, jitter
        self._limits, self._lock = limits, Lock()
        self._pace = Pace(settings, limits.seconds, sleep=sleep, monotonic=monotonic)
        self._tokens = dict[str, Token]()
        self._kept = KeptResponses(settings, now)
        # At another time (GRIDTIDE_NOW) the answers come from a replay, whose own clock says
        # nothing.
        self._clock = None if settings.now else ClockCheck(now, postpone=undated_last)
        self._allowance = Allowance(monotonic)
        self._client = httpx.Client(
            transport=Keyed(transport or Routed(environ or {}, self._allowance)),
            timeout=httpx.Timeout(limits.silence, connect=limits.connect),
            headers={"User-Agent": user_agent(), "Accept-Encoding": "gzip"},
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
                HostUnreached where no connection was made.
            SourceRefused: 401 or 403; look at the credentials or the licence.
            SourceChanged: another status, an encoding not requested, or a body far too large.
            NothingYet: the response says that it has no data yet, or its status does
                (`source.not_published`).
            ClockAhead: this machine's clock is far ahead of the publishers'.
            ClockUnknown: see `undated_last`; try again after the other publishers.
        """
        if source.answer:
            return Response(source.answer(request))
        if source.cached:
            return self._kept.respond(source, request, self._request)
        return self._request(source, request)

    def _request(self, source: Source, request: Request) -> Response:
        """Send `request` with the credentials of its source."""
        spec = source.credentials
        if spec is None or request.host not in spec.hosts:
            return self._send(source, request, None)
        secrets = secrets_of(source, self._settings)
        values = tuple(secrets.get(name, "") for name in spec.variables)
        if not isinstance(spec.send, Login) or not all(values):
            return self._send(source, request, Sent(spec.send, values))
        token = self._token(source, spec.send, values)
        try:
            return self._send(source, request, Sent(spec.send.send, (token,)))
        except Unauthorized:
            self._token_of(source).forget(token)
        token = self._token(source, spec.send, values)
        return self._send(source, request, Sent(spec.send.send, (token,)))

    def _token_of(self, source: Source) -> Token:
        with self._lock:
            return self._tokens.setdefault(source.name, Token())

    def _token(self, source: Source, login: Login, values: tuple[str, ...]) -> str:
        """Return the token of this run; the login is sent unless there is one."""

        def log_in() -> str:
            response = self._send(source, login.request, Sent(login, values), keep_token=True)
            return read_token(response.content, login, source.name)

        return self._token_of(source).get(log_in)

    def _send(
        self, source: Source, request: Request, sent: Sent | None, *, keep_token: bool = False
    ) -> Response:
        """Send `request` until it is answered, or has failed too often."""
        began = self._monotonic()
        tries = 0
        while True:
            tries += 1
            self._pace.wait(source, request)
            try:
                response = self._once(source, request, sent, began + self._limits.seconds)
            except Again as again:
                wait = again.wait or FIRST_WAIT * 2 ** (tries - 1) * (1 + self._jitter())
                spent = self._monotonic() - began
                most = ATTEMPTS_TO_CONNECT if again.unreached else ATTEMPTS
                last = tries >= most or spent + wait > self._limits.seconds
                # A server error may be one of this zone alone: others need not wait for long.
                if again.too_many or not last:
                    self._pace.hold(source, request.host, again.wait or 0.0)
                if last:
                    wanted = f" and requests to wait {wait:.0f} s" if again.wait else ""
                    failed = HostUnreached if again.unreached else SourceUnavailable
                    raise failed(
                        source.name,
                        f"{again}{wanted}; gave up after {tries} tries in {spent:.0f} s, "
                        "the next refresh tries again",
                        zone=only_zone(request),
                    ) from again
                log.debug("%s: %s; again in %.1f s", source.name, again, wait)
                self._sleep(wait)
            else:
                fields = {
                    "source": source.name,
                    "kind": str(request.kind),
                    "zones": len(request.zones),
                    "bytes": response.size,
                    "ms": round((self._monotonic() - began) * 1000),
                }
                log.info("retrieved %s%s", source.name, request.path, extra=fields)
                return response if keep_token else self._redacted(source, response, sent)

    def _once(
        self, source: Source, request: Request, sent: Sent | None, deadline: float
    ) -> Response:
        secret = bool(secrets_of(source, self._settings))
        headers = {"Content-Type": FORM} if request.method == "POST" else {}
        headers |= dict(request.headers)
        self._allowance.renew(deadline=deadline, size=self._limits.of(source).body)
        try:
            with self._client.stream(
                request.method,
                url_of(source, request, self._settings),
                params=list(request.params),
                headers=headers,
                content=urlencode(request.form).encode() if request.form else None,
                extensions={"credentials": sent, "jar": source.name if source.cookies else ""},
            ) as answer:
                if REPLAYED in answer.headers:
                    self._pace.free(source, request.host)
                if self._clock:
                    success = answer.is_success
                    self._clock.judge(source.name, answer.headers, success=success)
                parts = self._parts(source, answer, deadline)
                if answer.is_success and source.parts and source.credentials is None:
                    # Beside the store, whose disk has room, where there is one.
                    large = write_large(parts, self._settings.home)
                    return Response(b"", answer.status_code, dict(answer.headers), large)
                content = b"".join(parts)
        except (BadInput, MissingExtra) as error:
            # Of a proxy or certificates: another try would say the same.
            raise SourceUnavailable(source.name, str(error)) from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            # The publisher's own text is left out where it may repeat a secret.
            name, whole = type(error).__name__, not secret or isinstance(error, NOTHING_SENT)
            raise Again(
                f"no answer from {request.path} ({f'{name}: {error}' if whole else name})",
                unreached=isinstance(error, UNREACHED),
            ) from error
        if answer.status_code == httpx.codes.NO_CONTENT:
            raise NothingYet(source.name, f"HTTP 204 at {request.path}: no content yet")
        if not answer.is_success and answer.status_code not in source.readable:
            header = answer.headers.get("Retry-After", "")
            wait = read_retry_after(header, self._now(), least=FIRST_WAIT)
            status = answer.status_code
            raise refusal(source, request, status, content, wait=wait, secret=secret)
        return Response(content, answer.status_code, dict(answer.headers))

    def _redacted(self, source: Source, response: Response, sent: Sent | None) -> Response:
        """Return `response` without its source's credentials, and the token that was sent."""
        secrets = secrets_of(source, self._settings)
        if sent and source.credentials and isinstance(source.credentials.send, Login):
            secrets |= {f"token of {source.name}": sent.values[0]}
        return redact_response(response, secrets)

    def _parts(
        self, source: Source, response: httpx.Response, deadline: float
    ) -> Iterator[bytes]:
        """Yield the body as it arrives; of a response that is only an error its beginning."""
        size, most = 0, self._limits.of(source).body
        short = not response.is_success and response.status_code not in source.readable
        encoding = response.headers.get("Content-Encoding", "")
        # The bytes as they came: httpx itself would unpack as deep as the answer says.
        raw = response.stream
        assert isinstance(raw, httpx.SyncByteStream)  # noqa: S101  # the client is a blocking one
        try:
            for part in unpack(raw, encoding, most=most):
                size += len(part)
                yield part
                if short and size > self._limits.error:
                    break
                if self._monotonic() > deadline:
                    raise Again(f"only {size} bytes in {self._limits.seconds:g} s")
        except TooLarge as error:
            raise SourceChanged(source.name, f"{error}; is the base URL right?") from error
        except Unreadable as error:
            remedy = "look whether something between here and the publisher changes answers"
            raise SourceChanged(source.name, f"the body is {error}; {remedy}") from error
