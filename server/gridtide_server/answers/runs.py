"""Forecast runs, whole, as they were issued."""

from __future__ import annotations

from gridtide.errors import NoData
from gridtide.model import format_time
from gridtide.schema.requests import ForecastRequest
from gridtide_server.answers.current import newest, usual_signal
from gridtide_server.service import Moment
from gridtide_server.view import Forecast, View, series_of
from gridtide_store.regions import Resolution


def find(view: View, place: Resolution, asked: ForecastRequest, moment: Moment) -> Forecast:
    """The newest run known at the moment, of the model asked for or of the served one.

    Raises:
        NoData: there is none; the message says what there is.
    """
    signal = asked.signal or usual_signal(view, place, moment.as_of)
    served = newest(view, place, signal, moment.as_of)
    if asked.model is None or asked.model == served.run.model:
        return served
    run = view.snapshot.run(place.zone, signal, as_of=moment.as_of, model=asked.model)
    if run is None:
        raise NoData(
            f"{place.zone} has no forecast of {signal} by {asked.model!r} as of "
            f"{format_time(moment.as_of)}; the one that is served is by {served.run.model}: "
            "leave model out for it"
        )
    return Forecast(run, series_of(run))
