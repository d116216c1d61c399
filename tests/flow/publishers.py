"""Two publishers on loopback, in the real ones' shapes and with numbers of our own.

They answer whatever span is requested, so that a refresh of any length runs against them. A
publisher can be made to fail.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

HALF = timedelta(minutes=30)
HOUR = timedelta(hours=1)
UK_STAMP = "%Y-%m-%dT%H:%MZ"
EIA_STAMP = "%Y-%m-%dT%H"
EIA_FUELS = {"COL": 40, "NG": 100, "NUC": 60, "WND": 30, "SUN": 20, "WAT": 10}


@dataclass
class Publishers:
    """What they were requested, and how they behave."""

    address: str
    now: datetime
    failing: dict[str, str] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    key: str = "not-a-real-key"

    @property
    def environ(self) -> dict[str, str]:
        """The settings that point gridtide at them."""
        return {
            "GRIDTIDE_UK_CARBON_INTENSITY_URL": f"{self.address}/uk",
            "GRIDTIDE_EIA_URL": f"{self.address}/eia",
            "EIA_API_KEY": self.key,
        }


@contextmanager
def publishers(now: datetime) -> Iterator[Publishers]:
    """Both, running in threads of this process until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler())
    state = Publishers(f"http://127.0.0.1:{server.server_address[1]}", now)
    server.state = state  # type: ignore[attr-defined]  # the handler finds it there
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler() -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state: Publishers = self.server.state  # type: ignore[attr-defined]  # added at run time
            url = urlparse(self.path)
            name, _, path = url.path.removeprefix("/").partition("/")
            state.requested.append(self.path)
            failure = state.failing.get(name)
            if failure == "html":
                self._send(200, b"<html>maintenance</html>", "text/html")
            elif failure:
                self._send(int(failure), b"{}", "application/json")
            elif name == "uk":
                self._send_json(uk_document(path, state.now))
            else:
                self._send_json(eia_document(path, parse_qs(url.query), state.now))

        def _send_json(self, document: object) -> None:
            self._send(200, json.dumps(document).encode(), "application/json")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
            """Say nothing."""

    return Handler


def _wave(moment: datetime, low: float, high: float) -> float:
    """A daily wave, cleanest at 03:00 UTC."""
    hours = (moment.hour + moment.minute / 60 - 3) / 24
    return low + (high - low) * (1 - math.cos(2 * math.pi * hours)) / 2


def uk_document(path: str, now: datetime) -> dict[str, Any]:
    parts = path.split("/")
    start = _moment(parts[1])
    end = (
        start + timedelta(hours=48)
        if len(parts) > 2 and parts[2] == "fw48h"
        else _moment(parts[2])
    )
    slots, slot = [], start
    while slot < end:
        spot = {"from": f"{slot:{UK_STAMP}}", "to": f"{slot + HALF:{UK_STAMP}}"}
        value = round(_wave(slot, 120, 260))
        if parts[0] == "intensity":
            actual = value if slot + HALF <= now else None
            spot["intensity"] = {"forecast": value + 3, "actual": actual, "index": "moderate"}
            slots.append(spot)
        elif slot + HALF <= now:
            gas = round(_wave(slot, 20, 50), 1)
            mix = {"gas": gas, "wind": round(60 - gas, 1), "nuclear": 20.0, "imports": 10.0}
            mix |= {"biomass": 6.0, "coal": 0.0, "other": 0.0, "hydro": 2.0, "solar": 2.0}
            spot["generationmix"] = [{"fuel": k, "perc": v} for k, v in mix.items()]
            slots.append(spot)
        slot += HALF
    return {"data": slots}


def _moment(text: str) -> datetime:
    return datetime.strptime(text, UK_STAMP).replace(tzinfo=UTC)


def eia_document(path: str, query: dict[str, list[str]], now: datetime) -> dict[str, Any]:
    route = path.split("/")[3]
    first, last = (
        datetime.strptime(query[name][0], EIA_STAMP).replace(tzinfo=UTC)
        for name in ("start", "end")
    )
    requested = query.get("facets[respondent][]") or query.get("facets[fromba][]")
    authorities = requested or ["CISO", "PJM"]
    rows: list[dict[str, Any]] = []
    label = first
    while label <= min(last, now):
        for authority in authorities:
            if authority not in ("CISO", "PJM"):
                continue
            row = {"period": f"{label:{EIA_STAMP}}", "respondent": authority}
            if route == "fuel-type-data":
                rows += [
                    row | {"fueltype": code, "value": str(round(_wave(label, base, 3 * base)))}
                    for code, base in EIA_FUELS.items()
                ]
            elif route == "interchange-data":
                flow = {"fromba": authority, "toba": "OUT", "value": "50"}
                rows.append({"period": row["period"]} | flow)
            else:
                rows.append(row | {"type": "D", "value": str(round(_wave(label, 300, 700)))})
        label += HOUR
    offset = int(query.get("offset", ["0"])[0])
    length = int(query.get("length", ["5000"])[0])
    page = rows[offset : offset + length]
    return {"response": {"total": str(len(rows)), "data": page}}
