"""How requests travel to a service: httpx transports, made as the environment says."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any
from urllib.parse import urlsplit

import httpx

from gridtide.errors import BadInput
from gridtide.forks import loading
from gridtide.http.deadline import Allowance, bound
from gridtide.http.proxies import (
    proxy_for,
    read_certificates,
    unusable_certificates,
    without_secrets,
)


def open_transport(url: str, environ: Mapping[str, str]) -> httpx.HTTPTransport:
    """Return a transport for blocking requests to `url`.

    Raises:
        BadInput: the environment names a proxy or certificates that cannot be used.
        MissingExtra: it names a SOCKS proxy, whose package is not installed.
    """
    proxy = proxy_of(url, environ)
    try:
        with loading():  # a fork that meets OpenSSL at work leaves its locks held for ever
            return httpx.HTTPTransport(**_arguments(url, proxy, environ))
    except (ValueError, OSError, httpx.InvalidURL) as error:
        raise _unusable(proxy, error) from error


def open_bounded(
    url: str, environ: Mapping[str, str], allowance: Allowance
) -> httpx.HTTPTransport:
    """Return a transport as `open_transport`, with every connection held to `allowance`."""
    return bound(open_transport(url, environ), allowance)


def open_async_transport(url: str, environ: Mapping[str, str]) -> httpx.AsyncHTTPTransport:
    """Return a transport as `open_transport`, for awaited requests."""
    proxy = proxy_of(url, environ)
    try:
        with loading():
            return httpx.AsyncHTTPTransport(**_arguments(url, proxy, environ))
    except (ValueError, OSError, httpx.InvalidURL) as error:
        raise _unusable(proxy, error) from error


def proxy_of(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the proxy as `proxy_for`, by the system's settings where `environ` names none."""
    return proxy_for(url, _with_system(url, environ))


def faults() -> tuple[type[Exception], ...]:
    """Raise what a request without an answer ends in."""
    found = httpx.RequestError, httpx.InvalidURL, UnicodeError, TimeoutError
    return (*found, *proxy_faults())


def proxy_faults() -> tuple[type[Exception], ...]:
    """Return what is raised where a proxy does not pass a request on.

    What the package for SOCKS raises where something else answers in its place is not httpx's.
    """
    package = sys.modules.get("socksio")
    return (httpx.ProxyError, *([] if package is None else [package.SOCKSError]))


def _arguments(url: str, proxy: str | None, environ: Mapping[str, str]) -> dict[str, Any]:
    encrypted = url.lower().startswith("https:") or (proxy or "").lower().startswith("https:")
    # Where nothing is encrypted, wrong certificates do no harm; nothing is trusted then.
    verify = (
        (read_certificates(environ) or True) if encrypted else SSLContext(PROTOCOL_TLS_CLIENT)
    )
    way = None
    if proxy is not None:
        # httpx trusts an https proxy by `verify` only where it is given a second time.
        secure = proxy.lower().startswith("https:")
        own = verify if secure and isinstance(verify, SSLContext) else None
        way = httpx.Proxy(proxy, ssl_context=own)
    return {"verify": verify, "proxy": way, "trust_env": False}


def _with_system(url: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return `environ`, with the proxies of the system's settings where it names none."""
    if sys.platform not in ("darwin", "win32"):
        return environ
    if any(name.lower().endswith("_proxy") for name in environ):
        return environ
    from urllib.request import getproxies, proxy_bypass

    if proxy_bypass(urlsplit(url).hostname or ""):
        return environ
    return {**environ, **{f"{scheme}_proxy": proxy for scheme, proxy in getproxies().items()}}


def _unusable(proxy: str | None, error: Exception) -> BadInput:
    if isinstance(error, OSError):
        return unusable_certificates("the list that Python brings", error)
    return BadInput(
        f"cannot connect through the proxy {without_secrets(proxy or '')!r} "
        f"({type(error).__name__}); check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY"
    )
