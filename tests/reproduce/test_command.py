"""``gridtide reproduce``: what it prints, writes and exits with."""

from __future__ import annotations

import argparse
import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.command import Terminal
from gridtide.errors import BadInput
from gridtide_pipelines.commands.reproduce import COMMAND
from gridtide_pipelines.reproduce import reproductions


def run(*words: str) -> tuple[int, str, str]:
    parser = argparse.ArgumentParser()
    COMMAND.arguments(parser)
    parser.add_argument("--json", action="store_true")
    out, err = io.StringIO(), io.StringIO()
    code = COMMAND.run(parser.parse_args(words), Terminal(out, err, {}))
    return code, out.getvalue(), err.getvalue()


def flat(folder: Path) -> Path:
    """A folder whose German series never changes: nothing can be saved on it."""
    series = folder / "data/lets_wait_awhile"
    series.mkdir(parents=True)
    first = datetime(2019, 12, 20)  # noqa: DTZ001  # the file's clock has no time zone
    times = [first + i * timedelta(minutes=15) for i in range(37_149)]
    pl.DataFrame({"ts": times, "DE": [300.0] * len(times)}).write_parquet(
        series / "ci_de_15min.parquet"
    )
    return folder


def test_all_papers_end_in_one_line_of_counts_and_no_data_is_no_failure() -> None:
    code, out, _ = run("all")
    rows = [row for paper in reproductions().values() for row in paper.run(None)]
    last = out.splitlines()[-1]
    passed = sum(row.verdict == "pass" for row in rows)
    assert last == (f"{len(rows)} figures: {passed} pass, 0 fail, {len(rows) - passed} no data")
    assert code == 0
    assert "public original of the series: github.com/carbonfirst/CarbonCast" in out


def test_a_figure_that_differs_exits_with_1(tmp_path: Path) -> None:
    code, out, _ = run("elastic-de2020", "--data", str(flat(tmp_path)))
    assert code == 1
    # Only what saves nothing is right: pausing in a window without room, for both jobs; and
    # the 36 comparisons with a linear programme, which sees the same series.
    assert out.splitlines()[-1] == "72 figures: 38 pass, 34 fail, 0 no data"
    assert "public original" not in out


def test_json_is_one_document_with_every_row(tmp_path: Path) -> None:
    code, out, _ = run("elastic-de2020", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["counts"] == {"pass": 0, "fail": 0, "no data": 72}
    (paper,) = document["papers"]
    assert paper["name"] == "elastic-de2020"
    assert paper["original"].startswith("github.com/dos-group/lets-wait-awhile")
    row = paper["rows"][2]
    assert row["label"] == "24h, +0h, elastic max 2x, linear"
    assert (row["printed"], row["ours"], row["difference"]) == (12.706, None, None)
    assert (row["tolerance"], row["unit"], row["verdict"]) == (0.05, "%", "no data")


def test_html_writes_the_page_and_says_so(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    _, out, err = run("google-regions", "--html", str(target))
    text = target.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "410 figures: 410 pass, 0 fail, 0 no data" in text
    assert str(target) in err
    assert "<svg" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["patterson"], "no paper 'patterson'; give dodge2022-style, "),
        (["all", "--data", "/nowhere/at/all"], "is no folder"),
        (["google-regions", "--html", "/nowhere/at/all.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        run(*words)
