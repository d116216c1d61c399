"""The body of an answer, read within a time and a size."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gridtide.errors import ApiError

# Larger than any answer of ours; what is larger is a mistake or an attack.
LARGEST = 64 * 1024 * 1024
ENCODING = "gzip"


class Body:
    """Collects the parts of a body, unpacked.

    Args:
        headers: of the answer.
        left: seconds that are left of the call.
        address: the address, for messages.

    Raises:
        ApiError: more than one encoding, or another one than was requested.
    """

    def __init__(
        self, headers: Mapping[str, str], left: Callable[[], float], *, address: str
    ) -> None:
        encoding = headers.get("content-encoding", "").strip().lower() or "identity"
        if encoding not in ("identity", ENCODING):
            raise ApiError(f"{address} answered in the encoding {encoding:.40}, not requested")
        import zlib  # loaded by httpx by now

        # 16: with the header of gzip (docs.python.org/3/library/zlib.html#zlib.decompressobj).
        packed = encoding == ENCODING
        self._unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if packed else None
        self._parts: list[bytes] = []
        self._size = 0
        self._left = left
        self._asked = address

    def add(self, part: bytes) -> None:
        """Take one more part as it came.

        Raises:
            TimeoutError: the call's time is over.
            ApiError: larger than any answer, or not what its encoding says.
        """
        if self._left() <= 0:
            raise TimeoutError("the body did not end in time")
        if self._unpack is not None:
            import zlib

            try:
                part = self._unpack.decompress(part, LARGEST - self._size + 1)
            except zlib.error as error:
                raise ApiError(f"{self._asked} answered what is no {ENCODING}") from error
        self._size += len(part)
        if self._size > LARGEST:
            raise ApiError(f"{self._asked} answered more than {LARGEST} bytes; ask for less")
        self._parts.append(part)

    def whole(self) -> bytes:
        """The body.

        Raises:
            ApiError: it was cut off.
        """
        if self._unpack is not None and self._size and not self._unpack.eof:
            raise ApiError(f"{self._asked} answered a body that was cut off; try again")
        return b"".join(self._parts)
