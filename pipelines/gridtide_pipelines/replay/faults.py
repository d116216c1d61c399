"""Responses, and the faults in which a publisher sends them: cut, late, endless, refused.

A fault turns the true response of a publisher into what is sent instead: a status, headers, and
bytes with pauses between them. The replay server sends it; tests use the same faults over a
socket of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Final, TypeAlias

from gridtide.errors import BadInput

Part: TypeAlias = bytes | float  # bytes to send, or seconds to wait

FOR_EVER: Final = 86_400.0  # seconds; whoever waits has long gone
PAUSE: Final = 0.2  # seconds between two bytes of a body that drips
RETRY_AFTER: Final = 1.0  # seconds
BLOCK: Final = b" " * 65_536
PAGE: Final = b"<!DOCTYPE html><html><body><h1>Scheduled maintenance</h1></body></html>"
STATUS: Final = re.compile(r"[45]\d\d")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response: its body, status, content type and further headers."""

    content: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sending:
    """How a response is sent.

    Attributes:
        length: what ``Content-Length`` says; None sends chunks without end.
        parts: bytes, and seconds to wait between them; the connection is closed after them
            where they are fewer bytes than `length`.
        delay: seconds before anything is sent.
    """

    status: int
    headers: Mapping[str, str]
    length: int | None
    parts: Iterator[Part]
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What a publisher can say to a request.

    Attributes:
        path: the address that was requested, for a redirect to it.
        true: the response without a fault.
        no_data: its way to say that there are no data for this zone and time.
        refusal: its way to refuse a request that it does not understand.
    """

    path: str
    true: Reply
    no_data: Reply
    refusal: Reply


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault: how it sends, what it does in words, and its number where it takes one."""

    send: Callable[[Answers, float], Sending]
    meaning: str
    number: str = ""
    default: float = 0.0


def send_whole(reply: Reply) -> Sending:
    """Return `reply` sent as it is."""
    headers = {"Content-Type": reply.content_type, **reply.headers}
    return Sending(reply.status, headers, len(reply.content), iter((reply.content,)))


def _hang(answers: Answers, seconds: float) -> Sending:
    return replace(send_whole(answers.true), delay=seconds)


def _cut(answers: Answers, _: float) -> Sending:
    content = answers.true.content
    return replace(send_whole(answers.true), parts=iter((content[: len(content) // 2],)))


def _drip(answers: Answers, seconds: float) -> Sending:
    def parts() -> Iterator[Part]:
        for byte in answers.true.content:
            yield bytes((byte,))
            yield seconds

    return replace(send_whole(answers.true), parts=parts())


def _endless(answers: Answers, _: float) -> Sending:
    return replace(send_whole(answers.true), length=None, parts=repeat(BLOCK))


def _html(_: Answers, status: float) -> Sending:
    return send_whole(Reply(PAGE, int(status), "text/html"))


def _redirect(answers: Answers, _: float) -> Sending:
    return send_whole(Reply(b"", 302, "text/html", {"Location": answers.path}))


def _refusal(answers: Answers, status: float) -> Sending:
    return send_whole(replace(answers.refusal, status=int(status)))


def _no_data(answers: Answers, status: float) -> Sending:
    return send_whole(replace(answers.no_data, status=int(status)))


KINDS: Final[Mapping[str, Kind]] = {
    "hang": Kind(_hang, "answers after that time; by default never", "seconds", FOR_EVER),
    "cut": Kind(_cut, "half of the body, then the connection ends"),
    "html": Kind(_html, "an HTML page of maintenance", "status", 200),
    "drip": Kind(_drip, "one byte of the body at a time", "seconds between two", PAUSE),
    "redirect": Kind(_redirect, "a redirect to the same address, again and again"),
    "refusal": Kind(_refusal, "the publisher's own refusal of the request", "status", 400),
    "no-data": Kind(_no_data, "the publisher's own way to say: no data", "status", 200),
    "endless": Kind(_endless, "a body that never ends"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a source, or of the requests to it that name one zone.

    Attributes:
        zone: key of the zone; None for every request.
        kind: one of `KINDS`, or a status from 400 to 599.
        number: what the kind says of it; of a status the seconds of Retry-After.
    """

    source: str
    zone: str | None
    kind: str
    number: float | None = None

    def __str__(self) -> str:
        zone = "" if self.zone is None else f":{self.zone}"
        number = "" if self.number is None else f":{self.number:g}"
        return f"{self.source}{zone}={self.kind}{number}"

    def concerns(self, source: str, zones: Collection[str]) -> bool:
        """Return whether a request to `source` that names `zones` has this fault."""
        return source == self.source and (self.zone is None or self.zone in zones)

    def send(self, answers: Answers) -> Sending:
        """Return what is sent instead of the true response."""
        if self.kind in KINDS:
            kind = KINDS[self.kind]
            return kind.send(answers, kind.default if self.number is None else self.number)
        wait = RETRY_AFTER if self.number is None else self.number
        headers = {"Retry-After": f"{wait:g}"} if self.kind in ("429", "503") else {}
        said = f"status {self.kind} on demand".encode()
        return send_whole(Reply(said, int(self.kind), "text/plain", headers))


def read_fault(text: str, sources: Collection[str]) -> Fault:
    """Return the fault written as ``SOURCE[:ZONE]=KIND[:NUMBER]``.

    Raises:
        BadInput: another form, or an unknown source or kind.
    """
    where, equals, what = text.partition("=")
    source, _, zone = where.partition(":")
    kind, colon, number = what.partition(":")
    if not equals or not source:
        raise BadInput(f"fault {text!r}: write it as SOURCE=KIND or SOURCE:ZONE=KIND")
    if source not in sources:
        known = ", ".join(sorted(sources))
        raise BadInput(f"fault {text!r}: unknown source {source!r}; must be one of {known}")
    if kind not in KINDS and not STATUS.fullmatch(kind):
        known = ", ".join(KINDS)
        raise BadInput(
            f"fault {text!r}: unknown kind {kind!r}; must be one of {known}, or a status from "
            "400 to 599"
        )
    return Fault(source, zone or None, kind, _number(text, kind, number) if colon else None)


def _number(text: str, kind: str, number: str) -> float:
    """Return the number of a fault.

    Raises:
        BadInput: the kind takes none, or it is not one.
    """
    takes = KINDS[kind].number if kind in KINDS else "seconds of Retry-After"
    if not takes:
        raise BadInput(f"fault {text!r}: {kind} takes no number")
    most = 599 if takes == "status" else FOR_EVER
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most or (takes == "status" and (value < 200 or value % 1)):
        raise BadInput(f"fault {text!r}: {number!r} is not a number of {takes}")
    return value
