"""Candidate regions of a plan, with the forecast of each. No clock, no HTTP."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from gridtide.errors import NoData
from gridtide.model import Signal
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.schema.regions import Candidate, Candidates
from gridtide_server.answers.forecasts import (
    choose_common_signal,
    current_forecast,
    usual_signal,
)
from gridtide_server.answers.prices import FoundPrices
from gridtide_server.answers.regions import resolve_region, resolve_regions
from gridtide_server.prices import ZonePrice
from gridtide_server.view import Forecast, View
from gridtide_store import catalogue
from gridtide_store.regions import How, Resolution

CFE_SIGNALS = (Signal.CFE_CONSUMED, Signal.CFE_PRODUCED)


@dataclass(frozen=True)
class FoundCandidates:
    """What a plan can be made from.

    Attributes:
        regions: candidate regions with a forecast.
        resolved: all regions of the request, by name.
        forecasts: by name, of `regions`.
        without: names of the others, with the reason why they have no forecast, or no price.
        prices: the prices that are counted.
    """

    regions: CandidateRegions
    resolved: Mapping[str, Resolution]
    forecasts: Mapping[str, Forecast]
    without: Mapping[str, str]
    prices: FoundPrices | None = None


def resolve_candidates(candidates: Sequence[Candidate]) -> dict[str, Resolution]:
    """Resolve the region of each candidate, by its name.

    Raises:
        UnknownRegion: one or more resolve to no zone.
        BadInput: one name lists several regions.
    """
    names = [candidate.region for candidate in candidates]
    together = {region.region: region for region in resolve_regions(names)}
    return {name: together.get(name) or resolve_region(name) for name in names}


def find_candidates(
    view: View,
    candidates: Candidates,
    resolved: Mapping[str, Resolution],
    *,
    signal: Signal | None,
    clean_share: bool,
    at: datetime,
    needed: str | None = None,
    prices: FoundPrices | None = None,
) -> FoundCandidates:
    """Return the candidates with their forecasts of one signal, as known at `at`.

    Args:
        resolved: the region of each candidate by name, of `resolve_candidates`; others too.
        signal: the requested one; ``None`` for the usual one, or the CFE fraction that most
            have.
        clean_share: whether to plan on a CFE fraction.
        needed: a region that must have a forecast, as must the current region.
        prices: the prices of the candidates, where the goal counts them.

    Raises:
        NoCommonSignal: no two of them share one, or none has the requested one.
        NoData: none of them, or not the current region, has a forecast that reaches beyond
            `at`.
        BadInput: as `CandidateRegions`.
    """
    resolved = {each.region: resolved[each.region] for each in candidates.regions}
    signal = choose_plan_signal(
        view, list(resolved.values()), signal, clean_share=clean_share, at=at
    )
    forecasts: dict[str, Forecast] = {}
    without: dict[str, NoData] = {}
    for name, region in resolved.items():
        try:
            if prices is not None and name in prices.without:
                raise prices.without[name]
            forecasts[name] = current_forecast(view, region, signal, at)
        except NoData as error:
            if len(resolved) == 1:
                raise
            without[name] = error
    for required in (candidates.current_region, candidates.latency_from, needed):
        if required in without:
            raise without[required]
    if not forecasts:
        raise NoData("; ".join(map(str, without.values())))
    regions = [
        _candidate_region(
            candidate,
            resolved[candidate.region],
            view,
            forecasts[candidate.region],
            None if prices is None else prices.prices[candidate.region],
        )
        for candidate in candidates.regions
        if candidate.region in forecasts
    ]
    return FoundCandidates(
        CandidateRegions(tuple(regions), **_rules(candidates, forecasts)),
        resolved,
        forecasts,
        {name: str(error) for name, error in without.items()},
        prices,
    )


def choose_plan_signal(
    view: View,
    regions: Sequence[Resolution],
    requested: Signal | None,
    *,
    clean_share: bool,
    at: datetime,
) -> Signal:
    """Return the one signal to plan on, as `find_candidates` says.

    Raises:
        NoCommonSignal, NoData: as `find_candidates`.
    """
    if requested is None and clean_share:
        requested = _cfe_signal(view, regions, at)
    if len(regions) == 1:
        return requested or usual_signal(view, regions[0], at)
    return choose_common_signal(view, regions, requested, at)


def _cfe_signal(view: View, regions: Sequence[Resolution], at: datetime) -> Signal:
    """Return the CFE fraction that most regions have; of equals the consumption-based one."""

    def count(signal: Signal) -> int:
        found = (view.forecast(region.zone, signal, at) for region in regions)
        return sum(each is not None and each.end > at for each in found)

    return max(CFE_SIGNALS, key=count) if any(map(count, CFE_SIGNALS)) else CFE_SIGNALS[-1]


def _rules(candidates: Candidates, known: Collection[str]) -> dict[str, Any]:
    """Return what the request says of all candidates together, of those that are `known`."""
    rules = {
        each.name: getattr(candidates, each.name)
        for each in fields(Candidates)
        if each.name != "regions"
    }
    if candidates.allowed is not None:
        rules["allowed"] = candidates.allowed.intersection(known)
    rules["latency_ms"] = {
        region: latency for region, latency in candidates.latency_ms.items() if region in known
    }
    return rules


def _candidate_region(
    candidate: Candidate,
    resolution: Resolution,
    view: View,
    forecast: Forecast,
    price: ZonePrice | None,
) -> CandidateRegion:
    latitude, longitude = candidate.latitude, candidate.longitude
    if latitude is None and longitude is None:
        latitude, longitude = _coordinates(resolution)
    zone = catalogue.load().zones.get(resolution.zone)
    return CandidateRegion(
        candidate.region,
        view.outlook(forecast),
        candidate.pue,
        candidate.intensity,
        candidate.jurisdiction or (zone.country if zone else None),
        latitude,
        longitude,
        None if price is None else price.costs,
    )


def _coordinates(region: Resolution) -> tuple[float, float] | tuple[None, None]:
    """Return latitude and longitude; none of a zone of the operator's own."""
    known = catalogue.load()
    site = known.cloud_regions.get(region.region.casefold())
    if site is not None:
        return site.lat, site.lon
    if region.how in (How.OUTLINE, How.SITE):
        lat, _, lon = region.region.partition(",")
        return float(lat), float(lon)
    zone = known.zones.get(region.zone)
    return (zone.lat, zone.lon) if zone else (None, None)
