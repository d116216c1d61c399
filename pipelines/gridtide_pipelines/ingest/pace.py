"""When a host of a publisher may be sent the next request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

from gridtide_pipelines.errors import SourceUnavailable
from gridtide_pipelines.ingest.access import base_url_of
from gridtide_pipelines.ingest.source import Request, Source
from gridtide_pipelines.ingest.statuses import only_zone
from gridtide_store.settings import Settings

LOOK_AGAIN: Final = 1.0  # seconds, whether a moved host turned out to be a replay


@dataclass(slots=True)
class _Host:
    """What is known of a host: seconds of the monotonic clock, and its largest interval."""

    interval: float = 0.0
    sent: float | None = None
    held: float = 0.0
    replayed: bool = False

    def next(self, now: float) -> float:
        """Return when it may be sent a request."""
        after = now if self.sent is None or self.replayed else self.sent + self.interval
        return max(now, after, self.held)


class Pace:
    """Keeps the intervals between requests to each host, for all threads of a run.

    A host is what the URL says: sources, or names of hosts of one, that lead to the same share
    its interval, which is the largest that any of them has. Where settings move them to another
    one, a replay say, those share it that shared one before.
    """

    def __init__(
        self,
        settings: Settings,
        most: float,
        *,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        """Begin without a request to any host.

        Args:
            settings: what moves base URLs.
            most: seconds that a request waits at most.
        """
        self._settings, self._most = settings, most
        self._sleep, self._monotonic = sleep, monotonic
        self._hosts, self._lock = dict[tuple[str, str], _Host](), Lock()

    def wait(self, source: Source, request: Request) -> None:
        """Wait until a host may be sent a request: its interval, or its own wait, is over.

        Raises:
            SourceUnavailable: that takes longer than a request may wait.
        """
        key = self._key(source, request.host)
        with self._lock:
            host = self._hosts.setdefault(key, _Host())
            interval = source.interval(request.host).total_seconds()
            host.interval = max(host.interval, interval)
            now = self._monotonic()
            at = host.next(now)
            if at - now > self._most:
                raise SourceUnavailable(
                    source.name,
                    f"the publisher requests to wait {at - now:.0f} s more; the next refresh "
                    "tries again",
                    zone=only_zone(request),
                )
            host.sent = at
        moved = len(set(key)) > 1
        while at > now and not (host.replayed and host.held <= now):
            seconds = min(at - now, LOOK_AGAIN) if moved else at - now
            self._sleep(seconds)
            now += seconds

    def hold(self, source: Source, name: str, seconds: float) -> None:
        """Let no thread send a request to a host before the publisher's own wait is over."""
        with self._lock:
            host = self._hosts[self._key(source, name)]
            host.held = max(host.held, self._monotonic() + seconds)

    def free(self, source: Source, name: str) -> None:
        """Let requests to a host go at once from now on: a replay needs no pace."""
        with self._lock:
            self._hosts[self._key(source, name)].replayed = True

    def _key(self, source: Source, name: str) -> tuple[str, str]:
        """Return the host of a source's own URL, and of the one that is used."""
        own = base_url_of(source, name)
        used = base_url_of(source, name, self._settings)
        return urlsplit(own).netloc, urlsplit(used).netloc
