"""Whether questions get current answers, and if not, for which zones and why."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from gridtide.errors import NoData
from gridtide.model import Signal, format_time
from gridtide.schema.responses import Readiness, StaleZone
from gridtide.windows import default_signal
from gridtide_server.service import Moment
from gridtide_server.view import View

# A refresh runs at least nightly, so that is the publication period; later publishers than
# that (the EIA's balancing authorities, by up to a day) stay within three of them.
PERIOD = timedelta(days=1)
STALE = 3 * PERIOD
# A home also holds history that was imported once and never grows: it is old, not stale.
HISTORY = timedelta(days=7)


def readiness(view: View, moment: Moment, only: Collection[str] = ()) -> Readiness:
    """What is stale now among the zones with data, or among `only` those named.

    A zone is stale when its newest slot ended three publication periods ago, or when its
    forecast has ended. Zones whose history stopped a week ago and earlier are left out,
    unless they are named or there are no others.

    Raises:
        Damaged: the snapshot's files cannot be read any more.
    """
    # What is in memory would answer for days from files that are gone.
    view.snapshot.probe()
    ages = {zone: _newest(view, zone, moment) for zone in only or view.zones}
    living = [zone for zone, end in ages.items() if end and end > moment.now - HISTORY]
    looked_at = list(only) or living or list(view.zones)
    stale = tuple(
        StaleZone(zone=zone, reasons=tuple(reasons))
        for zone in looked_at
        if (reasons := _reasons(view, zone, ages[zone], moment))
    )
    reasons = []
    if not looked_at:
        reasons.append("no zone has data; run `gridtide refresh`, or import some")
    if stale:
        reasons.append(f"{len(stale)} of {len(looked_at)} zones are stale")
    return Readiness(
        status="ready" if looked_at and not stale else "stale",
        snapshot=view.snapshot.id,
        published_at=view.snapshot.published_at,
        zones=len(looked_at),
        stale=stale,
        reasons=tuple(reasons),
        now=moment.as_of,
        replay=moment.replay,
    )


def _watched(view: View, zone: str) -> Signal | None:
    """The signal a zone is judged by: its default, else the first it has."""
    observed = view.observed(zone)
    try:
        return default_signal(observed)
    except NoData:
        return min(observed, default=None)


def _newest(view: View, zone: str, moment: Moment) -> datetime | None:
    signal = _watched(view, zone)
    return view.newest_end(zone, signal, moment.now) if signal else None


def _reasons(view: View, zone: str, newest: datetime | None, moment: Moment) -> list[str]:
    signal = _watched(view, zone)
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
