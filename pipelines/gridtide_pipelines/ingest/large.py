"""Bodies that are too large for the memory: written to a temporary file as they arrive."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gridtide_store.errors import translate_errors


@dataclass(frozen=True, slots=True)
class Large:
    """A body in a temporary file, which has no name and goes with the process."""

    stream: BinaryIO
    size: int

    def close(self) -> None:
        """Delete the file."""
        self.stream.close()


class Content:
    """What has a body: in memory, or in a file where it is large."""

    __slots__ = ()
    content: bytes
    large: Large | None

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return self.large.size if self.large else len(self.content)

    def open(self) -> BinaryIO:
        """Return the body as a file at its beginning; a large one is the same file again."""
        if self.large is None:
            return io.BytesIO(self.content)
        self.large.stream.seek(0)
        return self.large.stream


def write_large(parts: Iterable[bytes], folder: Path) -> Large:
    """Write a body to a temporary file in `folder` while its `parts` arrive.

    Args:
        folder: if it is missing, that of the system.

    Raises:
        Unusable: the disk is full, or the folder cannot be written.
    """
    where = folder if folder.is_dir() else Path(tempfile.gettempdir())
    with translate_errors(where):
        stream = tempfile.TemporaryFile(dir=where)  # noqa: SIM115  # closed with the body
    size = 0
    try:
        for part in parts:
            with translate_errors(where):
                stream.write(part)
            size += len(part)
        with translate_errors(where):
            stream.flush()
    except BaseException:
        stream.close()
        raise
    return Large(stream, size)
