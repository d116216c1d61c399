"""The ways in which a publisher misbehaves, each with what its step must say then."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from urllib.parse import quote

from gridtide_pipelines.replay.faults import Answers, Fault, Reply
from tests.faults.publisher import RESET, Ask, Mode, http_date, shifted

PAUSE = 0.2  # seconds between two drops of what drips
KEY = "s3cret/key+0123456789=abcdef"
ESCAPE = "\x1b[2J\x1b]0;owned\x07\r\n2026-03-02T12:00:00Z ERROR forged: line\x9b31m\u202e"
BOMB = gzip.compress(bytes(64 * 1024 * 1024), 9)
DONE, NOTHING_YET = "done", "nothing_yet"
UNAVAILABLE, CHANGED, REFUSED = "source_unavailable", "source_changed", "source_refused"
ALL_REFUSED, CLOCK_AHEAD = "all_refused", "clock_ahead"
Parts = Iterator[bytes | float]


@dataclass(frozen=True)
class Case:
    """One mode: who goes through it, and how its worst step must end."""

    name: str
    mode: Mode
    status: str
    hostile: str = "uk"

    def __str__(self) -> str:
        return self.name


def _say(
    body: bytes | str | None, *headers: str, status: str = "200 OK", **more: object
) -> Mode:
    """Always the same answer."""
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body

    def mode(ask: Ask) -> Parts:
        yield ask.reply(content, *headers, status=status, **more)  # type: ignore[arg-type]  # the test passes what the type refuses

    return mode


def _on_demand(kind: str, number: float | None = None) -> Mode:
    """A fault as the replay server has it."""

    def mode(ask: Ask) -> Parts:
        true = Reply(ask.json)
        fault = Fault("", None, kind, number).send(Answers(ask.path, true, true, true))
        headers = [f"{name}: {value}" for name, value in fault.headers.items()]
        if fault.delay:
            yield fault.delay
        if fault.length is None:
            yield ask.open(*headers)
        else:
            yield ask.reply(b"", *headers, status=f"{fault.status} X", length=fault.length)
        for part in fault.parts:
            chunked = fault.length is None and isinstance(part, bytes)
            yield b"%x\r\n%b\r\n" % (len(part), part) if chunked else part

    return mode


def _header_now_and_then(ask: Ask) -> Parts:
    yield b"HTTP/1.1 200 OK\r\n"
    for number in count():
        yield f"X-{number}: y\r\n".encode()
        yield PAUSE


def _endless_103(ask: Ask) -> Parts:
    while True:
        yield b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        yield PAUSE


def _flood_of_103(ask: Ask) -> Parts:
    while True:
        yield b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000


def _chunk_now_and_then(ask: Ask) -> Parts:
    yield ask.open()
    while True:
        yield b"1\r\n \r\n"
        yield PAUSE


def _trailers_without_end(ask: Ask) -> Parts:
    yield ask.open() + b"2\r\n{}\r\n0\r\n"
    for number in count():
        yield f"X-{number}: y\r\n".encode() * 100


def _silence_after_headers(ask: Ask) -> Parts:
    yield ask.reply(b"", length=100)
    yield 30.0


def _hang_up(ask: Ask) -> Parts:
    yield b""


def _reset_mid_body(ask: Ask) -> Parts:
    whole = ask.reply()
    yield whole[: len(whole) // 2]
    yield PAUSE
    yield RESET


def _body_said_to_be_huge(ask: Ask) -> Parts:
    yield ask.reply(b"", length=10**15)
    while True:
        yield b" " * 65536


def _gzip_of_nothing(ask: Ask) -> Parts:
    yield ask.open("Content-Encoding: gzip")
    empty = gzip.compress(b"") * 500
    while True:
        yield f"{len(empty):x}\r\n".encode() + empty + b"\r\n"


def _huge_header(ask: Ask) -> Parts:
    yield b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2_000_000 + b"\r\n\r\n{}"


def _headers_without_end(ask: Ask) -> Parts:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X: y\r\n" * 10_000


def _raw(content: bytes) -> Mode:
    def mode(ask: Ask) -> Parts:
        yield content

    return mode


def _encoded(encoding: str, packed: bytes | None = None) -> Mode:
    def mode(ask: Ask) -> Parts:
        body = gzip.compress(ask.json) if packed is None else packed
        yield ask.reply(body, f"Content-Encoding: {encoding}")

    return mode


def _deflated(ask: Ask) -> Parts:
    yield ask.reply(zlib.compress(ask.json), "Content-Encoding: deflate")


def _cut_gzip(ask: Ask) -> Parts:
    yield ask.reply(gzip.compress(ask.json)[:-9], "Content-Encoding: gzip")


def _value(text: str) -> Mode:
    """The true answer with `text` in place of each number of the intensity or the mix."""

    def mode(ask: Ask) -> Parts:
        printed = ask.json.decode()
        for name in ("actual", "forecast", "perc"):
            head, *rest = printed.split(f'"{name}": ')
            parts = [text + part[len(part.split(",")[0].split("}")[0]) :] for part in rest]
            printed = f'"{name}": '.join([head, *parts])
        yield ask.reply(printed.encode())

    return mode


def _moved(by: timedelta) -> Mode:
    def mode(ask: Ask) -> Parts:
        yield ask.reply(json.dumps(shifted(ask, by)).encode())

    return mode


def _too_short_a_length(ask: Ask) -> Parts:
    yield ask.reply(length=40)


def _latin(ask: Ask) -> Parts:
    yield ask.reply(b'{"data": "\xe9\xe8"}', "Content-Type: application/json; charset=latin-1")


def _wrong_charset(ask: Ask) -> Parts:
    yield ask.reply(None, "Content-Type: application/json; charset=utf-7")


def _byte_order_mark(ask: Ask) -> Parts:
    yield ask.reply(b"\xef\xbb\xbf" + ask.json)


def _duplicate_keys(ask: Ask) -> Parts:
    yield ask.reply(ask.json[:-1] + b', "data": []}')


def _strange_years(ask: Ask) -> Parts:
    yield ask.reply(ask.json.replace(b'"from": "20', b'"from": "9920'))


def _backward_slots(ask: Ask) -> Parts:
    swapped = ask.json.replace(b'"from"', b'"_"').replace(b'"to"', b'"from"')
    yield ask.reply(swapped.replace(b'"_"', b'"to"'))


def _contradictions(ask: Ask) -> Parts:
    again = [dict(slot) for slot in ask.document["data"]]
    for slot in again:
        if "intensity" in slot:
            slot["intensity"] = {"forecast": 1, "actual": 1}
        else:
            slot["generationmix"] = [{"fuel": "gas", "perc": 1}]
    yield ask.reply(json.dumps({"data": ask.document["data"] + again}).encode())


def _date(by: timedelta | str) -> Mode:
    def mode(ask: Ask) -> Parts:
        yield ask.reply(date=by if isinstance(by, str) else http_date(ask.now + by))

    return mode


def _cookies(ask: Ask) -> Parts:
    yield ask.reply(None, *[f"Set-Cookie: c{n}={'x' * 200}" for n in range(200)])


def _old_protocol(ask: Ask) -> Parts:
    yield f"HTTP/1.0 200 OK\r\nDate: {http_date(ask.now)}\r\n\r\n".encode() + ask.json


def _endless_pages(ask: Ask) -> Parts:
    row = {"period": "2026-02-20T05", "respondent": "CISO", "fueltype": "NG", "value": "7"}
    row["value"] = ask.query["offset"][0]
    body = {"response": {"total": 10**12, "data": [row]}}
    yield ask.reply(json.dumps(body).encode())


def _repeated_page(ask: Ask) -> Parts:
    """Whatever `offset` says."""
    row = {"period": "2026-02-20T05", "respondent": "CISO", "fueltype": "NG", "value": "7"}
    yield ask.reply(json.dumps({"response": {"total": 10**6, "data": [row]}}).encode())


def _large_pages(ask: Ask) -> Parts:
    body = {"response": {"total": 10**12, "data": [{"pad": " " * 200_000}]}}
    yield ask.reply(json.dumps(body | {"at": ask.query["offset"]}).encode())


def _unknown_codes(ask: Ask) -> Parts:
    rows = [
        row | {"respondent": f"N{n}{ESCAPE}", "fueltype": f"F{n}{ESCAPE}"}
        for n, row in enumerate(ask.document["response"]["data"])
    ]
    yield ask.reply(json.dumps({"response": {"total": len(rows), "data": rows}}).encode())


def _flood_of_flags(ask: Ask) -> Parts:
    rows = ask.document["response"]["data"][:600]
    odd = [row | {"fueltype": f"F{n}{ESCAPE}"} for n, row in enumerate(rows)]
    yield ask.reply(json.dumps({"response": {"total": len(odd), "data": odd}}).encode())


def _key_echoed(ask: Ask) -> Parts:
    """The whole question comes back, in several encodings, as the real one has it plain."""
    ways = [KEY, quote(KEY, safe=""), base64.b64encode(f"u:{KEY}".encode()).decode()]
    ways += [json.dumps(KEY)[1:-1].replace("/", "\\/"), ask.path]
    yield ask.reply(json.dumps(ask.document | {"request": ways}).encode())


def _key_in_error(status: str) -> Mode:
    def mode(ask: Ask) -> Parts:
        printed = f"no such key {KEY} {KEY[::-1]} {quote(KEY)} {ask.path} {ESCAPE}"
        yield ask.reply(printed.encode(), status=status)

    return mode


def _key_in_status_line(ask: Ask) -> Parts:
    yield f"HTTP/1.1 4x4 {KEY}\r\n\r\n".encode()


WRONG_ROOTS = {"a number": "42", "a text": '"x"', "a list of numbers": "[1, 2]", "true": "true"}
RETRY_AFTER = {
    "superscript": "²",
    "huge": "9" * 300,
    "negative": "-5",
    "past date": "Thu, 01 Jan 1970 00:00:00 GMT",
    "not a number": "NaN",
    "no date": "Mon, 99 Feb 20226 25:61:61 GMT",
    "far date": "Fri, 31 Dec 9999 23:59:59 GMT",
}
VALUES = {"NaN": "NaN", "Infinity": "-Infinity", "400 digits": "9" * 400, "overflow": "1e999"}
VALUES |= {"5,000 digits": "9" * 5000, "truth": "true", "an object": "{}", "a word": '"many"'}

CASES = [
    Case("a header now and then", _header_now_and_then, UNAVAILABLE),
    Case("endless 103s", _endless_103, UNAVAILABLE),
    Case("a flood of 103s", _flood_of_103, UNAVAILABLE),
    Case("a byte now and then", _on_demand("drip", PAUSE), UNAVAILABLE),
    Case("a chunk now and then", _chunk_now_and_then, UNAVAILABLE),
    Case("trailers without end", _trailers_without_end, UNAVAILABLE),
    Case("silence", _on_demand("hang"), UNAVAILABLE),
    Case("silence after headers", _silence_after_headers, UNAVAILABLE),
    Case("hang up", _hang_up, UNAVAILABLE),
    Case("reset mid body", _reset_mid_body, UNAVAILABLE),
    Case("cut body", _on_demand("cut"), UNAVAILABLE),
    Case("endless body", _on_demand("endless"), CHANGED),
    Case("a body said to be huge", _body_said_to_be_huge, CHANGED),
    Case("gzip bomb", _encoded("gzip", BOMB), CHANGED),
    Case("double gzip bomb", _encoded("gzip, gzip", gzip.compress(BOMB)), CHANGED),
    Case("gzip bomb in gzip", _encoded("gzip", gzip.compress(BOMB)), CHANGED),
    Case("gzip of nothing without end", _gzip_of_nothing, CHANGED),
    Case("gzip", _encoded("gzip"), DONE),
    Case("brotli", _encoded("br"), CHANGED),
    Case("zstd", _encoded("zstd"), CHANGED),
    Case("deflate", _deflated, CHANGED),
    Case("an encoding with an escape", _encoded("gz\x1b[2Jip"), CHANGED),
    Case("no gzip though said so", _encoded("gzip", b'{"data": []}'), CHANGED),
    Case("cut gzip", _cut_gzip, CHANGED),
    Case("huge header", _huge_header, UNAVAILABLE),
    Case("headers without end", _headers_without_end, UNAVAILABLE),
    Case("no HTTP", _raw(b"SSH-2.0-OpenSSH_9.9\r\n"), UNAVAILABLE),
    Case("unknown status line", _raw(b"HTTP/9.9 banana\r\n\r\n"), UNAVAILABLE),
    Case("status 999", _say("x", status="999 Odd"), UNAVAILABLE),
    Case("switching protocols", _say("", status="101 Switching Protocols"), UNAVAILABLE),
    Case("429 with Retry-After", _on_demand("429", 900), UNAVAILABLE),
    *(
        Case(f"Retry-After {name}", _say("x", f"Retry-After: {v}", status="503 X"), UNAVAILABLE)
        for name, v in RETRY_AFTER.items()
    ),
    Case("redirect loop", _on_demand("redirect"), CHANGED),
    Case("redirect to a file", _say("", "Location: file:///x", status="301 X"), CHANGED),
    *(Case(f"root is {name}", _say(text), CHANGED) for name, text in WRONG_ROOTS.items()),
    Case("deep lists", _say("[" * 200_000), CHANGED),
    Case("deep objects", _say('{"data":' * 20_000), CHANGED),
    *(Case(f"values are {name}", _value(text), CHANGED) for name, text in VALUES.items()),
    Case("HTML with 200", _on_demand("html"), CHANGED),
    Case("empty body with 200", _say(""), CHANGED),
    Case("no content", _say("", status="204 No Content"), NOTHING_YET),
    *(
        Case(f"nothing as {text}", _say(text), NOTHING_YET)
        for text in ("{}", "null", "[]", '{"data": []}', '{"error": "No data found"}')
    ),
    Case("404 that means no data", _say("no matching data", status="404 X"), NOTHING_YET),
    Case("too short a length", _too_short_a_length, CHANGED),
    Case("latin letters", _latin, CHANGED),
    Case("wrong charset", _wrong_charset, DONE),
    Case("byte order mark", _byte_order_mark, DONE),
    Case("duplicate keys", _duplicate_keys, NOTHING_YET),
    Case("future rows", _moved(timedelta(days=900)), ALL_REFUSED),
    Case("rows of another year", _moved(timedelta(days=-900)), ALL_REFUSED),
    Case("some rows ahead", _moved(timedelta(days=2)), DONE),
    Case("years of five digits", _strange_years, CHANGED),
    Case("slots that run backwards", _backward_slots, CHANGED),
    Case("contradictions", _contradictions, DONE),
    Case("implausible values", _value("123456789"), ALL_REFUSED),
    Case("nulls", _value("null"), NOTHING_YET),
    Case("an escape in an error", _say(ESCAPE, status="400 Bad"), CHANGED),
    Case("an escape in an outage", _say(ESCAPE, status="500 Bad"), UNAVAILABLE),
    Case("an escape in a body", _say(json.dumps({"error": ESCAPE})), CHANGED),
    Case("half a character", _say('{"error": "\\ud800"}'), CHANGED),
    Case("their clock ahead", _date(timedelta(hours=2)), DONE),
    Case("our clock ahead", _date(timedelta(hours=-2)), CLOCK_AHEAD),
    Case("our clock years ahead", _date(timedelta(days=-900)), CLOCK_AHEAD),
    Case("a date that is none", _date("yesterday, 25:00 \u00b2"), DONE),
    Case("cookies", _cookies, DONE),
    Case("HTTP/1.0 without a length", _old_protocol, DONE),
    Case("endless pages", _endless_pages, CHANGED, "eia"),
    Case("repeated page", _repeated_page, CHANGED, "eia"),
    Case("large pages", _large_pages, CHANGED, "eia"),
    Case("a total that is none", _say('{"response":{"total":"x","data":[1]}}'), CHANGED, "eia"),
    Case("unknown zone codes", _unknown_codes, DONE, "eia"),
    Case("a flood of unknown codes", _flood_of_flags, DONE, "eia"),
    Case("key echoed", _key_echoed, DONE, "eia"),
    *(
        Case(f"key in error {status}", _key_in_error(status), outcome, "eia")
        for status, outcome in (
            ("400 X", CHANGED),
            ("403 X", REFUSED),
            ("429 X", UNAVAILABLE),
            ("500 X", UNAVAILABLE),
        )
    ),
    Case("key in the status line", _key_in_status_line, UNAVAILABLE, "eia"),
]
