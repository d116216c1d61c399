"""Requests, megabytes and time of a fresh data directory, by source, from the replay server.

    python benchmarks/refresh_replay.py
    python benchmarks/refresh_replay.py --days 2 --source uk_carbon_intensity

A refresh of every zone of each source into an empty data directory, as real processes on
loopback. Megabytes are as unpacked. `cpu` is of the refresh with its forecasts and snapshot;
`ingest` is the wall time of requests, parsing and storing. `paced` is how long the real
publisher's least time between two requests makes it at least. Seven years are computed: all
but forecasts grow with the days.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from synthetic import machine, say

from gridtide.model import parse_time
from gridtide_pipelines.ingest.source import Kind, Source
from gridtide_pipelines.ingest.sources import sources
from gridtide_store.ledger import Ledger

NOW = "2026-03-02T12:07Z"
YEARS = 7
DAYS_OF_YEARS = YEARS * 365.25
FRESH = 60  # days that a first refresh fetches
HEADER = f"{'requests':>9} {'MB':>8} {'rows':>9} {'ingest s':>9} {'cpu s':>7} {'paced s':>8}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=FRESH)
    parser.add_argument("--source", action="append")
    options = parser.parse_args()
    machine()
    played = {name: each for name, each in sources().items() if each.answer is None}
    say(f"a fresh data directory, {options.days} days", HEADER)
    for name in options.source or sorted(played):
        with replaying() as (url, environ):
            measure(played[name], options.days, url, environ)


def measure(source: Source, days: int, url: str, environ: Mapping[str, str]) -> None:
    """Refresh from one source and print its line, and the one of seven years."""
    own = f"GRIDTIDE_{source.name.upper()}"
    mine = {
        name: value
        for name, value in environ.items()
        if name.startswith(own) or not name.endswith("_URL")
    }
    with tempfile.TemporaryDirectory() as home:
        words = ["refresh", "--home", home, "--model", "naive", "--json"]
        if days != FRESH:
            since = parse_time(NOW) - timedelta(days=days)
            words += ["--since", f"{since:%Y-%m-%dT%H:%MZ}"]
        began = os.times()
        done = subprocess.run(
            [sys.executable, "-m", "gridtide", *words],
            env=plain() | mine,
            text=True,
            capture_output=True,
            check=False,
        )
        ended = os.times()
        assert done.returncode == 0, done.stderr
        stages = Ledger(Path(home) / "ledger.sqlite").stages(1)
    cpu = ended.children_user + ended.children_system
    cpu -= began.children_user + began.children_system
    ingest = sum(each.ms for each in stages if each.source == source.name) / 1000
    rows = sum(each.rows for each in stages if each.source == source.name)
    counts = httpx.get(f"{url}/_replay/counts").json()["sources"][source.name]
    requests = {kind: count["requests"] for kind, count in counts.items()}
    megabytes = {kind: count["bytes"] / 1e6 for kind, count in counts.items()}
    pace = source.min_interval.total_seconds()
    all_of = sum(requests.values())
    say(
        source.name,
        f"{all_of:>9} {sum(megabytes.values()):>8.1f} {rows:>9} {ingest:>9.1f} {cpu:>7.1f} "
        f"{all_of * pace:>8.1f}",
    )
    for kind in sorted(requests):
        say(f"  {kind}", f"{requests[kind]:>9} {megabytes[kind]:>8.1f}")
    factor = DAYS_OF_YEARS / days
    past = {kind: (factor if kind != Kind.FORECAST else 1.0) for kind in requests}
    many = sum(requests[kind] * past[kind] for kind in requests)
    large = sum(megabytes[kind] * past[kind] for kind in requests)
    say(
        f"  {YEARS} years, computed",
        f"{many:>9.0f} {large:>8.0f} {rows * factor:>9.0f} {ingest * factor:>9.0f} "
        f"{cpu * factor:>7.0f} {many * pace:>8.0f}",
    )


def plain() -> dict[str, str]:
    """The environment without settings of whoever runs this."""
    own = {name: value for name, value in os.environ.items() if "GRIDTIDE" not in name}
    return own | {"GRIDTIDE_WORKERS": "1"}


@contextmanager
def replaying(now: str = NOW) -> Iterator[tuple[str, Mapping[str, str]]]:
    """A replay server: its address and the settings that lead there."""
    command = [sys.executable, "-m", "gridtide", "replay", "--simulate", "--json", "--now", now]
    with subprocess.Popen(
        command, env=plain(), text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        said: dict[str, Any] = json.loads(process.stdout.readline())
        try:
            yield said["url"], said["environ"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


if __name__ == "__main__":
    main()
