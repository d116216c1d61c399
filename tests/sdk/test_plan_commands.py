"""Plans and batches by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from gridtide.cli.script import main
from tests.sdk.test_plan_questions import Service

Capture = pytest.CaptureFixture[str]


def test_json_of_the_script_is_that_of_rest(
    address: str,
    capsys: Capture,
    said: SimpleNamespace,
    service: Service,
    tmp_path: Path,
) -> None:
    wire = {"answers": [said.plan], "as_of": "2026-03-02T12:00:00Z", "replay": False}
    file = tmp_path / "question.json"
    file.write_text(json.dumps({"job": {"hours": 2}, "region": "DE"}))
    for words in (["plan", "DE", "--hours", "2"], ["plan", "--question", str(file)]):
        assert main([*words, "--json", "--url", address], {}) == 0
        out, err = capsys.readouterr()
        plan = json.loads(out)
        assert plan.pop("request")["job"]["hours"] == 2
        assert (plan, err) == (said.plan, "")
    file.write_text(json.dumps([{"kind": "plan", "job": {"hours": 2}, "region": "DE"}]))
    service.reply(200, wire)
    assert main(["batch", str(file), "--json", "--url", address], {}) == 0
    asked = {"job": {"hours": 2}, "region": "DE"}
    printed = json.loads(capsys.readouterr().out)
    assert printed == {**wire, "answers": [{**said.plan, "request": asked}]}


def test_options_are_the_members_of_the_question(
    address: str,
    service: Service,
    tmp_path: Path,
) -> None:
    costs = tmp_path / "costs.json"
    slots = {"unit": "EUR/kWh", "start": "2026-03-02T12:00Z", "step": 1, "values": [1, None]}
    costs.write_text(json.dumps(slots))
    words = ["plan", "DE,FR", "-33.9,18.4", "--hours", "8", "--kind", "segments"]
    words += ["--power", "2h:1.5,1h:0.8", "--min-piece", "1", "--max-pieces", "4"]
    words += ["--pause-cost", "0.5", "--restart-cost", "1:0.25", "--checkpoint", "2"]
    words += ["--checkpoint", "4", "--earliest", "2026-03-02T13:00Z", "--deadline"]
    words += ["2026-03-03T12:00Z", "--slack", "50%", "--next-working-day", "09:00"]
    words += ["--opening", "Mon-Fri 08:00-18:00", "--timezone", "Europe/Berlin"]
    words += [
        "--blackout",
        "2026-03-02T20:00Z/2026-03-02T22:00Z",
        "--blackout",
        "Sat 10:00-12:00",
    ]
    words += ["--goal", "weighted", "--costs", str(costs), "--carbon-weight", "1e-4"]
    words += ["--cost-weight", "1", "--min-saving", "0.05", "--quantile", "p90"]
    words += ["--pue", "1.2", "--from", "DE", "--data-gb", "5", "--kwh-per-gb", "0.01"]
    words += ["--max-latency-ms", "30", "--residency", "DE, FR", "--follow"]
    words += ["--signal", "ci_direct_produced", "--as-of", "2026-03-02T11:00Z"]
    assert main([*words, "--alternatives", "5", "--url", address], {}) == 0
    (asked,) = service.asked
    assert asked.body == {
        "job": {
            "hours": 8.0,
            "kind": "segments",
            "power": [{"hours": 2.0, "kw": 1.5}, {"hours": 1.0, "kw": 0.8}],
            "min_segment": 1.0,
            "max_segments": 4,
            "pause_cost": {"kwh": 0.5},
            "restart_cost": {"kwh": 1.0, "hours": 0.25},
            "checkpoints": [2.0, 4.0],
        },
        "candidates": {
            "regions": [
                {"region": "DE", "pue": 1.2},
                {"region": "FR", "pue": 1.2},
                {"region": "-33.9,18.4", "pue": 1.2},
            ],
            "current_region": "DE",
            "residency": ["DE", "FR"],
            "max_latency_ms": 30.0,
            "data_gb": 5.0,
            "kwh_per_gb": 0.01,
            "moves": "follow",
        },
        "bounds": {
            "earliest": "2026-03-02T13:00:00Z",
            "deadline": "2026-03-03T12:00:00Z",
            "slack_fraction": 0.5,
            "next_working_day": "09:00",
            "opening": {
                "zone": "Europe/Berlin",
                "hours": "; ".join(
                    f"{d} 08:00-18:00" for d in ("mon", "tue", "wed", "thu", "fri")
                ),
            },
            "blackouts": [
                {"start": "2026-03-02T20:00:00Z", "end": "2026-03-02T22:00:00Z"},
                {"zone": "Europe/Berlin", "hours": "sat 10:00-12:00"},
            ],
            "zone": "Europe/Berlin",
        },
        "goal": {
            "objective": "weighted",
            "costs": {
                "unit": "EUR/kWh",
                "slots": [
                    {
                        "start": "2026-03-02T12:00:00Z",
                        "end": "2026-03-02T13:00:00Z",
                        "value": 1.0,
                    },
                    {
                        "start": "2026-03-02T13:00:00Z",
                        "end": "2026-03-02T14:00:00Z",
                        "value": None,
                    },
                ],
            },
            "carbon_weight": 0.0001,
            "cost_weight": 1.0,
            "min_saving": 0.05,
            "quantile": "p90",
        },
        "signal": "ci_direct_produced",
        "as_of": "2026-03-02T11:00:00Z",
        "alternatives": 5,
    }


def test_chips_make_a_job_elastic_and_slack_is_in_hours(address: str, service: Service) -> None:
    words = ["plan", "DE", "--hours", "4", "--chips", "1:8", "--ramp", "2", "--slack", "12h"]
    assert main([*words, "--power", "3", "--budget-grams", "9", "--url", address], {}) == 0
    assert service.asked[0].body == {
        "job": {
            "hours": 4.0,
            "kind": "elastic",
            "power": 3.0,
            "workers": {"maximum": 8.0, "minimum": 1.0, "ramp": 2.0},
        },
        "region": "DE",
        "bounds": {"slack_hours": 12.0},
        "goal": {"budget_grams": 9.0},
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plan", "DE"], "job.hours: required"),
        (["plan", "--hours", "2"], "no region is given"),
        (["plan", "DE", "--hours", "0"], "give more than 0"),
        (["plan", "DE", "--hours", "2", "--kind", "tidy"], "must be one of unbroken"),
        (["plan", "DE", "--hours", "2", "--slack", "lots"], "--slack is 'lots'; give"),
        (
            ["plan", "DE", "--hours", "2", "--power", "3h:x"],
            "--power: must be a number such as 4 or 1.5, not 'x'",
        ),
        (["plan", "DE", "--hours", "2", "--power", "3h:1"], "longer than the job's 2:00:00"),
        (["plan", "DE", "--hours", "2", "--costs", "/none"], "/none cannot be read as JSON"),
        (["plan", "DE", "--hours", "2", "--deadline", "2026-03-02T12:00"], "UTC offset"),
        (["batch", "/none"], "/none cannot be read as JSON"),
    ],
)
def test_bad_input_is_said_on_standard_error_with_exit_2(
    capsys: Capture, words: list[str], message: str
) -> None:
    assert main([*words, "--url", "http://127.0.0.1:9"], {}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_text_says_when_why_what_else_and_where_from(address: str, capsys: Capture) -> None:
    assert main(["plan", "DE", "--hours", "2", "--url", address], {}) == 0
    assert capsys.readouterr().out == (
        "DE (Germany): start 2026-03-02T15:00Z, end 2026-03-02T18:00Z (2 segments)\n"
        "  why      Run in DE.\n"
        "  energy   5 kWh, 1500 g (1400 to 1600.5)\n"
        "  mean     300.0 gCO2e/kWh\n"
        "  change   A later deadline.\n"
        "\n"
        "from               to                 power   region\n"
        "2026-03-02T15:00Z  2026-03-02T16:00Z  2.5 kW  DE\n"
        "2026-03-02T17:00Z  2026-03-02T18:00Z  2.5 kW  DE\n"
        "\n"
        "or           region  from               to                 mean             saves\n"
        "run at once  DE      2026-03-02T12:00Z  2026-03-02T14:00Z  400.0 gCO2e/kWh  0.0 %\n"
        "\n"
        "  FR: left out; no forecast\n"
        "  signal   ci_lifecycle_consumed\n"
        "  quality  forecast by weekly@1, issued 2026-03-02T11:30Z\n"
        "  data     35 min old, a_source (CC-BY-4.0)\n"
        "  zone     by zone key\n"
    )


def test_text_of_a_batch_is_a_line_for_each(
    address: str,
    capsys: Capture,
    said: SimpleNamespace,
    service: Service,
    tmp_path: Path,
) -> None:
    problem = {"code": "no_data", "status": 404, "title": "Nothing", "detail": "none yet"}
    answers = [said.best_window, said.best_region, said.plan, problem]
    service.reply(200, {"answers": answers, "as_of": "2026-03-02T12:00:00Z", "replay": False})
    kinds = ("best_window", "best_region", "plan", "best_window")
    file = tmp_path / "questions.json"
    file.write_text(json.dumps({"questions": [{"kind": kind} for kind in kinds]}))
    assert main(["batch", str(file), "--url", address], {}) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1  DE: 2026-03-02T14:00Z to 2026-03-02T18:00Z, 300.0 gCO2e/kWh",
        "2  DE: 2026-03-02T14:00Z to 2026-03-02T18:00Z, 300.0 gCO2e/kWh; best of 2",
        "3  DE: 2026-03-02T15:00Z to 2026-03-02T18:00Z, 300.0 gCO2e/kWh, 5 kWh",
        "4  no_data: none yet",
    ]
