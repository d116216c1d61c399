"""When a host of a publisher may be sent the next request."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from gridtide_pipelines.errors import SourceUnavailable
from gridtide_pipelines.ingest.access import base_name
from gridtide_pipelines.ingest.source import Request, Source
from gridtide_pipelines.ingest.statuses import only_zone


class Pace:
    """Keeps the intervals between requests to each host, for all threads of a run."""

    def __init__(
        self, most: float, *, sleep: Callable[[float], None], monotonic: Callable[[], float]
    ) -> None:
        """Begin without a request to any host.

        Args:
            most: seconds that a request waits at most.
        """
        self._most, self._sleep, self._monotonic = most, sleep, monotonic
        self._next, self._lock = dict[str, float](), Lock()

    def wait(self, source: Source, request: Request) -> None:
        """Wait until a host may be sent a request: its interval, or its own wait, is over.

        Raises:
            SourceUnavailable: that takes longer than a request may wait.
        """
        name = base_name(source, request.host)
        with self._lock:
            now = self._monotonic()
            at = max(self._next.get(name, now), now)
            if at - now > self._most:
                raise SourceUnavailable(
                    source.name,
                    f"the publisher requests to wait {at - now:.0f} s more; the next refresh "
                    "tries again",
                    zone=only_zone(request),
                )
            self._next[name] = at + source.interval(request.host).total_seconds()
        if at > now:
            self._sleep(at - now)

    def hold(self, source: Source, host: str, seconds: float) -> None:
        """Let no thread send a request to a host before the publisher's own wait is over."""
        name = base_name(source, host)
        with self._lock:
            self._next[name] = max(self._next[name], self._monotonic() + seconds)

    def free(self, source: Source, host: str) -> None:
        """Let the next request to a host go at once: a replay needs no pace."""
        with self._lock:
            self._next[base_name(source, host)] = 0.0
