"""The script: its commands, its two forms of output, its exit codes, and what it loads."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable
from importlib import metadata
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest

from gridtide import errors, plugins
from gridtide.cli.command import command
from gridtide.cli.script import main
from gridtide.cli.terminal import Terminal

Capture = pytest.CaptureFixture[str]
Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Add subcommands as another distribution would; each acts, or raises an error."""

    def add(**runs: Callable[[Terminal], int] | BaseException) -> None:
        module: Any = type(sys)("gridtide_test_commands")
        for name, run in runs.items():

            def act(terminal: Terminal, run: Any = run) -> int:  # noqa: ANN401
                if isinstance(run, BaseException):
                    raise run
                return int(run(terminal))

            def only(terminal: Terminal, *, act: Any = act) -> int:  # noqa: ANN401
                return int(act(terminal))

            only.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by Typer
                [inspect.Parameter("terminal", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
            )
            only.__doc__ = f"Do {name}."
            setattr(module, name, command(name, examples=[name])(only))
        module.SUMMARIES = {name: f"Do {name}." for name in runs}
        monkeypatch.setitem(sys.modules, "gridtide_test_commands", module)
        commands = [
            EntryPoint(name, f"gridtide_test_commands:{name}", plugins.COMMANDS)
            for name in runs
        ]
        commands.append(EntryPoint("broken", "gridtide_no_such_module:run", plugins.COMMANDS))
        summaries = [
            EntryPoint("tests", "gridtide_test_commands:SUMMARIES", plugins.SUMMARIES),
            EntryPoint("broken", "gridtide_no_such_module:SUMMARIES", plugins.SUMMARIES),
        ]
        points = {plugins.COMMANDS: commands, plugins.SUMMARIES: summaries}
        monkeypatch.setattr(metadata, "entry_points", lambda group: points[group])

    return add


@pytest.mark.parametrize(
    ("words", "member"),
    [
        (["zones"], "zones"),
        (["now", "DE"], "intensity"),
        (["best-window", "DE", "--hours", "4"], "best_window"),
        (["best-window", "--hours", "4", "--region", "DE"], "best_window"),
        (["best-region", "DE,FR", "aws:us-east-1", "--hours", "4"], "best_region"),
    ],
)
def test_json_is_one_document_the_same_as_by_rest(
    address: str, capsys: Capture, said: SimpleNamespace, words: list[str], member: str
) -> None:
    assert main([*words, "--json"], {"GRIDTIDE_URL": address}) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == getattr(said, member)
    assert err == ""


def test_now_of_several_regions_is_a_list(
    address: str, capsys: Capture, said: SimpleNamespace
) -> None:
    assert main(["now", "DE", "DE", "--json"], {"GRIDTIDE_URL": address}) == 0
    assert json.loads(capsys.readouterr().out) == [said.intensity, said.intensity]
    assert main(["now", "DE,DE"], {"GRIDTIDE_URL": address}) == 0
    assert capsys.readouterr().out.count("DE (Germany): 410.2 gCO2e/kWh") == 2


def test_text_names_zone_signal_unit_quality_age_and_source(
    address: str, capsys: Capture
) -> None:
    assert main(["best-window", "DE", "--hours", "4", "--url", address], {}) == 0
    assert capsys.readouterr().out == (
        "DE (Germany): start 2026-03-02T14:00Z, end 2026-03-02T18:00Z (4 h)\n"
        "  mean     300.0 gCO2e/kWh, 25.0 % less than at once (400.0 gCO2e/kWh)\n"
        "  signal   ci_lifecycle_consumed\n"
        "  quality  forecast by weekly@1, issued 2026-03-02T11:30Z\n"
        "  data     35 min old, a_source, b_source (CC-BY-4.0)\n"
        "  zone     by zone key\n"
    )


def test_text_of_zones_and_of_a_ranking(address: str, capsys: Capture) -> None:
    assert main(["zones"], {"GRIDTIDE_URL": address}) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["zone", "name", "signal"]
    assert row.split() == [
        *("DE", "Germany", "ci_lifecycle_consumed", "30", "min"),
        *("2026-03-05T11:00Z", "weekly@1", "a_source"),
    ]
    assert main(["best-region", "DE", "FR", "--hours", "4"], {"GRIDTIDE_URL": address}) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "1  DE             DE      2026-03-02T14:00Z  300.0 gCO2e/kWh",
        "2  aws:us-east-1  US-PJM  2026-03-02T14:00Z  350.0 gCO2e/kWh",
        "  FR: no window; FR: no unbroken run of 4 h",
    ]


def test_a_clock_that_does_not_move_elsewhere_is_said_without_a_password(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = address.replace("://", "://me:hush@")
    assert main(["zones", "--now", "2026-03-02T12:00Z", "--url", named], {}) == 0
    said = capsys.readouterr().err
    assert f"--now does not move the clock of {address};" in said
    assert "hush" not in said


def test_options_are_the_service_s_parameters(address: str, service: Any) -> None:  # noqa: ANN401
    words = ["--hours", "1.5", "--earliest", "2026-03-02T12:00Z", "--deadline"]
    words += ["2026-03-03T00:00+01:00", "--signal", "cfe_produced", "--as-of"]
    words += ["2026-03-02T11:00Z", "-33.9,18.4"]
    assert main(["--url", address, "best-window", *words], {}) == 0
    assert main(["zones", "--all", "--url", address], {}) == 0
    assert [asked.params for asked in service.asked] == [
        [
            ("region", "-33.9,18.4"),
            ("hours", "1.5"),
            ("earliest", "2026-03-02T12:00:00Z"),
            ("deadline", "2026-03-02T23:00:00Z"),
            ("signal", "cfe_produced"),
            ("as_of", "2026-03-02T11:00:00Z"),
        ],
        [("all", "true")],
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["best-window", "DE", "--hours", "nan"], "hours is nan"),
        (["best-window", "DE", "FR", "--hours", "1"], "one region, not 2; .* best-region"),
        (["best-window", "--hours", "1"], "no region is given"),
        (["best-window", "DE", "--hours", "1", "--earliest", "2026-03-02T12:00"], "UTC offset"),
        (["best-windo", "DE"], "unknown command 'best-windo'; did you mean best-window"),
        (["frobnicate"], "unknown command 'frobnicate'; gridtide --help lists them"),
        (["zones", "--now", "yesterday"], "--now 'yesterday' is not an ISO 8601 time"),
        (["zones", "--url", "localhost"], "write for instance http://localhost"),
    ],
)
def test_bad_input_is_said_on_standard_error_with_exit_2(
    capsys: Capture, words: list[str], message: str
) -> None:
    assert main([*words, "--json"], {"GRIDTIDE_URL": "http://127.0.0.1:9"}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(message, err)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["best-window", "DE"],
            "--hours: required; gridtide best-window --help lists what it takes",
        ),
        (
            ["best-window", "DE", "--hours"],
            "--hours: needs a value; gridtide best-window --help lists what it takes",
        ),
        (
            ["zones", "--alll"],
            "--alll: unknown option, did you mean --all or --local? gridtide zones --help",
        ),
        (["--frobnicate"], "--frobnicate: unknown option; gridtide --help lists what it takes"),
        (["batch", "a", "b"], "unexpected argument b; gridtide batch --help lists what"),
        (["zones", "--json", "--local"], "--local changes text, not the document of --json"),
        ([], "name a command; gridtide --help lists them"),
    ],
)
def test_usage_errors_are_one_line_with_exit_2(
    capsys: Capture, words: list[str], line: str
) -> None:
    assert main(words, {}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert line in err
    assert err.count("\n") == 1
    assert err.endswith("\n")


def test_problems_keep_their_exit_code(address: str, service: Any, capsys: Capture) -> None:  # noqa: ANN401
    words = ["best-window", "DE", "--hours", "4", "--url", address]
    service.problem("no_feasible_window", 422, "ends at T")
    assert main(words, {}) == 2
    service.problem("no_data", 404, "nothing yet")
    assert main(words, {}) == 1
    assert capsys.readouterr() == ("", "gridtide: ends at T\ngridtide: nothing yet\n")


def test_with_json_a_problem_is_json_beside_the_answers(
    address: str,
    service: Any,  # noqa: ANN401
    capsys: Capture,
) -> None:
    service.problem("no_feasible_window", 422, 'ends at "T"')
    assert main(["best-window", "DE", "--hours", "4", "--json", "--url", address], {}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {
        "type": "urn:gridtide:problem:no_feasible_window",
        "title": "no feasible window",
        "status": 422,
        "code": "no_feasible_window",
        "detail": 'ends at "T"',
    }


def test_help_lists_all_commands_even_beside_a_broken_one(
    install: Install, capsys: Capture
) -> None:
    install(refresh=lambda terminal: 0)
    assert main(["--help"], {}) == 0
    out = capsys.readouterr().out
    for line in (
        "best-window  Find the cleanest time to run a job.",
        "refresh  Do refresh.",
        "broken",
    ):
        assert f"  {line}\n" in out
    assert "pip install" not in out


def test_help_of_a_bare_sdk_says_what_the_service_would_bring(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda group: [])
    assert main(["--help"], {}) == 0
    out = capsys.readouterr().out
    assert "pip install 'gridtide[service]'" in out
    assert "refresh, backfill, import, " in out
    assert ", issue, publish, serve, status" in out


@pytest.mark.parametrize("name", ["refresh", "import", "serve", "backup"])
def test_a_service_command_without_the_service_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, name: str
) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda group: [])
    assert main([name, "--anything"], {}) == 1
    assert f"'gridtide {name}' comes with the service" in capsys.readouterr().err


def test_a_command_of_the_service_gets_its_words_and_exits_with_its_code(
    install: Install, capsys: Capture
) -> None:
    def refresh(terminal: Terminal) -> int:
        terminal.document({"json": terminal.json})
        terminal.say(f"{sorted(terminal.environ.items())}")
        return 3

    install(refresh=refresh)
    words = ["--home", "/first", "refresh", "--home", "/h", "--now", "2021-10-01T00:00Z"]
    assert main([*words, "--json"], {"GRIDTIDE_URL": "http://x", "GRIDTIDE_HOME": "/e"}) == 3
    out, err = capsys.readouterr()
    assert json.loads(out) == {"json": True}
    # A home named on the command line is answered from, whatever GRIDTIDE_URL says.
    assert err == "[('GRIDTIDE_HOME', '/h'), ('GRIDTIDE_NOW', '2021-10-01T00:00Z')]\n"


def test_options_before_the_command_hold_and_the_environment_is_left_alone(
    install: Install, capsys: Capture
) -> None:
    def refresh(terminal: Terminal) -> int:
        terminal.result(f"{terminal.json} {sorted(terminal.environ.items())}")
        return 0

    install(refresh=refresh)
    environ = {"GRIDTIDE_HOME": "/e"}
    assert main(["--json", "--home", "/h", "refresh"], environ) == 0
    assert capsys.readouterr().out == "True [('GRIDTIDE_HOME', '/h')]\n"
    assert environ == {"GRIDTIDE_HOME": "/e"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["refresh", "--url", "http://u"], "--url: refresh works in the data directory of"),
        (["--url", "http://u", "refresh"], "--url: refresh works in the data directory of"),
        (["refresh", "--home", ""], "--home: must not be empty"),
        (["--url", " ", "zones"], "--url: must not be empty"),
        (["forecast", "--zone", "DE", "--url", "http://u"], "name a region, or use 'gridtide"),
    ],
)
def test_an_option_that_means_nothing_there_is_refused(
    install: Install, capsys: Capture, words: list[str], said: str
) -> None:
    def refresh(terminal: Terminal) -> int:
        raise AssertionError

    install(refresh=refresh)
    assert main(words, {}) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (errors.Busy("refresh (pid 7) holds the lock"), 4, "gridtide: refresh (pid 7) holds"),
        (errors.GridtideError("no"), 1, "gridtide: no"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_exit_codes(
    install: Install, capsys: Capture, raised: BaseException, code: int, said: str
) -> None:
    install(refresh=raised)
    assert main(["refresh"], {}) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert bool(err) == bool(said)


def test_a_bug_shows_its_traceback(install: Install) -> None:
    install(refresh=ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        main(["refresh"], {})


def test_now_does_not_move_the_clock_of_a_service_elsewhere(
    address: str, capsys: Capture
) -> None:
    assert main(["zones", "--now", "2021-10-01T00:00Z"], {"GRIDTIDE_URL": address}) == 0
    assert "--as-of asks it of then" in capsys.readouterr().err
