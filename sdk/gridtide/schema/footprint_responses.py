"""Response of a footprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from gridtide.accounting.emissions import RowFootprint
from gridtide.accounting.sci import Equivalent, Gain
from gridtide.model import Quality, Signal
from gridtide.schema.definition import Field
from gridtide.schema.display import Shown
from gridtide.schema.frames import Tabular
from gridtide.schema.records import Record
from gridtide.schema.responses import AsOf, DataAge, Replay


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FootprintAnswer(Shown, Tabular, Record):
    """What a job drew and emitted; fields of a region are null where none was named."""

    SCHEMA_NAME: ClassVar[str] = "Footprint"

    kwh: Annotated[float, Field("Energy from the grid, PUE included.", unit="kWh")]
    gross_g: Annotated[
        float | None,
        Field("By the grid's intensity; null where it is unknown for any part.", unit="gCO2e"),
    ]
    net_g: Annotated[
        float | None,
        Field(
            "Less hourly purchases of clean energy; null where these or the intensity are "
            "unknown.",
            unit="gCO2e",
        ),
    ]
    known_kwh: Annotated[float, Field("Energy whose intensity is known.", unit="kWh")]
    known_g: Annotated[float, Field("Gross emissions of that.", unit="gCO2e")]
    g_per_kwh: Annotated[
        float | None,
        Field("Mean intensity, by energy; null where any of it is unknown.", unit="gCO2e/kWh"),
    ]
    per_request_g: Annotated[float | None, Field("Of inference, gross.", unit="gCO2e")]
    equivalents: Annotated[
        tuple[Equivalent, ...], Field("Of gross_g; empty where that is unknown.")
    ]
    sci: Annotated[
        float | None,
        Field("Software carbon intensity per functional unit, if requested.", unit="gCO2e"),
    ]
    gain: Annotated[Gain | None, Field("Against what it was before, if requested.")]
    rows: Annotated[tuple[RowFootprint, ...], Field("As requested, each with its grams.")]
    region: str | None
    zone: str | None
    zone_name: str | None
    resolved_by: str | None
    signal: Signal | None
    unit: str | None
    quality: Annotated[Quality | None, Field("Of the least certain slot that counts.")]
    simulated: bool
    source: str | None
    licence: str | None
    data_age_seconds: DataAge
    as_of: AsOf
    replay: Replay
