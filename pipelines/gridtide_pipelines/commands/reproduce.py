"""``gridtide reproduce``: published figures beside ours, with a verdict for each."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from gridtide.cli.command import Command, Terminal
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
from gridtide_pipelines.reproduce.page import page
from gridtide_pipelines.reproduce.papers import reproductions
from gridtide_pipelines.reproduce.text import lines, summary

ALL = "all"

Results = Mapping[str, tuple[Reproduction, Sequence[Row]]]


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="a paper, or all; an unknown name lists them"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="where the series are: FOLDER/data/carboncast, FOLDER/data/lets_wait_awhile",
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="also write a page with pictures"
    )


def _run(args: argparse.Namespace, terminal: Terminal) -> int:
    if args.data is not None and not args.data.is_dir():
        raise BadInput(
            f"--data {args.data} is no folder; give the one that holds data/carboncast"
        )
    results: dict[str, tuple[Reproduction, Sequence[Row]]] = {}
    for name, paper in _chosen(args.name).items():
        terminal.say(f"{name} ...")
        results[name] = (paper, paper.run(args.data))
    rows = [row for _, each in results.values() for row in each]
    if args.html is not None:
        _write(args.html, page(headlines(args.data), results))
        terminal.say(f"wrote {args.html}")
    if args.json:
        terminal.document(_document(results, rows))
    else:
        terminal.result(summary(rows))
        for paper, each in results.values():
            for line in lines(paper, each):
                terminal.result(line)
            terminal.result("")
        terminal.result(summary(rows))
    return 1 if counts(rows)[Verdict.FAIL] else 0


def _chosen(name: str) -> Mapping[str, Reproduction]:
    known = reproductions()
    if name == ALL:
        return known
    if name not in known:
        raise BadInput(f"there is no paper {name!r}; give {', '.join([*known, ALL])}")
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
    """Kind to verdict to how many."""
    return {
        str(kind): {str(verdict): n for verdict, n in found.items()}
        for kind, found in counts_by_kind(rows).items()
    }


COMMAND = Command(
    name="reproduce",
    summary="compute published results again and compare",
    arguments=_arguments,
    run=_run,
)
