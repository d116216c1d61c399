"""One snapshot as requests read it, with facts and forecasts in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridtide.model import Quality, Series, Signal, Slot
from gridtide.planning.problem.forecast import Outlook
from gridtide.slots import to_instant, to_moment
from gridtide_server.prices import Prices
from gridtide_store.manifest import Manifest
from gridtide_store.snapshot import Observed, Run, SeriesInfo, Snapshot
from gridtide_store.vocabulary import input_of

# How far back the newest slot is searched for before all of the history is read.
RECENT = timedelta(days=14)
# Ranges of time are half-open, and a slot that starts at the requested moment counts.
INSTANT = timedelta(microseconds=1)
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
# Earlier than any slot, with room for what is read around a range.
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
# Values of the past kept in memory, so that a replay reads the files once.
KEPT = 4096
SIGNALS = frozenset(Signal)


class Forecast(NamedTuple):
    """A forecast run, and its p50 prepared for searching."""

    run: Run
    series: Series

    @property
    def quality(self) -> Quality:
        """``simulated`` where the history was."""
        return Quality.SIMULATED if self.run.simulated else Quality.FORECAST

    @property
    def end(self) -> datetime:
        """End of the last slot."""
        return self.series.slots[-1].end


@dataclass(frozen=True, slots=True)
class Origin:
    """Sources of some values and their licences, joined with commas."""

    source: str
    licence: str
    simulated: bool


class View:
    """A snapshot whose newest forecast runs stay in memory; the past is read from its files."""

    def __init__(self, snapshot: Snapshot, manifest: Manifest) -> None:
        self.snapshot = snapshot
        self._served = {(row.zone, m.signal) for m in manifest.matrices for row in m.rows}
        self._series: dict[str, dict[Signal, tuple[SeriesInfo, ...]]] = {}
        for info in snapshot.series:
            if info.signal in SIGNALS:
                signals = self._series.setdefault(info.zone, {})
                signal = Signal(info.signal)
                signals[signal] = (*signals.get(signal, ()), info)
        self._newest = lru_cache(None)(self._read_newest)
        self._earlier = lru_cache(KEPT)(self._read_run)
        self._latest = lru_cache(KEPT)(self._read_latest)
        self._known = lru_cache(KEPT)(self._read_known)
        self._ends = lru_cache(None)(self._read_ends)
        self._origin = lru_cache(KEPT)(self._read_origin)
        self.prices = Prices(snapshot)
        self._outlooks: dict[tuple[str, str, str, datetime], Outlook] = {}

    def close(self) -> None:
        """Close the snapshot's files."""
        self.snapshot.close()

    @property
    def zones(self) -> tuple[str, ...]:
        """Keys of the zones with a history, sorted."""
        return tuple(sorted(self._series))

    def observed(self, zone: str) -> tuple[Signal, ...]:
        """Return the signals of the zone's history."""
        return tuple(self._series.get(zone, ()))

    def sources(self, zone: str, signal: Signal, as_of: datetime) -> tuple[str, ...]:
        """Return the sources of one zone and signal with a value known at `as_of`."""
        infos = self._infos(zone, signal)
        if len(infos) == 1:
            return (infos[0].source,) if self.latest(zone, signal, as_of) else ()
        return tuple(
            info.source
            for info in infos
            if (
                info.last_end is not None
                if info.newest_known_at <= as_of
                else self._known(zone, signal, as_of, info.source)
            )
        )

    def forecast(self, zone: str, signal: Signal, as_of: datetime) -> Forecast | None:
        """Return the newest run known at `as_of`; from memory if that is the newest of all."""
        if (zone, signal) not in self._served and signal not in self._series.get(zone, ()):
            # A query that finds nothing would take a millisecond for each zone.
            return None
        newest = self._newest(zone, signal)
        if newest is None or newest.run.known_at <= as_of:
            return newest
        return self._earlier(zone, signal, as_of)

    def forecasts(
        self, zone: str, as_of: datetime, signals: Iterable[Signal] = tuple(Signal)
    ) -> dict[Signal, Forecast]:
        """Return the newest run of each of `signals` that has one."""
        found = ((signal, self.forecast(zone, signal, as_of)) for signal in signals)
        return {signal: run for signal, run in found if run is not None}

    def outlook(self, forecast: Forecast) -> Outlook:
        """Return a forecast of this view with its quantiles, as the planner takes it."""
        run = forecast.run
        key = run.zone, run.signal, run.model, run.issued_at
        found = self._outlooks.get(key)
        if found is None:
            if len(self._outlooks) >= KEPT:
                self._outlooks.clear()
            found = self._outlooks[key] = _outlook(forecast)
        return found

    def newest_end(self, zone: str, signal: Signal, as_of: datetime) -> datetime | None:
        """Return the end of the newest slot that has ended, with a value known at `as_of`.

        A slot that has not ended does not count. ``None`` if none has ended.
        """
        if not self._all_known(zone, signal, as_of):
            return self._latest_end(zone, signal, as_of)
        ends = [info.last_end for info in self._infos(zone, signal) if info.last_end]
        if not ends or max(ends) <= as_of:
            return max(ends, default=None)
        recent = self._ends(zone, signal)
        ended = int(np.searchsorted(recent, to_instant(as_of), side="right"))
        if ended:
            return to_moment(int(recent[ended - 1]))
        return self._latest_end(zone, signal, as_of)

    def span(
        self, zone: str, signal: Signal, as_of: datetime
    ) -> tuple[datetime, datetime] | None:
        """Return start and end of the slots with a value known at `as_of`."""
        if self._all_known(zone, signal, as_of):
            return self._span(zone, signal)
        return self._known(zone, signal, as_of, None)

    def observed_at(self, zone: str, as_of: datetime) -> tuple[Signal, ...]:
        """Return the signals of the zone's history with a value known at `as_of`."""
        return tuple(
            signal
            for signal in self.observed(zone)
            if self._all_known(zone, signal, as_of) or self.latest(zone, signal, as_of)
        )

    def knows_all(self, zone: str, as_of: datetime) -> bool:
        """Return whether nothing of the zone's history became known after `as_of`."""
        return all(self._all_known(zone, each, as_of) for each in self.observed(zone))

    def zones_at(self, as_of: datetime) -> tuple[str, ...]:
        """Return the keys of the zones with a value known at `as_of`, sorted."""
        return tuple(zone for zone in self.zones if self.observed_at(zone, as_of))

    def latest(self, zone: str, signal: Signal, as_of: datetime) -> Observed | None:
        """Return the newest slot that has begun, with a value known at `as_of`; or None."""
        return self._latest(zone, signal, as_of, END_OF_TIME)

    def _latest_end(self, zone: str, signal: Signal, as_of: datetime) -> datetime | None:
        """Return the end of the newest slot that has ended, with a value known at `as_of`."""
        found = self._latest(zone, signal, as_of, as_of)
        return None if found is None else to_moment(int(found.end_us[0]))

    def _infos(self, zone: str, signal: Signal) -> tuple[SeriesInfo, ...]:
        """Return the series of one zone and signal, one for each source."""
        return self._series.get(zone, {}).get(signal, ())

    def _all_known(self, zone: str, signal: Signal, as_of: datetime) -> bool:
        return all(info.newest_known_at <= as_of for info in self._infos(zone, signal))

    def _span(self, zone: str, signal: Signal) -> tuple[datetime, datetime] | None:
        """Return start and end of the slots that have a value by all that is known now.

        Slots that were withdrawn are left out.
        """
        infos = self._infos(zone, signal)
        first = [info.first_start for info in infos if info.first_start]
        last = [info.last_end for info in infos if info.last_end]
        return (min(first), max(last)) if first and last else None

    def origin(self, sources: Iterable[str]) -> Origin:
        """Return the given sources, each of which may list several, with their licences."""
        return self._origin(frozenset(sources))

    def _read_origin(self, sources: frozenset[str]) -> Origin:
        names = sorted({name for each in sources for name in each.split(", ")})
        facts = self.snapshot.sources
        known = [facts[each] for name in names if (each := input_of(name)) in facts]
        licences = sorted({each.licence for each in known})
        return Origin(
            source=", ".join(names),
            licence=", ".join(licences) or "not stated",
            simulated=any(each.simulated for each in known),
        )

    def _read_latest(
        self, zone: str, signal: Signal, as_of: datetime, until: datetime
    ) -> Observed | None:
        """Read the newest slot with a value known at `as_of` that ends by `until`."""
        starts = as_of - RECENT, BEGINNING
        if self._all_known(zone, signal, as_of):
            span = self._span(zone, signal)
            if span is None:
                return None
            starts = max(span[0], min(as_of, span[1]) - RECENT), span[0]
        for start in starts:
            found = self.snapshot.observations(
                zone, signal, start, as_of + INSTANT, as_of=as_of
            )
            known = np.flatnonzero(~np.isnan(found.value) & (found.end_us <= to_instant(until)))
            if len(known):
                return found.at(int(known[-1]))
        return None

    def _read_known(
        self, zone: str, signal: Signal, as_of: datetime, source: str | None
    ) -> tuple[datetime, datetime] | None:
        """Read what `span` returns, of one source alone if it is given."""
        found = self.snapshot.observations(
            zone, signal, BEGINNING, END_OF_TIME, as_of=as_of, source=source
        )
        known = np.flatnonzero(~np.isnan(found.value))
        if not len(known):
            return None
        first, last = int(known[0]), int(known[-1])
        return to_moment(int(found.start_us[first])), to_moment(int(found.end_us[last]))

    def _read_ends(self, zone: str, signal: Signal) -> NDArray[np.int64]:
        """Read the ends of the known slots since shortly before the snapshot was published."""
        start = self.snapshot.published_at - RECENT
        found = self.snapshot.observations(zone, signal, start, END_OF_TIME)
        return found.end_us[~np.isnan(found.value)]

    def _read_newest(self, zone: str, signal: Signal) -> Forecast | None:
        return self._read_run(zone, signal, END_OF_TIME)

    def _read_run(self, zone: str, signal: Signal, as_of: datetime) -> Forecast | None:
        run = self.snapshot.run(zone, signal, as_of=as_of)
        return None if run is None else Forecast(run, series_of(run))


def _outlook(forecast: Forecast) -> Outlook:
    run = forecast.run
    p10, p90 = (
        None if bool(np.isnan(values).all()) else series_of(run, values)
        for values in (run.p10, run.p90)
    )
    return Outlook(forecast.series, p10, p90, run.issued_at, run.model)


def series_of(run: Run, values: NDArray[np.float64] | None = None) -> Series:
    """Return the p50 of a run, or other values for its slots, as a series."""
    given = run.p50 if values is None else values
    columns = zip(run.start_us.tolist(), run.end_us.tolist(), given.tolist(), strict=True)
    return Series(
        run.zone,
        Signal(run.signal),
        tuple(
            Slot(
                to_moment(start),
                to_moment(end),
                None if value != value else value,
                Quality.FORECAST,
            )
            for start, end, value in columns
        ),
    )
