"""Past issues are forecast again from files or the store, seeing what was known then."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide.cli import script
from gridtide.errors import BadInput
from gridtide.model import Signal
from gridtide_pipelines.forecast.backtest import backtest, parse_issues, scorable
from gridtide_pipelines.forecast.forecaster import Known
from gridtide_pipelines.forecast.models import chain
from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FIRST = datetime(2021, 1, 1, tzinfo=UTC)
COLUMNS = ["zone", "issued_at", "target_time", "gco2_per_kwh", "p10", "p90"]
INTENSITY = "ci_lifecycle_g_per_kwh"

Write = Callable[..., None]
Run = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a zone's file: hourly intensity from `FIRST` on."""

    def put(zone: str, values: Sequence[float | None], name: str = INTENSITY) -> None:
        labels = [FIRST + HOUR * i for i in range(len(values))]
        pl.DataFrame(
            {"ts_utc": labels, name: pl.Series(values, dtype=pl.Float32)}
        ).write_parquet(folder / f"{zone}.parquet")

    return put


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Run:
    """The command, as a shell would call it, over the folder of files."""

    def call(
        *words: str, data: bool = True, now: str = "2026-03-02T12:00Z", workers: int = 1
    ) -> int:
        given = ["--data", str(folder)] if data else []
        out = ["--out", str(tmp_path / "out.parquet")]
        environ = {
            "GRIDTIDE_HOME": str(tmp_path / "home"),
            "GRIDTIDE_NOW": now,
            "GRIDTIDE_WORKERS": str(workers),
        }
        return script.main(["backtest", *given, *out, *words], environ)

    return call


def counted(days: int) -> list[float]:
    return [100.0 * day + hour for day in range(days) for hour in range(24)]


def test_issues_are_daily_with_both_ends_in() -> None:
    issues = parse_issues("2021-07-01/2021-12-28")
    assert len(issues) == 181
    assert issues[0] == datetime(2021, 7, 1, tzinfo=UTC)
    assert issues[-1] == datetime(2021, 12, 28, tzinfo=UTC)
    assert parse_issues("2021-07-01T00:00Z/2021-07-01T02:00+02:00") == issues[:1]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("2021-07-01", "2021-07-01/2021-12-28"),
        ("2021-07-02/2021-07-01", "earlier day first"),
        ("2021-07-01T00:00/2021-07-02", "no UTC offset"),
        ("2021-07-01T06:00Z/2021-07-02", "give the date alone"),
        ("July/August", "ISO 8601"),
        ("/", "ISO 8601"),
        ("2021-02-30/2021-03-01", "ISO 8601"),
    ],
)
def test_a_bad_range_of_issues_is_refused_with_the_remedy(text: str, remedy: str) -> None:
    with pytest.raises(BadInput, match=remedy):
        parse_issues(text)


def test_each_issue_has_72_rows_from_its_own_hour_on(
    run: Run, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("DE", counted(95))
    write("XX_Y", [7.0] * 95 * 24)
    assert (
        run("--zones", "XX_Y,DE", "--issues", "2021-04-01/2021-04-02", "--model", "naive") == 0
    )
    made = pl.read_parquet(tmp_path / "out.parquet")
    assert made.columns == COLUMNS
    assert made["zone"].to_list() == ["DE"] * 144 + ["XX_Y"] * 144
    one = made.filter(pl.col("issued_at") == FIRST + 91 * DAY, pl.col("zone") == "DE")
    assert one["issued_at"][0] == FIRST + 91 * DAY
    assert made["issued_at"].unique().sort().to_list() == [FIRST + 90 * DAY, FIRST + 91 * DAY]
    assert one["target_time"].to_list() == [FIRST + 91 * DAY + HOUR * i for i in range(72)]
    # The day before the issue is day 90 (counted from 0): 9000 to 9023, three times.
    assert one["gco2_per_kwh"].to_list() == [9000.0 + h for h in range(24)] * 3
    assert "XX_Y is not in the catalogue" in capsys.readouterr().err


def test_the_hour_labelled_like_the_issue_is_not_seen(
    run: Run, write: Write, tmp_path: Path
) -> None:
    for name, later in (("DE", 1.0), ("FR", 999.0)):
        write(name, [*counted(90), *[later] * 96])
    assert (
        run("--zones", "DE,FR", "--issues", "2021-04-01/2021-04-01", "--model", "prophet") == 0
    )
    made = pl.read_parquet(tmp_path / "out.parquet")
    german, french = (made.filter(pl.col("zone") == zone) for zone in ("DE", "FR"))
    assert german.drop("zone").equals(french.drop("zone"))


def test_with_a_data_age_the_newest_days_are_not_seen(
    run: Run, write: Write, tmp_path: Path
) -> None:
    write("DE", counted(60))
    words = ("--zones", "DE", "--issues", "2021-02-15/2021-02-15", "--model", "naive")
    assert run(*words, "--data-age", "2.5") == 0
    made = pl.read_parquet(tmp_path / "out.parquet")["gco2_per_kwh"].to_list()
    assert run(*words) == 0
    fresh = pl.read_parquet(tmp_path / "out.parquet")["gco2_per_kwh"].to_list()
    # 60 hours are missing: mornings repeat three days ago instead of one, afternoons four; by
    # hand on values of 100 x day + hour.
    older = [new - old for new, old in zip(fresh, made, strict=True)]
    assert older == ([200] * 12 + [300] * 12) * 3


@pytest.mark.parametrize("age", ["-1", "8", "nan", "inf", "two", ""])
def test_a_data_age_that_cannot_be_is_refused(
    age: str, run: Run, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write("DE", counted(60))
    words = ("--zones", "DE", "--issues", "2021-02-15/2021-02-15", "--model", "naive")
    assert run(*words, f"--data-age={age}") == 2
    assert "--data-age" in capsys.readouterr().err


def test_what_learns_is_fitted_at_the_first_issue_of_each_month() -> None:
    fits: list[datetime] = []
    prophet = chain("prophet")[0]

    class Noting:
        name = "noting@1"
        memory, wants, keeps = prophet.memory, prophet.wants, True

        def fit(self, known: Known, *, seed: int) -> object:
            fits.append(known.at)
            return chain("naive")[0].fit(known, seed=seed)

        def from_bytes(self, content: bytes) -> object:
            raise NotImplementedError

    class History:
        zone = "DE"

        def known(self, at: datetime) -> Known:
            start = pl.Series([FIRST + HOUR * i for i in range(120 * 24)])
            frame = pl.DataFrame({"start": start, "end": start + HOUR, "value": counted(120)})
            return Known(
                "DE", Signal.CI_LIFECYCLE_PRODUCED, at, frame.filter(pl.col("start") < at)
            )

    issues = parse_issues("2021-02-27/2021-04-02")
    made = backtest([History()], issues, (Noting(),))  # type: ignore[arg-type]  # the test passes what the type refuses
    assert made.runs == {"noting@1": 35}
    assert fits == [
        datetime(2021, month, day, tzinfo=UTC) for month, day in ((2, 27), (3, 1), (4, 1))
    ]


def test_the_answer_is_the_same_with_a_process_a_zone(
    run: Run, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(1).normal(300, 30, 95 * 24).tolist()
    write("DE", noise)
    write("FR", noise[::-1])
    words = ("--issues", "2021-04-01/2021-04-02", "--model", "weekly", "--json")
    assert run("--zones", "DE", "--zones", "FR", *words, workers=2) == 0
    together = pl.read_parquet(tmp_path / "out.parquet")
    printed = json.loads(capsys.readouterr().out)
    assert printed["runs"] == {"weekly@1": 4}
    assert (printed["rows"], printed["zones"], printed["issues"]) == (288, 2, 2)
    for zone in ("DE", "FR"):
        assert run("--zones", zone, *words) == 0
        alone = pl.read_parquet(tmp_path / "out.parquet")
        assert alone.equals(together.filter(pl.col("zone") == zone))


def test_without_errors_to_go_by_the_interval_is_left_out_for_all(
    run: Run, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("DE", counted(60))
    assert run("--zones", "DE", "--issues", "2021-01-04/2021-02-28", "--model", "naive") == 0
    assert pl.read_parquet(tmp_path / "out.parquet").columns == COLUMNS[:4]
    assert "too short for p10 and p90" in capsys.readouterr().err


def test_a_frame_with_every_interval_stays_as_it_is() -> None:
    frame = pl.DataFrame({"p10": [1.0], "p90": [2.0]})
    assert scorable(frame).equals(frame)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("--zones", "DE", "--issues", "2021-01-01/2021-01-02"), "start --issues later"),
        (
            ("--zones", "FR", "--issues", "2021-04-01/2021-04-02"),
            "the folder has CUT, DE, HALF",
        ),
        (("--zones", "CUT", "--issues", "2021-04-01/2021-04-02"), "not a whole Parquet file"),
        (("--zones", "NAIVE", "--issues", "2021-04-01/2021-04-02"), "store it as UTC"),
        (("--zones", "LABEL", "--issues", "2021-04-01/2021-04-02"), "no column ts_utc"),
        (("--zones", "OTHER", "--issues", "2021-04-01/2021-04-02"), "has neither"),
        (("--zones", "TEXT", "--issues", "2021-04-01/2021-04-02"), "not numbers"),
        (("--zones", "TWICE", "--issues", "2021-04-01/2021-04-02"), "one row an hour"),
        (("--zones", "HALF", "--issues", "2021-04-01/2021-04-02"), "not a whole hour"),
        (("--zones", "HOLE", "--issues", "2021-04-01/2021-04-02"), "is empty in 1 rows"),
        (
            ("--zones", "DE_carboncast_tier1", "--issues", "2021-04-01/2021-04-02"),
            "not the name",
        ),
        (
            ("--zones", "../files/DE", "--issues", "2021-04-01/2021-04-02"),
            "not the name of a zone",
        ),
        (("--zones", ",", "--issues", "2021-04-01/2021-04-02"), "names no zone"),
        (("--zones", "DE", "--issues", "2021-04-02/2021-04-01"), "earlier day first"),
        (
            ("--zones", "DE", "--issues", "2021-04-01/2021-04-02", "--model", "x"),
            "unknown model",
        ),
        (
            ("--zones", "DE", "--issues", "2021-04-01/2021-04-02", "--data", "/no"),
            "not a folder",
        ),
        (
            ("--zones", "DE", "--issues", "2021-04-01/2021-04-02", "--out", "/no/f.parquet"),
            "name a file",
        ),
        (
            ("--zones", "DE", "--issues", "2021-04-01/2021-04-02", "--out", "f.csv"),
            "f.csv: the format goes by the ending; name it f.parquet",
        ),
    ],
)
def test_bad_input_leaves_no_file_and_names_the_remedy(
    words: tuple[str, ...],
    remedy: str,
    run: Run,
    write: Write,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("DE", counted(95))
    whole = (folder / "DE.parquet").read_bytes()
    (folder / "CUT.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "DE_carboncast_tier1.parquet").write_bytes(whole)
    (folder / "DE_weather.parquet.part").write_bytes(whole)
    frame = pl.read_parquet(folder / "DE.parquet")
    label = pl.col("ts_utc")
    bad = {
        "NAIVE": frame.with_columns(label.dt.replace_time_zone(None)),
        "LABEL": frame.rename({"ts_utc": "time"}),
        "OTHER": frame.rename({INTENSITY: "price"}),
        "TEXT": frame.with_columns(pl.lit("x").alias(INTENSITY)),
        "TWICE": pl.concat([frame, frame[5:6]]),
        "HALF": frame.with_columns(label + timedelta(minutes=30)),
        "HOLE": frame.with_columns(pl.when(label != FIRST).then(label)),
    }
    for name, rows in bad.items():
        rows.write_parquet(folder / f"{name}.parquet")
    assert run(*words) == 2
    assert remedy in capsys.readouterr().err
    assert not (tmp_path / "out.parquet").exists()


def test_a_file_without_intensity_is_derived_with_the_default_factors(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    labels = [FIRST + HOUR * i for i in range(95 * 24)]
    pl.DataFrame(
        {"ts_utc": labels, "gen_coal_mwh": 1.0, "gen_wind_mwh": 3.0, "gen_other_mwh": 0.0}
    ).write_parquet(folder / "DE.parquet")
    assert run("--zones", "DE", "--issues", "2021-04-01/2021-04-01", "--model", "naive") == 0
    made = pl.read_parquet(tmp_path / "out.parquet")
    # One part coal at 820 and three of wind at 11 g/kWh (IPCC AR5).
    assert set(made["gco2_per_kwh"].round(6)) == {(820 + 3 * 11) / 4}


def test_without_data_the_store_is_read_as_of_each_issue(run: Run, tmp_path: Path) -> None:
    starts = [FIRST + HOUR * i for i in range(40 * 24)]
    with Store.open(DataDirectory(tmp_path / "home")) as store:
        # Each slot is known when it has ended, and revised two days later.
        for value, delay in ((100.0, HOUR), (555.0, 2 * DAY)):
            store.append(
                pl.DataFrame(
                    {
                        "zone": "US-CAL-CISO",
                        "signal": "ci_lifecycle_produced",
                        "source": "file",
                        "slot_start": starts,
                        "slot_end": [start + HOUR for start in starts],
                        "value": value,
                        "quality": "measured",
                        "known_at": [start + delay for start in starts],
                        "retrieval_id": 1,
                    },
                    schema=OBSERVATION,
                )
            )
    words = ("--zones", "CISO", "--issues", "2021-02-05/2021-02-07", "--model")
    for model, value in (("naive", 100.0), ("weekly", 555.0)):
        assert run(*words, model, data=False) == 0
        made = pl.read_parquet(tmp_path / "out.parquet")
        # Of yesterday only the first belief is known; last week has been revised.
        assert set(made["gco2_per_kwh"]) == {value}
        assert set(made["zone"]) == {"US-CAL-CISO"}
        assert len(made) == 3 * 72


@pytest.mark.parametrize(
    ("words", "now", "remedy"),
    [
        (("--zones", "FR"), "2026-03-02T12:00Z", "the store has nothing of FR"),
        (("--zones", "DE"), "2021-03-31T12:00Z", "after now (2021-03-31T12:00:00Z)"),
        (("--zones", "ZZ"), "2026-03-02T12:00Z", "Unknown region 'ZZ'"),
    ],
)
def test_what_the_store_cannot_answer_is_refused(
    words: tuple[str, ...],
    now: str,
    remedy: str,
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Store.open(DataDirectory(tmp_path / "home")).close()
    assert run(*words, "--issues", "2021-04-01/2021-04-02", data=False, now=now) == 2
    assert remedy in capsys.readouterr().err


def test_a_data_directory_without_a_store_is_named_and_not_made(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--zones", "FR", "--issues", "2021-04-01/2021-04-02", data=False) == 2
    assert "holds no store; look at --home" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
