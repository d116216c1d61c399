"""The simulated publishers: one source a module of its name, each with its ``PUBLISHER``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from gridtide_pipelines.ingest.source import Source
from gridtide_pipelines.replay.publisher import Publisher, plain_publisher


def publishers(sources: Mapping[str, Source]) -> Mapping[str, Publisher]:
    """Return how each of `sources` is played, by name; one without a module is not simulated.

    There is no list to edit.
    """
    modules = {each.name for each in pkgutil.iter_modules(__path__)} & sources.keys()
    known: dict[str, Publisher] = {
        name: importlib.import_module(f"{__name__}.{name}").PUBLISHER for name in modules
    }
    return {
        name: known.get(name) or plain_publisher(source) for name, source in sources.items()
    }
