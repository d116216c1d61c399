"""Records of the ledger: commands and their stages, sources, anomalies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a command ended."""

    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a source is and under which terms it may be used.

    `lag_seconds` is how long after its end a slot is usually published; None: not known.
    """

    name: str
    title: str
    url: str
    licence: str
    licence_url: str = ""
    attribution: str = ""
    simulated: bool = False
    restricted: bool = False
    lag_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport(Facts):
    """A source as a snapshot reports it: its facts, and how it was doing.

    Attributes:
        kinds: what is requested of it; empty for files that were imported.
        zones: those it can answer for; of imported files those with data.
        needs_key: whether it answers only with a key.
        last_seen: year and month in which the shape of its responses was last seen; empty for
            a source without responses.
        recorded: whether bodies were recorded then; else the shape is that of a description.
        last_success: when the newest command began that retrieved everything; None: never.
        newest_slot_end: end of the newest slot with a value; None without any.
        rows: its observations in the store, revisions included.
        failures: spans that failed in the 30 days before the publication.
        raw_bytes: what its archived responses take on the disk.
    """

    kinds: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    needs_key: bool = False
    last_seen: str = ""
    recorded: bool = False
    last_success: datetime | None = None
    newest_slot_end: datetime | None = None
    rows: int = 0
    failures: int = 0
    raw_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One span of one source; `status` is ``done``, ``skipped`` or an error code."""

    source: str
    kind: str
    zones: tuple[str, ...]
    start: datetime | None
    end: datetime | None
    status: str
    rows: int = 0
    bytes: int = 0
    ms: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """What is known of the answers about one UTC day of a zone.

    Attributes:
        at: when the last one came.
        news_at: when one was complete or last brought more.
        final: whether it is complete, or an answer on another day brought nothing new.
    """

    at: datetime
    news_at: datetime
    final: bool


@dataclass(frozen=True, slots=True)
class Latest:
    """The last retrieval of a source: when the command began, its `status` and `message`.

    `done_at` is when the newest command began that retrieved everything; None: never.
    """

    at: datetime
    done_at: datetime | None
    status: str
    message: str


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """One command that has ended, or still runs."""

    id: int
    command: str
    args: tuple[str, ...]
    pid: int
    started: datetime
    finished: datetime | None
    outcome: Outcome
    exit_code: int | None
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Flag:
    """How often a source had an anomaly, and when last."""

    source: str
    flag: str
    count: int
    last_seen: datetime
