"""The regions of a question about a plan: resolved, with what is believed of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from gridtide.errors import NoData
from gridtide.model import Signal
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.schema.regions import Candidate, Candidates
from gridtide_server.answers import regions
from gridtide_server.answers.current import current, usual_signal
from gridtide_server.answers.decisions import common
from gridtide_server.view import Forecast, View
from gridtide_store import catalogue
from gridtide_store.regions import How, Resolution

SHARES = (Signal.CFE_CONSUMED, Signal.CFE_PRODUCED)


@dataclass(frozen=True)
class Found:
    """What a plan can be made from.

    Attributes:
        regions: those with a forecast.
        resolved, forecasts: by region, of these.
        without: other regions, and why they have none.
    """

    regions: CandidateRegions
    resolved: Mapping[str, Resolution]
    forecasts: Mapping[str, Forecast]
    without: Mapping[str, str]


def resolved(candidates: Sequence[Candidate]) -> dict[str, Resolution]:
    """The zone of each candidate, by its region.

    Raises:
        UnknownRegion: one or more resolve to no zone.
        BadInput: one of them is several.
    """
    names = [candidate.region for candidate in candidates]
    together = {place.region: place for place in regions.several(names)}
    return {name: together.get(name) or regions.one(name) for name in names}


def find(
    view: View,
    candidates: Candidates,
    *,
    signal: Signal | None,
    clean_share: bool,
    at: datetime,
    needed: str | None = None,
) -> Found:
    """The forecasts of the candidates, known at `at`, on one signal.

    Args:
        signal: asked for; ``None``: the usual one, or with `clean_share` the CFE that all have.
        needed: a region that must have a forecast, as must the current one.

    Raises:
        NoCommonSignal: no two of them share one, or none has the one asked for.
        NoData: none of them, or not the current one, has a forecast that reaches beyond `at`.
        BadInput, UnknownRegion: as `resolved` and `CandidateRegions`.
    """
    there = resolved(candidates.regions)
    signal = signal_of(view, list(there.values()), signal, clean_share=clean_share, at=at)
    forecasts: dict[str, Forecast] = {}
    without: dict[str, NoData] = {}
    for name, place in there.items():
        try:
            forecasts[name] = current(view, place, signal, at)
        except NoData as error:
            if len(there) == 1:
                raise
            without[name] = error
    for region in (candidates.current_region, candidates.latency_from, needed):
        if region in without:
            raise without[region]
    if not forecasts:
        raise NoData("; ".join(map(str, without.values())))
    known = [
        _place(candidate, there[candidate.region], view, forecasts[candidate.region])
        for candidate in candidates.regions
        if candidate.region in forecasts
    ]
    return Found(
        CandidateRegions(tuple(known), **_rules(candidates)),
        there,
        forecasts,
        {name: str(error) for name, error in without.items()},
    )


def signal_of(
    view: View,
    there: Sequence[Resolution],
    asked: Signal | None,
    *,
    clean_share: bool,
    at: datetime,
) -> Signal:
    """The one signal to plan on, as `find` says.

    Raises:
        NoCommonSignal, NoData: as `find`.
    """
    if asked is None and clean_share:
        asked = _share(view, there, at)
    if len(there) == 1:
        return asked or usual_signal(view, there[0], at)
    return common(view, there, asked, at)


def _share(view: View, there: Sequence[Resolution], at: datetime) -> Signal:
    """The carbon-free share that most of the regions have; consumed where as many have it."""

    def having(signal: Signal) -> int:
        found = (view.forecast(place.zone, signal, at) for place in there)
        return sum(each is not None and each.end > at for each in found)

    return max(SHARES, key=having) if any(map(having, SHARES)) else SHARES[-1]


def _rules(candidates: Candidates) -> dict[str, Any]:
    return {
        each.name: getattr(candidates, each.name)
        for each in fields(Candidates)
        if each.name != "regions"
    }


def _place(
    candidate: Candidate, resolution: Resolution, view: View, forecast: Forecast
) -> CandidateRegion:
    latitude, longitude = candidate.latitude, candidate.longitude
    if latitude is None and longitude is None:
        latitude, longitude = _where(resolution)
    country = catalogue.load().zones[resolution.zone].country
    return CandidateRegion(
        candidate.region,
        view.outlook(forecast),
        candidate.pue,
        candidate.intensity,
        candidate.jurisdiction or country,
        latitude,
        longitude,
    )


def _where(resolution: Resolution) -> tuple[float, float]:
    known = catalogue.load()
    site = known.cloud_regions.get(resolution.region.casefold())
    if site is not None:
        return site.lat, site.lon
    if resolution.how in (How.OUTLINE, How.SITE):
        lat, _, lon = resolution.region.partition(",")
        return float(lat), float(lon)
    zone = known.zones[resolution.zone]
    return zone.lat, zone.lon
