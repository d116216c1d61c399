"""What of a response is estimated, and how uncertain it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gridtide.model import Signal
from gridtide.schema.definition import Field
from gridtide.schema.text import format_value


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateOf:
    """A zone whose mix no publisher states, so that values are estimated."""

    SCHEMA_NAME: ClassVar[str] = "Estimate"

    zone: Annotated[str, Field("its key")]
    uncertainty: Annotated[
        float,
        Field(
            "how far an estimated value of the response may be off, either way: that of the "
            "most uncertain one, in the unit of the signal"
        ),
    ]
    basis: Annotated[str, Field("what the values are estimated from, with its citation")]


Estimates = Annotated[
    tuple[EstimateOf, ...],
    Field("the zones whose values are estimated in the response; empty where none is"),
]


def mark_estimate(estimates: Sequence[EstimateOf]) -> str:
    """Return the word by which an estimated value is marked; empty for any other."""
    return " (estimated)" if estimates else ""


def format_estimates(estimates: Sequence[EstimateOf], signal: Signal | None) -> list[str]:
    """Return a line for each estimated zone: how uncertain its values are, and why."""
    return [
        f"ESTIMATED: {each.zone}, +/- {format_value(each.uncertainty, signal)}; {each.basis}"
        for each in estimates
        if signal is not None
    ]
