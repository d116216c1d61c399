"""The objective of a plan: least carbon, most CFE, least cost, or a weighted sum."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from gridtide.errors import BadInput
from gridtide.planning.problem.costs import CostSeries
from gridtide.schema.definition import Field
from gridtide.schema.validate import validate

GRAMS_PER_TONNE = 1e6
# Fields that a goal shares with requests for windows.
CarbonPrice = Annotated[
    float | None,
    Field(
        "price of a tonne of CO2e in the currency of the costs, for the objective weighted: "
        "least cost + carbon price x emissions",
        at_least=0,
    ),
]
Currency = Annotated[
    str | None,
    Field(
        "of the published prices, as in EUR; left out: the one that all regions have, of "
        "several the one known furthest ahead"
    ),
]


class Objective(StrEnum):
    """What is minimised."""

    CARBON = "carbon"  # grams
    CFE = "cfe"  # kWh that are not carbon-free
    COST = "cost"  # the cost series
    WEIGHTED = "weighted"  # grams and cost, each times its weight


class Quantile(StrEnum):
    """The quantile of the forecast by which a plan is chosen."""

    P50 = "p50"  # the expected value
    P90 = "p90"  # dirtier than nine cases of ten: robust


@dataclass(frozen=True)
class Goal:
    """The objective of a plan, and its limits.

    Attributes:
        objective: what is minimised.
        costs: cost per kWh, for the objectives cost and weighted; ``None``: the costs of each
            region, which a service takes from its published price.
        carbon_price: price of a tonne of CO2e in the currency of the costs, for the objective
            weighted, in place of the two weights.
        carbon_weight: worth of a gram, for the objective weighted; a price of 100 per tonne is
            ``1e-4``.
        cost_weight: worth of a unit of cost, for the objective weighted.
        currency: of the published prices, such as EUR; ``None``: the one that all regions have.
        budget_grams: choose the earliest plan within this budget, not the cleanest.
        threshold: run only while the signal is at or under it (for CFE: at or over), and then
            as early as possible.
        min_saving: smallest saving worth waiting for, a fraction (of grams or cost; for CFE,
            fraction points); below it the job runs now.
        quantile: the quantile of the forecast by which the plan is chosen.

    Raises:
        BadInput: a field that the objective needs is missing, or one that it does not use is
            given.
    """

    objective: Annotated[
        Objective,
        Field(
            "what is minimised: grams, energy that is not carbon-free, cost, or a weighted sum",
            former=("aim",),
        ),
    ] = Objective.CARBON
    costs: Annotated[
        CostSeries | None,
        Field(
            "for the objectives cost and weighted; left out: the published price of each region"
        ),
    ] = None
    carbon_weight: Annotated[
        float | None, Field("what a gram is worth, for the objective weighted", at_least=0)
    ] = None
    cost_weight: Annotated[
        float | None,
        Field("what a unit of cost is worth, for the objective weighted", at_least=0),
    ] = None
    budget_grams: Annotated[
        float | None,
        Field("the earliest plan within it, not the cleanest", unit="gCO2e", at_least=0),
    ] = None
    threshold: Annotated[
        float | None, Field("run only while the signal is at or under it (cfe: at or over)")
    ] = None
    min_saving: Annotated[
        float, Field("smallest saving worth waiting for, a fraction", at_least=0, below=1)
    ] = 0.0
    quantile: Annotated[Quantile, Field("p50 minimises what is expected, p90 is robust")] = (
        Quantile.P50
    )
    carbon_price: CarbonPrice = None
    currency: Currency = None

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            objective: Objective
            | Literal["carbon", "cfe", "cost", "weighted"] = Objective.CARBON,
            costs: CostSeries | None = None,
            carbon_weight: float | None = None,
            cost_weight: float | None = None,
            budget_grams: float | None = None,
            threshold: float | None = None,
            min_saving: float = 0.0,
            quantile: Quantile | Literal["p50", "p90"] = Quantile.P50,
            carbon_price: float | None = None,
            currency: str | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self, "goal")
        if not self.has_costs and (self.costs is not None or self.currency is not None):
            raise BadInput(
                f"goal {self.objective}: costs and currency go with the objectives cost and "
                "weighted; use one of them, or leave the costs out"
            )
        if self.costs is not None and self.currency is not None:
            raise BadInput(
                f"goal {self.objective}: currency is that of the published prices, and costs "
                "are given; leave one of them out"
            )
        self._check_weights()
        if self.budget_grams is not None and self.objective is not Objective.CARBON:
            raise BadInput(
                f"goal {self.objective}: a budget in grams goes with the objective carbon only"
            )
        if self.threshold is not None and self.budget_grams is not None:
            raise BadInput(
                "budget_grams and threshold each request the earliest plan; give one of them"
            )
        if self.min_saving and self.earliest:
            raise BadInput(
                "min_saving does not go with a budget or a threshold; drop min_saving"
            )

    def _check_weights(self) -> None:
        weights = (self.carbon_weight, self.cost_weight)
        if self.objective is not Objective.WEIGHTED:
            if (*weights, self.carbon_price) != (None, None, None):
                raise BadInput(
                    f"goal {self.objective} does not take weights or a carbon price; use the "
                    "objective weighted"
                )
        elif self.carbon_price is not None:
            if weights != (None, None):
                raise BadInput(
                    "goal weighted: carbon_price stands for both weights; leave it out, or them"
                )
        elif None in weights or not any(weights):
            raise BadInput(
                "goal weighted: it is not said what emissions count beside cost; give "
                "carbon_price, the price of a tonne of CO2e in the currency of the costs, or "
                "carbon_weight and cost_weight, not both 0"
            )

    @property
    def has_costs(self) -> bool:
        """Whether the objective counts a cost of each kWh."""
        return self.objective in (Objective.COST, Objective.WEIGHTED)

    @property
    def weights(self) -> tuple[float, float]:
        """What a gram and a unit of cost are worth, where the objective has costs."""
        if self.objective is Objective.COST:
            return 0.0, 1.0
        if self.carbon_price is not None:
            return self.carbon_price / GRAMS_PER_TONNE, 1.0
        return self.carbon_weight or 0.0, self.cost_weight or 0.0

    @property
    def earliest(self) -> bool:
        """Whether the earliest plan within a limit is requested, not the best one."""
        return self.budget_grams is not None or self.threshold is not None
