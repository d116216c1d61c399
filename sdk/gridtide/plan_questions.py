"""The questions about plans, once blocking and once awaited. See `gridtide.planning`.

What they are made of is loaded with the first of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from gridtide.calls import Call, Region
from gridtide.model import Length, Signal, When

if TYPE_CHECKING:
    from gridtide.accounting.emissions import Row
    from gridtide.accounting.sci import Factors
    from gridtide.planning.batch.capacity import Cap
    from gridtide.planning.problem.bounds import Bounds
    from gridtide.planning.problem.job import Job
    from gridtide.planning.problem.objective import Goal
    from gridtide.planning.problem.recurrence import Recurring
    from gridtide.planning.problem.state import Progress
    from gridtide.schema.batch_responses import Batch
    from gridtide.schema.footprints import FootprintAnswer
    from gridtide.schema.plan_responses import PlanAnswer
    from gridtide.schema.regions import Where
    from gridtide.schema.schedules import JobRequest, ScheduleAnswer

T = TypeVar("T")


class PlanQuestions(ABC):
    """Questions that return their answers."""

    __slots__ = ()

    @abstractmethod
    def ask(self, call: Call[T]) -> T:
        """The answer to one call."""

    def plan(
        self,
        job: Job,
        where: Where,
        bounds: Bounds | None = None,
        goal: Goal | None = None,
        *,
        signal: Signal | str | None = None,
        as_of: When | None = None,
        alternatives: int = 3,
        recurring: Recurring | None = None,
    ) -> PlanAnswer:
        """When and where to run a job of any kind: the plan that reaches `goal` best, and why.

        `where` is a region, several, or `Candidates` with rules. Of a `recurring` job it is
        the plan of the next time.
        """
        from gridtide.schema import plan_calls

        return self.ask(
            plan_calls.plan(
                job,
                where,
                bounds,
                goal,
                signal=signal,
                as_of=as_of,
                alternatives=alternatives,
                recurring=recurring,
            )
        )

    def replan(self, plan: PlanAnswer, progress: Progress) -> PlanAnswer:
        """The rest of a job, from where it stands and by the forecasts of `progress.at`.

        `plan` is one that `plan` or `replan` answered.
        """
        from gridtide.schema import plan_calls

        return self.ask(plan_calls.replan(plan, progress))

    def schedule(
        self,
        requests: Iterable[JobRequest],
        caps: Mapping[str, Cap],
        goal: Goal | None = None,
        *,
        signal: Signal | str | None = None,
        as_of: When | None = None,
    ) -> ScheduleAnswer:
        """Many jobs together under caps on jobs at once or on power, by region.

        Exact where that is proven, else with a bound; it says which.
        """
        from gridtide.schema import plan_calls

        return self.ask(plan_calls.schedule(requests, caps, goal, signal=signal, as_of=as_of))

    def footprint(
        self,
        rows: Iterable[Row] | None = None,
        *,
        region: Region | None = None,
        hours: Length | None = None,
        power_kw: float | None = None,
        processors: float | None = None,
        start: When | None = None,
        requests: float | None = None,
        kwh_per_request: float | None = None,
        pue: float = 1.0,
        g_per_kwh: float | None = None,
        net_g_per_kwh: float | None = None,
        clean: Iterable[Row] | None = None,
        embodied_g: float | None = None,
        per: float | None = None,
        before: Factors | None = None,
        offset_g: float | None = None,
        signal: Signal | str | None = None,
        as_of: When | None = None,
    ) -> FootprintAnswer:
        """What a job drew and emitted, by the intensity known of its own time.

        Either `rows` of (start, end, kWh) in a `region`; or `hours` at `power_kw` from `start`
        on in a `region`; or `hours`, or `requests` at `kwh_per_request`, by `g_per_kwh`.
        """
        from gridtide.schema import plan_calls

        return self.ask(
            plan_calls.footprint(
                rows,
                region=region,
                hours=hours,
                power_kw=power_kw,
                processors=processors,
                start=start,
                requests=requests,
                kwh_per_request=kwh_per_request,
                pue=pue,
                g_per_kwh=g_per_kwh,
                net_g_per_kwh=net_g_per_kwh,
                clean=clean,
                embodied_g=embodied_g,
                per=per,
                before=before,
                offset_g=offset_g,
                signal=signal,
                as_of=as_of,
            )
        )

    def batch(self, questions: Iterable[Mapping[str, Any]]) -> Batch:
        """Up to 1,000 questions in one call; the answers in their order.

        Each is a mapping with a ``kind`` (``best_window``, ``best_region``, ``plan``,
        ``replan``, ``footprint``) and the arguments of the method of that name. One that has no
        answer has its error in its place.
        """
        from gridtide.schema import plan_calls

        return self.ask(plan_calls.batch(questions))


class AsyncPlanQuestions(ABC):
    """The same questions, awaited."""

    __slots__ = ()

    @abstractmethod
    async def ask(self, call: Call[T]) -> T:
        """The answer to one call."""

    async def plan(
        self,
        job: Job,
        where: Where,
        bounds: Bounds | None = None,
        goal: Goal | None = None,
        *,
        signal: Signal | str | None = None,
        as_of: When | None = None,
        alternatives: int = 3,
        recurring: Recurring | None = None,
    ) -> PlanAnswer:
        """As `PlanQuestions.plan`."""
        from gridtide.schema import plan_calls

        return await self.ask(
            plan_calls.plan(
                job,
                where,
                bounds,
                goal,
                signal=signal,
                as_of=as_of,
                alternatives=alternatives,
                recurring=recurring,
            )
        )

    async def replan(self, plan: PlanAnswer, progress: Progress) -> PlanAnswer:
        """As `PlanQuestions.replan`."""
        from gridtide.schema import plan_calls

        return await self.ask(plan_calls.replan(plan, progress))

    async def schedule(
        self,
        requests: Iterable[JobRequest],
        caps: Mapping[str, Cap],
        goal: Goal | None = None,
        *,
        signal: Signal | str | None = None,
        as_of: When | None = None,
    ) -> ScheduleAnswer:
        """As `PlanQuestions.schedule`."""
        from gridtide.schema import plan_calls

        return await self.ask(
            plan_calls.schedule(requests, caps, goal, signal=signal, as_of=as_of)
        )

    async def footprint(
        self,
        rows: Iterable[Row] | None = None,
        *,
        region: Region | None = None,
        hours: Length | None = None,
        power_kw: float | None = None,
        processors: float | None = None,
        start: When | None = None,
        requests: float | None = None,
        kwh_per_request: float | None = None,
        pue: float = 1.0,
        g_per_kwh: float | None = None,
        net_g_per_kwh: float | None = None,
        clean: Iterable[Row] | None = None,
        embodied_g: float | None = None,
        per: float | None = None,
        before: Factors | None = None,
        offset_g: float | None = None,
        signal: Signal | str | None = None,
        as_of: When | None = None,
    ) -> FootprintAnswer:
        """As `PlanQuestions.footprint`."""
        from gridtide.schema import plan_calls

        return await self.ask(
            plan_calls.footprint(
                rows,
                region=region,
                hours=hours,
                power_kw=power_kw,
                processors=processors,
                start=start,
                requests=requests,
                kwh_per_request=kwh_per_request,
                pue=pue,
                g_per_kwh=g_per_kwh,
                net_g_per_kwh=net_g_per_kwh,
                clean=clean,
                embodied_g=embodied_g,
                per=per,
                before=before,
                offset_g=offset_g,
                signal=signal,
                as_of=as_of,
            )
        )

    async def batch(self, questions: Iterable[Mapping[str, Any]]) -> Batch:
        """As `PlanQuestions.batch`."""
        from gridtide.schema import plan_calls

        return await self.ask(plan_calls.batch(questions))
