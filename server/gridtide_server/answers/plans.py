"""Plans from a view: the SDK's planner over what is forecast. No clock, no HTTP."""

from __future__ import annotations

from dataclasses import fields, replace

from gridtide.errors import BadInput
from gridtide.model import Quality
from gridtide.planning.decide.request import PlanningProblem
from gridtide.planning.decide.response import LeftOut, Plan
from gridtide.planning.planner import default_goal, plan
from gridtide.planning.problem.objective import Objective
from gridtide.planning.problem.state import Progress
from gridtide.planning.replanner import replan
from gridtide.schema.plans import PlanAnswer, PlanRequest, ReplanRequest
from gridtide_server.answers import candidates
from gridtide_server.answers.candidates import Found
from gridtide_server.answers.decisions import next_second
from gridtide_server.answers.windows import placed
from gridtide_server.service import Moment
from gridtide_server.view import View


def planned(view: View, asked: PlanRequest, moment: Moment) -> PlanAnswer:
    """The answer of ``/v1/plan``.

    Raises:
        NoData, NoCommonSignal, UnknownRegion: as `candidates.find`.
        BadInput, NoFeasibleWindow and the errors of `gridtide.planning`: as its `plan`.
    """
    found, now = _found(view, asked, moment), next_second(moment.as_of)
    made = plan(
        asked.job,
        found.regions,
        asked.bounds_at(now),
        asked.goal,
        now=now,
        alternatives=asked.alternatives,
    )
    return answer(view, made, found, moment)


def replanned(view: View, asked: ReplanRequest, moment: Moment) -> PlanAnswer:
    """The answer of ``/v1/replan``; `moment` is that of the progress.

    Raises:
        as `planned`, and BadInput where the progress does not fit the plan.
    """
    first, progress = asked.request, Progress(**{**asked.progress, "at": moment.as_of})
    region = progress.region or asked.plan.region
    found = _found(view, first, moment, needed=region)
    if region not in found.resolved:
        raise BadInput(
            f"the job is in {region!r}, which is none of the regions asked for: "
            f"{', '.join(found.resolved)}"
        )
    then = next_second(asked.plan.as_of)
    question = PlanningProblem(
        job=first.job,
        regions=found.regions,
        bounds=first.bounds_at(then),
        goal=first.goal or default_goal(found.regions.signal),
        now=then,
        alternatives=first.alternatives,
    )
    forecasts = {each.name: each.outlook for each in found.regions.regions}
    made = replan(replace(asked.plan, problem=question), progress, forecasts)
    return answer(view, made, found, moment)


def _found(view: View, asked: PlanRequest, moment: Moment, needed: str | None = None) -> Found:
    return candidates.find(
        view,
        asked.where,
        signal=asked.signal,
        clean_share=asked.goal is not None and asked.goal.objective is Objective.CFE,
        at=moment.as_of,
        needed=needed,
    )


def answer(view: View, made: Plan, found: Found, moment: Moment) -> PlanAnswer:
    """A plan with what every answer says."""
    used = dict.fromkeys([made.region, *(slot.region for slot in made.slots)])
    runs = [found.forecasts[region].run for region in used]
    origin = view.origin(run.source for run in runs)
    simulated = any(run.simulated for run in runs)
    ages = [
        moment.since(view.newest_end(found.resolved[region].zone, made.signal, moment.as_of))
        for region in used
    ]
    response = {each.name: getattr(made, each.name) for each in fields(Plan)} | {
        **placed(found.resolved[made.region]),
        "quality": Quality.SIMULATED if simulated else Quality.FORECAST,
        "simulated": simulated,
        "source": origin.source,
        "licence": origin.licence,
        "data_age_seconds": max((age for age in ages if age is not None), default=None),
        "as_of": moment.as_of,
        "replay": moment.replay,
        "left_out": made.left_out
        + tuple(LeftOut(region=region, reason=why) for region, why in found.without.items()),
        "problem": None,
    }
    return PlanAnswer(**response)
