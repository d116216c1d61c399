"""What commands print: one field for a shell, local times, tables and colours on a terminal."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from gridtide.cli.script import main
from gridtide.cli.terminal import Table, Terminal

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in Berlin; on 2 March it is one hour ahead of UTC."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["best-window", "DE", "--hours", "4", "--print", "start"], "2026-03-02T14:00:00Z"),
        (["best-window", "DE", "--hours", "4", "--print", "mean"], "300.0"),
        (["best-window", "DE", "--hours", "4", "--print", "simulated"], "false"),
        (["best-region", "DE", "FR", "--hours", "4", "--print", "ranking.1.zone"], "US-PJM"),
        (["now", "DE", "--print", "slots.0.value"], "410.25"),
        (["now", "DE", "DE", "--print", "1.zone"], "DE"),
        (["zones", "--print", "zones.0.name"], "Germany"),
    ],
)
def test_one_field_is_printed_for_a_shell(
    address: str, capsys: Capture, words: list[str], printed: str
) -> None:
    assert main([*words, "--url", address], {}) == 0
    assert capsys.readouterr() == (f"{printed}\n", "")


def test_a_field_that_is_not_there_is_refused_with_those_that_are(
    address: str, capsys: Capture
) -> None:
    words = ["best-window", "DE", "--hours", "4", "--url", address, "--print"]
    assert main([*words, "strat"], {}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        "gridtide: --print strat: no field 'strat' in the answer; it has region"
    )
    assert main([*words, ""], {}) == 2  # as of a variable that is not set
    assert "no field ''" in capsys.readouterr().err
    assert main([*words, "zone.name"], {}) == 2
    assert "no field 'name'" in capsys.readouterr().err
    assert main([*words, "start", "--json"], {}) == 2
    assert "give one of them" in capsys.readouterr().err


@pytest.mark.usefixtures("berlin")
def test_local_times_have_the_offset_of_the_machine(address: str, capsys: Capture) -> None:
    words = ["best-window", "DE", "--hours", "4", "--url", address, "--local"]
    assert main([*words, "--print", "start"], {}) == 0
    assert capsys.readouterr().out == "2026-03-02T15:00:00+01:00\n"
    assert main(words, {}) == 0
    first, *_, issued, _, _ = capsys.readouterr().out.splitlines()
    assert first == (
        "DE (Germany): start 2026-03-02T15:00+01:00, end 2026-03-02T19:00+01:00 (4 h)"
    )
    assert "issued 2026-03-02T12:30+01:00" in issued


def test_a_forecast_is_printed_with_its_quantiles(
    address: str,
    service: Any,  # noqa: ANN401
    said: SimpleNamespace,
    capsys: Capture,
) -> None:
    assert main(["forecast", "DE", "--model", "weekly", "--url", address], {}) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "DE (Germany)"
    assert "  quality  forecast by weekly@1, issued 2026-03-02T11:30Z" in lines
    header = next(i for i, line in enumerate(lines) if line.startswith("from"))
    assert lines[header].split() == ["from", "to", "p10", "p50", "p90"]
    assert len(lines) - header - 1 == len(said.forecast["slots"])
    assert main(["forecast", "DE", "--json", "--url", address], {}) == 0
    assert json.loads(capsys.readouterr().out) == said.forecast
    assert dict(service.asked[0].params)["model"] == "weekly"


def test_a_history_is_a_row_for_each_slot(
    address: str,
    service: Any,  # noqa: ANN401
    said: SimpleNamespace,
    capsys: Capture,
) -> None:
    words = ["history", "--region", "DE", "--from", "2026-03-01", "--to", "2026-03-02T12:00Z"]
    assert main([*words, "--url", address], {}) == 0
    table = capsys.readouterr().out.partition("\nfrom")[2].splitlines()[1:]
    assert len(table) == len(said.intensity["slots"])
    assert table[0].split() == [
        *("2026-03-02T11:00Z", "2026-03-02T11:30Z", "410.2", "gCO2e/kWh", "measured"),
    ]
    params = dict(service.asked[0].params)
    assert (params["start"], params["end"]) == (
        "2026-03-01T00:00:00Z",
        "2026-03-02T12:00:00Z",
    )
    assert main([*words, "--json", "--url", address], {}) == 0
    assert json.loads(capsys.readouterr().out) == said.intensity


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["forecast", "DE", "--zone", "FR"], "--zone makes new forecast runs"),
        (["forecast", "--as-of", "2026-03-02T12:00Z"], "name a region"),
        (["history", "DE", "--from", "2026-03-01"], "--to: required"),
        (["zones", "--now", ""], "--now '' is not an ISO 8601 time"),
    ],
)
def test_what_contradicts_is_refused(capsys: Capture, words: list[str], message: str) -> None:
    assert main([*words, "--url", "http://127.0.0.1:9"], {}) == 2
    assert message in capsys.readouterr().err


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


TABLE = Table(("zone", "mean"), [("DE", "300.0"), ("a long name of a region", "1.0")])


def shown(stream: io.StringIO, **environ: str) -> str:
    terminal = Terminal(stream, io.StringIO(), {"TERM": "xterm-256color", **environ})
    terminal.result("start 2026-03-02T14:00Z " + "x" * 300, TABLE)
    return stream.getvalue()


def test_a_terminal_has_colours_and_rules_unless_it_wants_none() -> None:
    text = shown(Screen(), COLUMNS="80")
    assert "\x1b[" in text
    assert "\u2500" in text
    plain = shown(Screen(), COLUMNS="80", NO_COLOR="1")
    assert "\x1b[3" not in plain
    assert "\u2500" in plain


def test_on_a_narrow_terminal_no_part_of_a_cell_is_left_out() -> None:
    text = shown(Screen(), COLUMNS="20", NO_COLOR="1")
    assert "\u2026" not in text
    cells = re.sub(r"[^a-z]", "", text.rpartition("DE")[2])
    assert cells == "alongnameofaregion"


def test_elsewhere_text_is_neither_coloured_nor_framed_nor_wrapped() -> None:
    text = shown(io.StringIO(), COLUMNS="20", FORCE_COLOR="")
    assert text.splitlines() == [
        "start 2026-03-02T14:00Z " + "x" * 300,
        "zone                     mean",
        "DE                       300.0",
        "a long name of a region  1.0",
    ]
