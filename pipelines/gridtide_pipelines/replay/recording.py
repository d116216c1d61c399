"""Recorded responses: a folder with a table of requests and the files that answer them.

The table is ``requests.csv`` with the columns ``method``, ``url``, ``file`` and ``status``, and
where they are wanted ``content_type``, ``known_at`` (when the body was received: of several for
a request the newest is sent that was known then), ``simulated`` (1: not real data), ``range``.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from gridtide.errors import BadInput
from gridtide.model import format_time, parse_time
from gridtide_pipelines.ingest.source import Parameter, Request, Source
from gridtide_store.ledger import Ledger
from gridtide_store.raw_responses import retrievals
from gridtide_store.store import Store

TABLE: Final = "requests.csv"
REQUIRED: Final = ("method", "url", "file", "status")
OPTIONAL: Final = ("content_type", "known_at", "simulated", "range")
# Content types by the first bytes of a body.
CONTENT_TYPES: Final = (
    (b"{", "json", "application/json"),
    (b"[", "json", "application/json"),
    (b"<", "xml", "text/xml"),
    (b"PK\x03\x04", "zip", "application/zip"),
    (b"GRIB", "grib2", "application/octet-stream"),
)
RANGE: Final = "Range"
BYTES: Final = re.compile(r"bytes=\d+-\d*")
OTHER_TYPE: Final = ("csv", "text/csv")
LONGEST: Final = 200  # characters of an address in a message

# What a request is matched by: method, path, and in any order the query and a range of bytes.
Key: TypeAlias = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of the table: a request and the response to it."""

    method: str
    url: str
    file: Path
    status: int = 200
    content_type: str = ""
    known_at: datetime | None = None
    simulated: bool = False
    range: str = ""


class Recording:
    """The recorded responses of a folder, found by request.

    The host of a request is not compared, and neither are the parameters that hold a key. Where
    two lines differ in nothing else, the one with the host of the requested source is sent.
    """

    def __init__(self, lines: Iterable[Recorded], sources: Mapping[str, Source]) -> None:
        """Index `lines` by request."""
        self._secret, self._sources = secret_parameters(sources), sources
        self._found: dict[Key, list[Recorded]] = defaultdict(list)
        for line in lines:
            url = urlsplit(line.url)
            query = (*parse(url.query), *((RANGE, part) for part in [line.range] if part))
            self._found[self._key(line.method, url.path, query)].append(line)

    def __len__(self) -> int:
        return sum(len(lines) for lines in self._found.values())

    def find(self, source: str, request: Request, now: datetime | None) -> Recorded | None:
        """Return the response to `request`; None where the table has none.

        Args:
            now: of several, the newest known then; None for the newest.
        """
        lines = self._found.get(self._key_of(request), [])
        known = [
            line
            for line in lines
            if now is None or line.known_at is None or line.known_at <= now
        ]
        own = urlsplit(url_of(self._sources[source], request.host)).hostname

        def fit(line: Recorded) -> tuple[bool, bool, float]:
            host = urlsplit(line.url).hostname
            time = line.known_at.timestamp() if line.known_at else 0.0
            return host == own, host is None, time

        return max(known, key=fit, default=None)

    def holds(self, source: str) -> bool:
        """Return whether a line may be of `source`: it has one of its hosts, or none."""
        own = self._sources[source]
        hosts = {None, *(urlsplit(url_of(own, each)).hostname for each in ("", *own.hosts))}
        return any(
            urlsplit(line.url).hostname in hosts
            for lines in self._found.values()
            for line in lines
        )

    def nearest(self, request: Request) -> str:
        """Return a sentence about the recorded request that is most like `request`."""
        method, path, query = self._key_of(request)
        if not self._found:
            return "the table has no requests"
        paths = difflib.get_close_matches(path, {key[1] for key in self._found}, 1, 0.0)
        close = [key for key in self._found if key[1] in paths]
        near = min(close, key=lambda key: (key[0] != method, len(key[2] ^ query)))
        names = sorted({name for name, _ in near[2] ^ query})
        parts = ["method"] if near[0] != method else []
        parts += ["path"] if near[1] != path else []
        parts += names
        line = self._found[near][-1]
        address = f"{line.method} {line.url}"
        if not parts:
            return f"it was first known at {format_time(_first_known(self._found[near]))}"
        return f"the nearest differs in {', '.join(parts)}: {address[:LONGEST]}"

    def _key_of(self, request: Request) -> Key:
        part = [each for each in request.headers if each[0] == RANGE]
        return self._key(request.method, request.path, (*request.params, *part))

    def _key(self, method: str, path: str, query: Sequence[tuple[str, str]]) -> Key:
        kept = frozenset((name, value) for name, value in query if name not in self._secret)
        return method.upper(), unquote(path) or "/", kept


def _first_known(lines: Sequence[Recorded]) -> datetime:
    return min(line.known_at for line in lines if line.known_at)


def secret_parameters(sources: Mapping[str, Source]) -> frozenset[str]:
    """Return the names of parameters that hold a key of any source."""
    sent = [each.credentials.send for each in sources.values() if each.credentials]
    return frozenset(each.name for each in sent if isinstance(each, Parameter))


def parse(query: str) -> tuple[tuple[str, str], ...]:
    """Return names and values of a query, in order."""
    return tuple(parse_qsl(query, keep_blank_values=True))


def url_of(source: Source, host: str) -> str:
    """Return the base URL of a host of a source; of its first where the host is unknown."""
    return source.hosts.get(host, source.base_url)


def read_recording(folder: Path, sources: Mapping[str, Source]) -> Recording:
    """Return the recorded responses in `folder`.

    Raises:
        BadInput: the table is missing, or a line of it cannot be used.
    """
    path = folder / TABLE
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(_read(folder, csv.DictReader(file)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"{path} cannot be read ({error}); a folder to replay has this table with the "
            f"columns {','.join(REQUIRED)}"
        ) from error
    return Recording(lines, sources)


def _read(folder: Path, rows: csv.DictReader[str]) -> Iterator[Recorded]:
    columns = rows.fieldnames or ()
    if missing := [name for name in REQUIRED if name not in columns]:
        raise BadInput(f"{folder / TABLE} lacks the column {', '.join(missing)}")
    if unknown := [name for name in columns if name not in (*REQUIRED, *OPTIONAL)]:
        raise BadInput(
            f"{folder / TABLE}: unknown column {', '.join(map(repr, unknown))}; the optional "
            f"ones are {', '.join(OPTIONAL)}"
        )
    for row in rows:
        where = f"{folder / TABLE} line {rows.line_num}"
        if None in row or None in row.values():
            raise BadInput(f"{where} does not have {len(columns)} values")
        file = (folder / row["file"]).resolve()
        if not file.is_relative_to(folder.resolve()):
            raise BadInput(f"{where}: {row['file']!r} is outside the folder")
        if not file.is_file():
            raise BadInput(f"{where}: {row['file']!r} is not a file in the folder")
        status = row["status"].strip() or "200"
        if not status.isdecimal() or not 200 <= int(status) <= 599:
            raise BadInput(f"{where}: status {status!r} is not from 200 to 599")
        known_at = row.get("known_at") or ""
        yield Recorded(
            row["method"].strip().upper() or "GET",
            row["url"].strip(),
            file,
            int(status),
            (row.get("content_type") or "").strip(),
            parse_time(known_at, name=f"{where}: known_at") if known_at else None,
            (row.get("simulated") or "").strip() in ("1", "true"),
            (row.get("range") or "").strip(),
        )


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a data directory.

    Attributes:
        requests: lines of the table.
        expired: retrievals whose body was deleted when its time was over.
        refreshes: when the refreshes began that made them, for GRIDTIDE_NOW.
    """

    requests: int
    expired: int
    refreshes: Sequence[datetime]


def write_recording(
    store: Store, ledger: Ledger, folder: Path, sources: Mapping[str, Source]
) -> Written:
    """Write the archived raw responses of a store into a new `folder` that can be replayed.

    Raises:
        BadInput: `folder` has such a table already, or the archive has no response of a source.
    """
    table = folder / TABLE
    if table.exists():
        raise BadInput(f"{table} is there already; name a new folder")
    simulated = store.publishers()
    requests, expired = [], 0
    for row in retrievals(store.connection).iter_rows(named=True):
        source = sources.get(row["source"])
        if source is None or source.answer is not None:
            continue
        if row["expired_at"] is not None:
            expired += 1
            continue
        content = store.body(row["id"])
        ending, content_type = _type_of(content)
        file = f"bodies/{row['body_sha256'][:16]}.{ending}"
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        requests.append(
            {
                **_request_of(source, row["address"]),
                "file": file,
                "status": 200,
                "content_type": content_type,
                "known_at": format_time(row["known_at"]),
                "simulated": int(simulated.get(source.name, False)),
            }
        )
    if not requests:
        raise BadInput(
            f"{store.home.root} has no raw response of a publisher; refresh it, or name "
            "another data directory"
        )
    with table.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, (*REQUIRED, *OPTIONAL), lineterminator="\n")
        writer.writeheader()
        writer.writerows(requests)
    began = (each.started for each in ledger.commands(1000) if each.command == "refresh")
    return Written(len(requests), expired, sorted(began))


def _request_of(source: Source, address: str) -> dict[str, str]:
    """Return method, URL and range of an archived address (see `Request.address`).

    The fields of a form are in the query of the URL, as they are compared.
    """
    method, space, rest = address.partition(" ")
    if not space or "/" in method:
        method, rest = "GET", address
    rest, *behind = rest.split(" ")
    part = behind.pop() if behind and BYTES.fullmatch(behind[-1]) else ""
    form, host = " ".join(behind), ""
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        rest = slash + path
    if form:
        rest += ("&" if "?" in rest else "?") + form
    return {"method": method, "url": url_of(source, host).rstrip("/") + rest, "range": part}


def _type_of(content: bytes) -> tuple[str, str]:
    """Return the file ending and the content type of a body."""
    start = content.lstrip(b"\xef\xbb\xbf \r\n\t")[:16]
    for first, ending, content_type in CONTENT_TYPES:
        if start.startswith(first):
            return ending, content_type
    return OTHER_TYPE
