"""The published prices of a snapshot, as they were known at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from gridtide.model import Quality, Slot
from gridtide.planning.problem.costs import CostSeries
from gridtide.schema.prices import KWH_PER_MWH
from gridtide.slots import to_instant, to_moment
from gridtide_store.snapshot import Observed, SeriesInfo, Snapshot
from gridtide_store.vocabulary import PRICE, unit_of

# Data may be moved from where the newest price is older; no publisher's reach a week ahead.
BEFORE, AHEAD = timedelta(days=1), timedelta(days=14)
# Nearly every price that ends before a moment ends in this time; else all of it is read.
RECENT = timedelta(days=7)
# A moment is a full minute, so most are never needed again; one takes up to 150 kB.
KEPT = 128
# Earlier than any slot.
FIRST = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ZonePrice:
    """The price of one zone in one currency around a moment; the last slot has a value."""

    zone: str
    signal: str
    as_of: datetime
    observed: Observed

    @property
    def currency(self) -> str:
        """Its ISO 4217 code."""
        return currency_of(self.signal)

    @property
    def unit(self) -> str:
        """Currency per MWh."""
        return unit_of(self.signal)

    @property
    def until(self) -> datetime:
        """End of the last known slot."""
        return to_moment(int(self.observed.end_us[-1]))

    @property
    def known_at(self) -> datetime:
        """When the newest of the values ahead was received; of the past, if none is ahead."""
        return to_moment(int(self.observed.known_at_us[self._counted].max()))

    @property
    def sources(self) -> set[str]:
        """Sources of the values ahead; of those of the past, if none is ahead."""
        return set(self.observed.source[self._counted].tolist())

    @cached_property
    def _counted(self) -> NDArray[np.bool_]:
        known = ~np.isnan(self.observed.value)
        ahead = known & (self.observed.end_us > to_instant(self.as_of))
        return ahead if bool(ahead.any()) else known

    def coverage(self, start: datetime, end: datetime) -> float:
        """Return the fraction of ``[start, end)`` for which the price is known."""
        low, high = to_instant(start), to_instant(end)
        seen = self.observed
        within = np.minimum(seen.end_us, high) - np.maximum(seen.start_us, low)
        covered = int(np.maximum(within, 0)[~np.isnan(seen.value)].sum())
        return round(covered / (high - low), 4) if high > low else 0.0

    @cached_property
    def costs(self) -> CostSeries:
        """The cost of a kWh; every slot as long as its publisher made it."""
        columns = zip(
            self.observed.start_us.tolist(),
            self.observed.end_us.tolist(),
            self.observed.value.tolist(),
            strict=True,
        )
        slots = (
            Slot(
                to_moment(start),
                to_moment(end),
                None if value != value else value / KWH_PER_MWH,
                Quality.MEASURED,
            )
            for start, end, value in columns
        )
        return CostSeries(f"{self.currency}/kWh", tuple(slots))


class Prices:
    """Prices of the zones of a snapshot; those around a moment stay in memory."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._series: dict[str, dict[str, tuple[SeriesInfo, ...]]] = {}
        for info in snapshot.series:
            if info.signal.startswith(PRICE):
                signals = self._series.setdefault(info.zone, {})
                signals[info.signal] = (*signals.get(info.signal, ()), info)
        self._around = lru_cache(KEPT)(self._read)

    def signals(self, zone: str) -> tuple[str, ...]:
        """Return the price signals of a zone, one for each currency, sorted."""
        return tuple(sorted(self._series.get(zone, ())))

    def around(self, zone: str, signal: str, as_of: datetime) -> ZonePrice | None:
        """Return the price from a day before `as_of` on, as known then; None without any."""
        return self._around(zone, signal, as_of) if signal in self.signals(zone) else None

    def end(self, zone: str, signal: str, as_of: datetime) -> datetime | None:
        """Return the end of the last slot with a value known at `as_of`; None without any."""
        infos = self._series.get(zone, {}).get(signal, ())
        if all(info.newest_known_at <= as_of for info in infos):
            return max((info.last_end for info in infos if info.last_end), default=None)
        for start in (as_of - RECENT, FIRST):
            found = self._snapshot.observations(zone, signal, start, as_of + AHEAD, as_of=as_of)
            known = found.end_us[~np.isnan(found.value)]
            if len(known):
                return to_moment(int(known[-1]))
        return None

    def _read(self, zone: str, signal: str, as_of: datetime) -> ZonePrice | None:
        found = self._snapshot.observations(
            zone, signal, as_of - BEFORE, as_of + AHEAD, as_of=as_of
        )
        known = np.flatnonzero(~np.isnan(found.value))
        if not len(known):
            return None
        return ZonePrice(zone, signal, as_of, found.first(int(known[-1]) + 1))


def currency_of(signal: str) -> str:
    """Return the ISO 4217 code of a price signal."""
    return signal.removeprefix(PRICE).upper()
