"""What a response says of the price that a decision counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gridtide.schema.definition import Field
from gridtide.schema.result import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceUsed(Record):
    """The published price of one zone: what it is, where it is from, and where it ends."""

    zone: Annotated[str, Field("key of the zone")]
    signal: Annotated[str, Field("the signal, such as price_eur")]
    currency: Annotated[str, Field("ISO 4217 code")]
    unit: Annotated[str, Field("of the price, such as EUR/MWh")]
    simulated: Annotated[bool, Field("whether values of the simulated grid are used")]
    source: Annotated[str, Field("publishers, comma-separated")]
    licence: Annotated[str, Field("terms of those")]
    known_at: Annotated[datetime, Field("when its newest value was received")]
    data_age_seconds: Annotated[float, Field("from then to now", unit="s")]
    until: Annotated[
        datetime, Field("end of the last known slot; nothing beyond it is planned or assumed")
    ]
    coverage: Annotated[
        float,
        Field(
            "for what fraction of the time from the earliest start to the deadline, or else to "
            "the end of the forecast, it is known"
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPrice(PriceUsed):
    """The published price, and its means over a window and over one that starts at once."""

    mean: Annotated[float, Field("of the price over the window")]
    mean_now: Annotated[
        float | None, Field("when starting at once; null where part of that is unknown")
    ]
