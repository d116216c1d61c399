"""Models by name, and the fallback from one to the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.errors import NotEnoughHistory
from gridtide_pipelines.forecast.forecaster import (
    SEED,
    Fitted,
    Forecaster,
    Known,
    newest_versions,
)
from gridtide_pipelines.forecast.models import chain, models, predict_in_turn

MakeKnown = Callable[..., Known]


def fresh(model: Forecaster, known: Known) -> Fitted:
    return model.fit(known, seed=SEED)


def test_a_name_is_taken_with_and_without_its_version() -> None:
    assert chain("weekly") == chain("weekly@1") == (models()["weekly@1"],)


def test_the_newest_version_is_by_number_and_not_by_letter() -> None:
    one, two = models()["naive@1"], models()["weekly@1"]
    assert newest_versions({"x@2": one, "x@10": two})["x"] is two
    assert newest_versions({"x@10": two, "x@9": one})["x"] is two


@pytest.mark.parametrize("name", ["", "prophet@9", "Prophet", "arima", "default@1"])
def test_an_unknown_model_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(BadInput, match="default or one of naive, prophet, weekly"):
        chain(name)


@pytest.mark.parametrize(
    ("days", "used"), [(1, "naive@1"), (8, "weekly@1"), (29, "weekly@1"), (30, "prophet@1")]
)
def test_the_default_takes_the_best_model_there_is_history_for(
    days: int, used: str, known: MakeKnown, wavy: Callable[[int], list[float]]
) -> None:
    name, steps = predict_in_turn(
        chain("default"), known(wavy(days * 24)), timedelta(hours=72), fitted=fresh
    )
    assert name == used
    assert len(steps.p50) == 72


def test_when_none_is_able_each_says_why(known: MakeKnown) -> None:
    with pytest.raises(NotEnoughHistory, match=r"(?s)prophet@1.*; weekly@1.*; naive@1"):
        predict_in_turn(chain("default"), known([300.0] * 5), timedelta(hours=72), fitted=fresh)
