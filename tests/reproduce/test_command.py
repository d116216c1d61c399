"""``gridtide reproduce``: what it prints, writes and exits with."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.cli import script
from gridtide_pipelines.commands.reproduce import reproduce
from gridtide_pipelines.reproduce.figures import Kind, Reproduction, compare
from gridtide_pipelines.reproduce.papers import reproductions
from gridtide_pipelines.reproduce.report import summary


def run(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = script.main(["reproduce", *words], {})
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
    first, *_, last = out.splitlines()
    assert first == last == summary(rows)
    for kind in ("published", "arithmetic", "ranking", "cross-check", "unchanged"):
        passed = sum(row.kind == kind and row.verdict == "pass" for row in rows)
        gaps = sum(row.kind == kind and row.verdict == "no data" for row in rows)
        assert f"{kind}: {passed} pass, 0 fail, {gaps} no data" in last
    assert code == 0
    assert "public original of the series: github.com/carbonfirst/CarbonCast" in out


def test_a_figure_that_differs_exits_with_1(tmp_path: Path) -> None:
    code, out, _ = run("elastic-de2020", "--data", str(flat(tmp_path)))
    assert code == 1
    # All earlier results differ; the comparisons with a linear programme, which sees the same
    # series, do not. Pausing in a window without room is 0 by construction and no figure.
    last = out.splitlines()[-1]
    assert "cross-check: 34 pass, 0 fail, 0 no data; unchanged: 0 pass, 34 fail" in last
    assert "public original" not in out


def test_json_is_one_document_with_every_row(tmp_path: Path) -> None:
    code, out, _ = run("elastic-de2020", "--json")
    document = json.loads(out)
    assert code == 0
    none, gaps = ({"pass": 0, "fail": 0, "no data": n} for n in (0, 34))
    assert document["counts"] == {
        **dict.fromkeys(("published", "arithmetic", "ranking"), none),
        **{"cross-check": gaps, "unchanged": gaps},
    }
    (paper,) = document["papers"]
    assert paper["name"] == "elastic-de2020"
    assert paper["original"].startswith("github.com/dos-group/lets-wait-awhile")
    assert paper["counts"] == document["counts"]
    assert paper["not_reproduced"] == []
    row = paper["rows"][0]
    assert row["label"] == "24h, +0h, elastic max 2x, linear"
    assert (row["kind"], row["printed"], row["reference"]) == ("unchanged", None, 12.706)
    assert (row["ours"], row["difference"]) == (None, None)
    assert (row["tolerance"], row["unit"], row["verdict"]) == (0.05, "%", "no data")


def test_html_writes_the_page_and_says_so(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    _, out, err = run("google-regions", "--html", str(target))
    text = target.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.count("ranking: 410 pass, 0 fail, 0 no data") == 3
    assert str(target) in err
    assert "<svg" not in out


def test_the_examples_of_the_help_text_name_papers_that_are_there() -> None:
    named = re.findall(r"^  gridtide reproduce (\S+)", reproduce.epilog or "", re.MULTILINE)
    assert named
    assert set(named) <= {*reproductions(), "all"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["patterson"], "unknown paper 'patterson'; give dodge2022-style, "),
        (["all", "--data", "/nowhere/at/all"], "is not a folder"),
        (["google-regions", "--html", "/nowhere/at/all.html"], "in a folder that is there"),
    ],
)
def test_what_cannot_be_done_is_refused(words: list[str], said: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert [line for line in err.splitlines() if said in line] == err.splitlines()


@pytest.mark.parametrize("kind", Kind)
def test_a_fail_of_any_kind_exits_with_1(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = compare("x", 5.0, 6.0, kind=kind, tolerance=0.1, unit="%")
    paper = Reproduction("p", "Title", "Cite", "", lambda _: [wrong])
    monkeypatch.setattr(
        "gridtide_pipelines.commands.reproduce.reproductions", lambda: {"p": paper}
    )
    code, out, _ = run("p")
    assert code == 1
    assert f"{kind}: 0 pass, 1 fail, 0 no data" in out.splitlines()[-1]


def test_the_authors_figures_that_are_not_reproduced_are_listed_with_the_reason() -> None:
    _, out, _ = run("all")
    # Dodge: 176 of Tables 6 to 13, 64 read off Figs. 3 and 4, 24 of Table 3.
    assert (
        "not reproduced: 264 figures of the authors: "
        "WattTime's marginal emissions of 2020 are not public"
    ) in out
    assert "not reproduced: 191 figures of the authors: needs data/eurosys2024" in out
