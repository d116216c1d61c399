"""What the status of an unsuccessful response means, and whether to try again. Pure."""

from __future__ import annotations

from gridtide_pipelines.errors import NothingYet, SourceChanged, SourceRefused
from gridtide_pipelines.ingest.parsing import says_nothing_yet
from gridtide_pipelines.ingest.source import Request, Source

UNAUTHORIZED = 401
REFUSED = (UNAUTHORIZED, 403)
# Statuses with which some publishers say that they have no data for the requested time.
NO_DATA = frozenset({400, 404})
TOO_MANY = 429
PASSING = (408, TOO_MANY)  # and all from 500 on


class Again(Exception):
    """The request may succeed at another try, after `wait` seconds if the publisher says so.

    Attributes:
        too_many: whether the wait is for all requests to the host, which were too many.
        unreached: whether no connection was made, so that the host got no request.
    """

    def __init__(
        self,
        message: str,
        wait: float | None = None,
        *,
        too_many: bool = False,
        unreached: bool = False,
    ) -> None:
        super().__init__(message)
        self.wait, self.too_many, self.unreached = wait, too_many, unreached


class Unauthorized(SourceRefused):
    """401: the token of a login may have expired."""


def refusal(
    source: Source,
    request: Request,
    status: int,
    content: bytes,
    *,
    wait: float | None,
    secret: bool,
) -> Exception:
    """Return the error for an unsuccessful response, with what the publisher says.

    Args:
        wait: the seconds that the publisher wants a client to wait, if it says so.
        secret: whether credentials were sent: they might be repeated in many spellings, so
            what the publisher says is left out.
    """
    text = f"HTTP {status} at {request.path}"
    said = " ".join(content.decode("utf-8", "replace").split())
    if status in source.not_published or (status in NO_DATA and says_nothing_yet(said)):
        return NothingYet(source.name, f"{text}: the publisher has no data for this time")
    if said and not secret:
        text += f" ({said[:200]})"
    if status in PASSING or status >= 500:  # server errors
        return Again(text, wait, too_many=status == TOO_MANY)
    if status in REFUSED:
        names = " and ".join(source.credentials.variables) if source.credentials else ""
        error = Unauthorized if status == UNAUTHORIZED else SourceRefused
        remedy = f"check {names or 'the licence and limits'}"
        return error(source.name, f"{text}; {remedy}", zone=only_zone(request))
    remedy = "the address or its meaning has changed, the source needs a look"
    return SourceChanged(source.name, f"{text}; {remedy}", zone=only_zone(request))


def only_zone(request: Request) -> str | None:
    """Return the zone of a request, None where it is for several."""
    return request.zones[0] if len(request.zones) == 1 else None
