"""What the package offers, and that it costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gridtide.planning

LEAN = """
import sys
import gridtide, gridtide.planning
loaded = [name for name in sys.modules if name.startswith("gridtide.planning.")]
assert loaded == [], loaded
from gridtide.planning import plan
for heavy in ("httpx", "numpy", "scipy", "polars"):
    assert heavy not in sys.modules, heavy
"""


def test_every_public_name_is_there() -> None:
    names = gridtide.planning.__all__
    assert all(getattr(gridtide.planning, name).__name__ == name for name in names)
    assert set(names) <= set(dir(gridtide.planning))
    with pytest.raises(AttributeError, match="has no attribute 'guess'"):
        _ = gridtide.planning.guess


def test_importing_loads_nothing_and_planning_needs_the_standard_library_alone() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", LEAN], check=True)
