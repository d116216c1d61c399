"""A replay server as a process of its own, and its control paths."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gridtide_pipelines.ingest.access import setting_of
from gridtide_pipelines.ingest.sources import sources

NOW = "2026-03-02T12:07Z"


@dataclass
class Replaying:
    """A running ``gridtide replay``: where, the settings that lead there, its last line."""

    url: str
    environ: Mapping[str, str]
    ended: dict[str, Any] = field(default_factory=dict)

    def leading_to(self, *names: str) -> dict[str, str]:
        """The settings that lead to these sources; a command then leaves out the others."""
        others = {
            setting_of(source, host)
            for source in sources().values()
            if source.name not in names
            for host in ("", *source.hosts)
        }
        return {name: value for name, value in self.environ.items() if name not in others}

    def counts(self) -> dict[str, Any]:
        """What was requested of each source so far."""
        found: dict[str, Any] = self._all()["sources"]
        return found

    def missing(self) -> list[dict[str, str]]:
        """Requests that are neither recorded nor simulated."""
        found: list[dict[str, str]] = self._all()["missing"]
        return found

    def _all(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.url}/_replay/counts").json()
        return found

    def forget(self) -> None:
        """Count from zero."""
        httpx.delete(f"{self.url}/_replay/counts")

    def set_faults(self, *faults: str) -> None:
        """Replace the faults."""
        response = httpx.put(f"{self.url}/_replay/faults", json=list(faults))
        assert response.json() == list(faults), response.text

    def set_now(self, now: str) -> None:
        """Move the time of the replay."""
        assert httpx.put(f"{self.url}/_replay/now", json=now).status_code == 200


def environ(**more: str) -> dict[str, str]:
    """The environment of a command without settings of whoever runs the tests."""
    own = {name: value for name, value in os.environ.items() if "GRIDTIDE" not in name}
    own = {name: value for name, value in own.items() if not name.endswith(("_KEY", "_TOKEN"))}
    return own | more


@contextmanager
def replaying(*words: str | Path, now: str | None = NOW) -> Iterator[Replaying]:
    """A server with these words, ended with SIGTERM; then `ended` has what it printed last."""
    command = [sys.executable, "-m", "gridtide", "replay", *map(str, words), "--json"]
    command += ["--now", now] if now else []
    # A file takes any number of remarks; a pipe that nobody reads would hold the server up.
    with (
        tempfile.TemporaryFile("w+") as remarks,
        subprocess.Popen(
            command, env=environ(), text=True, stdout=subprocess.PIPE, stderr=remarks
        ) as process,
    ):
        assert process.stdout
        first = process.stdout.readline()
        if not first:
            process.wait()
            remarks.seek(0)
            raise AssertionError(remarks.read())
        said = json.loads(first)
        state = Replaying(said["url"], said["environ"])
        try:
            yield state
        finally:
            process.send_signal(signal.SIGTERM)
            last, _ = process.communicate(timeout=30)
        remarks.seek(0)
        errors = remarks.read()
        assert process.returncode == 0, errors
        assert "Traceback" not in errors, errors
        state.ended |= json.loads(last)


def run(words: Sequence[str], **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "gridtide", *words],
        env=environ(**settings),
        text=True,
        capture_output=True,
        check=False,
    )
