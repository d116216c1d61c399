"""Verdicts, printed tables, and what every paper keeps to."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.figures import (
    Kind,
    Reproduction,
    Row,
    Verdict,
    compare,
    compare_claim,
    counts,
    counts_by_kind,
    missing_files,
    not_reproduced,
    read_printed,
    row_without_data,
    table,
)
from gridtide_pipelines.reproduce.papers import reproductions
from gridtide_pipelines.reproduce.report import format_values, lines, summary

PAPERS = {
    "patterson2021",
    "dodge2022-style",
    "lets-wait-awhile",
    "eurosys2024",
    "elastic-de2020",
    "google-regions",
}


PUBLISHED, UNCHANGED = Kind.PUBLISHED, Kind.UNCHANGED


def row(
    ours: float | str,
    value: float | str = 5.0,
    tolerance: float = 0.1,
    *,
    kind: Kind = PUBLISHED,
) -> Row:
    return compare("x", value, ours, kind=kind, tolerance=tolerance, unit="%")


def gap(label: str, value: float, *, kind: Kind = PUBLISHED, note: str = "n") -> Row:
    return row_without_data(label, value, kind=kind, unit="g", note=note)


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (5.0, "pass"),
        (5.1, "pass"),  # 5.1 - 5 is a little more than 0.1 in binary
        (4.9, "pass"),
        (5.1001, "fail"),
        (4.8999, "fail"),
        (math.nan, "fail"),
        ("unknown", "fail"),
    ],
)
def test_a_value_passes_within_its_tolerance(ours: float | str, verdict: str) -> None:
    assert row(ours).verdict == verdict


def test_words_must_be_equal() -> None:
    assert row("unknown", "unknown").verdict is Verdict.PASS
    assert row(1.0, "unknown").verdict is Verdict.FAIL


def test_a_claim_in_words_stands_or_falls_by_what_is_said_of_it() -> None:
    for ours, holds, verdict in ((73.0, True, Verdict.PASS), (69.0, False, Verdict.FAIL)):
        found = compare_claim("x", "over 70", ours, kind=PUBLISHED, holds=holds, unit="%")
        assert found.verdict is verdict


def test_a_difference_is_ours_less_the_printed_one_and_none_without_numbers() -> None:
    assert row(4.95).difference == pytest.approx(-0.05)
    assert row("unknown").difference is None
    assert gap("x", 5.0).difference is None


def test_verdicts_are_counted() -> None:
    rows = [row(5.0), row(9.0, kind=UNCHANGED), row(5.0), gap("x", 1.0)]
    assert counts(rows) == {Verdict.PASS: 2, Verdict.FAIL: 1, Verdict.NO_DATA: 1}
    by_kind = counts_by_kind(rows)
    assert list(by_kind) == list(Kind)
    assert by_kind[PUBLISHED] == {Verdict.PASS: 2, Verdict.FAIL: 0, Verdict.NO_DATA: 1}
    assert summary(rows) == (
        "published: 2 pass, 0 fail, 1 no data; arithmetic: 0 pass, 0 fail, 0 no data; "
        "ranking: 0 pass, 0 fail, 0 no data; cross-check: 0 pass, 0 fail, 0 no data; "
        "unchanged: 0 pass, 1 fail, 0 no data"
    )


@pytest.mark.parametrize("kind", Kind)
def test_only_an_author_s_figure_is_called_printed(kind: Kind) -> None:
    found = row(5.05, kind=kind)
    document = found.document()
    unpublished = kind in (Kind.CROSS_CHECK, Kind.UNCHANGED)
    assert document["printed"] == (None if unpublished else 5.0)
    assert document["reference"] == (5.0 if unpublished else None)
    assert document["kind"] == kind
    assert document["difference"] == pytest.approx(0.05)


def test_what_authors_print_and_is_not_reproduced_is_counted_by_its_reason() -> None:
    rows = [
        gap("a", 1.0, note="not public"),
        gap("b", 2.0, note="not public"),
        gap("c", 3.0, kind=Kind.ARITHMETIC, note="no inputs"),
        gap("d", 4.0, kind=UNCHANGED, note="needs a file"),
        row(5.0),
    ]
    assert not_reproduced(rows) == {"not public": 2, "no inputs": 1}


def test_a_line_shows_printed_ours_difference_unit_verdict_and_note() -> None:
    paper = Reproduction("p", "Title", "Cite", "example.org/series", lambda _: [])
    rows = [row(4.951), gap("longer", 2.5, note="needs a"), row(5.0, kind=UNCHANGED)]
    assert list(lines(paper, rows)) == [
        "p: Title",
        "  Cite",
        "  public original of the series: example.org/series",
        "  figure  kind       printed  reference   ours  difference  unit  verdict  note",
        "  x       published        5          -  4.951      -0.049  %     pass",
        "  longer  published      2.5          -      -              g     no data  needs a",
        "  x       unchanged        -          5  5.000      +0.000  %     pass",
        "  not reproduced: 1 figures of the authors: needs a",
        f"p: {summary(rows)}",
    ]


def test_nothing_is_shown_as_less_than_nothing() -> None:
    assert format_values(row(-0.00001, 0.0)) == ("0", "-", "0.000", "+0.000")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    assert missing_files(tmp_path, "there") == ""
    assert missing_files(tmp_path, "there", "a", "b") == "needs a and 1 more, not there"
    assert missing_files(None, "a") == "needs a (--data FOLDER)"


def test_a_file_that_is_no_parquet_or_lacks_a_column_is_refused_by_name(tmp_path: Path) -> None:
    broken, other = tmp_path / "broken.parquet", tmp_path / "other.parquet"
    broken.write_text("no parquet")
    pl.DataFrame({"a": [1]}).write_parquet(other)
    for path in (broken, other):
        with pytest.raises(BadInput, match=path.name):
            table(path, "b")


def test_papers_are_found_by_their_names() -> None:
    assert set(reproductions()) == PAPERS


@pytest.mark.parametrize("name", sorted(PAPERS))
def test_without_series_nothing_fails_and_every_gap_says_what_it_needs(name: str) -> None:
    paper = reproductions()[name]
    rows = paper.run(None)
    assert rows
    assert counts(rows)[Verdict.FAIL] == 0
    assert len({each.label for each in rows}) == len(rows)
    gaps = [each for each in rows if each.verdict is Verdict.NO_DATA]
    assert all(each.note and each.ours is None for each in gaps)
    if any("FOLDER" in each.note for each in gaps):
        assert "FOLDER/data/" in paper.original
    assert paper.citation


@pytest.mark.parametrize("name", sorted(PAPERS))
def test_a_folder_without_the_series_is_the_same_as_none(name: str, tmp_path: Path) -> None:
    run = reproductions()[name].run
    assert [(r.label, r.verdict) for r in run(tmp_path)] == [
        (r.label, r.verdict) for r in run(None)
    ]


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("dodge_style", 1164),
        ("dodge2022", 2 * 11 * 8 + 16 * 4),
        ("lets_wait_awhile", 24 + 8 + 12 + 12 + 4 * 17 * 2 + 51 + 102 + 4 * 5),
        ("elastic_de2020", 36),
        ("eurosys2024", 203),
        ("google_regions", 2 * 205 - 19),
    ],
)
def test_the_printed_tables_hold_as_many_figures_as_the_papers(name: str, figures: int) -> None:
    asides = {"windows", "regional_windows", "hours", "models", "text", "time_of_day", "jobs"}
    asides |= {"uncertainty", "columns", "error", "basis"}
    found = read_printed(name)
    if name == "elastic_de2020":
        found = {"tables": found["jobs"]}
        asides -= {"jobs"}
    assert figures_in(found, asides) == figures


def figures_in(value: object, asides: set[str]) -> int:
    """Numbers anywhere in a printed table but under the keys `asides`."""
    if isinstance(value, dict):
        return sum(figures_in(each, asides) for key, each in value.items() if key not in asides)
    if isinstance(value, list):
        return sum(figures_in(each, asides) for each in value)
    return int(isinstance(value, float | int) and not isinstance(value, bool))
