"""A fit is kept for its month, and used only where it is whole and honest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.forecast.forecaster import Fitted, ForecastSlots, Known
from gridtide_pipelines.forecast.issue import FitCache
from gridtide_pipelines.forecast.models import chain

MakeKnown = Callable[..., Known]
MakeValues = Callable[[int], list[float]]


@dataclass
class Counting:
    """A model that learns how many hours it saw, and counts how often it learned."""

    name: str = "counting@1"
    memory: timedelta = timedelta(days=100)
    wants: frozenset[str] = frozenset()
    keeps: bool = True
    fits: list[datetime] = field(default_factory=list)

    def fit(self, known: Known, *, seed: int) -> Fitted:
        self.fits.append(known.at)
        return Seen(len(known.intensity))

    def from_bytes(self, content: bytes) -> Fitted:
        return Seen(int(content))


@dataclass
class Seen:
    hours: int

    def predict(
        self, known: Known, issued_at: datetime, horizon: timedelta, *, interval: bool = True
    ) -> ForecastSlots:
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        return str(self.hours).encode()


@pytest.fixture
def kept(tmp_path: Path) -> FitCache:
    return FitCache(tmp_path / "models", "derived@ipcc_ar5/eia")


def test_the_second_issue_of_a_month_uses_the_first_one_s_fit(
    kept: FitCache, known: MakeKnown, at: datetime
) -> None:
    model = Counting()
    kept.fitted(model, known([1.0] * 100))
    again = kept.fitted(model, known([1.0] * 110, at=at + timedelta(days=30)))
    assert model.fits == [at]
    assert again == Seen(100)


def test_a_new_month_is_fitted_anew_and_the_old_fit_stays(
    kept: FitCache, known: MakeKnown, at: datetime
) -> None:
    model = Counting()
    history = known([1.0] * 100)
    august = known([1.0] * 100, at=at + timedelta(days=31))
    kept.fitted(model, history)
    kept.fitted(model, august)
    assert model.fits == [at, august.at]
    assert kept.find(model, history) == Seen(100)


def test_a_fit_that_has_seen_the_future_is_not_used_at_an_earlier_time(
    kept: FitCache, known: MakeKnown, at: datetime
) -> None:
    model = Counting()
    later, earlier = at + timedelta(days=20), at + timedelta(days=2)
    kept.fitted(model, known([1.0] * 100, at=later))
    assert kept.find(model, known([1.0] * 100, at=earlier)) is None
    kept.fitted(model, known([1.0] * 100, at=earlier))
    assert model.fits == [later, earlier]


def test_half_as_much_history_again_is_worth_a_new_fit(
    kept: FitCache, known: MakeKnown
) -> None:
    model = Counting()
    kept.fitted(model, known([1.0] * 100))
    assert kept.find(model, known([1.0] * 150)) == Seen(100)
    assert kept.find(model, known([1.0] * 151)) is None


def test_a_fit_of_another_source_is_not_used(
    kept: FitCache, known: MakeKnown, tmp_path: Path
) -> None:
    model = Counting()
    history = known([1.0] * 100)
    kept.fitted(model, history)
    assert FitCache(tmp_path / "models", "simulated").find(model, history) is None
    assert kept.find(model, history) == Seen(100)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[:20],
        lambda whole: whole.replace(b"\n100", b"\n900"),
        lambda whole: b"",
        lambda whole: b"[1]\n" + whole,
        lambda whole: whole.replace(b'"slots": 100', b'"slots": null'),
        lambda whole: whole.replace(b'"fitted_at": "2', b'"fitted_at": "x'),
    ],
    ids=["cut", "header cut", "changed", "empty", "not a header", "no count", "no time"],
)
def test_a_damaged_fit_is_made_anew(
    damage: Callable[[bytes], bytes], kept: FitCache, known: MakeKnown, tmp_path: Path
) -> None:
    model = Counting()
    history = known([1.0] * 100)
    kept.fitted(model, history)
    (path,) = (tmp_path / "models").rglob("*.fit")
    path.write_bytes(damage(path.read_bytes()))
    assert kept.find(model, history) is None
    assert kept.fitted(model, history) == Seen(100)
    assert kept.find(model, history) == Seen(100)


def test_zones_signals_and_models_have_files_of_their_own(
    kept: FitCache, known: MakeKnown, wavy: MakeValues, tmp_path: Path
) -> None:
    history = known(wavy(40 * 24))
    kept.fitted(chain("prophet")[0], history)
    kept.fitted(Counting(), history)
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.fit")]
    assert sorted(names) == [
        "models/DE/ci_lifecycle_produced/counting@1-2021-07.fit",
        "models/DE/ci_lifecycle_produced/prophet@1-2021-07.fit",
    ]


def test_a_model_that_learns_nothing_leaves_no_file(
    kept: FitCache, known: MakeKnown, tmp_path: Path
) -> None:
    kept.fitted(chain("naive")[0], known([1.0] * 48))
    assert list(tmp_path.iterdir()) == []
