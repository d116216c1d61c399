"""Which service to call: one by its address, or the one installed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from gridtide.errors import BadInput
from gridtide.values import optional, read_flag

# Where the platform's user data folder is, which is the home when GRIDTIDE_HOME is not set.
USER_FOLDERS = ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA", "USERPROFILE")


@dataclass(frozen=True, slots=True)
class Destination:
    """An address to ask, or the environment of the service in this process.

    Attributes:
        url: address of a service, without a final slash; None: this process.
        api_key: sent to that service as a bearer token.
        environ: settings of the service here, by name; empty with a `url`.
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
        key_over_http: bool | None = None,
    ) -> Self:
        """Return the destination of the arguments, else of GRIDTIDE_URL and GRIDTIDE_API_KEY.

        Destinations that lead to the same answers are equal.

        Args:
            key_over_http: whether the key may travel unencrypted to another machine; default:
                GRIDTIDE_KEY_OVER_HTTP is 1.

        Raises:
            BadInput: the address is not one of HTTP, the key cannot be sent, or it would
                travel unencrypted.
        """
        _check_text("url", url)
        _check_text("api_key", api_key)
        allowed = optional(read_flag)(key_over_http, "key_over_http")
        address = _given(url) or _given(environ.get("GRIDTIDE_URL"))
        if address:
            _check_address(address)
            key = _given(api_key) or _given(environ.get("GRIDTIDE_API_KEY")) or None
            _check_secrets(key, address, environ, allowed=allowed)
            return cls(address.rstrip("/"), key)
        settings = (
            (name, value)
            for name, value in sorted(environ.items())
            if name.startswith("GRIDTIDE_") or name in USER_FOLDERS
        )
        return cls(None, environ=tuple(settings))

    @property
    def address(self) -> str:
        """Return what requests are sent to; without a `url`, a name for this process."""
        return self.url or "http://gridtide.local"

    @property
    def settings(self) -> Mapping[str, str]:
        """Return `environ` as a mapping."""
        return dict(self.environ)


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str | None):
        raise BadInput(f"{name} is a {type(value).__name__}; give text, or leave it out")


def _check_address(address: str) -> None:
    from gridtide.http.proxies import (  # slow, and httpx is loaded by now
        split_address,
        without_secrets,
    )

    name = "the service's address (GRIDTIDE_URL)"
    shown = without_secrets(address)
    if not address.lower().startswith(("http://", "https://")):
        raise BadInput(
            f"{name} {shown!r} does not start with http:// or https://; "
            f"write for instance http://{shown.lstrip('/')}"
        )
    parts = split_address(address, name)
    if parts.query or parts.fragment:
        raise BadInput(
            f"{name} {shown!r} goes on after its path; leave out what follows ? or #"
        )


def _given(text: str | None) -> str:
    """Return the text without blanks around it; empty for None."""
    return (text or "").strip()


def _check_secrets(
    key: str | None, address: str, environ: Mapping[str, str], *, allowed: bool | None
) -> None:
    """Refuse a key, or a user name and password in `address`, that would travel readably."""
    from gridtide.http.proxies import is_loopback, proxy_for, split_address, without_secrets

    if key is not None and not (key.isascii() and key.isprintable()):
        raise BadInput(
            "the API key (GRIDTIDE_API_KEY) has characters that no header can carry; copy it "
            "again"
        )
    parts = split_address(address, "the address")
    named = bool(parts.username or parts.password)
    if key is not None and named:
        # Both go into the one header Authorization.
        raise BadInput(
            f"{without_secrets(address)} is given with a user name in the address and with an "
            "API key (GRIDTIDE_API_KEY), and only one of them can be sent; leave one out"
        )
    if not (key is not None or named) or parts.scheme == "https":
        return
    if _flag(environ) if allowed is None else allowed:
        return
    # What a proxy passes on unencrypted, it and everybody on the way to it can read.
    host = parts.hostname or ""
    if (proxy := proxy_for(address, environ)) is not None:
        host = split_address(proxy, "the proxy").hostname or ""
    if not is_loopback(host):
        raise BadInput(
            f"{'the password in the address' if named else 'the API key (GRIDTIDE_API_KEY)'} "
            f"would travel unencrypted to {host}, at {without_secrets(address)}; use https://, "
            f"leave the {'password' if named else 'key'} out, or allow it with "
            "GRIDTIDE_KEY_OVER_HTTP=1 (key_over_http=True)"
        )


def _flag(environ: Mapping[str, str]) -> bool:
    text = environ.get("GRIDTIDE_KEY_OVER_HTTP", "").strip().lower()
    if text in ("", "0", "false", "no", "off"):
        return False
    if text in ("1", "true", "yes", "on"):
        return True
    raise BadInput(f"GRIDTIDE_KEY_OVER_HTTP={text!r} is neither 1 nor 0")
