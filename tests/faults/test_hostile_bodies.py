"""Bodies that no publisher should send, given to ``gridtide parse`` as a process of its own.

Each is refused by name or read, within 512 MB of memory and 20 s of CPU time.
"""

from __future__ import annotations

import gzip
import io
import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "sources/data"
GOOD = {
    "eia": DATA / "eia/generation.json",
    "eia_bulk": DATA / "eia_bulk/balance_2024.csv",
    "entsoe": DATA / "entsoe/generation.xml",
    "uk_carbon_intensity": DATA / "uk_carbon_intensity/intensity.json",
}
MEMORY = 512_000  # kB
SECONDS = 20
MIB = 2**20

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "0123456789">'
    + b"".join(b'<!ENTITY %c "%s">' % (99 + n, (b"&%c;" % (98 + n)) * 10) for n in range(9))
    + b"]><GL_MarketDocument>&k;</GL_MarketDocument>"
)


def zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in "abcdefgh":
            archive.writestr(name, b" " * (32 * MIB))
    return packed.getvalue()


def wide(source: str) -> bytes:
    """As large as an answer may be, of the elements that take most room in memory."""
    unit, start, end = {
        "entsoe": (b"<a/>", b"<GL_MarketDocument>", b"</GL_MarketDocument>"),
        "eia_bulk": (b"a,", b"", b"\n"),
    }.get(source, (b"[],", b'{"data":[', b"0]}"))
    return start + unit * (4 * MIB // len(unit) * 4) + end


BODIES = {
    "empty": lambda _: b"",
    "truncated": lambda source: GOOD[source].read_bytes()[:-60],
    "html": lambda _: b"<!DOCTYPE html><html><body>Service unavailable</body></html>",
    "wrong_root": lambda source: GOOD["entsoe" if source != "entsoe" else "eia"].read_bytes(),
    "ebcdic": lambda source: GOOD[source].read_text().encode("cp037"),
    "utf_16": lambda source: (
        GOOD[source].read_text().replace("UTF-8", "UTF-16").encode("utf-16")
    ),
    "deep": lambda source: (b"<a>" if source == "entsoe" else b'{"data":[') * 1_000_000,
    "entity_bomb": lambda _: BOMB,
    "zip_bomb": lambda _: zip_bomb(),
    "gzip_bomb": lambda _: gzip.compress(b" " * (64 * MIB)),
    "wide": wide,
    "blanks": lambda source: GOOD[source].read_bytes()[:-60] + b" " * (12 * MIB),
    "200_mb": lambda source: GOOD[source].read_bytes(),
}
# Large files of tables are read line by line; what is not a table ends at the first.
OF_TABLES = {"truncated", "html", "wide", "200_mb"}
READ = {("eia", "utf_16"), ("entsoe", "utf_16"), ("uk_carbon_intensity", "utf_16")}


@pytest.mark.parametrize("source", sorted(GOOD))
def test_a_hostile_body_is_refused_by_name_or_read_in_bounded_room(
    source: str, tmp_path: Path
) -> None:
    path = tmp_path / "body"
    for name, body in BODIES.items():
        if source == "eia_bulk" and name not in OF_TABLES:
            continue
        path.write_bytes(body(source))
        if name == "200_mb":
            os.truncate(path, 200 * MIB)  # sparse
        code, said, printed, memory = parse(source, path)
        where = f"{source} {name}: {said}"
        assert memory < MEMORY, where
        if (source, name) in READ:
            assert code == 0, where
            assert printed.count("\n") > 1
            continue
        assert code == 1, where
        assert said.startswith(f"gridtide: {source}"), where
        assert "Traceback" not in said
        assert printed == ""


def test_many_codes_and_many_slots_of_one_sum_are_read_in_bounded_room(
    tmp_path: Path,
) -> None:
    row = '{"datetime":"%s","resolutioncode":"PT1M","fueltypeentsoe":"%s","generatedpower":1}'
    rows = [
        row % (f"2026-03-0{1 + n // 1440}T{n // 60 % 24:02}:{n % 60:02}:00+00:00", "New")
        for n in range(3000)
    ]
    rows += [row % ("2026-03-01T00:00:00+00:00", f"New {n}") for n in range(3000)]
    path = tmp_path / "body"
    path.write_text(f"[{','.join(rows)}]")
    code, said, _, memory = parse("elia", path)
    assert code == 0, said
    assert memory < MEMORY


# The peak of a process counts that of the process it was started from: a small one in between.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def parse(source: str, path: Path) -> tuple[int, str, str, int]:
    """Exit status, messages, output and peak memory in kB of one command."""
    words = [sys.executable, "-m", "gridtide", "parse", source, str(path), "--zone", "*"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *words],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
        env={"PATH": os.environ["PATH"], "GRIDTIDE_HOME": str(path.parent / "home")},
    )
    *said, memory = done.stderr.splitlines()
    return done.returncode, "\n".join(said), done.stdout, int(memory)
