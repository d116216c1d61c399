"""Software carbon intensity, where gains come from, and what grams compare with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from gridtide.accounting.emissions import emissions_g, energy_kwh, finite, refuse_offset
from gridtide.errors import BadInput
from gridtide.model import Length
from gridtide.schema.definition import Field
from gridtide.schema.result import Record
from gridtide.schema.validate import validate
from gridtide.values import instance_of, read_length, read_number

# Grams of CO2e each. The first two: Patterson et al. 2021 (arXiv:2104.10350), App. A and D. The
# others: US EPA, Greenhouse Gas Equivalencies Calculator, Calculations and References, as in
# Dodge et al. 2022 (FAccT 22, arXiv:2206.05229), Sec. 5.1; the EPA changes some each year.
EQUIVALENTS: dict[str, tuple[float, str]] = {
    "round trips San Francisco - New York, one passenger": (1.2e6, "Patterson et al. 2021"),
    "round trips San Francisco - New York, whole plane": (180.4e6, "Patterson et al. 2021"),
    "smartphones charged": (8.22, "US EPA, in Dodge et al. 2022"),
    "miles driven by an average US car": (398.0, "US EPA, in Dodge et al. 2022"),
    "US gallons of gasoline burned": (8887.0, "US EPA, in Dodge et al. 2022"),
    "barrels of oil burned": (0.43e6, "US EPA, in Dodge et al. 2022"),
    "US homes' energy for a year": (8.3e6, "US EPA, in Dodge et al. 2022"),
    "railcars of coal burned": (181.29e6, "US EPA, in Dodge et al. 2022"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent(Record):
    """What emits as much; source says who counted one."""

    what: Annotated[str, Field("what emits as much")]
    amount: Annotated[float, Field("how many of them")]
    source: Annotated[str, Field("who says how much one emits")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What a footprint is the product of; units as in `emissions.energy_kwh`."""

    hours: Annotated[float, Field("how long it ran", duration=True, at_most=1e10)]
    power_kw: Annotated[float, Field("average power of one processor", unit="kW")]
    g_per_kwh: Annotated[float, Field("the intensity", unit="gCO2e/kWh")]
    processors: Annotated[float, Field("how many")] = 1.0
    pue: Annotated[float, Field("energy drawn per energy of the processors")] = 1.0

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            *,
            hours: Length,
            power_kw: float,
            g_per_kwh: float,
            processors: float = 1.0,
            pue: float = 1.0,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self)

    @property
    def grams(self) -> float:
        """The product of the factors."""
        kwh = energy_kwh(
            self.hours, processors=self.processors, power_kw=self.power_kw, pue=self.pue
        )
        return emissions_g(kwh, self.g_per_kwh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain(Record):
    """How many times less, in all and by factor."""

    work: Annotated[
        float, Field("processor hours: the algorithm and how fast the processor is")
    ]
    power: Annotated[float, Field("power of a processor")]
    overhead: Annotated[float, Field("PUE")]
    intensity: Annotated[float, Field("the grid's mix, by region and time")]
    total: Annotated[float, Field("product of the factors")]


def gain(before: Factors, after: Factors) -> Gain:
    """Return how much each factor contributes to the difference between two footprints.

    Raises:
        BadInput: a factor below 0 or not finite, or a footprint of 0.
    """
    for name, each in (("before", before), ("after", after)):
        instance_of(Factors, "Factors")(each, name)
        if not each.grams > 0:
            raise BadInput(f"a footprint is {each.grams}; a ratio needs numbers above 0")
    work = before.hours * before.processors / (after.hours * after.processors)
    return Gain(
        work=finite("the gain in work", work),
        power=finite("the gain in power", before.power_kw / after.power_kw),
        overhead=before.pue / after.pue,
        intensity=finite("the gain in intensity", before.g_per_kwh / after.g_per_kwh),
        total=finite("the gain", before.grams / after.grams),
    )


def sci(
    kwh: float,
    g_per_kwh: float,
    *,
    embodied: float,
    per: float,
    offset_g: float | None = None,
) -> float:
    """Return the software carbon intensity, g per functional unit: ((E x I) + M) per R.

    ISO/IEC 21031:2024. `g_per_kwh` is the grid's own, without purchases; `embodied` is M in
    grams, see `embodied_g`; `per` is R, how many units the energy was for.

    Raises:
        BadInput: a number below 0 or not finite, also what comes of them, no unit, or an
            offset.
    """
    refuse_offset(offset_g)
    per, embodied = read_number(per, "per"), read_number(embodied, "embodied")
    if per <= 0:
        raise BadInput(f"per is {per}; give how many functional units, above 0")
    if embodied < 0:
        raise BadInput(f"embodied is {embodied} g; give a finite number of 0 or more")
    return finite("the SCI in g", (emissions_g(kwh, g_per_kwh) + embodied) / per)


def embodied_g(
    total_g: float, *, reserved: Length, lifespan: Length, share: float = 1.0
) -> float:
    """Return the embodied emissions a job is charged with, M in ISO/IEC 21031:2024.

    Args:
        total_g: making the hardware.
        reserved: how long the job holds it.
        lifespan: how long it lives.
        share: of it that the job holds.

    Raises:
        BadInput: a number below 0 or not finite, or a share above 1.
    """
    total_g, share = read_number(total_g, "total_g"), read_number(share, "share")
    reserved = read_length(reserved, "reserved")
    lifespan = read_length(lifespan, "lifespan")
    if total_g < 0:
        raise BadInput(f"total_g is {total_g}; give a finite number of 0 or more")
    if lifespan <= timedelta(0) or not timedelta(0) <= reserved <= lifespan:
        raise BadInput(
            f"reserved for {reserved} of a life of {lifespan}; give a life above 0 and at most "
            "that reserved"
        )
    if not 0 <= share <= 1:
        raise BadInput(f"share is {share}; give 0 to 1")
    return total_g * (reserved / lifespan) * share


def equivalents(grams: float) -> tuple[Equivalent, ...]:
    """Return what emits as much, in `EQUIVALENTS`' order.

    Raises:
        BadInput: grams below 0 or not finite.
    """
    grams = read_number(grams, "grams")
    if grams < 0:
        raise BadInput(f"grams are {grams}; give a finite number of 0 or more")
    return tuple(
        Equivalent(what=what, amount=grams / each, source=source)
        for what, (each, source) in EQUIVALENTS.items()
    )
