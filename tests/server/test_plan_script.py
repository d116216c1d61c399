"""The script over a home of its own prints what REST answers there."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.script import main
from gridtide.client import Client
from gridtide.clock import Clock
from gridtide.planning import Progress
from gridtide.schema.plans import PlanAnswer
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


def test_a_question_in_a_file_takes_no_options_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "question.json"
    file.write_text("[" * 100_000)
    url = ["--url", "http://127.0.0.1:9"]
    for beside in (
        *(["DE"], ["--hours", "2"], ["--follow"], ["--alternatives", "0"]),
        ["--timezone", "Europe/Berlin"],
    ):
        assert main(["plan", *beside, "--question", str(file), *url], {}) == 2
        assert "leave the regions and the other options out" in capsys.readouterr().err
    assert main(["plan", "--question", str(file), *url], {}) == 2
    assert "cannot be read as JSON" in capsys.readouterr().err


def test_a_row_of_whole_days_names_dates_as_by_rest(
    tmp_path: Path, home: DataDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("start,end,kwh\n2026-03-01,2026-03-02,3\n")
    environ = {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}
    assert main(["footprint", "DE", "--rows", str(file), "--json"], environ) == 0
    row = {"start": "2026-03-01", "end": "2026-03-02", "kwh": 3}
    with Asker(home, Clock(NOW)) as ask:
        by_rest = ask.post("/v1/footprint", {"region": "DE", "rows": [row]})
    assert json.loads(capsys.readouterr().out) == by_rest


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Nowhere/Else"])
def test_a_time_zone_that_nothing_is_said_in_is_refused(
    zone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["plan", "DE", "--hours", "2", "--slack", "9h", "--timezone", zone]
    assert main(words, {"GRIDTIDE_URL": "http://127.0.0.1:9"}) == 2
    assert "--timezone: is the time zone of --opening" in capsys.readouterr().err


def test_a_batch_in_a_file_is_refused_as_by_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "batch.json"
    url = ["--url", "http://127.0.0.1:9"]
    for body, said in (
        ({"questions": [], "as_of": "2026-03-02T12:00Z"}, "as_of: unknown field"),
        ({"requests": []}, "requests: unknown field"),
        ({}, "questions: required"),
    ):
        file.write_text(json.dumps(body))
        assert main(["batch", str(file), *url], {}) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("begin,end,kwh\n", "no column start; its first line must be start,end,kwh"),
        (
            "start,end,kwh\n2026-03-01T10:20,2026-03-01T12:40Z,3\n",
            "line 2: start .* UTC offset",
        ),
        ("start,end,kwh\n2026-03-01T10:20Z,2026-03-01T12:40Z,x\n", "line 2: kwh is 'x'"),
        ("start,end,kwh\n2026-03-01T10:20Z\n", "line 2: kwh is ''"),
        ("", "no column start, end, kwh"),
        (f'start,end,kwh\n"{"x" * 200_000}', "line 1: not CSV .* quote that is not closed"),
    ],
)
def test_a_file_of_rows_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(text)
    url = ["--url", "http://127.0.0.1:9"]
    assert main(["footprint", "DE", "--rows", str(file), *url], {}) == 2
    pattern = capsys.readouterr().err
    assert re.search(words, pattern), pattern


def test_text_of_a_footprint_and_of_a_schedule(
    home: DataDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": "2026-03-02T12:00Z"}
    file = tmp_path / "file"
    file.write_text(ROWS)
    words = ["footprint", "DE", "--rows", str(file), "--embodied-g", "67", "--per", "4"]
    assert main(words, environ) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "energy  3 kWh",
        "gross   333 g CO2e",
        "mean    111 gCO2e/kWh",
        "SCI     100 g per unit",
    ]
    assert lines[-4:] == [
        "zone    DE (Germany), by zone key",
        "signal  ci_lifecycle_produced, measured",
        "data    0 s old, derived@ipcc_ar5/alpha (CC-BY-4.0)",
        "replay  as known at 2026-03-02T12:00Z, not now",
    ]
    file.write_text("start,end,kwh\n2026-03-02T03:00Z,2026-03-02T05:00Z,3\n")
    assert main(["footprint", "DE", "--rows", str(file)], environ) == 0
    assert "gross   unknown; 0 g CO2e for the 0 kWh" in capsys.readouterr().out
    file.write_text(json.dumps(SCHEDULE))
    assert main(["schedule", str(file)], environ) == 0
    first, _, last = capsys.readouterr().out.splitlines()
    assert first.startswith("1  DE: 2026-03-02T1")
    assert "programme" in last


@pytest.mark.parametrize("way", ["file", "-"])
@pytest.mark.parametrize(
    "words",
    [
        ["DE", "--hours", "3", "--kind", "interruptible", "--slack", "9h"],
        ["DE", "--hours", "2", "--cron", "0 15 * * *", "--slack", "50%"],
        ["DE", "FR", "--hours", "2", "--allowed", "DE", "--min-saving", "0.01"],
        ["DE", "--hours", "3", "--chips", "1:4"],
    ],
    ids=["interruptible", "recurring", "places", "elastic"],
)
def test_a_printed_plan_is_all_that_replan_needs(
    home: DataDirectory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    way: str,
) -> None:
    environ = {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}
    assert main(["plan", *words, "--json"], environ) == 0
    printed = capsys.readouterr().out
    (file := tmp_path / "plan.json").write_text(printed)
    given = str(file) if way == "file" else "-"
    monkeypatch.setattr("sys.stdin", io.StringIO(printed))
    assert main(["replan", given, "--done", "1", "--json"], environ) == 0
    alone = json.loads(capsys.readouterr().out)
    assert main(["replan", str(file), *words, "--done", "1", "--json"], environ) == 0
    by_options = json.loads(capsys.readouterr().out)
    assert {**alone, "request": ...} == {**by_options, "request": ...}
    assert alone["request"] == json.loads(printed)["request"]
    # And what replan printed, in turn; in Python, too.
    file.write_text(json.dumps(alone))
    assert main(["replan", str(file), "--done", "1"], environ) == 0
    plan = PlanAnswer.from_json(alone)
    assert plan.to_json(with_request=True) == alone
    with Client(environ=environ) as client:
        assert client.replan(plan, Progress(plan.as_of, done=timedelta(hours=1))).region


def test_a_plan_with_the_former_name_of_its_request_is_read(
    home: DataDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}
    assert (
        main(["plan", "DE", "--hours", "3", "--kind", "interruptible", "--json"], environ) == 0
    )
    printed = json.loads(capsys.readouterr().out)
    (file := tmp_path / "plan.json").write_text(json.dumps(printed))
    assert main(["replan", str(file), "--done", "1", "--json"], environ) == 0
    again = capsys.readouterr().out
    printed["asked"] = printed.pop("request")
    file.write_text(json.dumps(printed))
    assert main(["replan", str(file), "--done", "1", "--json"], environ) == 0
    assert capsys.readouterr().out == again


def test_a_plan_without_its_request_says_what_to_give(
    home: DataDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}
    assert main(["plan", "DE", "--hours", "3", "--json"], environ) == 0
    printed = json.loads(capsys.readouterr().out)
    file = tmp_path / "plan.json"
    for sent, said in ((None, "--request"), (7, "request"), ({"job": 1}, "job")):
        file.write_text(json.dumps({**printed, "request": sent}))
        assert main(["replan", str(file)], environ) == 2
        assert said in capsys.readouterr().err
    assert main(["replan", "-", "--question", "-"], environ) == 2
    assert "are both -" in capsys.readouterr().err


def test_a_plan_of_a_printed_batch_can_be_planned_again(
    home: DataDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}
    sent = {"job": JOB, "region": "DE"}
    file = tmp_path / "file.json"
    file.write_text(json.dumps([{"kind": "plan", **sent}, *QUESTIONS]))
    assert main(["batch", str(file), "--json"], environ) == 0
    first = json.loads(capsys.readouterr().out)["answers"][0]
    assert first["request"] == sent
    file.write_text(json.dumps(first))
    assert main(["replan", str(file), "--done", "1"], environ) == 0


@pytest.mark.parametrize(
    ("words", "path", "member"),
    [
        (["best-window", "Germny", "--hours", "2"], "/v1/best-window", "nearest"),
        (["best-window", "DE", "--hours", "999"], "/v1/best-window", "title"),
    ],
)
def test_an_error_in_json_has_every_member_that_rest_has(
    home: DataDirectory,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    path: str,
    member: str,
) -> None:
    environ = {**ENVIRON, "GRIDTIDE_HOME": str(home.root)}
    assert main([*words, "--json"], environ) != 0
    said = json.loads(capsys.readouterr().err)
    with Asker(home, Clock(NOW)) as ask:
        assert said == ask(f"{path}?region={words[1]}&hours={words[3]}").json()
    assert member in said
