"""Training runs: arithmetic by hand, and what the issue asks of the figures."""

from __future__ import annotations

import pytest

from gridtide_pipelines.reproduce.figures import Row, Verdict, read_printed
from gridtide_pipelines.reproduce.papers.patterson2021 import computed, run, tonnes

ROWS = {row.label: row for row in run(None)}
AVERAGE = {"pue": 1.59, "gross": 0.429, "net": 0.08}


def test_energy_and_emissions_by_hand() -> None:
    # 8 chips x 84 h x 296 W x 1.59 = 316.27 kWh; x 0.429 = 135.68 kg; x 0.08 = 25.30 kg.
    ours = computed({"days": 3.5, "chips": 8, "watts": 296}, AVERAGE)
    assert ours.kwh == pytest.approx(316.27, abs=0.005)
    assert ours.gross == pytest.approx(0.13568, abs=5e-6)
    assert ours.net == pytest.approx(0.02530, abs=5e-6)
    assert tonnes(1000, 0.5) == 0.5


def test_every_run_that_prints_its_inputs_passes_and_the_twelfth_says_what_it_lacks() -> None:
    names = {label.rsplit(", ", 1)[0] for label in ROWS if label.endswith(", energy")}
    passed = {
        name
        for name in names
        if all(
            ROWS[f"{name}, {what}"].verdict is Verdict.PASS
            for what in ("energy", "gross", "net")
            if f"{name}, {what}" in ROWS
        )
    }
    assert len(names) == 12
    assert names - passed == {"COVID-19 Research Explorer, as run"}
    lacking = ROWS["COVID-19 Research Explorer, as run, energy"]
    assert lacking.verdict is Verdict.NO_DATA
    assert "neither power nor PUE" in lacking.note


def within(row: Row, share: float) -> bool:
    assert isinstance(row.printed, float)
    return abs(row.difference or 0.0) <= share * row.printed


def test_energy_agrees_within_1_3_percent_and_emissions_within_1_6() -> None:
    energy = [row for label, row in ROWS.items() if label.endswith("energy") and row.ours]
    runs = [row for row in energy if row.unit == "kWh"]
    emitted = [row for row in ROWS.values() if row.note == "Table 4" and row.unit == "tCO2e"]
    assert len(runs) == 11
    assert len(emitted) == 12
    assert all(within(row, 0.013) for row in runs)
    assert all(within(row, 0.016) for row in emitted)


def test_table_1_agrees_in_four_decimals() -> None:
    rows = [row for row in ROWS.values() if row.note == "Table 1" and row.unit == "tCO2e"]
    assert len(rows) == 10
    assert all(round(float(row.ours or 0), 4) == row.printed for row in rows)


@pytest.mark.parametrize(
    ("label", "value", "digits"),
    [
        ("strubell nas estimate", 284.0, 1),
        ("nas estimate actual proxy task us average", 15.2, 1),
        ("nas estimate over proxy task", 18.7, 1),
        ("nas estimate over actual", 88, 0),
        ("gain by algorithm and processor", 7.4, 1),
        ("gain by these and data centre", 10.5, 1),
        ("gain by these and energy mix", 56.5, 1),
    ],
)
def test_the_corrected_search_and_the_gains_round_to_what_is_printed(
    label: str, value: float, digits: int
) -> None:
    assert round(float(ROWS[label].ours or 0), digits) == value == ROWS[label].printed


def test_no_printed_figure_of_the_text_is_left_unused() -> None:
    inputs = {
        *("nas_train_steps", "strubell_p100_rate", "nas_tpu_v2_hours"),
        *("nas_hours_per_step_transformer_big_8xp100", "sf_ny_jet_roundtrip_whole_plane"),
        "nas_hours_per_step_transformer_base_1xp100",
    }
    shown = {row.printed for row in ROWS.values()}
    text = read_printed("patterson2021")["text"]
    assert {key for key, value in text.items() if value not in shown} <= inputs
