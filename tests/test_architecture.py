"""Which way imports point, and the other rules a reader of one file cannot see."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SDK = ROOT / "sdk/gridtide"
STORE = ROOT / "pipelines/gridtide_store"
PIPELINES = ROOT / "pipelines/gridtide_pipelines"
SERVER = ROOT / "server/gridtide_server"
PACKAGES = (SDK, STORE, PIPELINES, SERVER)
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))

# Package to those of ours it may import, itself aside.
ARROWS = {
    "gridtide": set(),
    "gridtide_store": {"gridtide"},
    "gridtide_pipelines": {"gridtide", "gridtide_store"},
    "gridtide_server": {"gridtide", "gridtide_store"},
}
# Libraries with one place each, so that a change of library is a change of few files.
PLACES = {
    "httpx": {
        "sdk/gridtide/http/session.py",
        "sdk/gridtide/http/deadline.py",
        "sdk/gridtide/client.py",
        "sdk/gridtide/local.py",
        "sdk/gridtide/http/transport.py",
        "pipelines/gridtide_pipelines/ingest/fetch.py",
        "pipelines/gridtide_pipelines/ingest/limits.py",
        "pipelines/gridtide_pipelines/ingest/credentials.py",
    },
    "prophet": {"pipelines/gridtide_pipelines/forecast/models/prophet.py"},
    "pandas": {
        "pipelines/gridtide_pipelines/forecast/models/prophet.py",
        "sdk/gridtide/schema/frames.py",
        "sdk/gridtide/schema/result.py",
    },
}
# Not dependencies: they came in through others, or would cost more than they give.
NEVER = {"pyarrow", "pytz", "requests", "urllib3", "aiohttp", "httpx2"}
LONGEST = 300
# Modules of up to 400 lines, each with its reason.
LONGER = {
    "pipelines/gridtide_store/ledger.py": "one SQLite file, one method for each query",
    "sdk/gridtide/calls.py": "the one table of calls; most of it is signatures",
    "sdk/gridtide/schema/decode.py": "one walk of a definition: every type is decoded here",
    "pipelines/gridtide_pipelines/ingest/sources/ieso.py": "eight reports, a reader for each",
    "server/gridtide_server/queue.py": "queue, time slices and budgets are one mechanism",
    "sdk/gridtide/planning/solvers/uneven_grid.py": "one search, beside its states and paths",
    "sdk/gridtide/planning/batch/programme.py": "the rows of one programme, job by job",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache  # every rule reads every module
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def imported(path: Path, *, types: bool = True) -> frozenset[str]:
    """Top-level names of every import of a module, inside functions too.

    Without `types`, those under ``if TYPE_CHECKING:`` are left out: they never run.
    """
    found = set()
    statements = [each for each in tree(path).body if types or not typing_only(each)]
    for node in (node for each in statements for node in ast.walk(each)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: a relative import hides its arrow"
            found.add((node.module or "").partition(".")[0])
        elif (
            isinstance(node, ast.Call)
            and dotted(node.func) in ("importlib.import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            found.add(str(node.args[0].value).partition(".")[0])
    return frozenset(found)


def typing_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and dotted(node.test) == "TYPE_CHECKING"


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of an attribute chain; empty where it is something else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


@cache
def said(path: Path) -> frozenset[str]:
    """Every name and every chain of attributes in a module."""
    nodes = list(ast.walk(tree(path)))
    return frozenset(dotted(node) for node in nodes if isinstance(node, ast.Attribute)) | {
        node.id for node in nodes if isinstance(node, ast.Name)
    }


def mentions(path: Path, *chains: str) -> set[str]:
    """Those of `chains` that a module says; ``datetime.now`` also finds ``dt.datetime.now``."""
    found = said(path)
    return {chain for chain in chains for each in found if f".{each}".endswith(f".{chain}")}


def owner(path: Path) -> str:
    return next(package.name for package in PACKAGES if path.is_relative_to(package))


def test_the_readers_below_find_what_they_look_for(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "import a.b\nfrom c.d import e\nif TYPE_CHECKING:\n    import t\n"
        "def f():\n    import importlib, g\n    importlib.import_module('h.i')\n"
        "    return a.datetime.now(), g.environ\n"
    )
    assert imported(path) == {"a", "c", "g", "h", "importlib", "t"}
    assert imported(path, types=False) == {"a", "c", "g", "h", "importlib"}
    assert mentions(path, "datetime.now", "time.time", "environ") == {"datetime.now"} | {
        "environ"
    }


def test_imports_point_one_way_only() -> None:
    wrong = {
        f"{name(path)} imports {other}"
        for path in MODULES
        for other in imported(path) & set(ARROWS) - ARROWS[owner(path)] - {owner(path)}
    }
    assert wrong == set()


def test_the_sdk_needs_the_standard_library_httpx_and_msgspec_alone() -> None:
    foreign = {
        f"{name(path)} imports {other}"
        for path in SDK.rglob("*.py")
        for other in imported(path, types=False) - sys.stdlib_module_names
        if other not in ("gridtide", "httpx", "msgspec")
    }
    # The extra `cli`, in its folder alone.
    foreign -= {
        f"{name(path)} imports {other}"
        for path in (SDK / "cli").rglob("*.py")
        for other in ("typer", "rich")
    }
    # What httpx itself stands on; the extras `frames`, `pandas` and `lp`, each loaded only when
    # a frame is made or a programme is solved.
    assert foreign <= {
        "sdk/gridtide/http/deadline.py imports httpcore",
        "sdk/gridtide/schema/frames.py imports pandas",
        "sdk/gridtide/schema/frames.py imports polars",
        "sdk/gridtide/planning/solvers/highs.py imports scipy",
    }
    project = tomllib.loads((ROOT / "sdk/pyproject.toml").read_text())["project"]
    names = [re.split(r"[<>=~]", each)[0] for each in project["dependencies"]]
    assert names == ["httpx", "msgspec"]


# Layers of planning: each imports from those before it, and from itself.
PLANNING = ("problem", "solvers", "decide", "planner", "replanner", "batch")


def layer(module: str) -> str:
    """The layer of a module of planning; empty where it is none, as of its errors."""
    parts = module.removeprefix("gridtide.planning.").split(".")
    return parts[0] if module.startswith("gridtide.planning.") and parts[0] in PLANNING else ""


def test_the_layers_of_planning_point_one_way() -> None:
    wrong = set()
    for path in sorted((SDK / "planning").rglob("*.py")):
        own = layer(path.relative_to(ROOT / "sdk").with_suffix("").as_posix().replace("/", "."))
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module:
                # `from gridtide.planning import solvers` names the layer after `import`.
                for full in (f"{node.module}.{alias.name}" for alias in node.names):
                    other = layer(full)
                    if own and other and PLANNING.index(other) > PLANNING.index(own):
                        wrong.add(f"{name(path)} imports {other}")
    assert wrong == set()


@pytest.mark.parametrize("library", PLACES)
def test_a_library_with_a_place_is_imported_there_only(library: str) -> None:
    users = {name(path) for path in MODULES if library in imported(path)}
    assert users <= PLACES[library]


def test_what_is_no_dependency_is_not_imported() -> None:
    users = {name(path): found for path in MODULES if (found := imported(path) & NEVER)}
    assert users == {}


def test_every_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {
        re.split(r"[\[<>=~]", each)[0].replace("-", "_") for each in project["dependencies"]
    }
    sdk = tomllib.loads((ROOT / "sdk/pyproject.toml").read_text())["project"]
    assert "gridtide[cli]" in project["dependencies"][0]
    declared |= {re.split(r"[<>=~]", each)[0] for each in sdk["optional-dependencies"]["cli"]}
    # uvicorn and fastapi bring it, and its names are in our signatures.
    declared |= {"starlette", "httpx", "httptools", *ARROWS}
    wrong = {
        f"{name(path)} imports {other}"
        for path in MODULES
        for other in imported(path) - sys.stdlib_module_names - declared
        if other != "pandas"  # Prophet's own, see PLACES
    }
    assert wrong == set()


def test_every_declared_dependency_is_imported() -> None:
    projects = [
        tomllib.loads((ROOT / path).read_text())["project"]
        for path in ("pyproject.toml", "sdk/pyproject.toml")
    ]
    declared = {
        re.split(r"[\[<>=~;]", each)[0].replace("-", "_")
        for project in projects
        for each in project["dependencies"]
    }
    # zoneinfo reads tzdata where the system has no time zones, without an import of ours.
    assert declared - set().union(*map(imported, MODULES)) - {"tzdata"} == set()


def test_the_environment_is_read_in_main_and_by_the_sdk_s_shortcuts_only() -> None:
    readers = {name(path) for path in MODULES if mentions(path, "environ", "os.getenv")}
    by_attribute = {
        each
        for each in readers
        if mentions(ROOT / each, "os.environ", "os.environb", "os.getenv")
    }
    assert by_attribute <= ENVIRONMENT


ENVIRONMENT = {
    "sdk/gridtide/__main__.py",
    "sdk/gridtide/cli/script.py",
    "sdk/gridtide/client.py",
    "sdk/gridtide/shortcuts.py",
}


def test_the_real_clock_is_read_in_one_place() -> None:
    readers = {
        name(path): said
        for path in MODULES
        if (
            said := mentions(path, "datetime.now", "datetime.utcnow", "date.today", "time.time")
        )
    }
    assert set(readers) <= {"sdk/gridtide/clock.py"}


def test_a_source_never_reaches_for_network_disk_clock_or_environment() -> None:
    forbidden = {"httpx", "urllib", "socket", "http", "os", "time", "pathlib", "random"}
    forbidden |= {"duckdb", "sqlite3", "subprocess", "logging"}
    sources = sorted((PIPELINES / "ingest/sources").glob("*.py"))
    assert len(sources) > 1
    wrong = {
        name(path): found
        for path in sources
        if (found := (imported(path) & forbidden) | mentions(path, "open"))
    }
    assert wrong == {}


def test_a_forecaster_never_reaches_for_network_store_or_clock() -> None:
    forbidden = {"httpx", "urllib", "socket", "time", "duckdb", "sqlite3", "gridtide_store"}
    models = sorted((PIPELINES / "forecast/models").glob("*.py"))
    assert len(models) > 1
    wrong = {name(path): found for path in models if (found := imported(path) & forbidden)}
    assert wrong == {}


def test_only_the_store_s_package_speaks_sql() -> None:
    statement = re.compile(
        r"\b(SELECT\b.+\bFROM|INSERT\s+(OR\s+\w+\s+)?INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET"
        r"|CREATE\s+(TABLE|VIEW|INDEX)|ATTACH\s+')",
        re.DOTALL,
    )
    wrong = {
        f"{name(path)}:{node.lineno}"
        for path in MODULES
        if owner(path) != "gridtide_store"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and statement.search(node.value)
    }
    users = {
        name(path)
        for path in MODULES
        if owner(path) != "gridtide_store" and imported(path) & {"duckdb", "sqlite3"}
    }
    assert wrong | users == set()


def test_libraries_print_nothing_and_configure_no_logging() -> None:
    wrong = {
        name(path): said
        for path in MODULES
        if (said := mentions(path, "print", "logging.basicConfig", "logging.disable"))
    }
    # The second has answers printed by Rich, to the stream it is given.
    assert set(wrong) <= {
        "pipelines/gridtide_store/logs.py",
        "sdk/gridtide/cli/terminal.py",
    }


def test_no_module_of_ours_is_longer_than_300_lines() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in MODULES}
    longer = {each: lines for each, lines in lengths.items() if lines > LONGEST}
    assert set(longer) == set(LONGER)  # none without a reason, no reason without a module
    assert max(longer.values()) <= 400
    assert len(lengths) > 20


def test_every_module_of_ours_says_what_it_is() -> None:
    silent = [
        name(path)
        for path in MODULES
        if path.read_text().strip() and ast.get_docstring(tree(path)) is None
    ]
    assert silent == []


def test_every_package_is_typed() -> None:
    assert [each.name for each in PACKAGES if not (each / "py.typed").is_file()] == []


ALONE = """
import pkgutil, sys
from datetime import UTC, datetime, timedelta
from importlib import import_module

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is not installed here", name=name)

sys.meta_path.insert(0, Missing())
import gridtide
assert not {{"httpx", "msgspec"}} & {{*sys.modules}}, "loaded before they are used"
for module in pkgutil.walk_packages(gridtide.__path__, "gridtide."):
    if module.name != "gridtide.__main__":
        import_module(module.name)
from gridtide.model import Series, Signal
from gridtide.windows import best_window
start = datetime(2026, 3, 1, tzinfo=UTC)
values = [300.0, 200.0, 100.0, 400.0]
series = Series.regular(
    "DE", Signal.CI_LIFECYCLE_CONSUMED, start, timedelta(hours=1), values
)
window = best_window(series, timedelta(hours=2))
sys.stdout.write(f"{{window.start:%H}} {{window.mean}} {{window.end:%H}}")
"""


def test_the_sdk_decides_offline_with_nothing_of_the_service_installed() -> None:
    blocked = {
        *("duckdb", "polars", "numpy", "pandas", "fastapi", "starlette", "pydantic"),
        *("prophet", "msgspec", "uvicorn", "stamina", "tqdm"),
        *("gridtide_store", "gridtide_pipelines", "gridtide_server"),
    }
    alone = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE.format(blocked=blocked)],
        text=True,
        capture_output=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / "sdk")},
    )
    # By hand: (200 + 100) / 2 over 01:00 to 03:00.
    assert (alone.stdout, alone.stderr) == ("01 150.0 03", "")
