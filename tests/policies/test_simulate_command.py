"""``gridtide simulate`` over files and over a store, as a shell would call it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from gridtide.cli import script
from tests.policies.conftest import DAYS, MONTH, Run, Told, Write, noise


def test_a_day_that_repeats_is_forecast_perfectly(write: Write, printed: Told) -> None:
    # Every day is cleanest from 02:00 to 04:00; at once is at midnight.
    day = [300.0, 250.0, 100.0, 120.0, *[400.0] * 20]
    write("DE", day * DAYS)
    document = printed(
        *("--zone", "DE", "--hours", "2", "--policy", "now,best-window", *MONTH),
        *("--power", "3"),
    )
    assert document["occurrences"] == 10
    assert document["slack_hours"] == 24
    now, best = document["totals"]
    assert (now["policy"], best["policy"], best["jobs"]) == ("now", "best-window", 10)
    assert (best["now_mean"], now["saving"], now["captured"]) == (275, 0, 0)
    assert best["now"] == 10 * 2 * 3 * 275
    for name in ("planned", "realised", "oracle"):
        assert best[name] == 10 * 2 * 3 * 110
        assert best[f"{name}_kwh"] == 60
    assert best["saving"] == pytest.approx(0.6)
    assert best["captured"] == 1
    first = document["jobs"][1]
    assert (first["at"], first["start"]) == ("2021-02-01T00:00:00Z", "2021-02-01T02:00:00Z")
    assert (first["model"], first["issued_at"]) == ("naive@1", "2021-02-01T00:00:00Z")
    zone = document["zones"][0]
    assert (zone["forecasts_stored"], zone["forecasts_reissued"]) == (0, 10)
    assert zone["models"] == {"naive@1": 10}


def test_no_plan_knows_what_comes_after_it(write: Write, printed: Told) -> None:
    values, later = noise(), noise(2)
    at = 36 * 24
    write("DE", values)
    write("FR", [*values[:at], *later[at:]])
    words = ("--policy", "night,best-window,pause", *MONTH, "--to", "2021-02-06T12:00Z")
    jobs = {zone: printed("--zone", zone, *words)["jobs"] for zone in ("DE", "FR")}
    last = {
        zone: {job["policy"]: job for job in found if job["at"].startswith("2021-02-06")}
        for zone, found in jobs.items()
    }
    assert set(last["DE"]) == {"night", "best-window", "pause"}
    for policy, job in last["DE"].items():
        other = last["FR"][policy]
        for name in ("start", "end", "segments", "planned", "kwh"):
            assert job[name] == other[name], (policy, name)
        assert job["realised"] != other["realised"]


def test_replanning_knows_no_more_than_its_newest_issue(write: Write, printed: Told) -> None:
    values, later = noise(), noise(2)
    # The job comes at 00:00 on day 35; the one issue after that is 30 hours later.
    at = 35 * 24 + 30
    write("DE", values)
    write("FR", [*values[:at], *later[at:]])
    words = ("--policy", "replan", "--kind", "interruptible", *MONTH, "--slack", "36h")
    words = (*words, "--from", "2021-02-05", "--to", "2021-02-06", "--hours", "5")
    words = (*words, "--reissue", "PT30H")
    plans = []
    for zone in ("DE", "FR"):
        (job,) = printed("--zone", zone, *words)["jobs"]
        plans.append((job["start"], job["end"], job["segments"], job["planned"]))
    assert plans[0] == plans[1]
    (once,) = printed("--zone", "DE", *words, "--reissue", "P9D")["jobs"]
    assert (once["start"], once["end"], once["segments"]) != plans[0][:3]


def test_jobs_with_a_gap_are_named_counted_and_in_the_table(
    write: Write,
    simulate: Run,
    printed: Told,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    values: list[float | None] = [*noise()]
    values[34 * 24 + 5] = None
    write("DE", values)
    words = ("--zone", "DE", "--policy", "now,pause", *MONTH)
    document = printed(*words)
    # The job of 3 February has to have ended by 04:00 on the 4th, before the gap.
    assert [each["at"][:10] for each in document["left_out"]] == ["2021-02-04"]
    assert document["left_out"][0]["reason"] == "the truth is unknown at 2021-02-04T05:00:00Z"
    assert document["zones"][0]["jobs"] == document["totals"][0]["jobs"] == 9
    for name in ("jobs.parquet", "jobs.csv"):
        assert simulate(*words, "--out", str(tmp_path / name)) == 0
    said = capsys.readouterr()
    assert "DE: 1 jobs left out under every policy:" in said.out
    assert "1, the first at 2021-02-04T00:00:00Z: the truth is unknown" in said.out
    table = pl.read_parquet(tmp_path / "jobs.parquet")
    assert len(table) == len(pl.read_csv(tmp_path / "jobs.csv")) == 20
    assert table.filter(pl.col("left_out").is_not_null())["policy"].to_list() == [
        "now",
        "pause",
    ]
    assert table["at"].is_sorted()
    assert table["realised"].sum() == pytest.approx(
        sum(each["realised"] for each in document["totals"])
    )


def test_zones_are_summed_and_printed_side_by_side(
    write: Write, simulate: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, zone in enumerate(("DE", "FR")):
        write(zone, noise(seed))
    assert simulate("--zone", "DE,FR", "--policy", "now", "--policy", "pause", *MONTH) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        *(
            "zone",
            "policy",
            "jobs",
            "now",
            "planned",
            "realised",
            "oracle",
            "saving",
            "captured",
        )
    ]
    assert [line.split()[:3] for line in lines[1:7]] == [
        *(["DE", "now", "10"], ["DE", "pause", "10"]),
        *(["FR", "now", "10"], ["FR", "pause", "10"]),
        *(["all", "now", "20"], ["all", "pause", "20"]),
    ]
    assert lines[1].split()[-2:] == ["0.0%", "0.0%"]


def test_jobs_come_by_cron_on_a_local_clock(write: Write, printed: Told) -> None:
    write("DE", noise())
    words = ("--cron", "30 7 * * mon-fri", "--timezone", "Europe/Berlin", "--slack", "50%")
    document = printed("--zone", "DE", "--policy", "now", *MONTH, *words)
    # 1 to 10 February 2021 without the weekend of the 6th.
    assert document["occurrences"] == 8
    assert document["jobs"][0]["at"] == "2021-02-01T06:30:00Z"
    assert document["slack_hours"] == 2
    assert (document["cron"], document["every_hours"]) == ("30 7 * * mon-fri", None)


def test_a_simulation_is_repeated_from_its_document(write: Write, printed: Told) -> None:
    for zone, seed in (("DE", 1), ("FR", 2)):
        write(zone, noise(seed))
    first = printed(
        *("--zone", "DE,FR", "--policy", "threshold,replan,hour-7", "--threshold", "250"),
        *("--every", "36h", "--slack", "150%", "--reissue", "8h", "--model", "naive"),
        *("--from", "2021-02-01", "--to", "2021-02-11", "--timezone", "Europe/Berlin"),
        *("--hours", "3", "--min-saving", "0.02"),
    )
    again = printed(
        *("--zone", ",".join(first["requested_zones"]), "--signal", first["signal"]),
        *("--policy", ",".join(first["policies"]), "--threshold", str(first["threshold"])),
        *("--every", f"{first['every_hours']}h", "--slack", f"{first['slack_hours']}h"),
        *("--reissue", f"{first['reissue_hours']}h", "--model", first["model"]),
        *("--from", first["from"], "--to", first["to"], "--timezone", first["timezone"]),
        *("--hours", str(first["job"]["hours"]), "--min-saving", str(first["min_saving"])),
        *("--quantile", first["quantile"]),
    )
    assert again == first
    assert first["data"].endswith("/files")


def test_an_hourly_job_comes_in_every_hour_when_the_clock_goes_back(
    write: Write, printed: Told
) -> None:
    write("DE", [100.0] * (310 * 24))
    words = ["--hours", "0.5", "--slack", "0h", "--timezone", "Europe/Berlin", "--cron"]
    # 30 and 31 October 2021 in Berlin: 49 hours.
    span = ["--from", "2021-10-29T22:00Z", "--to", "2021-10-31T23:00Z"]
    for cron, jobs in (("0 * * * *", 49), ("*/15 * * * *", 196), ("30 2 * * *", 2)):
        document = printed("--zone", "DE", "--policy", "now", *span, *words, cron)
        assert (document["occurrences"], document["totals"][0]["jobs"]) == (jobs, jobs)


@pytest.mark.usefixtures("home")
def test_the_store_s_runs_are_used_once_known_and_else_made_again(printed: Told) -> None:
    words = ("--zone", "DE", "--hours", "2", "--policy", "best-window", "--model", "weekly")
    span = ("--from", "2021-02-04T00:00Z", "--to", "2021-02-04T02:00Z", "--every", "PT1H")
    document = printed(*words, *span, data=False)
    again, stored = document["jobs"]
    zone = document["zones"][0]
    assert (zone["forecasts_stored"], zone["forecasts_reissued"]) == (1, 1)
    # At 00:00 the run is not known. Last week has been revised, so it is what came true.
    assert (again["start"], again["planned"], again["realised"]) == (
        *("2021-02-04T02:00:00Z", 220, 220),
    )
    assert (stored["start"], stored["planned"], stored["realised"]) == (
        *("2021-02-04T10:00:00Z", 180, 800),
    )
    assert (stored["issued_at"], stored["oracle"]) == ("2021-02-04T00:00:00Z", 220)
    # Another model's run is not taken for the one requested; yesterday is not revised yet.
    naive = printed(*words, *span, "--model", "naive", data=False)
    assert [job["planned"] for job in naive["jobs"]] == [320, 320]
    # By default any stored run is.
    assert printed(*words, *span, "--model", "default", data=False)["jobs"][1]["planned"] == 180


@pytest.mark.usefixtures("home")
def test_a_simulated_truth_says_so(
    simulate: Run, printed: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--zone", "FR", "--signal", "cfe_produced", "--policy", "now", *MONTH)
    zone = printed(*words, data=False)["zones"][0]
    assert (zone["simulated"], zone["source"]) == (True, "file")
    assert simulate(*words, data=False) == 0
    assert "FR: simulated, not measured" in capsys.readouterr().out


def test_the_answer_is_the_same_with_a_process_a_zone(
    write: Write, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, zone in enumerate(("DE", "FR")):
        write(zone, noise(seed))
    words = ["simulate", "--data", str(folder), "--zone", "DE,FR", *MONTH, "--json"]
    answers = []
    for workers in ("1", "2"):
        environ = {"GRIDTIDE_HOME": str(folder / "home"), "GRIDTIDE_WORKERS": workers}
        assert script.main(words, environ) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]
