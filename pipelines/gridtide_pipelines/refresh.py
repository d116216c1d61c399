"""One refresh: gather, derive, forecast, publish, then weather. Each stage can be repeated."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Final

import polars as pl

from gridtide.clock import Clock
from gridtide.errors import NoData
from gridtide.model import format_time
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.errors import ClockAhead, ClockWrong, NotStored
from gridtide_pipelines.forecast.issue import Forecasting, Progress, forecast_zones
from gridtide_pipelines.ingest.access import reason_to_skip
from gridtide_pipelines.ingest.command_log import record_command
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_pipelines.ingest.gather import DONE, NOTHING_YET, SKIPPED, Round, gather
from gridtide_pipelines.ingest.limits import DEFAULT, Limits
from gridtide_pipelines.ingest.mixing import rows_for
from gridtide_pipelines.ingest.source import Kind, Source
from gridtide_pipelines.ingest.sources import facts_of_estimates, report_of
from gridtide_pipelines.ingest.sources import sources as known_sources
from gridtide_pipelines.ingest.tasks import Fallbacks, plan
from gridtide_store.catalogue import trusted
from gridtide_store.data_directory import DataDirectory
from gridtide_store.estimates import ESTIMATE, with_neighbours
from gridtide_store.forecast_runs import thin_runs
from gridtide_store.ledger import Ledger
from gridtide_store.ledger_upkeep import KEEP_COMMANDS, prune_commands
from gridtide_store.publish import publish
from gridtide_store.raw_responses import prune_raw
from gridtide_store.records import Stage
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from gridtide_store.weather import newest_weather, thin_weather

# For all requests of one source of weather: it has the writer's lock meanwhile.
WEATHER_SECONDS: Final = 300.0

log = logging.getLogger(__name__)


def publish_home(store: Store, ledger: Ledger, home: DataDirectory, clock: Clock) -> str:
    """Publish what the store holds and return the name of the snapshot."""
    simulated = any(facts.simulated for facts in ledger.sources().values())
    publishers = store.publishers()
    if ESTIMATE in publishers:
        series = store.series().select("zone", "source").iter_rows()
        estimates = facts_of_estimates(series, ledger.sources(), simulated=publishers[ESTIMATE])
        ledger.set_source(estimates)
    return publish(
        store,
        ledger,
        home,
        clock(),
        replay=clock.replay,
        trust=trusted,
        known={
            source.name: report_of(source)
            for source in known_sources().values()
            if source.simulated == simulated
        },
    )


@dataclass(slots=True)
class Report:
    """What one refresh did."""

    steps: list[Stage] = field(default_factory=list)
    derived_rows: int = 0
    forecasts: Forecasting | None = None
    snapshot: str = ""
    remarks: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[Stage]:
        """The stages in which a source failed whose values answers are made of.

        Skipped ones and late publishers are not among them, and weather is not: its stages are
        in `steps` and in the ledger.
        """
        return [
            step
            for step in self.steps
            if step.status not in (DONE, SKIPPED, NOTHING_YET) and step.kind != Kind.WEATHER
        ]

    @property
    def exit_code(self) -> int:
        """0, or 3 when a snapshot was published although some sources failed."""
        return 3 if self.failed else 0


def refresh(
    home: DataDirectory,
    settings: Settings,
    clock: Clock,
    *,
    sources: Sequence[Source],
    zones: Sequence[str],
    since: datetime | None,
    model: str,
    fetch: Fetch,
    progress: Progress,
    new_store: bool = False,
    limits: Limits = DEFAULT,
) -> Report:
    """Bring `home` up to date; the caller holds the writer's lock.

    Weather is requested after the snapshot is published, and has `WEATHER_SECONDS` a source:
    it can neither fail nor delay what answers are made of.

    Args:
        sources: fetched one by one: a failure is noted and the others go on.
        zones: only these; empty for all.
        since: fill the history back to then; an interrupted fill resumes.
        model: name of the forecaster, or ``default``.
        new_store: begin a new store also where snapshots of a lost one are published.
        limits: what one publisher may take of time and room.

    Raises:
        BadInput: simulated and real rows would meet, or the store was lost.
        ClockWrong: this machine's clock is far ahead of every publisher that answered.
        NoData: neither the sources nor the store have anything to publish.
    """
    ledger, report = Ledger(home.ledger), Report()
    words = [*zones, f"since={since}", f"model={model}"]
    with (
        record_command(ledger, "refresh", words, clock) as note,
        Store.open(home, new=new_store) as store,
    ):
        rows = rows_for(sources, settings, ledger, store)
        around = Round(store, ledger, fetch, settings, clock, note.command, limits, rows)
        report.remarks += _known_ahead(store, clock())
        used = {s.name: s for s in sources if reason_to_skip(s, settings) is None}
        requested = {name: latest.at for name, latest in ledger.outcomes().items()}
        fallbacks = Fallbacks(store, used, trusted, requested)
        serving = [source for source in sources if Kind.WEATHER not in source.kinds]
        tasks = plan(
            serving,
            with_neighbours(zones),
            ledger=ledger,
            now=clock(),
            since=since,
            fallbacks=fallbacks,
        )
        for step in gather(tasks, around):
            report.steps.append(step)
            progress(f"gather {step.source} {step.kind}", len(report.steps), len(tasks))
        _refuse_clock_ahead(report)
        if store.series().is_empty():
            raise NoData(_nothing(report, home))
        progress("derive", 0, 1)
        failed: list[NotStored] = []
        report.derived_rows = derive_pending(store, factor_set(), failed=failed)
        for error in failed:
            log.warning("%s", error, extra={"source": error.source})
            step = underived(error)
            ledger.record_stage(note.command, step)
            report.steps.append(step)
        report.forecasts = forecast_zones(
            store,
            home,
            clock(),
            zones=zones,
            model=model,
            workers=settings.workers,
            progress=progress,
        )
        progress("prune", 0, 1)
        _let_go(store, settings, clock())
        progress("publish", 0, 1)
        report.snapshot = publish_home(store, ledger, home, clock)
        if settings.weather:
            report.steps += _gather_weather(sources, zones, around, progress)
        note.done(summary(report), exit_code=report.exit_code)
    return report


def _gather_weather(
    sources: Sequence[Source], zones: Sequence[str], around: Round, progress: Progress
) -> Iterator[Stage]:
    """Gather the newest runs of weather, and yield the record of each task.

    Stand-ins come last, one after the other: each is requested for what those before it lack.
    """
    seconds = min(around.limits.span_seconds, WEATHER_SECONDS)
    bounded = replace(around, limits=replace(around.limits, span_seconds=seconds))
    mine = [source for source in sources if Kind.WEATHER in source.kinds]
    for source in sorted(mine, key=lambda each: each.per_zone):
        stored = newest_weather(around.store.connection)
        tasks = plan(
            [source],
            zones,
            ledger=around.ledger,
            now=around.now(),
            since=None,
            weather=stored,
        )
        for number, step in enumerate(gather(tasks, bounded), 1):
            yield step
            progress(f"gather {step.source} {step.kind}", number, len(tasks))


def underived(error: NotStored) -> Stage:
    """Return the failed stage of a source from whose mix nothing could be derived."""
    zones = (error.zone,) if error.zone else ()
    return Stage(error.source, "derive", zones, None, None, error.code, message=str(error))


def _refuse_clock_ahead(report: Report) -> None:
    """End the refresh before anything is derived or forecast at a time that has not come yet.

    One publisher alone may be the one that is wrong: where another's answer was taken, this
    is a failed step like others.
    """
    ahead = [step for step in report.steps if step.status == ClockAhead.code]
    if ahead and not any(step.status in (DONE, NOTHING_YET) for step in report.steps):
        raise ClockWrong("; ".join(step.message for step in ahead))


def _known_ahead(store: Store, now: datetime) -> list[str]:
    """Return a remark if values count as known at a time that has not come yet."""
    ahead = store.series().filter(pl.col("newest_known_at") > now)
    if ahead.is_empty():
        return []
    newest: datetime = ahead["newest_known_at"].max()  # type: ignore[assignment]  # not empty
    remark = (
        f"the store holds values of {', '.join(ahead['source'].unique().sort())} known at "
        f"{format_time(newest)}, which is ahead of now ({format_time(now)}): a refresh ran "
        "while the clock was ahead; see that the clock is right now, and run gridtide check"
    )
    log.warning(remark)
    return [remark]


def _let_go(store: Store, settings: Settings, now: datetime) -> None:
    """Delete raw responses, forecast runs and commands past their retention periods."""
    if settings.keep_raw:
        pruned = prune_raw(store.connection, store.home.raw, now - settings.keep_raw, now)
        log.info("deleted raw bodies", extra=asdict(pruned))
    if settings.keep_runs:
        thinned = thin_runs(store.connection, now - settings.keep_runs)
        log.info("thinned forecast runs", extra=asdict(thinned))
        thinned_weather = thin_weather(store.connection, now - settings.keep_runs)
        log.info("thinned weather runs", extra=asdict(thinned_weather))
    prune_commands(store.home.ledger, now - KEEP_COMMANDS)


def _nothing(report: Report, home: DataDirectory) -> str:
    """Return the error that there is nothing to publish, with the remedy."""
    why = "; ".join(f"{step.source}: {step.message}" for step in report.steps if step.message)
    return (
        f"{home.root} holds nothing to publish, and no source gave anything"
        f"{f' ({why})' if why else ''}; set a key, import a file, or add --simulate"
    )


def summary(report: Report) -> dict[str, object]:
    """Return the report as one JSON object: per source what came, what failed and why."""
    sources: dict[str, dict[str, object]] = {}
    for step in report.steps:
        entry = sources.setdefault(step.source, {"status": DONE, "rows": 0, "spans": 0})
        entry["rows"] = int(str(entry["rows"])) + step.rows
        entry["spans"] = int(str(entry["spans"])) + 1
        if step.status not in (DONE, NOTHING_YET):
            entry["status"], entry["message"] = step.status, step.message
    forecasts = report.forecasts
    return {
        "snapshot": report.snapshot or None,
        "sources": sources,
        "derived_rows": report.derived_rows,
        "forecast_rows": forecasts.rows if forecasts else 0,
        "not_forecast": dict(forecasts.reasons) if forecasts else {},
        "remarks": list(report.remarks),
        "exit_code": report.exit_code,
    }
