"""The sources: one publisher a module, each with its ``SOURCE``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache

from gridtide_pipelines.ingest.source import Source, find_sources


@cache
def sources() -> Mapping[str, Source]:
    """Return every source, by name."""
    return find_sources(sys.modules[__name__])
