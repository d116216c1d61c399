"""gridtide: when and where is the grid cleanest?

    import gridtide
    from gridtide.planning import Job

    gridtide.best_window("DE", hours=4)
    gridtide.best_region(["DE", "FR", "aws:us-east-1"], hours=4)
    gridtide.plan(Job(timedelta(hours=8), "interruptible", power=2.5), "DE")

Nothing is loaded before it is used, so that importing costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.client import AsyncClient, Client
    from gridtide.errors import (
        ApiError,
        BadInput,
        BadRequest,
        GridtideError,
        NoCommonSignal,
        NoData,
        NoFeasibleWindow,
        NoService,
        ServiceUnavailable,
        StaleData,
        UnknownRegion,
    )
    from gridtide.model import Quality, Series, Signal, Slot
    from gridtide.schema.batches import Batch
    from gridtide.schema.footprints import FootprintAnswer
    from gridtide.schema.plans import JobRequest, PlanAnswer, ScheduleAnswer
    from gridtide.schema.prices import Price
    from gridtide.schema.quality import ZoneQuality
    from gridtide.schema.regions import Candidate, Candidates
    from gridtide.schema.responses import (
        BestRegion,
        BestWindow,
        Forecast,
        Intensity,
        ZoneInfo,
        Zones,
    )
    from gridtide.schema.sources import SourceInfo, Sources
    from gridtide.shortcuts import (
        batch,
        best_region,
        best_window,
        footprint,
        forecast,
        intensity,
        plan,
        price,
        quality,
        replan,
        schedule,
        sources,
        zones,
    )
    from gridtide.windows import Window

    __version__: str

_FROM = {
    "schema.responses": (
        "BestRegion",
        "BestWindow",
        "Forecast",
        "Intensity",
        "ZoneInfo",
        "Zones",
    ),
    "schema.prices": ("Price",),
    "schema.quality": ("ZoneQuality",),
    "schema.sources": ("SourceInfo", "Sources"),
    "client": ("AsyncClient", "Client"),
    "errors": (
        "ApiError",
        "BadInput",
        "BadRequest",
        "GridtideError",
        "NoCommonSignal",
        "NoData",
        "NoFeasibleWindow",
        "NoService",
        "ServiceUnavailable",
        "StaleData",
        "UnknownRegion",
    ),
    "model": ("Quality", "Series", "Signal", "Slot"),
    "schema.regions": ("Candidate", "Candidates"),
    "schema.footprints": ("FootprintAnswer",),
    "schema.plans": ("JobRequest", "PlanAnswer", "ScheduleAnswer"),
    "schema.batches": ("Batch",),
    "shortcuts": (
        "batch",
        "best_region",
        "best_window",
        "footprint",
        "forecast",
        "intensity",
        "plan",
        "price",
        "quality",
        "replan",
        "schedule",
        "sources",
        "zones",
    ),
    "windows": ("Window",),
}
_HOME = {name: module for module, names in _FROM.items() for name in names}

__all__ = [
    "ApiError",
    "AsyncClient",
    "BadInput",
    "BadRequest",
    "Batch",
    "BestRegion",
    "BestWindow",
    "Candidate",
    "Candidates",
    "Client",
    "FootprintAnswer",
    "Forecast",
    "GridtideError",
    "Intensity",
    "JobRequest",
    "NoCommonSignal",
    "NoData",
    "NoFeasibleWindow",
    "NoService",
    "PlanAnswer",
    "Price",
    "Quality",
    "ScheduleAnswer",
    "Series",
    "ServiceUnavailable",
    "Signal",
    "Slot",
    "SourceInfo",
    "Sources",
    "StaleData",
    "UnknownRegion",
    "Window",
    "ZoneInfo",
    "ZoneQuality",
    "Zones",
    "batch",
    "best_region",
    "best_window",
    "footprint",
    "forecast",
    "intensity",
    "plan",
    "price",
    "quality",
    "replan",
    "schedule",
    "sources",
    "zones",
]


if not TYPE_CHECKING:  # else any name at all would pass a type checker

    def __getattr__(name: str) -> object:
        """Return a public name, loaded on first use."""
        if name == "__version__":
            from gridtide.plugins import own_version

            value: object = own_version()
        elif name in _HOME:
            from gridtide.forks import loading

            with loading():
                value = getattr(import_module(f"gridtide.{_HOME[name]}"), name)
        else:
            raise AttributeError(f"module 'gridtide' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
