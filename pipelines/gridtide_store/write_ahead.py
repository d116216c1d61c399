"""Whether the log that DuckDB writes ahead of a database file can be replayed whole.

DuckDB checks the sum of each entry that lies wholly in the file, and takes one that reaches
past its end for the last one of a writer that was killed, which is right. A length or a header
of random bytes looks like such an entry too, or like the log of another file, so that all that
follows would be dropped, and the log deleted, without a word.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Final

from gridtide_store.errors import Damaged

# Of DuckDB 1.5 and 2: field 100, type 98 (version), field 101, version 2, field 102, 16 bytes.
HEADER: Final = bytes.fromhex("640062650002660010")
KIND: Final = HEADER[:3]  # of every version: the log's first entry says its version
IDENTIFIER: Final = 16
FIRST_BLOCK: Final = 4096  # of a database file: it says which one it is
LEAST: Final = 16  # bytes of length and sum before each entry
# An entry holds at most 2,048 rows, which for our tables is below 1 MiB.
MOST: Final = 256 * 1024 * 1024


def log_of(path: Path) -> Path:
    """The log beside the database file at `path`."""
    return path.with_name(f"{path.name}.wal")


def refuse_damaged_log(path: Path) -> None:
    """Check the log of the database file at `path`, if there is one.

    An unfinished entry at the end is left to DuckDB, which drops it: its writer was killed
    before it said that anything was stored.

    Raises:
        Damaged: it does not begin as a log, or has an entry longer than any is.
        OSError: it cannot be read.
    """
    log = log_of(path)
    try:
        file = log.open("rb")
    except FileNotFoundError:
        return
    with file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(len(HEADER))
        if not (KIND.startswith(start) or start.startswith(KIND)):
            raise _damaged(log, "does not begin as one")
        identifier = _read_identifier(file) if start == HEADER else None
        if identifier is None:
            return  # cut off within, or of another version, which DuckDB judges
        with path.open("rb") as database:
            if identifier not in database.read(FIRST_BLOCK):
                raise _damaged(log, f"does not belong to {path.name}")
        while (at := file.tell()) + LEAST <= size:
            length = int.from_bytes(file.read(8), "little")
            if length > MOST:
                raise _damaged(log, f"has an entry of {length} bytes at byte {at}")
            file.seek(at + LEAST + length)


def _read_identifier(file: BinaryIO) -> bytes | None:
    """The rest of the header: which database file it is of. None where it is cut off or odd."""
    numbers = [_number(file) for _ in range(IDENTIFIER)]
    if file.read(2) != b"\x67\x00" or _number(file) is None or file.read(2) != b"\xff\xff":
        return None
    found = [number for number in numbers if number is not None and number <= 0xFF]
    return bytes(found) if len(found) == IDENTIFIER else None


def _number(file: BinaryIO) -> int | None:
    """The next number, seven bits a byte; None at the end or if it is too long."""
    value = 0
    for place in range(10):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << 7 * place
        if byte[0] < 0x80:
            return value
    return None


def _damaged(log: Path, what: str) -> Damaged:
    return Damaged(
        f"{log} is damaged: it {what}; restore a backup with `gridtide restore`, or delete "
        "this file to go on without what was stored last"
    )
