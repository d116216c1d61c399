"""A lost ledger does not let real rows into simulated data, nor simulated ones into real."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from gridtide.cli import script
from gridtide_store.data_directory import DataDirectory
from gridtide_store.pointer import current_snapshot
from gridtide_store.snapshot import Snapshot
from gridtide_store.store import Store
from tests.faults.test_full_disk import import_words, mix

pytestmark = [pytest.mark.faults, pytest.mark.slow]

# Nothing listens there: a refresh that got so far would take nothing.
NOWHERE = "http://127.0.0.1:9"
SIMULATED = ("refresh", "--simulate", "--zone", "DE", "--model", "naive")


def gridtide(root: Path, moment: datetime, *words: str) -> int:
    environ = {
        "GRIDTIDE_HOME": str(root),
        "GRIDTIDE_NOW": moment.isoformat(),
        "GRIDTIDE_WORKERS": "1",
        "GRIDTIDE_UK_CARBON_INTENSITY_URL": NOWHERE,
    }
    return script.main(list(words), environ)


def lose_ledger(root: Path) -> None:
    found = list(root.glob("ledger.sqlite*"))
    assert found
    for path in found:
        path.unlink()


def publishers(root: Path) -> dict[str, bool]:
    with Store.open(DataDirectory(root)) as store:
        return store.publishers()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published home of the simulated grid, its ledger lost."""
    root = tmp_path_factory.mktemp("lost-ledger") / "simulated"
    assert gridtide(root, datetime.fromisoformat("2026-03-02T12:00Z"), *SIMULATED) == 0
    lose_ledger(root)
    return root


@pytest.mark.parametrize("what", ["import", "refresh"])
@pytest.mark.parametrize("published", [True, False])
def test_real_rows_do_not_get_into_simulated_data(
    simulated: Path,
    what: str,
    published: bool,  # noqa: FBT001  # a parameter of the test
    tmp_path: Path,
    moment: datetime,
    capfd: pytest.CaptureFixture[str],
) -> None:
    root = shutil.copytree(simulated, tmp_path / "home")
    if not published:  # so that only the store can tell
        shutil.rmtree(root / "snapshots")
        (root / "CURRENT").unlink()
    before = publishers(root)
    assert before == {"simulated": True}
    real = import_words(mix(tmp_path / "real.csv", moment, 48))
    words = real if what == "import" else ("refresh", "--zone", "GB")
    assert gridtide(root, moment, *words) == 2
    assert "holds simulated rows (from simulated)" in capfd.readouterr().err
    assert publishers(root) == before
    assert gridtide(root, moment, "publish") == 0
    folder = current_snapshot(DataDirectory(root))
    assert folder is not None
    with Snapshot.open(folder) as snapshot:
        assert all(info.simulated for info in snapshot.series)


def test_simulated_rows_do_not_get_into_real_data(
    tmp_path: Path, moment: datetime, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "home"
    assert gridtide(root, moment, *import_words(mix(tmp_path / "real.csv", moment, 48))) == 0
    lose_ledger(root)
    before = publishers(root)
    assert before
    assert not any(before.values())
    assert gridtide(root, moment, *SIMULATED) == 2
    said = capfd.readouterr().err
    assert f"holds real rows (from {', '.join(sorted(before))})" in said
    assert publishers(root) == before
