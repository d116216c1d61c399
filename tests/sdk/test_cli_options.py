"""Options made from the definitions of requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import pytest
from typer.core import TyperCommand

from gridtide.cli import footprint, plan, queries
from gridtide.cli.command import Everywhere, command
from gridtide.cli.options import Json, Options, Written
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.schema.definition import Field, definition_of
from gridtide.schema.footprints import FootprintRequest
from gridtide.schema.requests import WindowRequest, ZonesRequest


class Colour(StrEnum):
    """Of two."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request with a field of each type."""

    hours: Annotated[float, Field("length of the job", unit="h", above=0, duration=True)]
    pause: Annotated[timedelta | None, Field("between two runs", name="pause_hours")] = None
    power_kw: Annotated[float, Field("power", unit="kW", at_least=0, at_most=9)] = 1.5
    count: Annotated[int | None, Field("how many; left out: as many as fit")] = None
    at: Annotated[datetime | None, Field("with `count`, or max_count; left out: now")] = None
    colour: Annotated[Colour, Field("which colour")] = Colour.RED
    lengths: Annotated[tuple[timedelta, ...], Field("at these lengths")] = ()
    names: Annotated[frozenset[str], Field("by name")] = frozenset()
    whole: Annotated[bool, Field("whether it is whole")] = False
    cost: Annotated[Json, Field("what it costs")] = None  # type: ignore[assignment]  # any JSON
    held: Annotated[str, Field(local=True)] = ""


def _cost(text: str, option: str) -> object:
    return {option: text}


EXAMPLE = Options(
    Example,
    "All of it",
    names={"lengths": "--length", "count": "--how-many"},
    written={"cost": Written("KWH[:H]", "energy and time", _cost)},
)
GIVEN: list[Json] = []


@command("example", examples=["example --hours 4"])
def example(terminal: Terminal, *, given: Annotated[Json, EXAMPLE]) -> int:
    """Do something."""
    GIVEN.append(given)
    return 0


def run(*words: str) -> Json:
    with example.make_context("example", list(words), obj=Everywhere({})) as ctx:
        assert example.invoke(ctx) == 0
    return GIVEN.pop()


def help_of(made: TyperCommand) -> dict[str, str]:
    """Help text by option or argument."""
    ctx = made.make_context("x", [], resilient_parsing=True)
    records = [(param.opts[0], param.get_help_record(ctx)) for param in made.params]
    return {name: record[1] for name, record in records if record}


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("--hours 4", {"hours": 4.0}),
        ("--hours 90min", {"hours": "90min"}),
        ("--hours 4 --pause-hours 2", {"hours": 4.0, "pause_hours": 2.0}),
        ("--hours 4 --how-many 3", {"hours": 4.0, "count": 3}),
        ("--hours 4 --how-many 3.5", {"hours": 4.0, "count": "3.5"}),
        ("--hours 4 --power-kw x", {"hours": 4.0, "power_kw": "x"}),
        ("--hours 4 --at 2026-03-02", {"hours": 4.0, "at": "2026-03-02"}),
        ("--hours 4 --length 1,2h --length 3", {"hours": 4.0, "lengths": [1.0, "2h", 3.0]}),
        ("--hours 4 --names a,b --names c", {"hours": 4.0, "names": ["a", "b", "c"]}),
        ("--hours 4 --whole --colour blue", {"hours": 4.0, "whole": True, "colour": "blue"}),
        ("--hours 4 --cost 2:1", {"hours": 4.0, "cost": {"--cost": "2:1"}}),
    ],
)
def test_the_fields_that_are_given_are_json(words: str, given: Json) -> None:
    assert run(*words.split()) == given


def test_help_texts_are_those_of_the_definition() -> None:
    texts = help_of(example)
    for shared in ("--home", "--now", "--json"):
        texts.pop(shared)
    assert texts == {
        "--hours": "length of the job; more than 0  [required]",
        "--pause-hours": "between two runs",
        "--power-kw": "power; from 0 to 9; default: 1.5",
        "--how-many": "how many; default: as many as fit",
        "--at": "with --how-many, or max_count; default: now",
        "--colour": "which colour; one of red, blue; default: red",
        "--length": "at these lengths; repeatable",
        "--names": "by name; repeatable",
        "--whole": "whether it is whole",
        "--cost": "what it costs; energy and time",
    }


def test_a_required_field_is_required() -> None:
    with pytest.raises(BadInput, match=r"--hours: required"):
        example.make_context("example", [], obj=Everywhere({}))


def options_of(made: TyperCommand) -> set[str]:
    return {option for param in made.params for option in param.opts}


@pytest.mark.parametrize("made", [queries.best_window, queries.best_region])
def test_every_field_of_a_window_is_an_option(made: TyperCommand) -> None:
    wanted = {f"--{name.replace('_', '-')}" for name in definition_of(WindowRequest)}
    assert wanted <= options_of(made)


def test_every_field_of_a_request_for_zones_is_an_option() -> None:
    wanted = {f"--{name.replace('_', '-')}" for name in definition_of(ZonesRequest)}
    assert wanted <= options_of(queries.zones)


def test_every_field_of_a_footprint_is_an_option() -> None:
    wanted = {f"--{name.replace('_', '-')}" for name in definition_of(FootprintRequest)}
    assert wanted <= options_of(footprint.footprint)


def listed(made: Any) -> set[str]:  # noqa: ANN401  # a command
    return {param.opts[0] for param in made.params if not getattr(param, "hidden", False)}


def test_replan_lists_the_job_state_and_reads_the_options_of_plan() -> None:
    assert options_of(plan.plan) - {"--region"} <= options_of(plan.replan)
    assert listed(plan.replan) == {
        *("plan", "--request", "--print", "--local"),
        *("--at", "--done", "--running", "--running-for", "--segments", "--region"),
        *("--grams", "--workers-now", "--home", "--now", "--url", "--json"),
    }
