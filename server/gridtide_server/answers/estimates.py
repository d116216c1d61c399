"""What of a response is estimated, and how uncertain it is. No clock, no HTTP."""

from __future__ import annotations

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
    zone: str, signal: Signal, values: Iterable[float | None], sources: Iterable[str]
) -> tuple[EstimateOf, ...]:
    """Return how uncertain values of one zone are, if they are estimated.

    Args:
        zone: key of the zone.
        signal: what the values are of.
        values: those of the response; the most uncertain one counts.
        sources: of these values, each of which may list several.
    """
    record = estimated_zones().get(zone)
    named = (name for each in sources for name in each.split(", "))
    if record is None or not any(map(is_estimate, named)):
        return ()
    known = [record.uncertainty(signal, value) for value in values if value is not None]
    if not known:
        return ()
    return (EstimateOf(zone=zone, uncertainty=round(max(known), DIGITS), basis=record.basis),)


def estimates_of_forecast(forecast: Forecast) -> tuple[EstimateOf, ...]:
    """Return how uncertain the history is from which a forecast was made, if estimated.

    What the forecast itself is uncertain by is in its quantiles.
    """
    values = (slot.value for slot in forecast.series.slots)
    run = forecast.run
    return estimates_of(run.zone, forecast.series.signal, values, [run.source])


def origin_of(view: View, forecast: Forecast) -> OriginOfForecast:
    """Return the fields of a response that say what a forecast was made from."""
    origin = view.origin([forecast.run.source])
    return {
        "source": origin.source,
        "licence": origin.licence,
        "estimates": estimates_of_forecast(forecast),
    }
