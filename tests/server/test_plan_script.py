"""The script over a home of its own prints what REST answers there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.script import main
from gridtide.clock import Clock
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, Asker

JOB = {"hours": 3, "kind": "interruptible"}
ROWS = "start,end,kwh\n2026-03-01T10:20Z,2026-03-01T12:40Z,3\n"
ROW = {"start": "2026-03-01T10:20Z", "end": "2026-03-01T12:40Z", "kwh": 3}
QUESTIONS = [{"kind": "best_window", "region": "DE", "hours": 2}, {"kind": "x"}]
SCHEDULE = {"jobs": [{"job": JOB, "region": "DE"}] * 2, "caps": {"DE": {"jobs": 1}}}


@pytest.mark.parametrize(
    ("words", "path", "sent"),
    [
        (
            ["plan", "DE", "FR", "--hours", "3", "--kind", "interruptible", "--slack", "9h"],
            "/v1/plan",
            {"job": JOB, "regions": ["DE", "FR"], "bounds": {"slack_hours": 9}},
        ),
        (
            ["footprint", "DE", "--rows", "FILE"],
            "/v1/footprint",
            {"region": "DE", "rows": [ROW]},
        ),
        (
            ["footprint", "--hours", "2", "--power-kw", "1.5", "--g-per-kwh", "100"],
            "/v1/footprint",
            {"hours": 2, "power_kw": 1.5, "g_per_kwh": 100},
        ),
        (["plan", "--question", "FILE"], "/v1/plan", {"job": JOB, "region": "DE"}),
        (
            [
                *["plan", "DE", "--hours", "2", "--blackout", "2026-03-02/2026-03-02"],
                *["--next-working-day", "09:00", "--holiday", "2026-03-03"],
                *["--holiday", "2026-03-04", "--timezone", "Europe/Berlin"],
            ],
            "/v1/plan",
            {
                "job": {"hours": 2},
                "region": "DE",
                "bounds": {
                    "blackouts": [
                        {"zone": "Europe/Berlin", "first": "2026-03-02", "last": "2026-03-02"}
                    ],
                    "next_working_day": "09:00",
                    "holidays": ["2026-03-03", "2026-03-04"],
                    "zone": "Europe/Berlin",
                },
            },
        ),
        (
            [
                *["plan", "DE", "FR", "--hours", "2", "--allowed", "DE"],
                *["--latency-from", "DE", "--max-latency-ms", "99"],
            ],
            "/v1/plan",
            {
                "job": {"hours": 2},
                "places": {
                    "places": ["DE", "FR"],
                    "allowed": ["DE"],
                    "latency_from": "DE",
                    "max_latency_ms": 99,
                },
            },
        ),
        (
            [
                *["plan", "DE", "--hours", "2", "--cron", "0 15 * * *", "--slack", "50%"],
                *["--timezone", "Europe/Berlin"],
            ],
            "/v1/plan",
            {
                "job": {"hours": 2},
                "region": "DE",
                "recurring": {
                    "cron": "0 15 * * *",
                    "slack_fraction": 0.5,
                    "zone": "Europe/Berlin",
                },
            },
        ),
        (
            [
                *["footprint", "--hours", "1", "--power-kw", "1", "--g-per-kwh", "100"],
                *["--before", "hours=2,power_kw=3,g_per_kwh=500,pue=1.5"],
            ],
            "/v1/footprint",
            {
                "hours": 1,
                "power_kw": 1,
                "g_per_kwh": 100,
                "before": {"hours": 2, "power_kw": 3, "g_per_kwh": 500, "pue": 1.5},
            },
        ),
        (["schedule", "FILE"], "/v1/schedule", SCHEDULE),
        (["batch", "FILE"], "/v1/batch", {"questions": QUESTIONS}),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_json_of_the_script_is_that_of_rest(
    home: DataDirectory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    path: str,
    sent: dict[str, Any],
) -> None:
    file = tmp_path / "file"
    file.write_text(ROWS if "--rows" in words else json.dumps(sent))
    words = [str(file) if word == "FILE" else word for word in words]
    environ = {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": "2026-03-02T12:00Z"}
    assert main([*words, "--json"], environ) == 0
    with Asker(home, Clock(NOW)) as ask:
        printed = json.loads(capsys.readouterr().out)
        if path == "/v1/plan":
            assert printed.pop("request")
        assert printed == ask.post(path, sent)


def test_a_region_named_twice_is_answered_once_in_order(
    home: DataDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}
    for command, regions in (("plan", ["FR", "DE"]), ("best-region", None)):
        assert main([command, "FR,DE", "FR", "--hours", "2", "--json"], environ) == 0
        twice = json.loads(capsys.readouterr().out)
        assert main([command, "FR", "DE", "--hours", "2", "--json"], environ) == 0
        assert json.loads(capsys.readouterr().out) == twice
        assert twice.get("request", {}).get("regions") == regions


ENVIRON = {"GRIDTIDE_NOW": "2026-03-02T12:00Z"}


def test_the_rest_of_a_plan_that_the_script_printed(
    home: DataDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}
    words = ["DE", "--hours", "3", "--kind", "interruptible", "--slack", "9h"]
    assert main(["plan", *words, "--json"], environ) == 0
    file, printed = tmp_path / "plan.json", capsys.readouterr().out
    file.write_text(printed)
    assert main(["replan", str(file), *words, "--done", "1", "--json"], environ) == 0
    sent = {"job": JOB, "region": "DE", "bounds": {"slack_hours": 9}}
    body = {"plan": json.loads(printed), "request": sent, "progress": {"done": 1}}
    with Asker(home, Clock(NOW)) as ask:
        again = json.loads(capsys.readouterr().out)
        assert again.pop("request")["bounds"] == sent["bounds"]
        assert again == ask.post("/v1/replan", body)
    assert main(["replan", str(file), "--done", "60min", "--json"], environ) == 0
    in_minutes = json.loads(capsys.readouterr().out)
    assert in_minutes.pop("request") == json.loads(printed)["request"]
    assert in_minutes == again
    assert main(["replan", str(file), *words, "--done", "3"], environ) == 2
    assert "nothing is left to plan" in capsys.readouterr().err
    assert main(["replan", str(file), *words, "--running"], environ) == 0
    assert "DE (Germany): start 2026-03-02T14:00Z" in capsys.readouterr().out


def test_the_script_prints_with_how_many_workers_a_job_runs(
    home: DataDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}
    words = ["DE", "--hours", "3", "--kind", "elastic", "--chips", "4", "--ramp", "1"]
    assert main(["plan", *words, "--json"], environ) == 0
    file, printed = tmp_path / "plan.json", capsys.readouterr().out
    file.write_text(printed)
    stands = ["--done", "1", "--running", "--chips-now", "2.5"]
    assert main(["replan", str(file), *words, *stands, "--json"], environ) == 0
    job = {"hours": 3, "kind": "elastic", "workers": {"maximum": 4, "ramp": 1}}
    progress = {"done": 1, "running": True, "workers": 2.5}
    body = {
        "plan": json.loads(printed),
        "request": {"job": job, "region": "DE"},
        "progress": progress,
    }
    with Asker(home, Clock(NOW)) as ask:
        answer = ask.post("/v1/replan", body)
        again = json.loads(capsys.readouterr().out)
        workers = {"maximum": 4, "ramp": 1}
        assert again.pop("request")["job"] == {
            "hours": 3,
            "kind": "elastic",
            "workers": workers,
        }
        assert again == answer
        body["progress"] = progress | {"workers": 9}
        refused = ask.problem("/v1/replan", 422, "bad_input", body)
    # Two hours are left, and the ramp of 1 needs 1.5 workers or more in the first hour.
    assert answer["slots"][0]["start"] == "2026-03-02T12:00:00Z"
    assert answer["slots"][0]["workers"] >= 1.5 - 1e-6
    assert "runs on 0 to 4; give the workers it has now" in refused["detail"]


@pytest.mark.parametrize(
    ("words", "path", "sent"),
    [
        (["plan", "DE", "--hours", "x"], "/v1/plan", {"job": {"hours": "x"}, "region": "DE"}),
        (["plan", "DE", "--hours", "-2"], "/v1/plan", {"job": {"hours": -2}, "region": "DE"}),
        (["plan", "--hours", "2"], "/v1/plan", {"job": {"hours": 2}, "regions": []}),
        (
            ["plan", "DE", "--hours", "2", "--max-pieces", "1.5"],
            "/v1/plan",
            {"job": {"hours": 2, "max_segments": "1.5"}, "region": "DE"},
        ),
        (
            ["plan", "DE", "--hours", "2", "--cron", "0 0 * * *"],
            "/v1/plan",
            {"job": {"hours": 2}, "region": "DE", "recurring": {"cron": "0 0 * * *"}},
        ),
        (
            ["footprint", "--hours", "1", "--power-kw", "x", "--g-per-kwh", "100"],
            "/v1/footprint",
            {"hours": 1, "power_kw": "x", "g_per_kwh": 100},
        ),
        (
            [
                *["footprint", "--hours", "1", "--power-kw", "1", "--g-per-kwh", "100"],
                *["--before", "hours=2,power=3"],
            ],
            "/v1/footprint",
            {
                "hours": 1,
                "power_kw": 1,
                "g_per_kwh": 100,
                "before": {"hours": 2, "power": 3},
            },
        ),
    ],
)
def test_the_script_refuses_in_the_words_of_rest(
    home: DataDirectory,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    path: str,
    sent: dict[str, Any],
) -> None:
    assert main([*words, "--json"], {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}) == 2
    said = json.loads(capsys.readouterr().err)
    with Asker(home, Clock(NOW)) as ask:
        problem = ask.problem(path, 422, "bad_input", sent)
    assert said == problem
