"""What the environment says of the network: proxies, hosts exempt from them, certificates.

Pure over a mapping of variables. The rules are curl's and urllib's, so that a variable that
works for them works here; httpx on its own takes NO_PROXY literally and fails at networks and
at ``[::1]``. No message shows the user name or the password of a proxy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from gridtide.errors import BadInput, MissingExtra

if TYPE_CHECKING:
    from ssl import SSLContext

PORTS = {"http": 80, "https": 443}
SOCKS = ("socks5", "socks5h")
PROXIES = ("http", "https", *SOCKS)
AUTHENTICATION_REQUIRED = 407
STATUS = re.compile(r"[0-9]{3}(?![0-9])")  # at the beginning of what httpx says of a proxy


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the address of the proxy for requests to `url`; ``None``: they go directly.

    HTTPS_PROXY or HTTP_PROXY by the scheme of `url`, else ALL_PROXY; a name in lower case goes
    before one in upper case. Only the proxy that is used is looked at, so a wrong one does no
    harm to hosts that NO_PROXY exempts.

    Raises:
        BadInput: the proxy, or `url`, is not a valid address.
        MissingExtra: it is a SOCKS proxy, and the package for these is not installed.
    """
    target = split_address(url, "the address")
    for scheme in (target.scheme, "all"):
        name, value = _variable(environ, f"{scheme}_proxy")
        if value:
            break
    else:
        return None
    if exempt(url, _variable(environ, "no_proxy")[1]):
        return None
    return _proxy(name, value)


def exempt(url: str, no_proxy: str) -> bool:
    """Return whether NO_PROXY names the host of `url`.

    Its entries, with commas or blanks between them: ``*``; a host, which is also every host
    below it, with or without a leading dot; an address, IPv6 with brackets or without; a
    network such as ``10.0.0.0/8``; a pattern such as ``192.168.*``; each with a port, too. An
    entry of another kind exempts nothing.
    """
    target = split_address(url, "the address")
    host = _plain(target.hostname or "")
    port = target.port or PORTS.get(target.scheme)
    return any(
        _names(entry, host, _address(host), port, target.scheme)
        for entry in re.split(r"[,\s]+", no_proxy.lower())
        if entry
    )


def is_loopback(host: str) -> bool:
    """Return whether a host name or address stands for this machine."""
    plain = _plain(host)
    address = _address(plain)
    if address is not None:
        return address.is_loopback
    return plain == "localhost" or plain.endswith(".localhost")


def read_certificates(environ: Mapping[str, str]) -> SSLContext | None:
    """Return the certificates of SSL_CERT_FILE and SSL_CERT_DIR; ``None``: neither is set.

    Raises:
        BadInput: the file or the directory cannot be read, or the file has no certificate.
    """
    file, folders = (environ.get(f"SSL_CERT_{name}", "").strip() for name in ("FILE", "DIR"))
    if not (file or folders):
        return None
    import os
    import ssl
    from os.path import isdir  # of a name that is too long it is False, where a Path raises

    # OpenSSL takes a list of directories and passes over those that are missing.
    if folders and not any(map(isdir, folders.split(os.pathsep))):
        raise BadInput(
            f"SSL_CERT_DIR={_shown(folders)} is not a directory; name one of certificates, or "
            "unset it"
        )
    try:
        return ssl.create_default_context(cafile=file or None, capath=folders or None)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise unusable_certificates(f"SSL_CERT_FILE={_shown(file)}", error) from error


def unusable_certificates(named: str, error: Exception) -> BadInput:
    """Return what keeps encrypted connections from being prepared: `named` or SSLKEYLOGFILE.

    Python opens the file of that variable together with the certificates, and of the two its
    error alone has a file name.
    """
    if (file := getattr(error, "filename", None)) is not None:
        why = getattr(error, "strerror", error)
        return BadInput(
            f"SSLKEYLOGFILE={_shown(file)} cannot be written ({why}); name another file, or "
            "unset it"
        )
    return BadInput(
        f"{named} cannot be read as certificates ({error}); name a file in PEM format, or "
        "unset it"
    )


def _shown(text: str) -> str:
    """Return a value of a variable in one line."""
    return text if text.isprintable() else ascii(text)


def refusal(proxy: str, host: str, status: int) -> BadInput:
    """Return the error for a proxy that does not pass requests on to `host`, and the remedy.

    Args:
        proxy: its address, without a password.
        status: what it answered.
    """
    remedy = (
        "put the user name and password it wants into the address of the proxy"
        if status == AUTHENTICATION_REQUIRED
        else "ask its operator to let this host through"
    )
    return BadInput(
        f"the proxy {proxy} refuses requests to {host} ({status}); {remedy}, or name another "
        "one in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or exempt the host in NO_PROXY"
    )


def proxy_status(text: str) -> int:
    """Return the status in what httpx says of a proxy's answer; 0 where it has none."""
    return int(found[0]) if (found := STATUS.match(text)) else 0


def proxy_fault(proxy: str, text: str) -> str:
    """Return what `proxy` did instead of passing a request on, by what httpx says of it.

    What an HTTP proxy answered besides a status is its own text, and is not shown.
    """
    if proxy.lower().startswith("socks"):
        return text
    if status := proxy_status(text):
        return f"it answered {status}"
    return "it did not pass the request on"


def without_secrets(url: str) -> str:
    """Return `url` without the user name and the password in it, for messages."""
    scheme, separator, rest = url.rpartition("://")
    authority, slash, path = rest.partition("/")
    # A password may have a slash or an at sign in it that is not encoded.
    if "@" in path:
        return f"{scheme}{separator}{rest.rpartition('@')[2]}"
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def split_address(url: str, name: str) -> SplitResult:
    """Return the parts of an address that has a scheme and a host.

    Raises:
        BadInput: a part is missing or wrong; the message begins with `name`.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        # The error's own text shows a part of a password that has a ``#`` in it.
        raise BadInput(
            f"{name} {without_secrets(url)!r} has no valid host and port; write it like "
            "http://host.example:8000, special characters of a password percent-encoded"
        ) from None
    if not (parts.scheme and host) or port == 0 or re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise BadInput(
            f"{name} {without_secrets(url)!r} has no valid host; write it like "
            "http://host.example:8000"
        )
    return parts


def _variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return name and value of a proxy variable; the value is empty where it is not set."""
    if name in environ:
        return name, environ[name].strip()
    # In a CGI process HTTP_PROXY is what a client sent as the header Proxy (httpoxy.org).
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return name, ""
    return name.upper(), environ.get(name.upper(), "").strip()


def _proxy(name: str, value: str) -> str:
    url = value if "://" in value else f"http://{value}"
    parts = split_address(url, f"the proxy of {name},")
    if parts.scheme not in PROXIES:
        hint = "socks5" if parts.scheme.startswith("socks") else "http"
        host = parts.netloc.rpartition("@")[2]
        raise BadInput(
            f"the proxy of {name} begins with {parts.scheme}://, and must with one of "
            f"{', '.join(PROXIES)}; write {hint}://{host}"
        )
    if parts.scheme in SOCKS:
        from importlib.util import find_spec

        if find_spec("socksio") is None:
            raise MissingExtra(
                f"{name} names a SOCKS proxy, which needs a package that is not installed: "
                "pip install 'httpx[socks]'; or exempt the host in NO_PROXY"
            )
    return url


def _names(
    entry: str,
    host: str,
    address: IPv4Address | IPv6Address | None,
    port: int | None,
    scheme: str,
) -> bool:
    if "://" in entry:
        wanted, _, entry = entry.partition("://")
        if wanted not in ("all", scheme):
            return False
    entry, wanted_port = _split_port(entry)
    if wanted_port not in (None, port):
        return False
    if address is not None:
        try:
            network = ip_network(_plain(entry), strict=False)
        except ValueError:
            return "*" in entry and fnmatchcase(host, entry)
        if isinstance(address, IPv4Address) and isinstance(network, IPv6Network):
            address = IPv6Address(f"::ffff:{address}")
        return address in network
    name = _plain(entry).removeprefix("*.").lstrip(".")
    if "*" in entry and fnmatchcase(host, _plain(entry)):
        return True
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    """Split ``host:port``; an IPv6 address has a port only after its bracket."""
    found = re.fullmatch(r"(\[[^\]]*\](?:/\d+)?|[^:]*):(\d{1,5})", entry)
    return (found[1], int(found[2])) if found else (entry, None)


def _plain(host: str) -> str:
    """Return a host without brackets, scope of an interface and final dot, to compare it."""
    inner = re.sub(r"[\[\]]", "", host.strip().lower())
    return re.sub(r"%[^/]*", "", inner).rstrip(".")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
