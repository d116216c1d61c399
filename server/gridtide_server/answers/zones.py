"""The zones, and what is known of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gridtide.errors import NoData
from gridtide.model import Signal
from gridtide.schema.responses import ZoneForecast, ZoneInfo, Zones
from gridtide.windows import default_signal
from gridtide_server.service import Moment
from gridtide_server.view import Forecast, View
from gridtide_store.catalogue import Catalogue


def zones(view: View, catalogue: Catalogue, moment: Moment, *, every: bool) -> Zones:
    """Zones with data by key; with `every`, all of the catalogue too."""
    at = moment.as_of
    listed = []
    for key in sorted({*view.zones, *(catalogue.zones if every else ())}):
        observed, forecasts = view.observed_at(key, at), view.forecasts(key, at)
        if observed or forecasts or (every and key in catalogue.zones):
            listed.append(_zone(view, catalogue, key, moment, observed, forecasts))
    return Zones(
        zones=tuple(listed),
        as_of=moment.as_of,
        replay=moment.replay,
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
    )
