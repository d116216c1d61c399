"""Credentials of publishers: sent to them alone, and removed from what they send back."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from urllib.parse import urlencode

import httpx

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Basic, Header, Login, Parameter, Response

# A key so short might be a word of the body; it is removed only where it stands in quotes
# or as the value of a query.
SHORT_KEY = 8
ENTITIES = {
    '"': "quot",
    "'": "apos",
    "&": "amp",
    "<": "lt",
    ">": "gt",
    "/": "sol",
    "=": "equals",
    "+": "plus",
    "_": "lowbar",
    "-": "hyphen",
    ".": "period",
    ":": "colon",
}

# A publisher that sets more in a run would fill memory, and no request takes them all.
MOST_COOKIES = 50

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Sent:
    """Credentials of one request: how they are sent, and their values."""

    how: Parameter | Header | Basic | Login
    values: tuple[str, ...]


class Keyed(httpx.BaseTransport):
    """Adds credentials to a copy of the request: the client logs its own, without them.

    Removes cookies from the response, so that none is archived, and none is sent back but to
    the host that set it, for a source that needs it (`Source.cookies`). Removes where a
    response redirects to: it is not followed, and the client fails over some addresses.
    """

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._jars: dict[tuple[str, str, str, int | None], httpx.Cookies] = {}
        self._lock = Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        jar = self._jar(request.extensions.pop("jar", ""), request.url)
        request = _with_credentials(request)
        if jar is not None:
            jar.set_cookie_header(request)
        response = self._inner.handle_request(request)
        cookies = "".join(response.headers.get_list("Set-Cookie"))
        # No header of a request has others than plain letters.
        if jar is not None and cookies.isascii() and cookies.isprintable():
            response.request = request
            jar.extract_cookies(response)
            if len(jar) > MOST_COOKIES:
                jar.clear()
        for name in ("Set-Cookie", "Location"):
            response.headers.pop(name, None)
        return response

    def _jar(self, source: str, url: httpx.URL) -> httpx.Cookies | None:
        """Return the cookies that one host set for one source; None where none are kept."""
        if not source:
            return None
        with self._lock:
            return self._jars.setdefault(
                (source, url.scheme, url.host, url.port), httpx.Cookies()
            )

    def close(self) -> None:
        self._inner.close()


def _with_credentials(request: httpx.Request) -> httpx.Request:
    sent: Sent | None = request.extensions.pop("credentials")
    if sent is None or not all(sent.values):
        return request
    url, headers, content = request.url, request.headers.copy(), request.read()
    match sent.how:
        case Parameter(name):
            url = url.copy_add_param(name, sent.values[0])
        case Header(name, prefix):
            headers[name] = prefix + sent.values[0]
        case Login(fields=fields) if fields:
            form = urlencode(list(zip(fields, sent.values, strict=True)))
            content = b"&".join(part for part in (content, form.encode()) if part)
            headers["Content-Length"] = str(len(content))
        case Basic() | Login():
            pair = base64.b64encode(":".join(sent.values).encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
    return httpx.Request(
        request.method, url, headers=headers, content=content, extensions=request.extensions
    )


class Token:
    """The token of one source in this run, empty until there is one; for all threads."""

    def __init__(self) -> None:
        self._lock, self.known = Lock(), ""

    def get(self, log_in: Callable[[], str]) -> str:
        """Return the token; without one `log_in` gets it, in one thread alone."""
        with self._lock:
            self.known = self.known or log_in()
            return self.known

    def forget(self, token: str) -> None:
        """Forget a token that was refused, unless another thread has renewed it."""
        with self._lock:
            if self.known == token:
                self.known = ""


def read_token(content: bytes, login: Login, source: str) -> str:
    """Return the token in the answer to a login.

    Raises:
        SourceChanged: it holds none.
    """
    names = ".".join(login.token)
    try:
        found = json.loads(content)
        for name in login.token:
            found = found[name]
    except (ValueError, LookupError, TypeError, RecursionError):
        found = None
    if not isinstance(found, str) or not found:
        raise SourceChanged(
            source, f"the answer to the login at {login.request.path} has no token at {names}"
        )
    return found


def redact_response(response: Response, secrets: Mapping[str, str]) -> Response:
    """Return `response` with body and headers as `redact` leaves them."""
    headers = {
        name: redact(value.encode(), secrets).decode()
        for name, value in response.headers.items()
    }
    return replace(response, content=redact(response.content, secrets), headers=headers)


def redact(content: bytes, secrets: Mapping[str, str]) -> bytes:
    """Return `content` with the name of each of `secrets` in place of its value.

    A secret is found plain, percent-encoded (twice, too), escaped as in JSON or as in HTML,
    any of these mixed; in base64, alone or within a longer text; and as hexadecimal digits.
    """
    for variable, secret in secrets.items():
        name = f"<{variable}>".encode()
        for pattern in _patterns(secret):
            content = pattern.sub(name, content)
    return content


@lru_cache(maxsize=16)
def _patterns(key: str) -> tuple[re.Pattern[bytes], ...]:
    spelled = "".join(_spellings(character) for character in key)
    if len(key) < SHORT_KEY:
        # What stands around it stays: lookarounds match without taking.
        return (
            re.compile(rf"(?<=[\"'=]){spelled}(?=[\"'&\s\\])".encode()),
            re.compile(rf"(?<=(?:%22|%3D|%3d)){spelled}".encode()),
            re.compile(rf"(?<=(?:&quot;)){spelled}(?=&quot;)".encode()),
        )
    raw = key.encode()
    digits = "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in raw.hex())
    return (
        re.compile(spelled.encode()),
        re.compile("|".join(sorted(_in_base64(raw))).encode()),
        re.compile(digits.encode()),
    )


def _spellings(character: str) -> str:
    """Return a pattern for one character in any spelling."""
    spellings = [re.escape(character), re.escape("\\" + character)]
    for byte in (character.encode(),):
        percent = "".join(f"%(?:25)*{_hex(value)}" for value in byte)
        spellings.append(percent)
    code = ord(character)
    spellings.append(rf"\\u{_hex(code >> 8)}{_hex(code & 255)}")
    if code < 256:
        spellings.append(rf"\\x{_hex(code)}")
    spellings.append(f"&#0*{code};?")
    spellings.append(f"&#[xX]0*{_plain_hex(code)};?")
    if character in ENTITIES:
        spellings.append(f"&{ENTITIES[character]};")
    if character == " ":
        spellings.append(r"\+")
    return f"(?:{'|'.join(spellings)})"


def _hex(value: int) -> str:
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in f"{value & 255:02x}")


def _plain_hex(value: int) -> str:
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in f"{value:x}")


def _in_base64(raw: bytes) -> set[str]:
    """Return part of the key's base64 that does not depend on its neighbours, per offset."""
    found = set()
    for offset in range(3):
        for alphabet in (None, b"-_"):
            text = base64.b64encode(b"\0" * offset + raw, altchars=alphabet)
            text = text.rstrip(b"=")
            first = (0, 2, 3)[offset]
            # The last letter holds bits of what follows, unless it ends at a boundary.
            last = len(text) - (1 if (offset + len(raw)) % 3 else 0)
            found.add(re.escape(text[first:last].decode()) + "[A-Za-z0-9+/_-]?")
    return found
