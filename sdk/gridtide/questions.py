"""The questions a client asks, once blocking and once awaited, over the calls' one table.

Every question may raise any of `gridtide.errors`: what is wrong with it as `BadInput` and its
kin, `NoData` where there is nothing to answer from, `ServiceUnavailable` without an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from gridtide import calls
from gridtide.calls import Region
from gridtide.model import Length, Signal, When
from gridtide.plan_questions import AsyncPlanQuestions, PlanQuestions

if TYPE_CHECKING:
    from gridtide.schema.responses import BestRegion, BestWindow, Forecast, Intensity, Zones


class Questions(PlanQuestions):
    """Questions that return their answers; those about plans are in `plan_questions`."""

    __slots__ = ()

    def zones(self, *, every: bool = False) -> Zones:
        """Zones the service has data of; with `every`, all it knows of."""
        return self.ask(calls.zones(every=every))

    def intensity(
        self,
        region: Region,
        *,
        start: When | date | None = None,
        end: When | date | None = None,
        signal: Signal | str | None = None,
        as_of: When | None = None,
        max_age: Length | None = None,
    ) -> Intensity:
        """What is known over ``[start, end)``; without a range, the latest slot.

        A date is its start, UTC. A latest slot that ended more than `max_age` hours ago, by
        default the service's own maximum age (6 h), is refused as `StaleData`.
        """
        return self.ask(
            calls.intensity(
                region, start=start, end=end, signal=signal, as_of=as_of, max_age=max_age
            )
        )

    def forecast(
        self,
        region: Region,
        *,
        signal: Signal | str | None = None,
        as_of: When | None = None,
        model: str | None = None,
    ) -> Forecast:
        """The newest forecast, or the newest that was known `as_of` a moment."""
        return self.ask(calls.forecast(region, signal=signal, as_of=as_of, model=model))

    def best_window(
        self,
        region: Region,
        hours: Length,
        *,
        earliest: When | None = None,
        deadline: When | None = None,
        signal: Signal | str | None = None,
        as_of: When | None = None,
    ) -> BestWindow:
        """The cleanest `hours` in one go, from `earliest` (now) on, ended by `deadline`.

        `hours` is a number, a timedelta, or text such as ``4h``, ``90min`` and ``PT4H``.
        """
        return self.ask(
            calls.best_window(
                region,
                hours=hours,
                earliest=earliest,
                deadline=deadline,
                signal=signal,
                as_of=as_of,
            )
        )

    def best_region(
        self,
        regions: Iterable[Region],
        hours: Length,
        *,
        earliest: When | None = None,
        deadline: When | None = None,
        signal: Signal | str | None = None,
        as_of: When | None = None,
    ) -> BestRegion:
        """The region and the `hours` that are cleanest together; and how the others rank."""
        return self.ask(
            calls.best_region(
                regions,
                hours=hours,
                earliest=earliest,
                deadline=deadline,
                signal=signal,
                as_of=as_of,
            )
        )


class AsyncQuestions(AsyncPlanQuestions):
    """The same questions, awaited."""

    __slots__ = ()

    async def zones(self, *, every: bool = False) -> Zones:
        """As `Questions.zones`."""
        return await self.ask(calls.zones(every=every))

    async def intensity(
        self,
        region: Region,
        *,
        start: When | date | None = None,
        end: When | date | None = None,
        signal: Signal | str | None = None,
        as_of: When | None = None,
        max_age: Length | None = None,
    ) -> Intensity:
        """As `Questions.intensity`."""
        return await self.ask(
            calls.intensity(
                region, start=start, end=end, signal=signal, as_of=as_of, max_age=max_age
            )
        )

    async def forecast(
        self,
        region: Region,
        *,
        signal: Signal | str | None = None,
        as_of: When | None = None,
        model: str | None = None,
    ) -> Forecast:
        """As `Questions.forecast`."""
        return await self.ask(calls.forecast(region, signal=signal, as_of=as_of, model=model))

    async def best_window(
        self,
        region: Region,
        hours: Length,
        *,
        earliest: When | None = None,
        deadline: When | None = None,
        signal: Signal | str | None = None,
        as_of: When | None = None,
    ) -> BestWindow:
        """As `Questions.best_window`."""
        return await self.ask(
            calls.best_window(
                region,
                hours=hours,
                earliest=earliest,
                deadline=deadline,
                signal=signal,
                as_of=as_of,
            )
        )

    async def best_region(
        self,
        regions: Iterable[Region],
        hours: Length,
        *,
        earliest: When | None = None,
        deadline: When | None = None,
        signal: Signal | str | None = None,
        as_of: When | None = None,
    ) -> BestRegion:
        """As `Questions.best_region`."""
        return await self.ask(
            calls.best_region(
                regions,
                hours=hours,
                earliest=earliest,
                deadline=deadline,
                signal=signal,
                as_of=as_of,
            )
        )
