"""Find the sources among the modules of a package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType

from gridtide_pipelines.ingest.source import Source


def find_sources(package: ModuleType) -> Mapping[str, Source]:
    """Return every ``SOURCE`` in the modules of `package`, by name.

    There is no list to edit.
    """
    modules = (
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    )
    sources = [module.SOURCE for module in modules if hasattr(module, "SOURCE")]
    return {source.name: source for source in sorted(sources, key=lambda s: s.name)}
