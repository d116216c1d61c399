"""The zones of an aggregate, and how much each counts in its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from gridtide.schema.definition import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One zone of an aggregate, and how much it counts."""

    zone: Annotated[str, Field("its key")]
    name: Annotated[str, Field("its name")]
    load_share: Annotated[float, Field("its share of the aggregate's load over the slots")]
    known_slots: Annotated[int, Field("in how many of the slots its value is known")]
    weighed_by: Annotated[
        Literal["load", "estimated load"],
        Field("its published load in each slot, or its mean load over a year where none is"),
    ]
    source: Annotated[str | None, Field("the sources of its values; null without any")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateOf:
    """What the values of an aggregate are made of: means of its zones, weighted by load."""

    SCHEMA_NAME: ClassVar[str] = "Aggregate"

    known_share: Annotated[
        tuple[float, ...],
        Field(
            "of each slot, in their order: the share of load in zones whose value is known; "
            "a zone that publishes no load counts with an estimate of it"
        ),
    ]
    zones: Annotated[tuple[Member, ...], Field("its zones")]
