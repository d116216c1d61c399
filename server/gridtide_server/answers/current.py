"""The forecast a question stands on, or why there is none."""

from __future__ import annotations

from datetime import datetime

from gridtide.errors import NoData
from gridtide.model import DEFAULT_ORDER, Signal, format_time
from gridtide.windows import default_signal
from gridtide_server.view import Forecast, View
from gridtide_store.regions import Resolution


def current(view: View, place: Resolution, signal: Signal, at: datetime) -> Forecast:
    """The newest forecast of `signal` known at `at`, which reaches beyond it.

    Raises:
        NoData: there is none, or it has ended; the message says what to do.
    """
    forecast = newest(view, place, signal, at)
    if forecast.end <= at:
        raise NoData(
            f"{place.zone}: the newest forecast ({forecast.run.model}, issued "
            f"{format_time(forecast.run.issued_at)}) ended {format_time(forecast.end)}, before "
            f"{format_time(at)}; run `gridtide refresh`{_replayed(view, place, at)}",
            forecast_end=forecast.end,
        )
    return forecast


def newest(view: View, place: Resolution, signal: Signal, at: datetime) -> Forecast:
    """The newest forecast of `signal` known at `at`.

    Raises:
        NoData: there is none; the message says which there are.
    """
    forecast = view.forecast(place.zone, signal, at)
    if forecast is not None:
        return forecast
    others = sorted(view.forecasts(place.zone, at))
    if not others:
        raise _nothing(view, place, at)
    raise NoData(
        f"{place.zone} has no forecast of {signal} as of {format_time(at)}; it has "
        f"{', '.join(others)}",
        signals=others,
    )


def usual_signal(view: View, place: Resolution, at: datetime) -> Signal:
    """The signal that answers when none is named, of those with a forecast known at `at`.

    Raises:
        NoData: none has, or none of those that answer by default; the message lists them.
    """
    if usual := view.forecasts(place.zone, at, DEFAULT_ORDER):
        return default_signal(usual)
    if others := view.forecasts(place.zone, at):
        return default_signal(others)
    raise _nothing(view, place, at)


def _nothing(view: View, place: Resolution, at: datetime) -> NoData:
    """The error for a zone without any forecast."""
    zone, when = f"{place.zone} ({place.zone_name})", format_time(at)
    if view.observed_at(place.zone, at):
        return NoData(
            f"{zone} has no forecast as of {when}; run `gridtide issue --zone {place.zone}` "
            f"and `gridtide publish`{_replayed(view, place, at)}"
        )
    there = view.zones_at(at)
    some = ", ".join(there[:10]) + (", …" if len(there) > 10 else "")
    return NoData(
        f"{zone} has no data here as of {when}; `gridtide refresh` or `gridtide import` "
        f"brings it in. Zones with data: {some or 'none'}"
    )


def _replayed(view: View, place: Resolution, at: datetime) -> str:
    """How to ask a home that was published at another time, where that would help."""
    then = view.snapshot.published_at
    # Of a later time nothing is said to somebody who asks as of an earlier one.
    if not view.snapshot.replay or then > at or not view.forecasts(place.zone, then):
        return ""
    return f"; or, since this home was published in replay, ask with --now {format_time(then)}"
