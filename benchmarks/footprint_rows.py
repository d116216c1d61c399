"""The footprint of 95,000 metered rows: CPU seconds of a service's answer and of an SDK call.

    python benchmarks/footprint_rows.py
    python benchmarks/footprint_rows.py --rows 10000 --rounds 5

Eleven months of rows of five minutes over hourly history, sent to an application in this
process: once as bytes, as REST has it, and once through the SDK, which also writes the
question and reads the answer. The floor is what Python's own JSON takes to read the question
and to write what was answered. CPU time of this process, all threads, the best of the rounds.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl

from gridtide.client import Client
from gridtide.clock import Clock
from gridtide.local import Host, LocalTransport
from gridtide_server.app import ServerSettings, create_app
from gridtide_server.reader import Reader
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from gridtide_store.publish import publish
from gridtide_store.records import Facts
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, STEP = timedelta(hours=1), timedelta(minutes=5)


def main() -> None:
    """Print CPU seconds of each way to ask, and the floor."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=95_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    draw = random.Random(20260101)  # noqa: S311  # energy, not a secret
    rows = [
        (START + k * STEP, START + (k + 1) * STEP, round(draw.uniform(0, 5), 3))
        for k in range(options.rows)
    ]
    body = json.dumps({"region": "DE", "rows": [written(*row) for row in rows]}).encode()
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(Path(folder))
        end = write(home, 1 + options.rows * STEP // HOUR)
        app = create_app(ServerSettings(), Reader(home), Clock(end))
        transport = LocalTransport(Host(app))
        with (
            httpx.Client(transport=transport, base_url="http://service") as http,
            Client("http://service", environ={}, timeout=600, transport=transport) as client,
        ):

            def rest() -> bytes:
                answer = http.post("/v1/footprint", content=body, timeout=600)
                assert answer.status_code == 200, answer.text[:300]
                return answer.content

            def floor() -> None:
                json.loads(body)
                json.dumps(response)

            response = json.loads(rest())
            assert len(response["rows"]) == options.rows
            for name, ask in (
                ("POST /v1/footprint", rest),
                ("gridtide.footprint", lambda: client.footprint(rows, region="DE")),
                ("floor: json reads the question, writes the answer", floor),
            ):
                print(f"{measured(ask, options.rounds):8.2f} s CPU  {name}")


def written(start: datetime, end: datetime, kwh: float) -> dict[str, object]:
    """A row as REST takes it."""
    return {"start": f"{start:%Y-%m-%dT%H:%MZ}", "end": f"{end:%Y-%m-%dT%H:%MZ}", "kwh": kwh}


def measured(ask: Callable[[], object], rounds: int) -> float:
    """Seconds of CPU, the best of `rounds`."""
    spent = []
    for _ in range(rounds):
        begins = time.process_time()
        ask()
        spent.append(time.process_time() - begins)
    return min(spent)


def write(home: DataDirectory, hours: int) -> datetime:
    """An intensity of every hour, published when the last has ended; when that is."""
    draw = random.Random(1)  # noqa: S311  # intensities, not a secret
    starts = [START + k * HOUR for k in range(hours)]
    ends = [start + HOUR for start in starts]
    members = {
        "zone": "DE",
        "signal": "ci_lifecycle_produced",
        "source": "made_up",
        "slot_start": starts,
        "slot_end": ends,
        "value": [draw.uniform(50, 600) for _ in starts],
        "quality": "simulated",
        "known_at": ends,
        "retrieval_id": 0,
    }
    ledger = Ledger(home.ledger)
    ledger.set_source(Facts("made_up", "Made up", "", "none needed", simulated=True))
    with Store.open(home) as store:
        store.append(pl.DataFrame(members, schema=OBSERVATION))
        publish(store, ledger, home, ends[-1], replay=False, trust=lambda _: ())
    return ends[-1]


if __name__ == "__main__":
    main()
