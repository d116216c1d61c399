"""Values of ENTSO-E's documents: codes, contracts and auctions to rows of values. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gridtide_pipelines.ingest.production_types import FUELS
from gridtide_pipelines.ingest.sources.entsoe_documents import (
    Document,
    Floats,
    Series,
    Slots,
    is_rising,
    read_acknowledgement,
    read_series,
    text_of,
)
from gridtide_store.vocabulary import GENERATION, generation

Flags: TypeAlias = NDArray[np.bool_]

ACTUAL: Final = "A16"
TOTAL_CONTRACT: Final = "A05"
# Day-ahead, intraday and current forecasts of a slot are one value in three revisions.
REVISIONS: Final = {"A01": 1, "A40": 2, "A18": 3}
PRICE: Final = "price_"


@dataclass(frozen=True, slots=True)
class Values:
    """Values of one code of one area, or of one exchange ``from->to``.

    Attributes:
        code: what is added to others of its signal: of a fuel, of a contract; "" of others.
        slots: each is there once.
        values: of the slots; NaN is known to be unknown.
        issued_at: of a forecast.
        body: number of the body that they are from.
        document: number of the document; where one names several codes, a sum has all of them.
        conflict: for each slot whether its document contradicts itself.
        order: which of two statements is newer; where it is the same, that of the later body.
        consumes: whether it counts negative, as what a pump takes.
    """

    area: str
    signal: str
    code: str
    slots: Slots
    values: Floats
    issued_at: datetime | None
    body: int
    document: int
    conflict: Flags
    order: int
    consumes: bool


def read_values(
    document: Document, body: int, number: int, issued_at: datetime
) -> Iterator[Values]:
    """Yield the values of one document, under the codes of its areas.

    Args:
        body: number of the body that the document is from.
        number: of the document.
        issued_at: of a forecast.

    Raises:
        ValueError: it is not a document of these types, or refuses the request.
    """
    root = document.root
    if root.tag == "Acknowledgement_MarketDocument":
        read_acknowledgement(root)
        return
    if root.tag not in ("GL_MarketDocument", "Publication_MarketDocument"):
        raise ValueError(f"a {root.tag[:60]}, not a market document")
    item = text_of(root, "type")
    process = root.findtext("process.processType", "")
    series = [read_series(each, document) for each in root.iter("TimeSeries")]
    order = REVISIONS.get(process, 0)

    def state(
        found: Sequence[Series], signal_of: Callable[[Series], str], run: datetime | None
    ) -> Iterator[Values]:
        alike: dict[tuple[str, str, str, bool], list[Series]] = defaultdict(list)
        for each in found:
            code = each.contract if item in ("A11", "A09", "A65") else each.code
            alike[each.area, signal_of(each), code, each.consumes].append(each)
        for (area, signal, code, consumes), mine in alike.items():
            slots, values, conflict = _join([(each.slots, each.values) for each in mine])
            pumps = consumes and signal.startswith(GENERATION)
            if pumps:
                values = -values
            # The first of several auctions counts.
            newer = -mine[0].sequence if item == "A44" else order
            yield Values(
                *(area, signal, code, slots, values, run, body, number, conflict, newer),
                consumes=pumps,
            )

    match item:
        case "A75":
            yield from state(series, _fuel, None)
        case "A69":
            yield from state(series, _fuel, issued_at)
        case "A71":
            yield from state(series, lambda _: generation("total"), issued_at)
        case "A65":
            run = None if process == ACTUAL else issued_at
            yield from state(series, lambda _: "load", run)
        case "A11":
            yield from state(series, lambda _: "flow", None)
        case "A09":
            yield from state(series, lambda _: "flow", issued_at)
        case "A44":
            if not all(each.currency for each in series):
                raise ValueError("a price without a currency")
            first = {each.area: each.sequence for each in sorted(series, key=_sequence)[::-1]}
            chosen = [each for each in series if each.sequence == first[each.area]]
            yield from state(chosen, lambda each: PRICE + each.currency, None)
        case _:
            raise ValueError(f"document type {item[:20]!r} is not one of those that are read")


def _fuel(series: Series) -> str:
    return generation(FUELS.get(series.code, "unknown"))


def _sequence(series: Series) -> int:
    return series.sequence


def _join(parts: Sequence[tuple[Slots, Floats]]) -> tuple[Slots, Floats, Flags]:
    """Join values of one code: a slot that comes again counts once, NaN where they differ."""
    if len(parts) == 1 and is_rising(parts[0][0]):
        return *parts[0], np.zeros(len(parts[0][0]), np.bool_)
    values = np.concatenate([each for _, each in parts])
    slots, first, index = np.unique(
        np.concatenate([each for each, _ in parts]), return_index=True, return_inverse=True
    )
    joined = values[first]
    conflict = np.zeros(len(slots), np.bool_)
    conflict[index[differ(values, joined[index])]] = True
    joined[conflict] = np.nan
    return slots, joined, conflict


def differ(one: Floats, other: Floats) -> Flags:
    """Say of each pair of values whether they differ; two that are unknown do not."""
    unlike: Flags = (one != other) & ~(np.isnan(one) & np.isnan(other))
    return unlike
