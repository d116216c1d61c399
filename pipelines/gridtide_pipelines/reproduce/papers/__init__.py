"""Published results computed again: one paper a module, each with its ``REPRODUCTION``."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from gridtide_pipelines.reproduce.figures import Reproduction, find_reproductions


def reproductions() -> Mapping[str, Reproduction]:
    """Return every paper, by name."""
    return find_reproductions(sys.modules[__name__])
