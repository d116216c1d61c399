"""Terminals of few characters get the nearest text, and the same JSON."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from gridtide.cli.script import tolerate
from gridtide.cli.terminal import Terminal


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_every_character_can_be_written(encoding: str) -> None:
    bytes_out = io.BytesIO()
    stream = io.TextIOWrapper(bytes_out, encoding=encoding)
    tolerate(stream)
    stream.write("CO₂ \u2013 3 ≤ 4 … ▁▂▃▄▅▆▇█ Türkiye Łódź 日本 \ud800 → é")
    stream.flush()
    assert bytes_out.getvalue()


def test_ascii_gets_what_is_nearest() -> None:
    bytes_out = io.BytesIO()
    stream = io.TextIOWrapper(bytes_out, encoding="ascii")
    tolerate(stream)
    stream.write("CO₂ \u2013 é → …")
    stream.flush()
    assert bytes_out.getvalue() == b"CO2 - e -> ..."


def test_json_is_the_same_document_in_ascii() -> None:
    bytes_out = io.BytesIO()
    stream = io.TextIOWrapper(bytes_out, encoding="ascii")
    tolerate(stream)
    value = {"zone_name": "Türkiye", "dash": "\u2013"}
    Terminal(out=stream, err=stream, environ={}).document(value)
    stream.flush()
    assert json.loads(bytes_out.getvalue()) == value


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "latin-1", "utf-8"])
@pytest.mark.parametrize(
    "words",
    [["--help"], ["plan", "--help"], ["now", "Zürich\u2013\U0001f600"], ["nonsense-é→"]],
)
def test_no_command_ends_in_an_encoding_error(encoding: str, words: list[str]) -> None:
    environ = {name: text for name, text in os.environ.items() if "GRIDTIDE" not in name}
    environ |= {"PYTHONIOENCODING": encoding}
    ended = subprocess.run(
        [sys.executable, "-m", "gridtide", *words],
        env=environ,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert b"UnicodeEncodeError" not in ended.stderr
    assert b"Traceback" not in ended.stderr
