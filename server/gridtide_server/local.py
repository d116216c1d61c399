"""The service inside another process, by the SDK's entry point ``gridtide.local``."""

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
# Seconds in the queue; within one process the caller's own time limit ends the wait.
PATIENCE = 600.0
# Calls in the queue; other clients that would have to wait do not exist.
WAITING = 10_000


def application(environ: Mapping[str, str]) -> ASGIApp:
    """Create the application for the data directory in `environ`, which need not exist yet.

    Raises:
        BadInput: a setting that cannot be decoded.
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
        Reader(DataDirectory(settings.home, settings.resources)),
        Clock(settings.now),
    )
