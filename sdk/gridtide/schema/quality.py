"""The response about the quality of a zone's data: its anomalies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gridtide.model import Quality
from gridtide.schema.definition import Field
from gridtide.schema.requests import AsOf
from gridtide.schema.responses import Located, Response
from gridtide.schema.result import Record, Shown, Tabular
from gridtide.schema.validate import validate

MOST_LISTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRequest:
    """The anomalies of a zone."""

    as_of: AsOf = None
    limit: Annotated[
        int, Field("list so many of the newest", at_least=1, at_most=MOST_LISTED)
    ] = 100

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyCount:
    """How many anomalies with one flag a source had."""

    source: Annotated[str, Field("the publisher")]
    flag: Annotated[str, Field("such as implausible, frozen, unmapped_code")]
    count: Annotated[int, Field("how many values")]
    accepted: Annotated[int, Field("how many of them were accepted by hand")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """A value of a publisher that needs a look."""

    id: Annotated[int, Field("its number, for `gridtide anomalies accept`")]
    zone: Annotated[str, Field("the zone, or the two zones of a flow, as in DE->FR")]
    signal: Annotated[str, Field("such as generation_wind, load")]
    source: Annotated[str, Field("the publisher")]
    start: Annotated[datetime, Field("start of the slot")]
    end: Annotated[datetime, Field("end of the slot")]
    value: Annotated[float | None, Field("as the publisher sent it, in the signal's unit")]
    quality: Annotated[Quality, Field("how the publisher came to know it")]
    flag: Annotated[str, Field("what is wrong with it, such as unmapped_code:WIN")]
    in_series: Annotated[
        bool, Field("whether its series has the value: it is a remark, or was accepted")
    ]
    known_at: Annotated[datetime, Field("when the service first received it")]
    accepted_at: Annotated[datetime | None, Field("when it was accepted by hand")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ZoneQuality(Response, Located, Shown, Tabular, Record):
    """The anomalies of a zone and of the flows over its borders, newest first."""

    since: Annotated[
        datetime | None,
        Field("anomalies received from then on are counted and listed; null: all there are"),
    ]
    counts: Annotated[tuple[AnomalyCount, ...], Field("by source and flag")]
    anomalies: Annotated[tuple[Anomaly, ...], Field("the newest, by known_at")]
