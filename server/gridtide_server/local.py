"""The service inside another process: the SDK's entry point ``gridtide.local``."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.types import ASGIApp

from gridtide.clock import Clock
from gridtide_server.app import ServerSettings, create_app
from gridtide_server.queue import WorkLimits
from gridtide_server.reader import Reader
from gridtide_store.data_directory import DataDirectory
from gridtide_store.settings import Settings

log = logging.getLogger(__name__)
# Within one process the caller's own time limit says how long to wait for a turn.
PATIENCE = 600.0
# Nor are there others who would have to wait for what one caller asks at once.
WAITING = 10_000


def application(environ: Mapping[str, str]) -> ASGIApp:
    """The application over the home that `environ` names, which need not exist yet.

    Raises:
        BadInput: a setting that cannot be read.
    """
    settings = Settings.from_env(environ)
    for remark in settings.unknown:
        log.warning(remark)
    return create_app(
        ServerSettings(
            cors=False,
            max_age=settings.max_age,
            work_limits=WorkLimits(patience=PATIENCE, waiting=WAITING),
        ),
        Reader(DataDirectory(settings.home)),
        Clock(settings.now),
    )
