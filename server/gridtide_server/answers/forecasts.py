"""The forecast that a response is based on, or why there is none. No clock, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gridtide.errors import NoCommonSignal, NoData
from gridtide.model import DEFAULT_ORDER, Signal, format_time
from gridtide.schema.requests import ForecastRequest
from gridtide.schema.responses import Forecast as ForecastResponse
from gridtide.schema.responses import ForecastSlot
from gridtide.windows import common_signal, default_signal
from gridtide_server.answers.aggregates import members_of, not_one_zone
from gridtide_server.answers.estimates import origin_of
from gridtide_server.answers.regions import location_of, without_publisher
from gridtide_server.service import Moment
from gridtide_server.view import Forecast, View, series_of
from gridtide_store.regions import Resolution


def build_forecast(
    view: View, region: Resolution, request: ForecastRequest, moment: Moment
) -> ForecastResponse:
    """Build the response of ``/v1/zones/{zone}/forecast``.

    Raises:
        NoData: there is no such forecast run; the message lists what there is.
    """
    found = find_run(view, region, request, moment)
    run, signal = found.run, found.series.signal
    return ForecastResponse(
        **location_of(region),
        signal=signal,
        unit=signal.unit,
        quality=found.quality,
        simulated=run.simulated,
        **origin_of(view, found),
        model=run.model,
        issued_at=run.issued_at,
        known_at=run.known_at,
        data_age_seconds=moment.since(view.newest_end(region.zone, signal, moment.as_of)),
        **moment.shared,
        slots=_slots(found),
    )


def find_run(
    view: View, region: Resolution, request: ForecastRequest, moment: Moment
) -> Forecast:
    """Return the newest run known at the moment, of the requested model or the served one.

    Raises:
        NoData: there is none; the message lists what there is.
    """
    signal = request.signal or usual_signal(view, region, moment.as_of)
    served = newest_forecast(view, region, signal, moment.as_of)
    if request.model is None or request.model == served.run.model:
        return served
    run = view.snapshot.run(region.zone, signal, as_of=moment.as_of, model=request.model)
    if run is None:
        raise NoData(
            f"{region.zone} has no forecast of {signal} by {request.model!r} as of "
            f"{format_time(moment.as_of)}; the one that is served is by {served.run.model}: "
            "leave model out for it"
        )
    return Forecast(run, series_of(run))


def current_forecast(view: View, region: Resolution, signal: Signal, at: datetime) -> Forecast:
    """Return the newest forecast of `signal` known at `at`, which must reach beyond it.

    Raises:
        NoData: there is none, or it has ended; the message says what to do.
    """
    forecast = newest_forecast(view, region, signal, at)
    if forecast.end <= at:
        raise NoData(
            f"{region.zone}: the newest forecast ({forecast.run.model}, issued "
            f"{format_time(forecast.run.issued_at)}) ended {format_time(forecast.end)}, before "
            f"{format_time(at)}; run `gridtide refresh`{_replay_hint(view, region, at)}",
            forecast_end=forecast.end,
        )
    return forecast


def newest_forecast(view: View, region: Resolution, signal: Signal, at: datetime) -> Forecast:
    """Return the newest forecast of `signal` known at `at`.

    Raises:
        NoData: there is none; the message lists the signals that have one.
    """
    forecast = view.forecast(region.zone, signal, at)
    if forecast is not None:
        return forecast
    others = sorted(view.forecasts(region.zone, at))
    if not others:
        raise _no_forecast(view, region, at)
    raise NoData(
        f"{region.zone} has no forecast of {signal} as of {format_time(at)}; it has "
        f"{', '.join(others)}",
        signals=others,
    )


def usual_signal(view: View, region: Resolution, at: datetime) -> Signal:
    """Return the default signal of a region, among those with a forecast known at `at`.

    Raises:
        NoData: none has a forecast, or none that is a default; the message lists them.
    """
    if usual := view.forecasts(region.zone, at, DEFAULT_ORDER):
        return default_signal(usual)
    if others := view.forecasts(region.zone, at):
        return default_signal(others)
    raise _no_forecast(view, region, at)


def choose_common_signal(
    view: View, regions: Sequence[Resolution], requested: Signal | None, at: datetime
) -> Signal:
    """Return the signal to compare regions on: `requested`, or the default that most have.

    A region without it is not refused here; `current_forecast` gives the reason. A default
    signal counts for a region if its forecast has not ended.

    Raises:
        NoCommonSignal: no region has the requested one, or no two share a default one.
        NoData: no region has any forecast that reaches beyond `at`; the message names each.
    """

    def known(*signals: Signal) -> dict[str, list[Signal]]:
        return {r.region: sorted(view.forecasts(r.zone, at, signals)) for r in regions}

    def lasting(*signals: Signal) -> dict[str, list[Signal]]:
        return {
            r.region: [
                signal
                for signal, forecast in view.forecasts(r.zone, at, signals).items()
                if forecast.end > at
            ]
            for r in regions
        }

    if requested is not None:
        if any(known(requested).values()):
            return requested
        every = known(*Signal)
        if not any(every.values()):
            raise _no_forecasts(view, regions, at)
        raise NoCommonSignal(
            f"there is no forecast of {requested} for {', '.join(every)}; name a signal that "
            "they have",
            signals=every,
        )
    usual = lasting(*DEFAULT_ORDER)
    shared = max(DEFAULT_ORDER, key=lambda signal: sum(signal in has for has in usual.values()))
    having = sum(shared in has for has in usual.values())
    if having > 1 or having == len(regions):
        return shared
    able = [region for region, has in lasting(*Signal).items() if has]
    if not able:
        raise _no_forecasts(view, regions, at)
    if having == len(able):
        return shared
    # Raises: the error lists the signals of each region.
    return common_signal(known(*Signal))


def _no_forecasts(view: View, regions: Sequence[Resolution], at: datetime) -> NoData:
    """Return the error for regions of which none has a forecast, with each one's reason."""
    reasons = []
    for region in regions:
        try:
            current_forecast(view, region, usual_signal(view, region, at), at)
        except NoData as error:
            reasons.append(error)
    if len(reasons) == 1:
        return reasons[0]
    return NoData("; ".join(map(str, reasons)))


def _no_forecast(view: View, region: Resolution, at: datetime) -> NoData:
    """Return the error for a zone without any forecast."""
    zone, when = f"{region.zone} ({region.zone_name})", format_time(at)
    if members := members_of(view, region.zone, at):
        return not_one_zone(region, members)
    if view.observed_at(region.zone, at):
        return NoData(
            f"{zone} has no forecast as of {when}; run `gridtide issue --zone "
            f"{region.zone}` and `gridtide publish`{_replay_hint(view, region, at)}"
        )
    if (error := without_publisher(region)) is not None:
        return error
    there = view.zones_at(at)
    some = ", ".join(there[:10]) + (", …" if len(there) > 10 else "")
    return NoData(
        f"{zone} has no data here as of {when}; `gridtide refresh` or `gridtide import` "
        f"brings it in. Zones with data: {some or 'none'}"
    )


def _replay_hint(view: View, region: Resolution, at: datetime) -> str:
    """Return the hint to ask for the time of a replay, where that has a forecast."""
    then = view.snapshot.published_at
    # A request as of an earlier time learns nothing of a later one.
    if not view.snapshot.replay or then > at or not view.forecasts(region.zone, then):
        return ""
    return f"; or, since this data was published in replay, run with --now {format_time(then)}"


def _slots(forecast: Forecast) -> tuple[ForecastSlot, ...]:
    """Return the slots of a run that have a median."""
    run = forecast.run
    bounds = (
        [None if value != value else value for value in each.tolist()]
        for each in (run.p10, run.p90)
    )
    return tuple(
        ForecastSlot(start=slot.start, end=slot.end, p10=p10, p50=slot.value, p90=p90)
        for slot, p10, p90 in zip(forecast.series.slots, *bounds, strict=True)
        if slot.value is not None
    )
