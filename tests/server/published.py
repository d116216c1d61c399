"""A small home of hand-made numbers, published, and ways to ask a server over it.

NOW is Monday 2026-03-02 12:00 UTC. Forecasts of 72 hours were issued then, if not said
otherwise; their values are below, for everyone to do sums with.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import polars as pl
from fastapi import FastAPI

from gridtide.clock import Clock
from gridtide_server.app import ServerSettings, create_app
from gridtide_server.queue import WorkLimits
from gridtide_server.reader import Reader
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.publish import publish
from gridtide_store.records import Facts
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST, OBSERVATION

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PRODUCED = "ci_lifecycle_produced"
DIRECT = "ci_direct_consumed"

# From 12:00 on. The cleanest 2 h are 15:00 to 17:00: (100 + 150) / 2 = 125.
# Starting at once: (300 + 280) / 2 = 290.
DE = [300.0, 280.0, 200.0, 100.0, 150.0, 300.0] + [400.0] * 66
# The cleanest 2 h are 13:00 to 15:00: 60.
FR = [80.0, 60.0, 60.0] + [90.0] * 69
# As DE, an hour later.
NL = [310.0, *DE[:71]]
# Known for 4 h, unknown for 1 h, known for 2 h.
BE: list[float | None] = [50.0, 50.0, 50.0, 50.0, None, 40.0, 40.0]

FACTS = (
    Facts("alpha", "Alpha", "https://alpha.example", "CC-BY-4.0"),
    Facts("beta", "Beta", "https://beta.example", "public domain"),
    Facts("made_up", "Made up", "", "none needed", simulated=True),
)


def observed(
    zone: str,
    values: Sequence[float | None],
    *,
    start: datetime,
    step: timedelta = HOUR,
    signal: str = PRODUCED,
    source: str = "derived@ipcc_ar5/alpha",
    quality: str = "measured",
    known_at: datetime | None = None,
) -> pl.DataFrame:
    """Rows of one series; each is known when its slot has ended, if not said otherwise."""
    starts = [start + k * step for k in range(len(values))]
    return pl.DataFrame(
        {
            "zone": zone,
            "signal": signal,
            "source": source,
            "slot_start": starts,
            "slot_end": [each + step for each in starts],
            "value": values,
            "quality": quality,
            "known_at": [known_at or each + step for each in starts],
            "retrieval_id": 0,
        },
        schema=OBSERVATION,
    )


def run(
    zone: str,
    values: Sequence[float | None],
    *,
    issued_at: datetime = NOW,
    step: timedelta = HOUR,
    signal: str = PRODUCED,
    model: str = "weekly@1",
    source: str = "derived@ipcc_ar5/alpha",
    known_at: datetime | None = None,
    simulated: bool = False,
) -> pl.DataFrame:
    """One forecast run; None leaves the step out. p10 and p90 lie 10 to either side."""
    given = [(issued_at + k * step, v) for k, v in enumerate(values) if v is not None]
    return pl.DataFrame(
        {
            "zone": zone,
            "signal": signal,
            "model": model,
            "issued_at": issued_at,
            "slot_start": [start for start, _ in given],
            "slot_end": [start + step for start, _ in given],
            "p10": [value - 10 for _, value in given],
            "p50": [value for _, value in given],
            "p90": [value + 10 for _, value in given],
            "known_at": known_at or issued_at,
            "source": source,
            "simulated": simulated,
        },
        schema=FORECAST,
    )


class Publisher:
    """Writes one home, as the pipelines would."""

    def __init__(self, folder: Path) -> None:
        self.home = DataDirectory(folder)
        self._open = ExitStack()
        self._open.enter_context(writer_lock(self.home, "test", NOW))
        self.store = self._open.enter_context(Store.open(self.home))
        self.ledger = Ledger(self.home.ledger)
        for facts in FACTS:
            self.ledger.set_source(facts)

    def add(self, *frames: pl.DataFrame) -> None:
        """Store rows of either kind."""
        for frame in frames:
            if "model" in frame.columns:
                self.store.append_forecasts(frame)
            else:
                self.store.append(frame)

    def publish(self, now: datetime = NOW, *, replay: bool = False) -> str:
        """Make a snapshot; its id."""
        return publish(
            self.store,
            self.ledger,
            self.home,
            now,
            replay=replay,
            trust=lambda zone: ("alpha", "beta"),
        )

    def close(self) -> None:
        """Let go of the home."""
        self._open.close()


class FixedClock(Clock):
    """Stands still like a replay's clock, and passes for the real one."""

    @property
    def replay(self) -> bool:
        """As on the real clock."""
        return False


class Asker:
    """Asks an application in this process."""

    def __init__(
        self,
        home: DataDirectory,
        clock: Clock,
        *,
        cors: bool = True,
        work_limits: WorkLimits | None = None,
    ) -> None:
        self.reader = Reader(home)
        self.app: FastAPI = create_app(
            ServerSettings(cors=cors, work_limits=work_limits or WorkLimits()),
            self.reader,
            clock,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.reader.close()

    def __call__(
        self,
        url: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> httpx.Response:
        """The whole answer."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, url, headers=headers, content=body)

        return asyncio.run(ask())

    def json(self, url: str) -> Any:  # noqa: ANN401  # JSON
        """The body of an answer that must be 200."""
        answer = self(url)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, url: str, question: object) -> Any:  # noqa: ANN401  # JSON
        """The body of an answer to a question in a body, which must be 200."""
        answer = self(url, "POST", body=json.dumps(question).encode())
        assert answer.status_code == 200, answer.text
        return answer.json()

    def problem(
        self,
        url: str,
        status: int,
        code: str,
        question: object = None,
    ) -> Any:  # noqa: ANN401  # JSON
        """The problem an answer must be, in the shape every problem has.

        A question goes in a body, bytes as they are.
        """
        if question is None:
            answer = self(url)
        else:
            body = question if isinstance(question, bytes) else json.dumps(question).encode()
            answer = self(url, "POST", body=body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        problem = answer.json()
        assert problem["status"] == status
        assert problem["code"] == code
        assert problem["type"] == f"urn:gridtide:problem:{code}"
        assert problem["title"]
        return problem


def fill(publisher: Publisher) -> None:
    """What the tests ask about."""
    day = NOW - 36 * HOUR
    publisher.add(
        # DE: 36 hours up to now; 03:00 to 05:00 of today is missing, 08:00 was withdrawn,
        # 10:00 was first 510 and became 520 at 11:30.
        observed("DE", [100.0 + k for k in range(27)], start=day),
        observed("DE", [500.0, 501.0, 502.0], start=NOW - 7 * HOUR),
        observed("DE", [None], start=NOW - 4 * HOUR),
        observed("DE", [509.0, 510.0, 511.0], start=NOW - 3 * HOUR),
        observed("DE", [520.0], start=NOW - 2 * HOUR, known_at=NOW - HOUR / 2),
        observed("DE", [0.5], start=NOW - HOUR, signal="cfe_produced"),
        observed("DE", [400.0] * 2, start=NOW - 2 * HOUR, signal="ci_direct_produced"),
        run("DE", DE),
        run("DE", [900.0, 800.0, *DE], issued_at=NOW - 2 * HOUR, known_at=NOW - 2 * HOUR),
        run("DE", [0.2, 0.6, 0.4], signal="cfe_produced"),
        run("DE", [111.0] * 72, model="beta", source="beta", issued_at=NOW - 3 * HOUR),
        # FR: from beta, whose half hours alpha does not have.
        observed("FR", [70.0, 71.0], start=NOW - 2 * HOUR, step=HOUR / 2, source="beta"),
        observed("FR", [72.0], start=NOW - HOUR),
        run("FR", FR, source="beta"),
        # NL is simulated.
        observed("NL", [310.0], start=NOW - HOUR, source="made_up", quality="simulated"),
        run("NL", NL, source="made_up", simulated=True),
        # BE has a forecast with a hole; GB has another signal only.
        observed("BE", [50.0], start=NOW - HOUR),
        run("BE", BE),
        observed("GB", [200.0], start=NOW - HOUR, signal=DIRECT, source="beta"),
        run("GB", [210.0] * 48, signal=DIRECT, model="beta", source="beta"),
        # ES: its forecast ended an hour ago. PL has none.
        observed("ES", [150.0], start=NOW - 5 * HOUR),
        run("ES", [150.0] * 3, issued_at=NOW - 4 * HOUR),
        observed("PL", [700.0], start=NOW - HOUR),
    )
