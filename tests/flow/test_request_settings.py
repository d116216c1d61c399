"""Settings about requests hold for every command that sends some to publishers."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridtide.cli.script import main

CLOSED = "http://127.0.0.1:9"
COMMANDS = {
    "backfill": ("--source", "uk_carbon_intensity", "--since", "2026-02-27"),
    "refresh": ("--zone", "GB", "--model", "naive"),
    "sources": ("--check", "uk_carbon_intensity"),
}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_command_obeys_the_time_and_names_an_address_of_no_source(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {
        "GRIDTIDE_HOME": str(tmp_path / "home"),
        "GRIDTIDE_NOW": "2026-03-02T12:00Z",
        "GRIDTIDE_WORKERS": "1",
        "GRIDTIDE_UK_CARBON_INTENSITY_URL": CLOSED,
        "GRIDTIDE_EAI_URL": CLOSED,
        "GRIDTIDE_REQUEST_SECONDS": "1",
    }
    assert main([command, *COMMANDS[command]], environ) in (1, 3)
    captured = capsys.readouterr()
    # Each wait is a second at least: with the time of the default it tries five times.
    assert "gave up after 1 tries" in captured.out + captured.err
    assert "unknown setting GRIDTIDE_EAI_URL; did you mean GRIDTIDE_EIA_URL?" in captured.err
