"""``gridtide.best_window(...)`` and its kin, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import gridtide
from gridtide import shortcuts
from gridtide.errors import BadInput


def test_shortcuts_ask_the_service_that_the_environment_names(
    address: str,
    service: Any,  # noqa: ANN401
    said: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRIDTIDE_URL", address)
    assert gridtide.best_window("DE", hours=4).to_json() == said.best_window
    assert gridtide.best_window("DE", 4).to_json() == said.best_window
    assert gridtide.best_region(["DE", "FR"], 4).to_json() == said.best_region
    assert gridtide.zones().to_json() == said.zones
    assert gridtide.forecast("DE").to_json() == said.forecast
    assert gridtide.intensity("DE").to_json() == said.intensity
    assert len(service.asked) == 6
    # The environment is looked at for each question, not once.
    monkeypatch.setenv("GRIDTIDE_URL", "nowhere")
    with pytest.raises(BadInput, match="GRIDTIDE_URL"):
        gridtide.zones()
    shortcuts._clients.close()


def test_one_client_serves_one_environment(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = shortcuts._Clients()
    monkeypatch.setenv("GRIDTIDE_URL", address)
    first = clients.current()
    assert clients.current() is first
    monkeypatch.setenv("GRIDTIDE_API_KEY", "another")
    assert clients.current() is not first
    clients.close()
    monkeypatch.delenv("GRIDTIDE_API_KEY")
    assert clients.current() is not first
    clients.close()


def test_every_public_name_is_there_and_listed() -> None:
    for name in gridtide.__all__:
        assert getattr(gridtide, name) is not None, name
    assert set(gridtide.__all__) <= set(dir(gridtide))
    assert gridtide.__version__[0].isdigit()
    with pytest.raises(AttributeError, match="no attribute 'best_windo'"):
        gridtide.best_windo  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        "import gridtide",
        "from gridtide import *",
        "from gridtide import Client, best_window, Series",
        "import gridtide.windows, gridtide.cli.script",
    ],
)
def test_importing_loads_neither_httpx_nor_asyncio(code: str) -> None:
    check = "import sys; print({'httpx', 'asyncio', 'polars'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{check}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "set()\n"


def test_planning_is_loaded_by_the_first_question_about_a_plan() -> None:
    check = (
        "import sys, gridtide, gridtide.cli.script\n"
        "gridtide.Client, gridtide.plan, gridtide.best_window\n"
        "print([name for name in sys.modules if name.startswith('gridtide.planning')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
