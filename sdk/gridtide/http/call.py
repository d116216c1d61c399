"""One request to the service, and the reader of its response."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gridtide.errors import BadInput
from gridtide.http.query import Query

T_co = TypeVar("T_co", covariant=True)

Json = Mapping[str, Any]

# Servers and clients take addresses up to 64 KB, in which a character may become three.
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One request and the reader of its response.

    Attributes:
        path: below the service's address.
        params: of the query, in order.
        read: turns the response's JSON into a value.
        body: JSON; with one the call is a POST, which changes nothing at the service either.
        charted: whether the response is chosen by a forecast, which a chart of it shows.

    Raises:
        BadInput: the address becomes too long.
    """

    path: str
    params: Query
    read: Callable[[Json], T_co]
    body: bytes | None = None
    charted: bool = False

    @property
    def method(self) -> str:
        """The method of HTTP."""
        return "GET" if self.body is None else "POST"

    def __post_init__(self) -> None:
        length = len(self.path) + sum(len(name) + len(value) for name, value in self.params)
        if length > LONGEST:
            raise BadInput(
                f"the question is too long ({length} characters, at most {LONGEST}); "
                "name fewer regions, and ask in parts"
            )


def encode(body: Json) -> bytes:
    """Encode the JSON of a request body.

    Raises:
        BadInput: NaN or infinity in it, or a value that JSON cannot hold.
    """
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise BadInput(
            f"the question cannot be written as JSON ({error}); numbers must be finite, and "
            "what is unknown is None"
        ) from error
