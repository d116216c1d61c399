"""The forecast of one region: expected values and their quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gridtide.errors import BadInput, NoData
from gridtide.model import Series, Signal
from gridtide.planning.problem.objective import Quantile
from gridtide.schema.validate import validate


@dataclass(frozen=True)
class Outlook:
    """A forecast as issued: expected values, with p10 and p90 where there are any.

    Attributes:
        expected: the values by which plans are measured.
        p10: the value is lower in one case of ten.
        p90: the value is lower in nine cases of ten.
        issued_at: when the forecast was issued.
        model: name of the model.

    Raises:
        BadInput: the series have different signals, or `issued_at` is naive.
    """

    expected: Series
    p10: Series | None = None
    p90: Series | None = None
    issued_at: datetime | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        validate(self)
        signals = {each.signal for each in (self.expected, self.p10, self.p90) if each}
        if len(signals) > 1:
            raise BadInput(
                f"{self.expected.zone}: the quantiles are of other signals than the expected "
                f"values: {', '.join(sorted(signals))}; give one signal's"
            )

    @property
    def signal(self) -> Signal:
        """The signal of its series."""
        return self.expected.signal

    def deciding(self, quantile: Quantile) -> Series:
        """Return the series to choose by; robust is the dirtier side: p90, for CFE p10.

        Raises:
            NoData: the forecast has no such quantile.
        """
        if quantile is Quantile.P50:
            return self.expected
        found = self.p90 if self.signal.lower_is_cleaner else self.p10
        if found is None:
            raise NoData(
                f"{self.expected.zone}: the forecast of {self.signal} has no quantiles, so "
                "none can be robust; use the quantile p50, or a model with intervals"
            )
        return found
