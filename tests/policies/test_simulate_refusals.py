"""``gridtide simulate`` refuses what cannot be answered, with the remedy."""

from __future__ import annotations

import pytest

from tests.policies.conftest import MONTH, Run, Write, noise


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("--policy", "nigth"), "give one of now, night"),
        (("--policy", ","), "give one of now, night"),
        (("--policy", "threshold"), "--threshold 250"),
        (("--zone", ","), "names no zone"),
        (("--zone", "XX"), "the folder has DE"),
        (("--from", "2021-02-11", "--to", "2021-02-01"), "swap them"),
        (("--from", "yesterday"), "ISO 8601"),
        (("--from", "2021-02-01T00:00"), "no UTC offset"),
        (("--every", "P1M"), "text with its unit such as"),
        (("--every", "PT0H"), "above 0"),
        (("--every", "PT1S"), "simulate in parts"),
        (("--every", "P1D", "--cron", "@daily"), "give one"),
        (("--cron", "0 0 30 2 *"), "no job comes"),
        (("--cron", "daily"), "give five"),
        (("--timezone", "Mars/Base"), "IANA name"),
        (("--slack", "x%"), "must be a share such as 50%"),
        (("--slack=-5%",), "give 0 or more"),
        (("--slack", "soon"), "text with its unit such as"),
        (("--hours", "0"), "give more than 0"),
        (("--hours", "nan"), "hours"),
        (("--power", "-1"), "above 0 kW"),
        (("--min-piece", "1"), "belong to kind segments"),
        (("--kind", "elastic"), "workers"),
        (("--signal", "price"), "must be one of"),
        (("--signal", "cfe_produced"), "files have ci_lifecycle_produced only"),
        (("--model", "oracle"), "unknown model"),
        (("--reissue", "0h"), "above 0"),
        (("--data", "/no"), "not a folder"),
        (("--out", "/no/jobs.csv"), "name a file"),
        (("--out", "jobs.txt"), "name it jobs.parquet or jobs.csv"),
    ],
)
def test_bad_input_is_refused_with_the_remedy(
    words: tuple[str, ...],
    remedy: str,
    simulate: Run,
    write: Write,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("DE", noise())
    given = [] if "--zone" in words else ["--zone", "DE"]
    assert simulate(*given, *MONTH, *words) == 2
    said = capsys.readouterr()
    assert remedy in said.err
    assert said.out == ""


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("--zone", "PL"), "the store has nothing of PL"),
        (("--zone", "ZZ"), "Unknown region 'ZZ'"),
        (("--zone", "DE", "--signal", "cfe_produced"), "name another signal"),
        (("--zone", "DE,FR"), "share no signal"),
        (("--zone", "DE", "--from", "2027-01-01", "--to", "2027-02-01"), "give a past"),
    ],
)
def test_what_the_store_cannot_answer_is_refused(
    words: tuple[str, ...], remedy: str, simulate: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate(*MONTH, *words, data=False) == 2
    assert remedy in capsys.readouterr().err


def test_where_no_job_can_be_scored_it_fails_with_the_first_reason(
    write: Write, simulate: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    write("DE", noise())
    assert simulate("--zone", "DE", "--from", "2021-06-01", "--to", "2021-06-03") == 1
    said = capsys.readouterr()
    assert "no job could be scored; the first, at 2021-06-01T00:00:00Z in DE:" in said.err
    assert said.out == ""
