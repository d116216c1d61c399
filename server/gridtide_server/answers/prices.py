"""The published prices that a decision counts, or why there are none. No clock, no HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridtide.errors import BadInput, NoCommonSignal, NoData, NoFeasibleWindow
from gridtide.model import format_time
from gridtide_server.answers.aggregates import members_of, not_one_zone
from gridtide_server.prices import ZonePrice, currency_of
from gridtide_server.service import Moment
from gridtide_server.view import View
from gridtide_store.regions import Resolution
from gridtide_store.vocabulary import PRICE

CURRENCY = re.compile(r"[A-Za-z]{3}")
# What an operator may do for a zone whose price no source publishes.
OWN_PRICES = (
    "import prices of your own (`gridtide import FILE --signal price_eur`, docs/import.md)"
)


@dataclass(frozen=True)
class FoundPrices:
    """The prices of some regions, all in one currency.

    Attributes:
        prices: by region.
        without: the other regions, with the reason why they have none.
    """

    prices: Mapping[str, ZonePrice]
    without: Mapping[str, NoData]

    @contextmanager
    def named(self) -> Iterator[None]:
        """Add to an error that nothing fits where the prices end."""
        try:
            yield
        except NoFeasibleWindow as error:
            ends = {each.zone: each for each in self.prices.values()}
            said = "; ".join(
                f"{each.signal} of {each.zone} is known until {format_time(each.until)}"
                for each in ends.values()
            )
            raise type(error)(
                f"{error} ({said}, and no price is assumed beyond)", **error.extra
            ) from error


def find_prices(
    view: View, regions: Mapping[str, Resolution], currency: str | None, at: datetime
) -> FoundPrices:
    """Return the prices known at `at` that reach beyond it, in one currency.

    Args:
        regions: by the name of each in the request.
        currency: the requested one; ``None`` for the one that all regions with a price have,
            of several the one that is known furthest ahead in all of them, then by name.

    Raises:
        BadInput: not a code of a currency.
        NoCommonSignal: the regions with a price share no currency, or have not the requested
            one.
        NoData: no region has a price that reaches beyond `at`; the message names each.
    """
    wanted = None if currency is None else price_signal(currency)
    known, without = dict[str, dict[str, ZonePrice]](), dict[str, NoData]()
    for name, region in regions.items():
        try:
            known[name] = _ahead(view, region, at)
        except NoData as error:
            without[name] = error
    if not known:
        if len(without) == 1:
            raise next(iter(without.values()))
        raise NoData("; ".join(map(str, without.values())))
    signal = _choose(known, wanted)
    return FoundPrices({name: found[signal] for name, found in known.items()}, without)


def price_signal(currency: str) -> str:
    """Return the signal of a price in `currency`.

    Raises:
        BadInput: it is not a code of a currency.
    """
    if not CURRENCY.fullmatch(currency):
        raise BadInput(
            f"currency is {currency!r:.80}; give its ISO 4217 code, such as EUR or GBP"
        )
    return f"{PRICE}{currency.lower()}"


def _choose(known: Mapping[str, Mapping[str, ZonePrice]], wanted: str | None) -> str:
    """Return the price signal that all of `known` have."""
    shared = set.intersection(*(set(found) for found in known.values()))
    if wanted in shared:
        return str(wanted)
    if wanted is None and shared:
        ends = {each: min(found[each].until for found in known.values()) for each in shared}
        return min(sorted(shared), key=lambda each: -ends[each].timestamp())
    has = "; ".join(
        f"{name} has {', '.join(map(currency_of, sorted(found)))}"
        for name, found in known.items()
    )
    if wanted is None:
        why = "prices in several currencies cannot be compared, and none is converted"
        remedy = "name regions of one currency, or compare them by the objective carbon"
    else:
        why = f"there is no price in {currency_of(wanted)} for each of the regions"
        remedy = "name another currency, or leave it out"
    raise NoCommonSignal(
        f"{why}: {has}; {remedy}",
        signals={name: sorted(found) for name, found in known.items()},
    )


def _ahead(view: View, region: Resolution, at: datetime) -> dict[str, ZonePrice]:
    """Return the prices of a region that reach beyond `at`, by signal.

    Raises:
        NoData: there is none; the message says what there is, and what to do.
    """
    signals = view.prices.signals(region.zone)
    around = {each: view.prices.around(region.zone, each, at) for each in signals}
    found = {signal: price for signal, price in around.items() if price is not None}
    ahead = {signal: price for signal, price in found.items() if price.until > at}
    if ahead:
        return ahead
    if found:
        ends = ", ".join(
            f"{each.signal} ended {format_time(each.until)}" for each in found.values()
        )
        raise NoData(
            f"{region.zone}: no price is known after {format_time(at)} ({ends}); run "
            f"`gridtide refresh`, {OWN_PRICES}, or choose the objective carbon"
        )
    raise no_price(view, region, at, "choose the objective carbon")


def no_price(view: View, region: Resolution, at: datetime, otherwise: str = "") -> NoData:
    """Return the error for a zone without a price; `otherwise` is what may be done instead."""
    if members := members_of(view, region.zone, at):
        return not_one_zone(region, members)
    reports = view.snapshot.manifest.reports
    able = [
        f"{name}{' (needs a key)' if each.needs_key else ''}"
        for name, each in sorted(reports.items())
        if "price" in each.kinds and region.zone in each.zones
    ]
    remedies = [f"`gridtide refresh` brings it in from {', '.join(able)}"] if able else []
    remedies += [OWN_PRICES, *([otherwise] if otherwise else [])]
    return NoData(
        f"{region.zone} ({region.zone_name}) has no price here as of {format_time(at)}; "
        f"{', or '.join(remedies)}"
    )


def price_fields(
    view: View, price: ZonePrice, span: tuple[datetime, datetime], moment: Moment
) -> dict[str, Any]:
    """Return the fields of `PriceUsed`; `span` is the time in which the job may run."""
    origin = view.origin(price.sources)
    return {
        "zone": price.zone,
        "signal": price.signal,
        "currency": price.currency,
        "unit": price.unit,
        "simulated": origin.simulated,
        "source": origin.source,
        "licence": origin.licence,
        "known_at": price.known_at,
        "data_age_seconds": moment.since(price.known_at) or 0.0,
        "until": price.until,
        "coverage": price.coverage(*span),
    }


def zones_of(regions: Sequence[Resolution]) -> dict[str, Resolution]:
    """Return regions by their names."""
    return {each.region: each for each in regions}
