"""Many jobs together from a view, under caps. No clock, no HTTP."""

from __future__ import annotations

from gridtide.planning.batch.schedule import Request, plan_batch
from gridtide.planning.problem.objective import Objective
from gridtide.schema.plans import ScheduleAnswer, ScheduleRequest
from gridtide_server.answers import candidates as region_candidates
from gridtide_server.answers.decisions import next_second
from gridtide_server.answers.plans import answer
from gridtide_server.service import Moment
from gridtide_server.view import View


def scheduled(view: View, asked: ScheduleRequest, moment: Moment) -> ScheduleAnswer:
    """The answer of ``/v1/schedule``.

    Raises:
        NoData, NoCommonSignal, UnknownRegion: as `candidates.find`.
        BadInput, NoFeasibleWindow and the errors of `gridtide.planning`: as its `plan_batch`.
    """
    clean_share = asked.goal is not None and asked.goal.objective is Objective.CFE
    candidates = [job.where for job in asked.jobs]
    there = region_candidates.resolved(
        list({each.region: each for one in candidates for each in one.regions}.values())
    )
    signal = asked.signal
    if there:
        signal = region_candidates.signal_of(
            view, list(there.values()), signal, clean_share=clean_share, at=moment.as_of
        )
    found = [
        region_candidates.find(
            view, one, signal=signal, clean_share=clean_share, at=moment.as_of
        )
        for one in candidates
    ]
    now = next_second(moment.as_of)
    requests = [
        Request(job.job, where.regions, job.bounds_at(now))
        for job, where in zip(asked.jobs, found, strict=True)
    ]
    made = plan_batch(requests, asked.caps, asked.goal, now=now)
    return ScheduleAnswer(
        plans=tuple(
            answer(view, plan, where, moment)
            for plan, where in zip(made.plans, found, strict=True)
        ),
        total=made.total,
        least=made.least,
        exact=made.exact,
        method=made.method,
        sentence=made.sentence,
        as_of=moment.as_of,
        replay=moment.replay,
    )
