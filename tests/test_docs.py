"""What the documents say is there, and what is there is in the documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import gridtide_pipelines.ingest.sources
from gridtide.model import Signal
from gridtide.schema.batches import BatchRequest
from gridtide.schema.decode import decode_request
from gridtide.schema.definition import definition_of
from gridtide.schema.footprints import FootprintRequest
from gridtide.schema.plans import PlanRequest, ReplanRequest, ScheduleRequest
from gridtide.schema.responses import BestWindow
from gridtide_pipelines.ingest.discovery import find_sources
from gridtide_pipelines.ingest.source import Source
from gridtide_server import problems
from gridtide_server.http.request_size import NAMES
from gridtide_server.openapi import document_text
from gridtide_store.settings import KNOWN
from tests import documents, rest_tables

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SKIPPED = {".venv", ".git", "node_modules", ".pytest_cache", ".hypothesis"}
DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts)
)
SOURCES = find_sources(gridtide_pipelines.ingest.sources)
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def table(text: str, heading: str = "") -> list[list[str]]:
    """Cells of the first table below a heading, without its head."""
    below = text.partition(heading)[2] if heading else text
    rows: list[list[str]] = []
    for line in below.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
        elif rows:
            break
    return rows[2:]


def fenced(path: Path) -> list[tuple[str, str]]:
    """Language and content of every fenced block."""
    return FENCE.findall(path.read_text())


def bare(cell: str) -> str:
    return cell.strip("` ")


# Settings


def test_every_setting_is_in_the_table_in_its_own_words() -> None:
    rows = table((DOCS / "settings.md").read_text())
    assert {bare(name): meaning for name, meaning in rows} == KNOWN


def test_every_key_is_in_the_table_of_keys() -> None:
    rows = table((DOCS / "settings.md").read_text(), "## Keys")
    wanted = {
        (variable, source.name, source.credentials.obtain)
        for source in SOURCES.values()
        if source.credentials
        for variable in source.credentials.variables
    }
    written = {
        (bare(env), bare(name), re.sub(r".*<(.+)>.*", r"\1", obtain))
        for env, name, obtain in rows
    }
    assert written == wanted


# Sources


def span(length: timedelta) -> str:
    """A length of time in the largest unit that divides it."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if length.total_seconds() % size == 0:
            return f"{int(length.total_seconds() // size)} {unit}"
    raise AssertionError(f"{length} is no whole number of minutes")


def row(source: Source) -> list[str]:
    """What the table must say of a source."""
    zones = sorted(source.zones)
    named = f"{len(zones)} of the catalogue" if len(zones) > 20 else ", ".join(zones)
    return [
        f"`{source.name}`",
        f"{source.attribution}: {source.title}",
        ", ".join(sorted(source.kinds)),
        named,
        span(source.step),
        span(source.revised_for),
        f"[{source.licence}]({source.licence_url})" if source.licence_url else source.licence,
        ", ".join(f"`{name}`" for name in source.credentials.variables)
        if source.credentials
        else "none",
        "none: built in"
        if source.answer
        else f"`{source.base_url}`, `GRIDTIDE_{source.name.upper()}_URL`",
    ]


def test_every_source_is_in_the_table_as_it_is_in_the_code() -> None:
    written = table((DOCS / "sources.md").read_text())
    assert written == [row(source) for source in SOURCES.values()]


def test_the_ages_at_which_days_are_requested_again_are_those_of_the_code() -> None:
    def row(source: Source) -> list[str]:
        often, *older = source.refetch
        turns = {tier.every.days: f"up to {tier.age.days} days" for tier in older}
        assert set(turns) <= {1, 30}
        return [
            f"`{source.name}`",
            f"the last {often.age.days} days",
            turns.get(1, "-"),
            turns.get(30, "-"),
            f"after {source.revised_for.days} days",
        ]

    written = table((DOCS / "sources.md").read_text(), "## How requests are made")
    assert written == [row(source) for source in SOURCES.values() if source.refetch]


# REST

REST = DOCS / "rest.md"
BODIES: dict[str, type[Any]] = {
    "/v1/plan": PlanRequest,
    "/v1/replan": ReplanRequest,
    "/v1/schedule": ScheduleRequest,
    "/v1/batch": BatchRequest,
    "/v1/footprint": FootprintRequest,
}
# What the framework itself answers with, beside our own table (RFC 9110, 15.5.5 and 15.5.6).
FRAMEWORK = {"not_found": 404, "method_not_allowed": 405, "misdirected_request": 421}


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    loaded = json.loads(document_text())
    assert isinstance(loaded, dict)
    return loaded


def section(route: str) -> str:
    """The text below the heading of a route."""
    _, heading, rest = REST.read_text().partition(f"\n## `{route}`\n")
    assert heading, f"rest.md has no section on {route}"
    return rest.partition("\n## ")[0]


def documented(text: str, head: str) -> set[str]:
    """Names in the first column of every table of `text` whose first column is `head`."""
    found: set[str] = set()
    inside = False
    for line in text.splitlines():
        cells = line.strip("|").split(" | ")
        if line.startswith(f"| {head} |"):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside:
            found |= set(re.findall(r"`([^`]+)`", cells[0]))
    return found


def test_every_route_is_in_the_table_of_routes(openapi: dict[str, Any]) -> None:
    written = documented(REST.read_text(), "route")
    assert written == {
        f"{method.upper()} {path}"
        for path, operations in openapi["paths"].items()
        for method in operations
    }


def test_every_parameter_is_in_the_section_of_its_route(openapi: dict[str, Any]) -> None:
    for path, operations in openapi["paths"].items():
        if path.startswith("/v1") and "get" in operations:
            asked = operations["get"].get("parameters", [])
            taken = {each["name"] for each in asked} - {"zone"}
            text = section(f"GET {'/v1/best-window' if path == '/v1/best-region' else path}")
            assert documented(text, "parameter") == taken, path


@pytest.mark.parametrize("path", [REST, ROOT / "docs" / "commands.md"])
def test_a_table_shows_no_types_or_values_of_python(path: Path) -> None:
    shown = path.read_text()
    assert not re.findall(r"\\?<(?:str|path|list\[\w+\])>|default: `\w*[({]", shown)


def test_the_tables_of_fields_are_those_of_the_definitions() -> None:
    text = REST.read_text()
    assert text == rest_tables.write_tables(text)  # python -m tests.documents tables


def test_every_request_and_response_has_a_table() -> None:
    kinds = rest_tables.definitions()
    # Questions of a batch are the requests of the routes, each with its kind.
    questions = {name for name in kinds if name.endswith("Question")}
    same = {"Problem", "BestRegionRequest", "PowerProfile", *questions}
    named = {found["kind"] for found in rest_tables.TABLE.finditer(REST.read_text())}
    assert named == set(kinds) - same


def test_every_signal_has_its_unit_and_direction() -> None:
    rows = table(REST.read_text(), "## Signals")
    assert [[bare(signal), unit, cleaner] for signal, unit, cleaner in rows] == [
        [signal, signal.unit, "lower" if signal.lower_is_cleaner else "higher"]
        for signal in Signal
    ]


def test_every_problem_code_is_in_the_table_with_its_status() -> None:
    ours = {kind.code: row.status for kind, row in problems.TABLE.items()}
    ours |= {"internal": problems.INTERNAL.status}
    ours |= {code: int(status) for status, (code, _) in NAMES.items()}
    rows = table(REST.read_text(), "## Problems\n")
    assert {bare(code): int(status) for code, status, *_ in rows} == ours | FRAMEWORK


def test_the_examples_have_the_shape_of_an_answer() -> None:
    window, plan, problem = (json.loads(body) for kind, body in fenced(REST) if kind == "json")
    assert decode_request(PlanRequest, plan).job.duration == timedelta(hours=8)
    assert BestWindow.from_json(window).to_json() == window
    saved = (window["mean_now"] - window["mean"]) / window["mean_now"]
    assert window["saving"] == pytest.approx(saved, abs=5e-4)
    assert set(definition_of(problems.Problem)) <= set(problem)
    assert problem["type"] == f"urn:gridtide:problem:{problem['code']}"


def test_the_addresses_in_shell_blocks_are_routes_with_their_parameters(
    openapi: dict[str, Any],
) -> None:
    asked = [
        (urlsplit(address), body)
        for path in DOCUMENTS
        for kind, block in fenced(path)
        if kind == "sh"
        for address, body in re.findall(
            r"curl[^\n]*'(http://127[^']+)'(?: -d '([^']+)')?", block
        )
    ]
    assert len(asked) > 3
    for address, body in asked:
        route = next(
            operations
            for path, operations in openapi["paths"].items()
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), address.path)
        )
        if body:
            assert list(route) == ["post"]
            decode_request(BODIES[address.path], json.loads(body))
            continue
        names = {each["name"] for each in route["get"]["parameters"]}
        assert {name for name, _ in parse_qsl(address.query, strict_parsing=True)} <= names


# README


def test_every_make_target_named_in_a_document_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for path in DOCUMENTS
        for target in re.findall(r"(?:^|`)make (\w+)", path.read_text(), re.MULTILINE)
    }
    assert {"run", "test"} <= named <= targets


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return documents.simulated_home(tmp_path_factory.mktemp("home"))


@pytest.mark.slow
@pytest.mark.parametrize("name", documents.WITH_OUTPUT)
def test_a_document_shows_what_its_examples_print(name: str, simulated: dict[str, str]) -> None:
    text = (ROOT / name).read_text()
    assert documents.with_outputs(text, simulated) == text


@pytest.mark.parametrize("name", documents.WITH_TABLES)
def test_the_tables_of_commands_are_those_of_the_code(name: str) -> None:
    text = (ROOT / name).read_text()
    assert documents.with_tables(text) == text


@pytest.mark.parametrize("name", documents.WITH_OUTPUT)
def test_every_example_that_reads_shows_its_output(name: str) -> None:
    shown = {
        code for _, code, output in documents.SHOWN.findall((ROOT / name).read_text()) if output
    }
    for kind, block in fenced(ROOT / name):
        if kind == "sh" and re.search(r"^gridtide (now|plan|best-\w+|footprint) ", block, re.M):
            assert block in shown


# Form


def test_prose_has_at_most_120_characters_a_line() -> None:
    wrong = []
    for path in (*(ROOT.glob("*/README.md")), ROOT / "README.md", *DOCS.glob("*.md")):
        text = FENCE.sub("", path.read_text())
        for line in text.splitlines():
            prose = (
                not line.startswith(("|", "#", "    ", "<", "[", "!")) and " " in line.strip()
            )
            if prose and len(line) > 120:
                wrong.append(f"{path.relative_to(ROOT)}: {line[:60]}")
    assert wrong == []


# Links and decisions


def anchors(path: Path) -> set[str]:
    """The fragments one may link to, as GitHub makes them of headings."""
    text = FENCE.sub("", path.read_text())
    return {
        re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def links(path: Path) -> Iterator[str]:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text()))
    yield from re.findall(r"\]\(([^)\s]+)\)", text)


def test_every_relative_link_leads_somewhere() -> None:
    broken, seen = [], 0
    for path in DOCUMENTS:
        for link in links(path):
            if re.match(r"[a-z]+:", link):
                continue
            seen += 1
            target, _, fragment = link.partition("#")
            there = (path.parent / target).resolve() if target else path
            if not there.exists() or (fragment and fragment not in anchors(there)):
                broken.append(f"{path.relative_to(ROOT)}: {link}")
    assert broken == []
    assert seen > 5


def test_decisions_are_numbered_without_gaps_and_say_what_a_decision_says() -> None:
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in decisions:
        text = path.read_text()
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
        assert text.startswith(f"# {path.name[:4]} "), path.name
        for part in ("**Context.**", "**Decision.**", "**Rejected.**"):
            assert part in text, f"{path.name} has no {part}"
        assert "**What would change our mind.**" in text, path.name


def test_half_of_the_sources_take_no_more_lines_than_the_guide_says() -> None:
    said = re.search(
        r"Half of the sources take at most (\d+) lines", (DOCS / "code.md").read_text()
    )
    assert said is not None
    folder = Path(gridtide_pipelines.ingest.sources.__file__).parent
    sizes = dict.fromkeys((name for name, each in SOURCES.items() if not each.simulated), 0)
    for path in folder.glob("[a-z]*.py"):
        # A module without a source is part of the one whose name it begins with.
        of = [name for name in sizes if f"{path.stem}_".startswith(f"{name}_")]
        if of:
            sizes[max(of, key=len)] += len(path.read_text().splitlines())
    assert min(sizes.values()) > 0
    assert int(said[1]) - 10 < median(sizes.values()) <= int(said[1])
