"""``gridtide reproduce``: published figures beside ours, with a verdict for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.figures import (
    Reproduction,
    Row,
    Verdict,
    counts,
    counts_by_kind,
    not_reproduced,
)
from gridtide_pipelines.reproduce.headlines import headlines
from gridtide_pipelines.reproduce.papers import reproductions
from gridtide_pipelines.reproduce.report import lines, page, summary

ALL = "all"

Results = Mapping[str, tuple[Reproduction, Sequence[Row]]]


@command(
    "reproduce",
    examples=["reproduce lets-wait-awhile", "reproduce all --data shared --html report.html"],
)
def reproduce(
    terminal: Terminal,
    *,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="a paper, or all; an unknown name lists them")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="where the series are: FOLDER/data/carboncast, FOLDER/data/lets_wait_awhile",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="also write a page with pictures")
    ] = None,
) -> int:
    """Compute published results again and compare them.

    Exits with 1 where a figure differs more than its tolerance.
    """
    if data is not None and not data.is_dir():
        raise BadInput(
            f"--data: {data} is not a folder; give the one that holds data/carboncast"
        )
    if html is not None and (html.is_dir() or not html.parent.is_dir()):
        raise BadInput(f"--html {html}: name a file in a folder that is there")
    results: dict[str, tuple[Reproduction, Sequence[Row]]] = {}
    for each, paper in _chosen(name).items():
        terminal.say(f"{each} ...")
        results[each] = (paper, paper.run(data))
    rows = [row for _, found in results.values() for row in found]
    if html is not None:
        _write(html, page(headlines(data), results))
        terminal.say(f"wrote {html}")
    if terminal.json:
        terminal.document(_document(results, rows))
    else:
        terminal.result(summary(rows))
        for paper, found in results.values():
            for line in lines(paper, found):
                terminal.result(line)
            terminal.result("")
        terminal.result(summary(rows))
    return 1 if counts(rows)[Verdict.FAIL] else 0


def _chosen(name: str) -> Mapping[str, Reproduction]:
    known = reproductions()
    if name == ALL:
        return known
    if name not in known:
        raise BadInput(f"unknown paper {name!r}; give {', '.join([*known, ALL])}")
    return {name: known[name]}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"--html {path}: cannot be written: {error}; name another file"
        ) from error


def _document(results: Results, rows: Sequence[Row]) -> dict[str, object]:
    return {
        "papers": [
            {
                "name": paper.name,
                "title": paper.title,
                "citation": paper.citation,
                "original": paper.original,
                "counts": _counts(each),
                "not_reproduced": [
                    {"figures": n, "why": why} for why, n in not_reproduced(each).items()
                ],
                "rows": [row.document() for row in each],
            }
            for paper, each in results.values()
        ],
        "counts": _counts(rows),
    }


def _counts(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Return how many rows have each verdict, by kind."""
    return {
        str(kind): {str(verdict): n for verdict, n in found.items()}
        for kind, found in counts_by_kind(rows).items()
    }
