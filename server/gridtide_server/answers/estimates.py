"""What of a response is estimated, and how uncertain it is. No clock, no HTTP."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypedDict

from gridtide.model import Signal
from gridtide.schema.estimates import EstimateOf
from gridtide_server.view import Forecast, View
from gridtide_store.estimates import estimated_zones, is_estimate

DIGITS = 4


class OriginOfForecast(TypedDict):
    """The fields of a response that say what a forecast was made from."""

    source: str
    licence: str
    estimates: tuple[EstimateOf, ...]


def estimates_of(
    zone: str, signal: Signal, values: Iterable[tuple[float | None, str | None]]
) -> tuple[EstimateOf, ...]:
    """Return how uncertain values of one zone are, if they are estimated.

    Args:
        zone: key of the zone.
        signal: what the values are of.
        values: those of the response and their sources, each of which may list several; the
            most uncertain one that is estimated counts. Of other zones they are not looked at.
    """
    record = estimated_zones().get(zone)
    if record is None:
        return ()
    known = [
        record.uncertainty(signal, float(value))
        for value, source in values
        if value is not None and not math.isnan(value)
        if source is not None and any(map(is_estimate, source.split(", ")))
    ]
    if not known:
        return ()
    return (EstimateOf(zone=zone, uncertainty=round(max(known), DIGITS), basis=record.basis),)


def estimates_of_forecast(forecast: Forecast) -> tuple[EstimateOf, ...]:
    """Return how uncertain the history is from which a forecast was made, if estimated.

    What the forecast itself is uncertain by is in its quantiles.
    """
    run = forecast.run
    values = ((slot.value, run.source) for slot in forecast.series.slots)
    return estimates_of(run.zone, forecast.series.signal, values)


def origin_of(view: View, forecast: Forecast) -> OriginOfForecast:
    """Return the fields of a response that say what a forecast was made from."""
    origin = view.origin([forecast.run.source])
    return {
        "source": origin.source,
        "licence": origin.licence,
        "estimates": estimates_of_forecast(forecast),
    }
