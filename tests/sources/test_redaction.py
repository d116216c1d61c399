"""A key is taken out of an answer however it is written there."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide_pipelines.ingest.credentials import redact

NAME = b"<EIA_API_KEY>"


def unicode_escapes(key: str) -> str:
    return "".join(f"\\u{ord(c):04X}" for c in key)


WAYS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "url": lambda key: quote(key, safe=""),
    "url, lower case": lambda key: "".join(f"%{b:02x}" for b in key.encode()),
    "form": quote_plus,
    "url twice": lambda key: quote(quote(key, safe=""), safe=""),
    "json": lambda key: json.dumps(key)[1:-1],
    "json, slashes": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "json, all escaped": unicode_escapes,
    "html": html.escape,
    "html, decimal": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "html, hexadecimal": lambda key: "".join(f"&#x{ord(c):04X};" for c in key),
    "python": lambda key: "".join(f"\\x{ord(c):02x}" for c in key),
    "hex": lambda key: key.encode().hex(),
    "hex, upper case": lambda key: key.encode().hex().upper(),
    "mixed": lambda key: f"%{ord(key[0]):02x}&#{ord(key[1])};\\u{ord(key[2]):04x}{key[3:]}",
}
KEYS = ["s3cret-0123456789abcdef", "a+b/c=d&e<f>g\"h'i j", "ABCDEFGH"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_found_in_every_encoding(key: str, way: str) -> None:
    body = f"before {WAYS[way](key)} after".encode()
    assert redact(body, {"EIA_API_KEY": key}) == b"before " + NAME + b" after"


@pytest.mark.parametrize("before", ["", "x", "xy", "user:"])
@pytest.mark.parametrize("after", ["", "z", "zz", "&more=1"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("key", KEYS)
def test_a_key_within_base64_is_found(
    key: str, encode: Callable[[bytes], bytes], before: str, after: str
) -> None:
    body = encode((before + key + after).encode())
    printed = redact(b'{"echo": "' + body + b'"}', {"EIA_API_KEY": key})
    assert NAME in printed
    assert body not in printed
    # What is left decodes to no long part of the key.
    for part in printed.replace(NAME, b" ").split(b'"')[3].split():
        rest = part.rstrip(b"=")
        left = base64.b64decode(rest + b"A" * (-len(rest) % 4), altchars=b"-_")
        assert key[:4].encode() not in left


def test_a_key_of_eight_letters_is_taken_out_wherever_it_stands() -> None:
    assert redact(b"no such key ABCDEFGH.", {"EIA_API_KEY": "ABCDEFGH"}) == (
        b"no such key <EIA_API_KEY>."
    )


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b'{"k":"gas","fuel":"gasoil"}', b'{"k":"<EIA_API_KEY>","fuel":"gasoil"}'),
        (b"?api_key=gas&x=1", b"?api_key=<EIA_API_KEY>&x=1"),
        (b"natural gas", b"natural gas"),
    ],
)
def test_a_shorter_one_is_taken_out_only_where_it_is_a_value(body: bytes, left: bytes) -> None:
    assert redact(body, {"EIA_API_KEY": "gas"}) == left


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_a_body_without_the_key_stays_as_it_is(body: bytes) -> None:
    assert redact(body, {"EIA_API_KEY": "s3cret-0123456789abcdef"}) == body
    assert redact(body, {}) == body
