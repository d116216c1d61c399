"""Weather forecasts: due runs, and readings as rows of the store.

A source of weather keeps to the contract of every source (`source.py`). Its readings have
signals ``weather_<quantity>`` and are stored as whole runs (`gridtide_store/weather.py`). Their
slot is the three hours that end at the lead time: means and sums are over them, the others hold
at its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import numpy as np
import polars as pl

from gridtide.errors import BadInput
from gridtide.model import Quality
from gridtide_pipelines.errors import NothingYet, NotStored
from gridtide_pipelines.ingest.mixing import is_simulated
from gridtide_pipelines.ingest.parsing import number, readings
from gridtide_pipelines.ingest.schedule import DAY, EPOCH
from gridtide_pipelines.ingest.settling import AnsweredDays
from gridtide_pipelines.ingest.source import Body, Source, Span
from gridtide_pipelines.ingest.weather_points import Floats, Locations, locations, zones
from gridtide_store.store import Store
from gridtide_store.vocabulary import INSTANT, WEATHER
from gridtide_store.weather import SCALES, WEATHER_RUN, append_weather

STEP: Final = timedelta(hours=3)
LEADS: Final = tuple(range(0, 97, 3))  # hours
ZERO_CELSIUS: Final = 273.15  # K

# Outside these a value is a mistake of units or of parsing.
PLAUSIBLE: Final[Mapping[str, tuple[float, float]]] = {
    "wind_speed_m_s": (0.0, 60.0),
    "wind_speed_100m_m_s": (0.0, 60.0),
    "temp_k": (200.0, 335.0),
    "dewpoint_k": (200.0, 335.0),
    "dswrf_w_m2": (0.0, 1400.0),
    "precip_mm": (0.0, 100.0),
    "cloud_pct": (0.0, 100.5),  # a percent of rounding
}
# A run that was received later than this after its issue is one of the past.
LIVE_FOR: Final = DAY


def finite(value: object) -> float | None:
    """Return a value of a JSON body, or None for null.

    Raises:
        TypeError, ValueError: it is not a finite number.
    """
    found = number(value)
    if found is not None and not np.isfinite(found):
        raise ValueError(f"{value!r} is not a finite number")
    return found


def second_half(whole: Floats, first: Floats, *, mean: bool) -> Floats:
    """Return the last three hours of a window of six, given the window and its first half."""
    found = 2 * whole - first if mean else whole - first
    return np.maximum(found, 0.0)  # rounding of the packed values; none of these is negative


def weather_readings(
    source: str,
    issued_at: datetime,
    values: Mapping[tuple[int, str], Floats],
    wanted: Collection[str],
    among: Locations | None = None,
) -> pl.DataFrame:
    """Build the readings of one run from values at some points.

    Every lead time and quantity has a row in each zone; one without values is null.

    Args:
        values: by lead time in hours and quantity.
        wanted: zones; none for all.
        among: the points; None for all of `locations`.

    Raises:
        NothingYet: there is no value at all.
    """
    known = among or locations()
    mine = sorted(zones().intersection(wanted) if wanted else zones())
    rows = [
        (zone, WEATHER + quantity, lead, found)
        for zone in mine
        for quantity in SCALES
        for lead in LEADS
        for at in [values.get((lead, quantity))]
        for found in [None if at is None else known.mean(zone, quantity, at)]
    ]
    if all(value is None for *_, value in rows):
        raise NothingYet(source, f"no value of the run of {issued_at:%Y-%m-%dT%H:%MZ}")
    return readings(
        zone=[zone for zone, *_ in rows],
        signal=[signal for _, signal, *_ in rows],
        start=STEP,
        end=[issued_at + timedelta(hours=lead) for *_, lead, _ in rows],
        value=[value for *_, value in rows],
        quality=Quality.FORECAST,
        issued_at=issued_at,
    )


def to_rows(
    frame: pl.DataFrame, source: Source, bodies: Sequence[Body], flags: Counter[str]
) -> pl.DataFrame:
    """Turn the readings of one group of `bodies` into rows of WEATHER_RUN.

    A value that is implausible is unknown, and counted in `flags`. A run is known when its last
    body was here; one of the past, which is received more than `LIVE_FOR` after its issue,
    counts as known at its usual time, `source.lag` after it: unlike observations it is never
    revised.
    """
    received = max(body.known_at for body in bodies)
    wanted = {zone for body in bodies for zone in body.request.zones}
    quantity = pl.col("signal").str.strip_prefix(WEATHER)
    fits = pl.any_horizontal(
        (quantity == name) & pl.col("value").is_between(low, high)
        for name, (low, high) in PLAUSIBLE.items()
    )
    past = pl.lit(received, INSTANT) > pl.col("issued_at") + LIVE_FOR
    rows = frame.with_columns(odd=~fits & pl.col("value").is_not_null())
    if wanted:
        rows = rows.filter(pl.col("zone").is_in(list(wanted)))
    for signal, count in rows.filter("odd")["signal"].value_counts().iter_rows():
        flags[f"implausible:{signal}"] += count
    return rows.select(
        "zone",
        pl.lit(source.weather).alias("model"),
        "issued_at",
        pl.when(past)
        .then(pl.col("issued_at") + source.lag)
        .otherwise(pl.lit(received, INSTANT))
        .alias("known_at"),
        pl.lit(received, INSTANT).alias("received_at"),
        pl.lit(source.name).alias("source"),
        pl.lit(is_simulated(source, bodies)).alias("simulated"),
        quantity.alias("quantity"),
        ((pl.col("end") - pl.col("issued_at")).dt.total_hours()).alias("lead_h"),
        pl.when(~pl.col("odd")).then("value").alias("value"),
    ).cast(WEATHER_RUN)


class Taking(Protocol):
    """What has come in of a query so far."""

    rows: int
    flags: Counter[str]
    answered_days: AnsweredDays


def take_weather(
    frame: pl.DataFrame, source: Source, bodies: Sequence[Body], store: Store, into: Taking
) -> int:
    """Store the run of a group, which answers its whole span; return how many values it has.

    Raises:
        NotStored: the store refused it.
    """
    rows = to_rows(frame, source, bodies, into.flags)
    try:
        into.rows += append_weather(store, rows)
    except BadInput as error:
        raise NotStored(source.name, str(error)) from error
    span = bodies[0].request.span
    if span is not None:
        # As observations of the whole time would say it.
        answer = pl.DataFrame({"zone": rows["zone"].unique().sort()}).with_columns(
            signal=pl.lit(WEATHER),
            slot_start=pl.lit(span.start, INSTANT),
            slot_end=pl.lit(span.end, INSTANT),
            value=pl.lit(1.0),
        )
        into.answered_days.add(answer, ())
    return rows["value"].count()


def due_run(
    source: Source,
    wanted: Collection[str],
    newest: Mapping[tuple[str, str], datetime],
    now: datetime,
) -> tuple[Span, tuple[str, ...]] | None:
    """Return the time in which the newest run began that must be public, and who lacks it.

    One run and no older one: the forecaster uses the newest. A source that needs requests for
    each zone is a stand-in: it has none for zones of which another source has a run that is
    not older than two of its own.

    Args:
        newest: when the newest stored run of each source and zone was issued.
    """
    begin = now - source.lag
    begin -= (begin - EPOCH) % source.step
    lacking = []
    for zone in sorted(wanted):
        others = [at for (name, each), at in newest.items() if each == zone]
        mine = newest.get((source.name, zone))
        late = begin - 2 * source.step if source.per_zone else None
        if mine is not None and mine >= begin:
            continue
        if late is not None and any(at >= late for at in others):
            continue
        lacking.append(zone)
    return (Span(begin, begin + source.step), tuple(lacking)) if lacking else None
