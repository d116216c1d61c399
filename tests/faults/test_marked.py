"""The suite is found by its marker, and is not part of the quick run."""

from __future__ import annotations

import pytest


def test_what_lies_here_is_marked_and_slow(request: pytest.FixtureRequest) -> None:
    names = {mark.name for mark in request.node.iter_markers()}
    assert {"faults", "slow"} <= names
