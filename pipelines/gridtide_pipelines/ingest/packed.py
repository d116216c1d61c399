"""Read ZIP and gzip bodies of publishers without trusting them: in bounded memory. Pure."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from gridtide_pipelines.ingest.limits import TooLarge, Unreadable, unpack

MOST_BYTES: Final = 64 * 2**20  # of all members together, unpacked
MOST_MEMBERS: Final = 1000
PART: Final = 256 * 1024  # bytes unpacked at a time
ZIP: Final = b"PK\x03\x04"
GZIP: Final = b"\x1f\x8b"
# Others unpack a part as far as it goes, whatever limit they are given.
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_zip(content: bytes, *, most_bytes: int = MOST_BYTES) -> Iterator[tuple[str, bytes]]:
    """Return name and content of each file in a ZIP, in the order of its directory.

    The sizes that a ZIP states are not believed: a member is unpacked in parts, and no further
    than the limit.

    Args:
        most_bytes: of all members together, unpacked.

    Raises:
        ValueError: it is not a whole ZIP, holds too much, or is encrypted.
    """
    left = most_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            if len(members) > MOST_MEMBERS:
                raise ValueError(f"a ZIP of {len(members)} files; at most {MOST_MEMBERS}")
            for member in members:
                unpacked = _member(archive, member, left, most_bytes)
                left -= len(unpacked)
                yield member.filename, unpacked
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        IndexError,  # a member without a name
        OSError,
        RuntimeError,  # encrypted, or of a kind that is not implemented
    ) as error:
        raise ValueError(f"not a readable ZIP: {error}") from error


def read_gzip(content: bytes, *, most_bytes: int = MOST_BYTES) -> bytes:
    """Return what a gzip file holds; several members may follow one another.

    Raises:
        ValueError: it is not a whole gzip file, or holds more than `most_bytes`.
    """
    try:
        return b"".join(unpack([content], "gzip", most=most_bytes))
    except (TooLarge, Unreadable) as error:
        raise ValueError(f"not a readable gzip file: {error}") from error


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, most_bytes: int
) -> bytes:
    if member.compress_type not in METHODS:
        raise ValueError(f"a ZIP with compression method {member.compress_type}")
    parts = bytearray()
    with archive.open(member) as stream:
        while part := stream.read(PART):
            parts += part
            if len(parts) > left:
                raise ValueError(f"a ZIP of more than {most_bytes} bytes")
    return bytes(parts)
