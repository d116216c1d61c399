"""The calls as functions: ``gridtide.best_window("DE", hours=4)``.

Each call reads the environment anew: GRIDTIDE_URL, else the service installed here. The client
of one call is kept for the next call that leads to the same destination.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from gridtide import calls
from gridtide.client import Client
from gridtide.http.call import Call, function
from gridtide.http.destination import Destination

P = ParamSpec("P")
T = TypeVar("T")


class _Clients:
    """One client for each destination."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By process, too: a fork has none of its parent's threads, so none of its services.
        self._clients: dict[tuple[int, Destination], Client] = {}

    def current(self) -> Client:
        """Return the client for the environment as it is now."""
        key = os.getpid(), Destination.choose(os.environ)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = Client()
            return self._clients[key]

    def forget(self) -> None:
        """Begin anew in a fork: a lock that another thread held is never given back here."""
        self._lock = threading.Lock()
        self._before = self._clients  # kept, so that nothing of the parent's is closed here
        self._clients = {}

    def close(self) -> None:
        """Close every client; the next call opens one anew."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


_clients = _Clients()
atexit.register(_clients.close)
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_clients.forget)


def _shortcut(prepare: Callable[P, Call[T]]) -> Callable[P, T]:
    return function(prepare, _clients.current, __name__)


zones = _shortcut(calls.zones)
sources = _shortcut(calls.sources)
intensity = _shortcut(calls.intensity)
forecast = _shortcut(calls.forecast)
price = _shortcut(calls.price)
quality = _shortcut(calls.quality)
best_window = _shortcut(calls.best_window)
best_region = _shortcut(calls.best_region)
plan = _shortcut(calls.plan)
replan = _shortcut(calls.replan)
schedule = _shortcut(calls.schedule)
footprint = _shortcut(calls.footprint)
batch = _shortcut(calls.batch)
