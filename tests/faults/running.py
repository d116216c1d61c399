"""A refresh against the publisher on loopback, with limits of its own."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta

from gridtide.clock import Clock
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.gather import Round, gather
from gridtide_pipelines.ingest.limits import Limits
from gridtide_pipelines.ingest.source import Kind
from gridtide_pipelines.ingest.sources import eia, uk_carbon_intensity
from gridtide_pipelines.ingest.tasks import plan
from gridtide_pipelines.refresh import Report, refresh
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.logs import configure
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from tests.faults.modes import KEY
from tests.faults.publisher import Publisher

TINY = Limits(
    seconds=2.0,
    connect=2.0,
    silence=1.0,
    body=2 * 1024 * 1024,
    pages=6,
    group=1024 * 1024,
    span=8 * 1024 * 1024,
    span_seconds=5.0,
)
SOURCES = {
    # Two kinds of the one and one of the other, without their pace, keep the suite short.
    "uk": replace(
        uk_carbon_intensity.SOURCE, kinds=frozenset({Kind.INTENSITY, Kind.GENERATION})
    ),
    "eia": replace(
        eia.SOURCE,
        kinds=frozenset({Kind.GENERATION}),
        zones=frozenset({"US-CAL-CISO"}),
        min_interval=timedelta(0),
    ),
}


# The log of the newest run.
LOG = io.StringIO()


def run(
    home: DataDirectory,
    upstream: Publisher,
    now: datetime,
    limits: Limits,
    *,
    whole: bool,
    days: int = 6,
) -> Report:
    """A refresh of both zones as the command does it, or its part that asks and stores."""
    settings = Settings(
        home=home.root,
        base_urls={
            SOURCES["uk"].name: f"{upstream.address}/uk",
            SOURCES["eia"].name: f"{upstream.address}/eia",
        },
        secrets={"EIA_API_KEY": KEY},
        workers=1,
        log_level="DEBUG",
    )
    configure(settings, LOG)
    clock = Clock(now)
    sources = list(SOURCES.values())
    since = now - timedelta(days=days)
    with (
        writer_lock(home, "refresh", now),
        Fetcher(
            settings, limits=limits, sleep=lambda _: None, now=clock, undated_last=True
        ) as fetch,
    ):
        if whole:
            return refresh(
                home,
                settings,
                clock,
                sources=sources,
                zones=(),
                since=since,
                model="weekly",
                fetch=fetch,
                progress=lambda *_: None,
                limits=limits,
            )
        # What comes after the answers is the same for every mode, and takes most of the time.
        with Store.open(home) as store:
            ledger = Ledger(home.ledger)
            number = ledger.start_command("refresh", [], now)
            around = Round(store, ledger, fetch, settings, clock, number, limits)
            tasks = plan(sources, (), ledger=ledger, now=now, since=since)
            return Report(steps=list(gather(tasks, around)))
