"""The words of docs/glossary.md: retired words stay out of names, texts, comments and docs."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "sdk/gridtide",
    "pipelines/gridtide_store",
    "pipelines/gridtide_pipelines",
    "server/gridtide_server",
)
# Not the product: outlines have points, and peers names of their own.
TOOLS = ("benchmarks", "infra")
MODULES = sorted(
    path for folder in (*PACKAGES, *TOOLS) for path in (ROOT / folder).rglob("*.py")
)
DOCUMENTS = sorted(
    path
    for pattern in ("README.md", "CHANGELOG.md", "sdk/README.md", "docs/*.md")
    for path in ROOT.glob(pattern)
)
GLOSSARY = ROOT / "docs/glossary.md"  # names the retired words, so it is not searched for them

# Words without a use in this project: refused in every name, text, comment and document.
RETIRED = {
    *("asked", "told", "telling", "toll", "tolls", "laid", "roam", "roams", "roaming"),
    *("reckon", "reckoned", "onwards", "footprinted", "shareout", "crowd", "crowded"),
    *("crowding", "oddity", "oddities", "whom", "nobody"),
}
# Everyday words that are retired as names only: the glossary has another word for the thing.
RETIRED_NAMES = {
    "aim": "objective",
    "answered": "an imperative, such as make_plan",
    "belief": "observation, revision",
    "cell": "slot, interval",
    "chips": "workers",
    "choice": "candidate",
    "draft": "solution, schedule",
    "drawn": "an imperative, or energy",
    "effort": "time budget",
    "home": "data directory, current region",
    "line": "queue",
    "onward": "cancellation",
    "piece": "segment",
    "place": "region",
    "point": "slot, boundary",
    "relaxed": "relax, relaxation",
    "size": "workers, scale, or what is counted",
    "standing": "job state",
    "step": "resolution, slot",
    "turn": "queue, time slice",
    "way": "candidate, path",
    "world": "scenario",
    "grid": "zone",
}
# Names that stay all the same: where, and why.
CSV = "a cell of a CSV file"
EXCEPTIONS = {
    "grid": ("", "the time grid of a solver or the simulated power grid, never a zone"),
    "_Grid": ("sdk/gridtide/planning/", "the time grid of a solver"),
    "Grid": ("pipelines/gridtide_pipelines/simulation/", "the simulated power grid"),
    "size": ("", "a number of bytes"),
    "line": ("", "a line of text or of a chart"),
    "lines": ("", "lines of text or of a chart"),
    "Line": ("pipelines/gridtide_pipelines/reproduce/", "a line of a chart"),
    "Lines": ("pipelines/gridtide_pipelines/reproduce/", "a chart of lines"),
    "cell": ("pipelines/gridtide_pipelines/importing/", CSV),
    "cells": ("pipelines/gridtide_pipelines/importing/", CSV),
    "Cells": ("pipelines/gridtide_pipelines/importing/", CSV),
    "home": ("", "`--home` and `GRIDTIDE_HOME` are public"),
    "step": ("", "the public argument of `Series.regular`, a length of time"),
    "steps": ("", "steps of a power profile, of a programme, and of a cron field"),
}
# What is not done yet. A path leaves this list when its package follows the glossary.
NOT_YET: tuple[str, ...] = ()

WORD = re.compile(r"\b[A-Za-z]+\b")
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def words(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text)}


def defined(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Names of classes, functions, parameters and fields, with their lines."""
    for node in ast.walk(module):
        match node:
            case ast.ClassDef():
                yield node.name, node.lineno
                for each in node.body:
                    if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                        yield each.target.id, each.lineno
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name, node.lineno
                taken = node.args
                for arg in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs):
                    yield arg.arg, arg.lineno


def assigned(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Names of variables, with their lines: everyday words may stand in these."""
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def texts(source: str) -> Iterator[tuple[str, int]]:
    """Docstrings, messages and comments: string constants with a space, and every comment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value, node.lineno
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string, token.start[0]


def retired_part(identifier: str) -> str | None:
    """What word of a name is retired, or ``None``."""
    found = {part.lower() for part in PARTS.findall(identifier)} & RETIRED
    return f"{identifier}: {', '.join(sorted(found))} is retired" if found else None


def retired_name(identifier: str, path: str) -> str | None:
    """What is wrong with a name, or ``None``."""
    if found := retired_part(identifier):
        return found
    if path.startswith(TOOLS):
        return None
    bare = identifier.strip("_")
    for each in (identifier, bare):
        if each in EXCEPTIONS and path.startswith(EXCEPTIONS[each][0]):
            return None
    for each in (bare.lower(), bare.lower().removesuffix("s")):
        if each in RETIRED_NAMES:
            return f"{identifier}: write {RETIRED_NAMES[each]}"
    return None


def violations(path: str, source: str) -> list[str]:
    """Retired words in a Python module, or in a document."""
    if path.endswith(".md"):
        return [
            f"{path}:{number}: {', '.join(sorted(found))}"
            for number, line in enumerate(source.splitlines(), 1)
            if (found := words(re.sub(r"`[^`]*`", "", line)) & RETIRED)
        ]
    module = ast.parse(source)
    wrong = [
        f"{path}:{line}: {said}"
        for each, line in ((Path(path).stem, 1), *defined(module))
        if (said := retired_name(each, path))
    ]
    wrong += [
        f"{path}:{line}: {said}"
        for each, line in assigned(module)
        if (said := retired_part(each))
    ]
    return wrong + [
        f"{path}:{line}: {', '.join(sorted(found))} in a text"
        for text, line in texts(source)
        if (found := words(text) & RETIRED)
    ]


def is_done(path: Path) -> bool:
    return not name(path).startswith(NOT_YET)


def test_no_retired_word_is_in_a_name_a_text_a_comment_or_a_document() -> None:
    wrong = [
        each
        for path in (*MODULES, *DOCUMENTS)
        if is_done(path) and path != GLOSSARY
        for each in violations(name(path), path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_what_is_not_done_yet_is_there() -> None:
    assert [each for each in NOT_YET if not (ROOT / each).exists()] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a/module.py", "def told(): ..."),
        ("a/module.py", "def f(asked): ..."),
        ("a/module.py", "class Cells: ..."),
        ("a/module.py", "class A:\n    standing: int"),
        ("a/module.py", "def count_tolls(): ..."),
        ("a/module.py", "class WhatWasTold: ..."),
        ("a/crowd.py", ""),
        ("a/module.py", '"""A decision told."""'),
        ("a/module.py", "raise ValueError(f'{1} was asked for')"),
        ("a/module.py", "x = 1  # laid out"),
        ("a/module.py", "told = f()"),
        ("README.md", "Nobody is asked."),
    ],
)
def test_a_planted_word_is_found(path: str, source: str) -> None:
    assert violations(path, source) != []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a/module.py", "def solve(home): ...\n\n\nline = 1  # a way, a point, a step"),
        ("a/module.py", "class Candidate:\n    segments: int"),
        ("README.md", "The best place to start; the field `asked` is read too."),
    ],
)
def test_what_the_glossary_allows_is_not_found(path: str, source: str) -> None:
    assert violations(path, source) == []


def test_every_type_ignore_has_its_reason_on_the_same_line() -> None:
    silent = [
        f"{name(path)}:{number}"
        for folder in ("sdk", "server", "pipelines", "tests", "benchmarks", "infra")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"# type: ignore(?!\[[\w, -]+\]  # \w)", line) and path != Path(__file__)
    ]
    assert silent == []


def test_every_errors_module_draws_its_tree() -> None:
    for package in (*PACKAGES, "sdk/gridtide/planning"):
        path = ROOT / package / "errors.py"
        module = ast.parse(path.read_text(encoding="utf-8"))
        drawing = ast.get_docstring(module) or ""
        classes = {node.name for node in module.body if isinstance(node, ast.ClassDef)}
        assert {each for each in classes if not re.search(rf"── {each}\b", drawing)} <= {
            "GridtideError"
        }, name(path)
