"""Published prices as text for a person; scripts take ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gridtide.cli.origin import origin, region_title
from gridtide.cli.terminal import Table
from gridtide.planning.problem.objective import Objective
from gridtide.schema.text import (
    format_age,
    format_minute,
    format_percent,
    format_price,
)

if TYPE_CHECKING:
    from gridtide.schema.priced import PriceUsed
    from gridtide.schema.prices import Price
    from gridtide.schema.responses import BestWindow


def window_price(answer: BestWindow) -> list[str]:
    """Return what the price of a window is and where it is known from; nothing without one."""
    price = answer.price
    if price is None:
        return []
    said = format_price(price.mean, price.unit)
    if price.mean_now is not None:
        said += f", at once: {format_price(price.mean_now, price.unit)}"
    saves = ""
    if answer.saving is not None:
        way = "less" if answer.saving >= 0 else "more"
        saves = f", {format_percent(abs(answer.saving))} {way} than at once"
    least = "cost"
    if answer.objective == Objective.WEIGHTED:
        least = f"cost + {answer.carbon_price:g} {price.currency}/t x emissions"
    return [f"  price    {said}", f"  least    {least}{saves}", *prices_used([price])]


def prices_used(prices: Sequence[PriceUsed]) -> list[str]:
    """Return where each price is known from and until when, a line each."""
    return [
        f"  {each.signal:<8} of {each.zone} until {format_minute(each.until)}, known for "
        f"{each.coverage:.0%} of the time, {format_age(each.data_age_seconds)} old, "
        f"{each.source} ({each.licence})"
        for each in prices
    ]


def price(answer: Price) -> list[str | Table]:
    """Return the slots of a price, one row each; the present one alone in its line."""
    signal = f"  signal   {answer.signal}, known until {format_minute(answer.until)}"
    rows = [
        (
            format_minute(slot.start),
            format_minute(slot.end),
            "unknown" if slot.value is None else format_price(slot.value, answer.unit),
        )
        for slot in answer.slots
    ]
    return [
        region_title(answer),
        signal,
        *origin(answer),
        "",
        Table(("from", "to", "price"), rows),
    ]
