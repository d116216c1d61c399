"""Read from the store what was known of a zone at a moment, as the models take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from gridtide.model import Quality, Signal, utc
from gridtide_pipelines.forecast.forecaster import HORIZON, Known, Location, hour_of
from gridtide_pipelines.forecast.models import models
from gridtide_store import catalogue
from gridtide_store.store import Store
from gridtide_store.trust import order_by_trust
from gridtide_store.usual import Usual
from gridtide_store.vocabulary import GENERATION
from gridtide_store.weather import read_weather, weather_models


@dataclass(frozen=True, slots=True)
class StoreHistory:
    """One zone and signal of a store, as of any moment.

    Attributes:
        memory: how far back a model looks.
        wants: what it reads besides the signal itself, see `Forecaster.wants`.
        usual: knowledge times instead of the stored ones.
    """

    store: Store
    zone: str
    signal: Signal
    memory: timedelta
    wants: frozenset[str] = frozenset()
    usual: Usual | None = None

    def known(self, at: datetime) -> Known:
        """Return the zone as of `at`; day-ahead forecasts are not in the store."""
        return self.known_from(at)[0]

    def known_from(self, at: datetime) -> tuple[Known, str, bool]:
        """Return the same with the names of the sources and whether any of it is simulated."""
        record = catalogue.load().find(self.zone)
        trusted = record.sources if record else ()
        slots = self.store.history(
            self.zone,
            self.signal,
            at - self.memory,
            hour_of(at),
            as_of=at,
            sources=trusted,
            usual=self.usual,
        ).filter(pl.col("value").is_not_null())
        model, weather = self._weather(at) if "weather" in self.wants else ("", None)
        known = Known(
            zone=self.zone,
            signal=self.signal,
            at=at,
            intensity=slots.select("start", "end", "value"),
            location=Location(record.timezone, record.lat, record.lon)
            if record
            else Location(),
            mix=self._mix(at, trusted) if "mix" in self.wants else None,
            publishers=self._publishers(at) if "publishers" in self.wants else None,
            weather=weather,
            weather_model=model,
        )
        simulated = slots.select((pl.col("quality") == Quality.SIMULATED).any()).item()
        return known, ", ".join(slots["source"].unique().sort()), bool(simulated)

    def _mix(self, at: datetime, trusted: Sequence[str]) -> pl.DataFrame | None:
        """Read the generation mix of the most trusted source that has it."""
        mine = self.store.series().filter(
            pl.col("zone") == self.zone, pl.col("signal").str.starts_with(GENERATION)
        )
        if mine.is_empty():
            return None
        source = order_by_trust(mine["source"], trusted)[0]
        rows = self.store.inputs(
            self.zone, source, at - self.memory, hour_of(at), as_of=at, usual=self.usual
        )
        return rows.filter(pl.col("signal").str.starts_with(GENERATION)).select(
            pl.col("slot_start").alias("start"),
            pl.col("slot_end").alias("end"),
            pl.col("signal").str.strip_prefix(GENERATION).alias("fuel"),
            "value",
        )

    def _weather(self, at: datetime) -> tuple[str, pl.DataFrame | None]:
        """Read the runs of the model that has most of them, so that none meets another."""
        for model in weather_models(self.store.connection, self.zone, as_of=at)[:1]:
            frame = read_weather(
                self.store.connection, self.zone, model, at - self.memory, at, as_of=at
            )
            return model, frame
        return "", None

    def _publishers(self, at: datetime) -> pl.DataFrame | None:
        steps = self.store.forecasts(
            self.zone, self.signal, hour_of(at), at + HORIZON, as_of=at
        ).filter(~pl.col("model").is_in(list(models())))
        if steps.is_empty():
            return None
        return steps.select(
            "model",
            "issued_at",
            pl.col("slot_start").alias("start"),
            pl.col("slot_end").alias("end"),
            "p50",
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """One signal of one zone in a store; `last_end` is None where no slot has a value."""

    zone: str
    signal: Signal
    last_end: datetime | None


def forecastable(store: Store, zones: Sequence[str]) -> list[Stored]:
    """Return each zone and signal of which the store has observations.

    No decision is made by generation, load or flows.
    """
    ends = store.series().group_by("zone", "signal").agg(pl.max("last_end"))
    return [
        Stored(zone, Signal(signal), None if last_end is None else utc(last_end))
        for zone, signal, last_end in ends.sort("zone", "signal").iter_rows()
        if signal in set(Signal) and (not zones or zone in zones)
    ]
