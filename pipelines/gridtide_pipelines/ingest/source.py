"""The contract of a source: it builds requests and parses responses; it never sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import BinaryIO, TypeAlias
from urllib.parse import urlencode

import polars as pl

from gridtide_pipelines.ingest.large import Content, Large
from gridtide_store.vocabulary import INSTANT

# One row per value. `issued_at` is set on a forecast and null on an observation; `flag` says
# what was odd, e.g. "unmapped_code:WIN", several joined by ";"; `body` is an index of bodies.
READING = pl.Schema(
    {
        "zone": pl.String(),
        "signal": pl.String(),
        "start": INSTANT,
        "end": INSTANT,
        "value": pl.Float64(),
        "quality": pl.String(),
        "issued_at": INSTANT,
        "flag": pl.String(),
        "body": pl.UInt32(),
    }
)

# Flag of a sum that lacks one of its parts: what is there is printed, and stored as unknown.
PARTIAL = "partial"


class Kind(StrEnum):
    """What a request is for; each request is for one kind."""

    GENERATION = "generation"
    INTENSITY = "intensity"
    LOAD = "load"
    FLOW = "flow"
    FORECAST = "forecast"
    PRICE = "price"
    WEATHER = "weather"


@dataclass(frozen=True, slots=True)
class Span:
    """``[start, end)``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """What a source is to be requested for: one kind of some zones in ``[start, end)``.

    At `now` it is requested, for publishers that have another address for today.
    """

    kind: Kind
    zones: tuple[str, ...]
    start: datetime
    end: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a host of a source, without its credentials.

    Attributes:
        path: below the base URL of the host; begins with a slash.
        params: query, in order; a name may be repeated.
        zones: the zones it was built for.
        host: one of `Source.hosts`; empty for `Source.base_url`.
        headers, form: besides those of every request; fields that a POST sends, in order.
        span: the part of the query that its group answers, where that is not all of it.
    """

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    kind: Kind = Kind.GENERATION
    zones: tuple[str, ...] = ()
    host: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = ()
    span: Span | None = None

    @property
    def address(self) -> str:
        """Path and query, as archived beside the body; it never holds credentials.

        Another host than the first comes before it as ``//<host>``; another method than GET
        before all, and a form or a range of bytes behind: ``POST //files/list?day=1 zone=DE``.
        """
        path = f"//{self.host}{self.path}" if self.host else self.path
        address = f"{path}?{urlencode(self.params)}" if self.params else path
        behind = filter(None, (urlencode(self.form), dict(self.headers).get("Range")))
        address = " ".join([address, *behind])
        return address if self.method == "GET" else f"{self.method} {address}"


@dataclass(frozen=True, slots=True)
class Response(Content):
    """What a publisher sent: the body, and for parsers that need them status and headers.

    Attributes:
        headers: by name in lower case.
        large: what holds the body in place of `content`, of a source that has `parts`.
    """

    content: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    large: Large | None = None


@dataclass(frozen=True, slots=True)
class Body(Content):
    """The response to a request, when it was known, and the number of its retrieval.

    Its `large` is as of `Response`; the bodies that `Source.parse` gets have none.
    """

    request: Request
    content: bytes
    known_at: datetime
    retrieval_id: int
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    large: Large | None = None


# What must be read together, e.g. imports and exports. It succeeds or fails as a whole.
Group: TypeAlias = Sequence[Request]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A key that is sent as a parameter of the query."""

    name: str


@dataclass(frozen=True, slots=True)
class Header:
    """A key that is sent in a header, behind `prefix` (``"Bearer "``)."""

    name: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Basic:
    """User name and password, sent as HTTP basic authentication."""


@dataclass(frozen=True, slots=True)
class Login:
    """A token that a request of its own is answered with, and that the other requests carry.

    It is requested once for a run, and again after a 401. The answer is not archived.

    Attributes:
        request: the request for the token.
        fields: names of the key, or of user name and password, in its form; none where they
            are sent as basic authentication.
        token: the names that lead to the token in the JSON of the answer.
        send: how the other requests carry it.
    """

    request: Request
    fields: tuple[str, ...] = ()
    token: tuple[str, ...] = ("access_token",)
    send: Parameter | Header = Header("Authorization", "Bearer ")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a publisher wants to know of its user, and how it is sent.

    Attributes:
        variables: of the environment: the key, or user name and password.
        obtain: address where a person gets them; `remedy` are the words before it.
        send: how they are sent.
        hosts: those they are sent to (see `Request.host`), or the token of a login.
        optional: whether the source answers without them too.
    """

    variables: tuple[str, ...]
    obtain: str
    send: Parameter | Header | Basic | Login
    hosts: tuple[str, ...] = ("",)
    optional: bool = False
    remedy: str = "get a free key at"


@dataclass(frozen=True, slots=True)
class Tier:
    """Days up to `age` old are requested again `every` so often; zero is at every refresh."""

    age: timedelta
    every: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Source:
    """One publisher: its facts, and how it is requested and parsed.

    Attributes:
        name: lower case with underscores; ``GRIDTIDE_<NAME>_URL`` moves its base URL.
        zones: zone keys it can answer for.
        requests: the groups of requests for a query, oldest first. A group succeeds or fails
            as a whole and settles the days of its zones, in the query or in its `span`.
        codes: the publisher's own code of each zone key, where it is another.
        parse: bodies of one group to READING; raises only SourceChanged and NothingYet.
        step, max_span: time between two publications; longest span of one request.
        ahead: how far its forecasts reach at most, in days of UTC, today among them.
        day_ahead: whether it publishes prices of tomorrow, so that these are requested too.
        refetch: how often values are requested again while they are revised, youngest first.
        lag: how long after its end a slot is usually published.
        reach: how far back it answers; None: as far as it has data.
        following: further requests of a group (next page, files listed), by its bodies.
        hosts: base URLs by name, besides `base_url`; ``GRIDTIDE_<NAME>_<HOST>_URL`` moves one.
        readable: statuses besides success whose bodies `parse` reads.
        not_published: statuses that mean that nothing is published yet.
        parts: for bodies too large for the memory: the parts of one, a seekable file, each a
            body by itself; raises SourceChanged and nothing else. Such a body is kept in a file
            as it arrives, unless the source has credentials, which may be in it.
        bulk: whether only a backfill requests it, since a request brings months.
        whole_files: whether a request brings a file of whole local days or months. What it has
            of the days beside those requested is stored too, and nothing of other days.
        cached: whether a response is kept until it expires, and requested anew only if it was
            modified since; its `readable` has 304 then.
        answer: for a source built in, which needs no network: its own reply.
        weather: model of weather runs: source, resolution and set of points.
        cookies: whether its hosts want back the cookies they set, each its own.
        restricted: whether the licence forbids redistribution or commercial use;
            `only_own_hosts` where that is so of its own hosts alone, not of a moved base URL.
        per_zone: whether it needs requests for each zone: as a fallback it is requested only
            where the first choice has a gap.
        min_interval: least time between two requests to a host not in `host_intervals`.
        concurrency: most requests to one host at a time.
        largest_body: bytes of one response, once the encoding of the transfer is undone;
            `largest_unpacked` of all that it holds, where it is an archive.
    """

    name: str
    title: str
    base_url: str
    kinds: frozenset[Kind]
    zones: frozenset[str]
    requests: Callable[[Query], Sequence[Group]]
    parse: Callable[[Sequence[Body]], pl.DataFrame]
    step: timedelta
    max_span: timedelta
    refetch: tuple[Tier, ...]
    lag: timedelta
    licence: str
    licence_url: str
    attribution: str
    ahead: timedelta = timedelta(days=9)
    day_ahead: bool = False
    reach: timedelta | None = None
    following: Callable[[Sequence[Body]], Sequence[Request]] | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    readable: frozenset[int] = frozenset()
    not_published: frozenset[int] = frozenset()
    parts: Callable[[BinaryIO], Iterator[bytes]] | None = None
    bulk: bool = False
    whole_files: bool = False
    answer: Callable[[Request], bytes] | None = None
    credentials: Credentials | None = None
    weather: str = ""
    cookies: bool = False
    cached: bool = False
    restricted: bool = False
    only_own_hosts: bool = False
    simulated: bool = False
    per_zone: bool = False
    min_interval: timedelta = timedelta(0)
    host_intervals: Mapping[str, timedelta] = field(default_factory=dict)
    concurrency: int = 1
    largest_body: int = 32 * 2**20
    largest_unpacked: int = 64 * 2**20

    def interval(self, host: str) -> timedelta:
        """Return the least time between two requests to a host."""
        return self.host_intervals.get(host, self.min_interval)

    @property
    def revised_for(self) -> timedelta:
        """How long the publisher goes on to revise a value."""
        return self.refetch[-1].age if self.refetch else timedelta(0)
