"""Decisions and runs as they go over the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from gridtide.schema.responses import BestRegion, BestWindow, ForecastSlot, Infeasible
from gridtide.schema.responses import Forecast as ForecastResponse
from gridtide.slots import to_moment
from gridtide_server.answers.decisions import Decision, Question, Refusal
from gridtide_server.service import Moment
from gridtide_server.view import Forecast, View
from gridtide_store.regions import Resolution
from gridtide_store.snapshot import Run


class _Placed(TypedDict):
    region: str
    zone: str
    zone_name: str
    resolved_by: str


def placed(place: Resolution) -> _Placed:
    """The members that say which zone answers."""
    return {
        "region": place.region,
        "zone": place.zone,
        "zone_name": place.zone_name,
        "resolved_by": place.how.value,
    }


def best_window(
    view: View, decision: Decision, question: Question, moment: Moment
) -> BestWindow:
    """The answer of ``/v1/best-window``."""
    return BestWindow(
        **standing(view, decision.place, decision.forecast, moment),
        **found(decision, question),
    )


def standing(
    view: View, place: Resolution, forecast: Forecast, moment: Moment
) -> dict[str, Any]:
    """Members of a best window that are the same for every question on this forecast."""
    run, signal = forecast.run, forecast.series.signal
    origin = view.origin([run.source])
    return {
        **placed(place),
        "signal": signal,
        "unit": signal.unit,
        "quality": forecast.quality,
        "simulated": run.simulated,
        "source": origin.source,
        "licence": origin.licence,
        "model": run.model,
        "issued_at": run.issued_at,
        "data_age_seconds": moment.since(view.newest_end(place.zone, signal, moment.as_of)),
        "as_of": moment.as_of,
        "replay": moment.replay,
    }


def found(decision: Decision, question: Question) -> dict[str, Any]:
    """The other members of a best window."""
    window = decision.window
    return {
        "start": window.start,
        "end": window.end,
        "hours": question.hours,
        "mean": window.mean,
        "mean_now": decision.mean_now,
        "saving": decision.saving,
    }


def best_region(
    view: View,
    ranking: Sequence[Decision | Refusal],
    question: Question,
    moment: Moment,
) -> BestRegion:
    """The answer of ``/v1/best-region``; the first of `ranking` is a decision."""
    windows = [each for each in ranking if isinstance(each, Decision)]
    first = windows[0]
    return BestRegion(
        **standing(view, first.place, first.forecast, moment),
        **found(first, question),
        ranking=tuple(best_window(view, each, question, moment) for each in windows),
        infeasible=tuple(
            Infeasible(
                **placed(each.place),
                hours=question.hours,
                signal=each.signal,
                unit=each.signal.unit,
                reason=each.reason,
            )
            for each in ranking
            if isinstance(each, Refusal)
        ),
    )


def forecast(
    view: View, place: Resolution, found: Forecast, moment: Moment
) -> ForecastResponse:
    """The answer of ``/v1/zones/{zone}/forecast``."""
    run, signal = found.run, found.series.signal
    origin = view.origin([run.source])
    return ForecastResponse(
        **placed(place),
        signal=signal,
        unit=signal.unit,
        quality=found.quality,
        simulated=run.simulated,
        source=origin.source,
        licence=origin.licence,
        model=run.model,
        issued_at=run.issued_at,
        known_at=run.known_at,
        data_age_seconds=moment.since(view.newest_end(place.zone, signal, moment.as_of)),
        as_of=moment.as_of,
        replay=moment.replay,
        slots=_steps(run),
    )


def _steps(run: Run) -> tuple[ForecastSlot, ...]:
    quantiles = [
        [None if value != value else value for value in each.tolist()]
        for each in (run.p10, run.p50, run.p90)
    ]
    return tuple(
        ForecastSlot(start=to_moment(start), end=to_moment(end), p10=p10, p50=p50, p90=p90)
        for start, end, p10, p50, p90 in zip(
            run.start_us.tolist(), run.end_us.tolist(), *quantiles, strict=True
        )
        if p50 is not None
    )
