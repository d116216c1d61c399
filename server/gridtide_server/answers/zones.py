"""The zones with the age of their data, and whether it is current. No clock, no HTTP."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from gridtide.errors import NoData
from gridtide.model import Signal, format_time
from gridtide.schema.health import Readiness, StaleZone
from gridtide.schema.responses import ZoneForecast, ZoneInfo, Zones
from gridtide.windows import default_signal
from gridtide_server.service import Moment
from gridtide_server.view import Forecast, View
from gridtide_store.catalogue import Catalogue


def build_zones(view: View, catalogue: Catalogue, moment: Moment, *, every: bool) -> Zones:
    """Build the response of ``/v1/zones``.

    Args:
        every: also list the zones of the catalogue that have no data.
    """
    at = moment.as_of
    listed = []
    for key in sorted({*view.zones, *(catalogue.zones if every else ())}):
        observed, forecasts = view.observed_at(key, at), view.forecasts(key, at)
        if observed or forecasts or (every and key in catalogue.zones):
            listed.append(_zone(view, catalogue, key, moment, observed, forecasts))
    return Zones(
        zones=tuple(listed),
        **moment.shared,
    )


def _zone(
    view: View,
    catalogue: Catalogue,
    key: str,
    moment: Moment,
    observed: Collection[Signal],
    forecasts: Mapping[Signal, Forecast],
) -> ZoneInfo:
    record = catalogue.zones.get(key)
    signals = sorted({*observed, *forecasts})
    try:
        default = default_signal(signals)
    except NoData:
        default = None
    newest = view.newest_end(key, default, moment.as_of) if default else None
    forecast = forecasts.get(default) if default else None
    origin = view.origin(
        source for signal in observed for source in view.sources(key, signal, moment.as_of)
    )
    return ZoneInfo(
        zone=key,
        name=record.name if record else key,
        country=record.country if record else None,
        timezone=record.timezone if record else None,
        lat=record.lat if record else None,
        lon=record.lon if record else None,
        kind=record.kind.value if record else "zone",
        aliases=tuple(record.aliases) if record else (),
        signals=tuple(signals),
        default_signal=default,
        newest_slot_end=newest,
        data_age_seconds=moment.since(newest),
        forecast=forecast
        and ZoneForecast(
            model=forecast.run.model, issued_at=forecast.run.issued_at, end=forecast.end
        ),
        simulated=origin.simulated,
        source=origin.source or None,
        licence=origin.licence if origin.source else None,
        prices=tuple(
            signal
            for signal in view.prices.signals(key)
            if view.prices.end(key, signal, moment.as_of) is not None
        ),
    )


# A refresh runs at least nightly, so that is the publication period; publishers that are late
# (the EIA's balancing authorities, by up to a day) stay within three periods.
PERIOD = timedelta(days=1)
STALE = 3 * PERIOD
# History that was imported once never grows: it is old, not stale.
HISTORY = timedelta(days=7)


def build_readiness(view: View, moment: Moment, only: Collection[str] = ()) -> Readiness:
    """Build the response of ``/readyz``: the zones whose data is stale now.

    A zone is stale when its newest slot ended three publication periods ago, or when its
    forecast has ended. Zones whose history stopped a week ago or earlier are left out, unless
    they are named or there are no others.

    Args:
        only: keys of the zones to describe; all with data if empty.

    Raises:
        Damaged: the snapshot's files cannot be read any more.
    """
    # Data in memory would hide for days that the files are gone.
    view.snapshot.probe()
    ages = {zone: _newest(view, zone, moment) for zone in only or view.zones}
    growing = [zone for zone, end in ages.items() if end and end > moment.now - HISTORY]
    watched = list(only) or growing or list(view.zones)
    stale = tuple(
        StaleZone(zone=zone, reasons=tuple(reasons))
        for zone in watched
        if (reasons := _reasons(view, zone, ages[zone], moment))
    )
    reasons = []
    if not watched:
        reasons.append("no zone has data; run `gridtide refresh`, or import some")
    if stale:
        reasons.append(f"{len(stale)} of {len(watched)} zones are stale")
    return Readiness(
        status="ready" if watched and not stale else "stale",
        snapshot=view.snapshot.id,
        published_at=view.snapshot.published_at,
        zones=len(watched),
        stale=stale,
        reasons=tuple(reasons),
        now=moment.as_of,
        replay=moment.replay,
    )


def _judged_signal(view: View, zone: str) -> Signal | None:
    """Return the signal whose age counts: the default one, else the first of the zone."""
    observed = view.observed(zone)
    try:
        return default_signal(observed)
    except NoData:
        return min(observed, default=None)


def _newest(view: View, zone: str, moment: Moment) -> datetime | None:
    signal = _judged_signal(view, zone)
    return view.newest_end(zone, signal, moment.now) if signal else None


def _reasons(view: View, zone: str, newest: datetime | None, moment: Moment) -> list[str]:
    signal = _judged_signal(view, zone)
    forecast = view.forecast(zone, signal, moment.now) if signal else None
    reasons = []
    if newest is None:
        reasons.append("no value is known")
    elif moment.now - newest > STALE:
        reasons.append(f"the newest slot ended {format_time(newest)}")
    if forecast is None:
        reasons.append("there is no forecast")
    elif forecast.end <= moment.now:
        reasons.append(f"the forecast ended {format_time(forecast.end)}")
    return reasons
