"""The ranking of regions: ties, unknown shares, and real zeros."""

from __future__ import annotations

from gridtide.model import Signal
from gridtide_pipelines.reproduce.papers.google_regions import ranking, run


def test_equal_shares_share_a_place_and_an_unknown_one_has_none() -> None:
    figures = {"a": 0.5, "b": 0.9, "c": None, "d": 0.5, "e": 0.0}
    assert ranking(figures, 2021, Signal.CFE_CONSUMED) == {"b": 1, "a": 2, "d": 2, "e": 4}


def test_less_intensity_comes_first_and_zero_is_the_cleanest() -> None:
    figures = {"a": 300.0, "b": 0.0, "c": 300.0, "d": 700.0}
    places = ranking(figures, 2022, Signal.CI_DIRECT_CONSUMED)
    assert places == {"b": 1, "a": 2, "c": 2, "d": 4}


def test_places_of_the_published_tables() -> None:
    rows = {row.label: row for row in run(None)}
    # Read off the table: Montreal at 1.00, unknown in Hong Kong, and two zeros at the end.
    assert rows["2021, carbon-free energy, northamerica-northeast1"].ours == 1.0
    assert rows["2019, carbon-free energy, asia-east2"].ours == "unknown"
    assert rows["2023, carbon-free energy, me-central1"].ours == 39.0
    assert rows["2023, carbon-free energy, me-central2"].ours == 39.0
    assert rows["2024, operational gross intensity, europe-north2"].ours == 1.0
