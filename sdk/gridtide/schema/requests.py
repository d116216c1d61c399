"""Requests for windows, forecasts, history and zones; over REST each is a query string."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gridtide.errors import BadInput
from gridtide.model import MOST_REGIONS, NO_REGION, Signal, hours_of
from gridtide.planning.problem.objective import CarbonPrice, Currency, Goal, Objective
from gridtide.schema.definition import Field

# Hours between these are a length of time without a second check.
LEAST, MOST = 1e-6, 1e6
ChosenSignal = Annotated[
    Signal | None,
    Field(
        "which signal; left out: lifecycle intensity, consumption-based where there is one, "
        "else production-based"
    ),
]
AsOf = Annotated[
    datetime | None,
    Field(
        "answer as it would have been at this moment: what was known then, with then as now; "
        "not later than now; left out: now"
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRequest:
    """When to run a job, wherever it runs."""

    hours: Annotated[
        float,
        Field(
            "how long the job runs, unbroken: hours, or text such as 90min or PT4H",
            unit="h",
            above=0,
            duration=True,
        ),
    ]
    earliest: Annotated[
        datetime | None, Field("not before this moment; one that has passed means now")
    ] = None
    deadline: Annotated[
        datetime | None,
        Field("the job has ended by this moment; left out: the end of the forecast"),
    ] = None
    signal: ChosenSignal = None
    as_of: AsOf = None
    objective: Annotated[
        Objective | None,
        Field(
            "what is least: carbon, the cost by the published price, or both weighted by "
            "carbon_price; left out: carbon, or energy that is not carbon-free"
        ),
    ] = None
    carbon_price: CarbonPrice = None
    currency: Currency = None

    def __post_init__(self) -> None:
        if not (type(self.hours) is float and LEAST <= self.hours <= MOST):
            object.__setattr__(self, "hours", hours_of(self.hours))
        _ = self.goal  # which refuses what does not go together

    @property
    def goal(self) -> Goal | None:
        """The goal, where one is named.

        Raises:
            BadInput: a carbon price or a currency that the objective does not take, or none
                where it needs one.
        """
        if self.objective is None and self.carbon_price is None and self.currency is None:
            return None
        return Goal(
            self.objective or Objective.CARBON,
            carbon_price=self.carbon_price,
            currency=self.currency,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BestWindowRequest(WindowRequest):
    """When to start a job in one region."""

    region: Annotated[
        str, Field("zone key (DE), cloud region (aws:us-east-1) or coordinates (52.52,13.40)")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestRegionRequest(WindowRequest):
    """Where and when to start a job, among several regions."""

    regions: Annotated[
        tuple[str, ...],
        Field(
            f"as for best-window; repeated, or several with commas; at most {MOST_REGIONS}",
            parameter="region",
        ),
    ]

    def __post_init__(self) -> None:
        super(BestRegionRequest, self).__post_init__()
        if not self.regions:
            raise BadInput(NO_REGION)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityRequest:
    """Known slots of a range, or the latest one."""

    start: Annotated[
        datetime | None,
        Field(
            "the first slot starts here or later; a date is its start, UTC; left out: the "
            "latest known slot",
            day=True,
        ),
    ] = None
    end: Annotated[
        datetime | None,
        Field(
            "the last slot starts before this; a date is its start, UTC; left out, with "
            "`start`: as_of, or now",
            day=True,
        ),
    ] = None
    signal: ChosenSignal = None
    as_of: AsOf = None
    max_age: Annotated[
        float | None,
        Field(
            "of the latest slot: how many hours ago it may have ended; left out: the server's "
            "maximum age, by default 6",
            unit="h",
            above=0,
            duration=True,
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRequest:
    """The newest forecast run."""

    signal: ChosenSignal = None
    as_of: AsOf = None
    model: Annotated[
        str | None,
        Field(
            "the newest run of this model or publisher; left out: the one that decisions are "
            "made from"
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesRequest:
    """The zones of the service."""

    all: Annotated[bool, Field("also the zones of the catalogue without data")] = False
    as_of: AsOf = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessRequest:
    """Whether the service answers from current data."""

    zone: Annotated[
        tuple[str, ...], Field("only these zone keys; left out: every zone with data")
    ] = ()

    @property
    def zones(self) -> tuple[str, ...]:
        """The named zones, each once."""
        return tuple(dict.fromkeys(each for text in self.zone for each in text.split(",")))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParameters:
    """A request without parameters."""
