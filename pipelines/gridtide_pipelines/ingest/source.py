"""The contract of a source: it builds requests and parses responses; it never sends."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import ModuleType
from typing import TypeAlias
from urllib.parse import urlencode

import polars as pl

from gridtide_store.vocabulary import INSTANT

# One row per value a source states. `issued_at` is set on a publisher's forecast and null on
# an observation; `flag` says what was odd, e.g. "unmapped_code:WIN", several joined by ";";
# `body` is the index of the body it was read from.
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


@dataclass(frozen=True, slots=True)
class Request:
    """One request below a source's base URL, without its key.

    Attributes:
        path: begins with a slash.
        params: query, in order; a name may be repeated.
        zones: the zones it was built for.
    """

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    kind: Kind = Kind.GENERATION
    zones: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Path and query, as archived beside the body; it never holds a key."""
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path


@dataclass(frozen=True, slots=True)
class Body:
    """The response to a request, when it was known, and the number of its retrieval."""

    request: Request
    content: bytes
    known_at: datetime
    retrieval_id: int


# What must be read together, e.g. imports and exports.
Group: TypeAlias = Sequence[Request]


@dataclass(frozen=True, slots=True)
class KeySpec:
    """The key a source needs: the variable it is read from and how it is sent.

    Attributes:
        env: variable of the environment.
        param: name of the query parameter it is sent as, else
        header: name of the header it is sent as.
        obtain: address where a person gets one.
    """

    env: str
    obtain: str
    param: str | None = None
    header: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One publisher: its facts, and how it is requested and parsed.

    Attributes:
        name: lower case with underscores; ``GRIDTIDE_<NAME>_URL`` moves its base URL.
        zones: zone keys it can answer for.
        requests: kind, zones, ``[start, end)`` to groups of requests, oldest first.
        codes: the publisher's own code of each zone key, where it is another.
        parse: bodies of one group, pages included, to READING; raises SourceChanged,
            NothingYet and nothing else.
        step: time between two publications.
        max_span: longest span one request may cover; `requests` splits by it.
        refetch: how far back values are still revised.
        following: the request for the next page, or None after the last.
        answer: for a source built in, which needs no network: its own reply.
        restricted: whether the licence forbids redistribution or commercial use.
        min_interval: least time between two requests.
    """

    name: str
    title: str
    base_url: str
    kinds: frozenset[Kind]
    zones: frozenset[str]
    requests: Callable[[Kind, Sequence[str], datetime, datetime], Sequence[Group]]
    parse: Callable[[Sequence[Body]], pl.DataFrame]
    step: timedelta
    max_span: timedelta
    refetch: timedelta
    licence: str
    licence_url: str
    attribution: str
    following: Callable[[Body], Request | None] | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    answer: Callable[[Request], bytes] | None = None
    key: KeySpec | None = None
    restricted: bool = False
    simulated: bool = False
    min_interval: timedelta = timedelta(0)


def find_sources(package: ModuleType) -> Mapping[str, Source]:
    """Return every ``SOURCE`` in the modules of `package`, by name.

    There is no list to edit.
    """
    modules = (
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    )
    sources = [module.SOURCE for module in modules if hasattr(module, "SOURCE")]
    return {source.name: source for source in sorted(sources, key=lambda s: s.name)}
