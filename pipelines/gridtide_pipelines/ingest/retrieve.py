"""Send the requests of one group and those that follow them; nothing is archived here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gridtide_pipelines.errors import SourceChanged, SourceError
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.limits import ENDLESS, GroupWatch, Watch
from gridtide_pipelines.ingest.source import Body, Group, Request, Response, Source


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What the requests of a group brought: bodies not archived yet, and how it failed."""

    bodies: Sequence[Body]
    error: SourceError | None = None

    def close(self) -> None:
        """Delete the files of large bodies."""
        for body in self.bodies:
            if body.large:
                body.large.close()


def retrieve(
    source: Source, group: Group, fetch: Fetch, now: Callable[[], datetime], watch: Watch
) -> Retrieved:
    """Return the bodies of a group, in the order requested; with an error those before it.

    Their `retrieval_id` is 0 until they are archived.
    """
    bodies: list[Body] = []
    try:
        limits = GroupWatch(watch)
        requested: set[Request] = set()
        requests, page = group, 0
        while requests:
            page += 1
            for request in requests:
                if request in requested:
                    raise SourceChanged(
                        source.name, f"{request.path} follows itself; {ENDLESS}"
                    )
                requested.add(request)
                response = fetch(source, request)
                limits.page(page, response.size)
                repeated = page > 1 and _repeats(request, response, bodies)
                bodies.append(
                    Body(
                        request,
                        response.content,
                        now(),
                        0,
                        response.status,
                        response.headers,
                        response.large,
                    )
                )
                if repeated:
                    raise SourceChanged(source.name, f"page {page} repeats another; {ENDLESS}")
            requests = source.following(tuple(bodies)) if source.following else ()
    except SourceError as error:
        return Retrieved(bodies, error)
    return Retrieved(bodies)


def _repeats(request: Request, response: Response, bodies: Sequence[Body]) -> bool:
    """Say whether a page has the content of another page at the same path.

    A large body is not checked: its source says in its parts what it holds.
    """
    return response.large is None and any(
        body.content == response.content
        and (body.request.host, body.request.path) == (request.host, request.path)
        for body in bodies
    )
