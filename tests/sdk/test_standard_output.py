"""Standard output has the result and nothing else, however the process was begun."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors by the shell")
# A command of a library that writes below Python: at once, and when C empties its buffer.
NOISY = """
import ctypes, os, sys
from gridtide.cli.command import command
from gridtide.cli.app import OWN, Own
from gridtide.cli.script import main

@command("noisy", examples=[])
def noisy(terminal, count: int):
    os.write(1, b"straight\\n")
    if sys.platform != "win32":
        ctypes.CDLL(None).printf(b"in a buffer\\n")
    terminal.document({"rows": ["\\u00fc" * 2000] * int(count)})
    return 0

OWN["noisy"] = Own("__main__:noisy", "")
sys.argv = ["gridtide", "noisy", *sys.argv[1:], "--json"]
sys.exit(main())
"""


def noisy(count: int, redirected: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run the command for so many rows, its streams as a shell has them."""
    words = [sys.executable, "-c", NOISY, str(count)]
    if redirected:
        words = ["bash", "-o", "pipefail", "-c", f'"$@" {redirected}', "bash", *words]
    return subprocess.run(words, capture_output=True, check=False, timeout=120)


def test_a_library_that_writes_to_descriptor_1_does_not_spoil_json() -> None:
    ended = noisy(3)
    assert ended.returncode == 0
    assert json.loads(ended.stdout) == {"rows": ["\u00fc" * 2000] * 3}
    assert b"straight" in ended.stderr
    assert (b"in a buffer" in ended.stderr) == (sys.platform != "win32")


@posix
@pytest.mark.parametrize(
    ("redirected", "code", "out", "err"),
    [
        ("| head -c 8 | cat", 1, b'{\n  "row', {b"straight", b"in a buffer"}),
        (">&-", 0, b"", set()),
        ("2>&-", 0, None, set()),
        ("<&- 2>&-", 0, None, set()),
        ("<&- >&- 2>&-", 0, b"", set()),
    ],
)
def test_streams_that_are_closed(
    redirected: str, code: int, out: bytes | None, err: set[bytes]
) -> None:
    ended = noisy(200, redirected)
    assert ended.returncode == code
    if out is None:  # the whole document
        assert json.loads(ended.stdout) == {"rows": ["\u00fc" * 2000] * 200}
    else:
        assert ended.stdout == out
    assert set(ended.stderr.splitlines()) == err


@posix
def test_a_closed_standard_input_is_empty() -> None:
    code = "import sys; from gridtide.cli.script import main; sys.exit(main())"
    words = [sys.executable, "-c", code, "batch", "-"]
    ended = subprocess.run(
        ["bash", "-c", '"$@" <&-', "bash", *words], capture_output=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr.count(b"\n")) == (2, 1)
    assert b"- cannot be read as JSON" in ended.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="has no /dev/full")
def test_a_full_disk_is_one_line() -> None:
    ended = noisy(1, "> /dev/full")
    assert ended.returncode == 1
    errors = [line for line in ended.stderr.splitlines() if line.startswith(b"{")]
    assert [json.loads(line)["code"] for line in errors] == ["system_fault"]
    assert b"Exception" not in ended.stderr
