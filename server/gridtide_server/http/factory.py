"""What ``gridtide serve`` gives uvicorn in place of its protocol class."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from gridtide_server.http.connections import Connections
from gridtide_server.http.limits import Limits, most_connections, raise_descriptor_limit
from gridtide_server.http.protocol import BoundedProtocol


class BoundedHttp:
    """Makes the protocol of each connection; can be sent to another process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._connections: Connections | None = None

    def __call__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> BoundedProtocol:
        """The protocol of a new connection; all of one process share one table."""
        if self._connections is None:
            most = most_connections(self._limits, raise_descriptor_limit())
            self._connections = Connections(self._limits, most, _loop)
        return BoundedProtocol(config, server_state, app_state, _loop, self._connections)
