"""The built SDK alone: what is in the wheel, and what it needs to answer and to refuse."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SDK = Path(__file__).resolve().parents[2] / "sdk"
VERSION = tomllib.loads((SDK / "pyproject.toml").read_text())["project"]["version"]
FOREIGN = ("fastapi", "starlette", "pydantic", "polars", "duckdb", "numpy", "pandas", "prophet")
OURS = ("gridtide_store", "gridtide_pipelines", "gridtide_server")


def run(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "HOME": "/nonexistent"},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDK's wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, SDK],
        check=True,
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the scripts of a fresh environment with nothing but the wheel and its needs."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder, with_pip=True, clear=True)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run(
        [scripts / "python", "-m", "pip", "install", "--quiet", wheel], check=True, cwd=folder
    )
    return scripts


def test_the_wheel_is_pure_typed_and_ours_alone(wheel: Path) -> None:
    assert wheel.name == f"gridtide-{VERSION}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    assert "gridtide/py.typed" in names
    assert f"gridtide-{VERSION}.dist-info/licenses/LICENSE" in names
    assert {name.split("/")[0] for name in names} == {
        "gridtide",
        f"gridtide-{VERSION}.dist-info",
    }
    in_tree = {p.relative_to(SDK).as_posix() for p in (SDK / "gridtide").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == in_tree


def test_it_imports_with_nothing_of_the_service_there(scripts: Path) -> None:
    code = f"""if True:
        import importlib.util, sys
        import gridtide
        assert "httpx" not in sys.modules
        there = [n for n in {FOREIGN + OURS!r} if importlib.util.find_spec(n)]
        assert there == [], there
        for name in gridtide.__all__:
            getattr(gridtide, name)
        assert "httpx" not in sys.modules
        from datetime import UTC, datetime, timedelta
        from gridtide.windows import best_window
        series = gridtide.Series.regular("DE", gridtide.Signal.CI_LIFECYCLE_CONSUMED,
            datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=1), [5, 3, 1, 2, 9])
        assert best_window(series, timedelta(hours=2)).mean == 1.5
        try:
            gridtide.best_window("DE", hours=4)
        except gridtide.NoService as error:
            assert "GRIDTIDE_URL" in str(error) and "gridtide[service]" in str(error)
        else:
            raise SystemExit("answered without a service")
        assert "httpx" in sys.modules
    """
    run(scripts / "python", "-W", "error", "-c", code)


def test_the_script_without_its_extra_says_how_to_get_it(scripts: Path) -> None:
    missing = run(scripts / "gridtide", "now", "DE", code=1)
    assert missing.stderr.count("\n") == 1
    assert "gridtide[cli]" in missing.stderr


def test_the_script_runs_and_says_what_is_missing(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=True, clear=True)
    scripts = tmp_path / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run(
        [scripts / "python", "-m", "pip", "install", "--quiet", f"{wheel}[cli]"],
        check=True,
        cwd=tmp_path,
    )
    assert run(scripts / "gridtide", "--version").stdout == f"gridtide {VERSION}\n"
    assert "best-window" in run(scripts / "gridtide", "--help").stdout
    missing = run(scripts / "gridtide", "refresh", code=1)
    assert "comes with the service" in missing.stderr
    assert missing.stdout == ""
    asked = run(scripts / "gridtide", "best-window", "DE", "--hours", "4", "--json", code=1)
    assert "set GRIDTIDE_URL" in asked.stderr
    assert asked.stdout == ""
