"""The questions as functions: ``gridtide.best_window("DE", hours=4)``.

Each call looks at the environment anew: GRIDTIDE_URL, else the service installed here. What
answered once is kept for the next call that leads to the same place.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TypeVar

from gridtide.calls import Call
from gridtide.client import Client
from gridtide.http.destination import Destination
from gridtide.questions import Questions

T = TypeVar("T")


class _Shortcuts(Questions):
    """Asks by a client for the environment as it is now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By process, too: a fork has none of its parent's threads, so none of its services.
        self._clients: dict[tuple[int, Destination], Client] = {}

    def ask(self, call: Call[T]) -> T:
        return self.client().ask(call)

    def client(self) -> Client:
        """The one client for the environment as it is now."""
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
        """Close every client; the next question opens one anew."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


_shortcuts = _Shortcuts()
atexit.register(_shortcuts.close)
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_shortcuts.forget)

zones = _shortcuts.zones
intensity = _shortcuts.intensity
forecast = _shortcuts.forecast
best_window = _shortcuts.best_window
best_region = _shortcuts.best_region
plan = _shortcuts.plan
replan = _shortcuts.replan
schedule = _shortcuts.schedule
footprint = _shortcuts.footprint
batch = _shortcuts.batch
