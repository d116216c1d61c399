"""Whom to ask: a service by its address, or the one installed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from gridtide.errors import BadInput

# Where the platform's user data folder is, which is the home when GRIDTIDE_HOME is not set.
USER_FOLDERS = ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA", "USERPROFILE")


@dataclass(frozen=True, slots=True)
class Destination:
    """An address to ask, or the environment of the service in this process.

    Attributes:
        url: address of a service, without a final slash; None: this process.
        api_key: sent to that service as a bearer token.
        environ: what the service here is told, by name; empty with a `url`.
    """

    url: str | None
    api_key: str | None = field(default=None, repr=False)
    environ: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def choose(
        cls,
        environ: Mapping[str, str],
        *,
        url: str | None = None,
        api_key: str | None = None,
    ) -> Self:
        """What the arguments say, else the environment: GRIDTIDE_URL and GRIDTIDE_API_KEY.

        Destinations that lead to the same answers are equal.

        Raises:
            BadInput: the address is not one of HTTP.
        """
        address = url or environ.get("GRIDTIDE_URL")
        if address:
            if not address.startswith(("http://", "https://")):
                raise BadInput(
                    f"the service's address {address!r} (GRIDTIDE_URL) does not start with "
                    f"http:// or https://; write for instance http://{address.lstrip('/')}"
                )
            key = api_key or environ.get("GRIDTIDE_API_KEY")
            return cls(address.rstrip("/"), key)
        told = (
            (name, value)
            for name, value in sorted(environ.items())
            if name.startswith("GRIDTIDE_") or name in USER_FOLDERS
        )
        return cls(None, environ=tuple(told))

    @property
    def address(self) -> str:
        """What requests are sent to; a name that stands for this process without a `url`."""
        return self.url or "http://gridtide.local"

    @property
    def told(self) -> Mapping[str, str]:
        """`environ` as a mapping."""
        return dict(self.environ)
