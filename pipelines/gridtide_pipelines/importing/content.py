"""Read the bytes of a file as text, chunk by chunk: gzip, byte order marks, UTF-16."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from gridtide.errors import BadInput

GZIP: Final = b"\x1f\x8b"
PARQUET: Final = b"PAR1"
ZIP: Final = b"PK\3\4"
# More than this is not a table of a grid.
MOST_BYTES: Final = 4 << 30
# What is read at a time; it bounds the memory that reading takes.
CHUNK: Final = 8 << 20

# Columns of ours beside those of the file, named as none of a file is: its row and its zone.
ROW: Final = "\0row"
ZONE: Final = "\0zone"

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, which may be read several times.

    Attributes:
        name: for messages.
        origin: the path of the file, or its bytes.
    """

    name: str
    origin: Path | bytes

    def open(self) -> BinaryIO:
        """Return the bytes as they are, as a file at its beginning.

        Raises:
            BadInput: the file cannot be read.
        """
        if isinstance(self.origin, bytes):
            return io.BytesIO(self.origin)
        try:
            return self.origin.open("rb")
        except OSError as error:
            raise BadInput(f"{self.origin} cannot be read: {error.strerror}") from error

    def version(self) -> tuple[int, int]:
        """Return size and time of the last change, by which a changed file is noticed."""
        if isinstance(self.origin, bytes):
            return len(self.origin), 0
        about = self.origin.stat()
        return about.st_size, about.st_mtime_ns

    def starts_with(self, mark: bytes) -> bool:
        """Say whether these are the first bytes."""
        with self.open() as stream:
            return self._read(stream, len(mark)) == mark

    @property
    def packed(self) -> bool:
        """Whether it is gzip."""
        return self.starts_with(GZIP)

    def parts(self) -> Iterator[bytes]:
        """Yield the bytes, unpacked if they are gzip.

        Raises:
            BadInput: not whole, or more than `MOST_BYTES`.
        """
        with self.open() as stream:
            unpacked = gzip.GzipFile(fileobj=stream) if self.packed else stream
            total = 0
            while part := self._read(unpacked, CHUNK):
                total += len(part)
                if total > MOST_BYTES:
                    raise BadInput(
                        f"{self.name} has more than {MOST_BYTES >> 20} MB of text; split it"
                    )
                yield part

    def _read(self, stream: BinaryIO | gzip.GzipFile, size: int) -> bytes:
        try:
            return stream.read(size)
        except EOFError as error:
            raise BadInput(
                f"{self.name} is a gzip file that is cut short; fetch it again"
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise BadInput(
                f"{self.name} is not a whole gzip file ({error}); fetch it again"
            ) from error
        except OSError as error:
            raise BadInput(f"{self.name} cannot be read: {error.strerror}") from error

    def encoding(self) -> str:
        """Return the encoding of the text by its first bytes."""
        head = next(self.parts(), b"")[:4]
        for mark, encoding in MARKS:
            if head.startswith(mark):
                return encoding
        return "utf-16-le" if head[1:2] == b"\0" else "utf-8"

    def text(self, encoding: str | None) -> Iterator[str]:
        """Yield the text, lines ended by a line feed.

        Args:
            encoding: if it is not the one that the first bytes tell.

        Raises:
            BadInput: not whole, too large, or in another encoding.
        """
        name = encoding or self.encoding()
        try:
            io.TextIOWrapper(io.BytesIO(), name)  # which refuses what is not text, as hex
            decoder = io.IncrementalNewlineDecoder(
                codecs.getincrementaldecoder(name)(), translate=True
            )
        except LookupError as error:
            raise BadInput(
                f"--encoding {name!r} is unknown; write utf-8, utf-16 or cp1252"
            ) from error
        first = True
        try:
            for part in self.parts():
                text = decoder.decode(part)
                if (
                    first
                    and name.startswith("utf-16")
                    and "\n" not in text + "\n" * bool(encoding)
                ):
                    raise self._not_text()
                first = False
                yield text
            yield decoder.decode(b"", final=True)
        except UnicodeError as error:
            if encoding:
                raise BadInput(
                    f"{self.name} is not in {encoding}; name its encoding"
                ) from error
            raise self._not_text() from error

    def _not_text(self) -> BadInput:
        return BadInput(
            f"{self.name} is neither Parquet nor CSV in UTF-8 or UTF-16; if a spreadsheet of "
            "Windows wrote it, name its encoding: --encoding cp1252"
        )
