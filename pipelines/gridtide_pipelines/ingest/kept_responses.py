"""Responses kept until they expire, and requested anew only if they were modified since.

For publishers whose terms ask for it (`Source.cached`): as a private HTTP cache (RFC 9111) that
knows the headers Expires and Last-Modified. A file a request, below the data directory, so that
the next process knows it too.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from gridtide.errors import BadInput
from gridtide.model import format_time, parse_time
from gridtide_pipelines.ingest.access import url_of
from gridtide_pipelines.ingest.headers import SIMULATED, read_date
from gridtide_pipelines.ingest.source import Request, Response, Source
from gridtide_store.data_directory import DataDirectory
from gridtide_store.settings import Settings

NOT_MODIFIED: Final = 304
# A publisher that says more is not believed: forecasts are out of date by then.
MOST: Final = timedelta(days=1)
HEADERS: Final = ("last-modified", SIMULATED)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A response with its time, and until when it is not requested again."""

    response: Response
    at: datetime
    until: datetime


class KeptResponses:
    """Answers requests from what is kept, else by sending them."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        """Name the folder; it is made when the first response is kept."""
        self._settings, self._now = settings, now
        self._home = DataDirectory(settings.home)

    def respond(
        self, source: Source, request: Request, send: Callable[[Source, Request], Response]
    ) -> Response:
        """Return the kept response if it has not expired or was not modified, else a new one.

        Raises:
            SourceError: as `send`.
        """
        path, now = self._path(source, request), self._now()
        kept = _read(path)
        if kept and kept.at <= now < kept.until:
            return kept.response
        since = kept.response.headers.get("last-modified") if kept and kept.at <= now else None
        if since:
            more = (*request.headers, ("If-Modified-Since", since))
            response = send(source, replace(request, headers=more))
        else:
            response = send(source, request)
        if response.status == NOT_MODIFIED and kept and since:
            self._keep(path, kept.response, response, now)
            return kept.response
        self._keep(path, response, response, now)
        return response

    def _path(self, source: Source, request: Request) -> Path:
        whole = f"{url_of(source, request, self._settings)} {request.address}"
        name = hashlib.sha256(whole.encode()).hexdigest()[:32]
        return self._home.kept / source.name / f"{name}.gz"

    def _keep(self, path: Path, response: Response, newest: Response, now: datetime) -> None:
        """Write a response, if headers say until when it holds, or when it was modified."""
        expires = read_date(newest.headers.get("expires", ""))
        until = min(expires, now + MOST) if expires else now
        headers = {
            name: value
            for name in HEADERS
            for value in [newest.headers.get(name) or response.headers.get(name)]
            if value
        }
        if response.status == NOT_MODIFIED or not (expires or "last-modified" in headers):
            return
        if not self._home.root.is_dir():
            return  # nothing is stored here: a check of the sources
        head = {"at": format_time(now), "until": format_time(until), "headers": headers}
        # Not durably: one that is lost is requested again, and what it is needed for goes on.
        content = json.dumps(head).encode() + b"\n" + response.content
        partial = path.with_suffix(".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(gzip.compress(content, mtime=0))
            partial.replace(path)
        except OSError as error:
            log.warning("%s cannot be kept until it expires: %s", path.name, error)


def _read(path: Path) -> Kept | None:
    """Return what is kept; None where there is nothing, or it cannot be read."""
    with suppress(OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, BadInput):
        head, _, content = gzip.decompress(path.read_bytes()).partition(b"\n")
        said = json.loads(head)
        return Kept(
            Response(content, headers=said["headers"]),
            parse_time(said["at"], name="at"),
            parse_time(said["until"], name="until"),
        )
    return None
