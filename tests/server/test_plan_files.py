"""Plans, batches and rows that the script reads from files."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from gridtide.cli.script import main
from gridtide.client import Client
from gridtide.clock import Clock
from gridtide.planning import Progress
from gridtide.schema.plans import PlanAnswer
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, Asker
from tests.server.test_plan_script import ENVIRON, JOB, QUESTIONS, ROWS, SCHEDULE


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
