"""What both clients share: retries, request headers, and responses within time and size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from gridtide.errors import ApiError, BadInput, GridtideError, ServiceUnavailable
from gridtide.forks import loading
from gridtide.http.call import Call
from gridtide.http.destination import Destination
from gridtide.plugins import own_version
from gridtide.values import read_number, read_whole

if TYPE_CHECKING:
    import httpx

# No answer at all, too many requests, and what a restarting service or its proxy says. Every
# call only asks, a POST too, so asking twice does no harm. A 500 is a bug, and stays one when
# tried again.
RETRIED = frozenset({None, 429, 502, 503, 504})
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 8.0
DOUBLINGS = 10  # by then the pause has long been the longest


@dataclass(slots=True)
class Patience:
    """The tries of one call.

    Attributes:
        retries: tries after the first.
        timeout: seconds for all tries and pauses together.
        clock: seconds of a clock that only goes forward.
        jitter: 0 to 1 at random, so that many clients do not come back at once.
    """

    retries: int
    timeout: float
    clock: Callable[[], float]
    jitter: Callable[[], float]
    began: float = field(init=False)
    tries: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def left(self) -> float:
        """Return the seconds that are left of `timeout`."""
        return self.timeout - (self.clock() - self.began)

    def pause_after(self, error: ServiceUnavailable) -> float | None:
        """Return the seconds until the next try; ``None``: give up and raise `error`."""
        self.tries += 1
        if error.status not in RETRIED or self.tries > self.retries:
            return None
        grown = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self.tries - 1, DOUBLINGS))
        pause = grown * (0.5 + 0.5 * self.jitter())
        if error.retry_after is not None:
            pause = max(pause, error.retry_after)
        return pause if pause < self.left else None


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
                raise ApiError(
                    f"{self._asked} answered a body that is not valid {ENCODING}"
                ) from error
        self._size += len(part)
        if self._size > LARGEST:
            raise ApiError(f"{self._asked} answered more than {LARGEST} bytes; request less")
        self._parts.append(part)

    def whole(self) -> bytes:
        """Return the body.

        Raises:
            ApiError: it was cut off.
        """
        if self._unpack is not None and self._size and not self._unpack.eof:
            raise ApiError(f"{self._asked} answered a body that was cut off; try again")
        return b"".join(self._parts)


T = TypeVar("T")
# Seconds; a wait of more does not fit every platform (`threading.TIMEOUT_MAX`).
LONGEST = 30 * 86_400.0
# Seconds that a chart may wait for its forecast.
CHART = 3.0


class Session:
    """Destination, time limit and retries of a client.

    Raises:
        BadInput: a time limit or a number of retries that cannot be.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        timeout: float,
        retries: int,
        clock: Callable[[], float],
        environ: Mapping[str, str],
    ) -> None:
        """Open a session; `environ` says what proxy its requests take."""
        timeout = read_number(timeout, "timeout", "a number of seconds such as 30")
        retries = read_whole(retries, "retries")
        if not timeout > 0 or retries < 0:
            raise BadInput(
                f"timeout is {timeout} and retries {retries}; give seconds above 0 and a "
                "count of at least 0"
            )
        self.destination = destination
        self._timeout = min(timeout, LONGEST)
        # What this process cannot answer now it cannot answer in a second either.
        self._retries = retries if destination.url else 0
        self._clock = clock
        self._environ = environ

    def base_url(self) -> httpx.URL:
        """Return the address that the paths of calls are appended to.

        Raises:
            BadInput: not a valid URL.
        """
        import httpx

        try:
            return httpx.URL(self.destination.address)
        except httpx.InvalidURL as error:
            raise BadInput(
                f"the service's address (GRIDTIDE_URL) is not valid ({error}); write it like "
                "http://host.example:8000"
            ) from error

    def patience(self) -> Patience:
        """Return the retry state of one call."""
        from random import random  # by now httpx has it; before, it slows the import

        return Patience(self._retries, self._timeout, self._clock, random)

    def patience_for_a_chart(self) -> Patience:
        """Return the retry state of what a notebook shows if it is there at once."""
        return Patience(0, min(self._timeout, CHART), self._clock, lambda: 0.0)

    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        own = {
            "User-Agent": f"gridtide/{own_version()}",
            "Accept": "application/json",
            "Accept-Encoding": ENCODING,
        }
        key = self.destination.api_key
        return own | ({"Authorization": f"Bearer {key}"} if key else {})

    def headers_of(self, call: Call[T]) -> dict[str, str]:
        """Return the headers of one call."""
        return {} if call.body is None else {"Content-Type": "application/json"}

    def body(self, response: httpx.Response, patience: Patience) -> Body:
        """Return the collector of the response's body, for the time that is left."""
        return Body(response.headers, lambda: patience.left, address=self._address(response))

    def decode(self, call: Call[T], response: httpx.Response, body: bytes) -> T:
        """Decode the response to `call`, or raise the error it reports."""
        from gridtide.http.proxies import AUTHENTICATION_REQUIRED, refusal
        from gridtide.schema.problems import decode_body

        address = self._address(response)
        if response.status_code == AUTHENTICATION_REQUIRED and self._proxy:
            raise refusal(self._proxy, response.url.host, response.status_code)
        document = decode_body(response.status_code, response.headers, body, address=address)
        try:
            with loading():  # the classes of the response
                return call.read(document)
        except BadInput as error:
            raise ApiError(
                f"{address} answered JSON that this client does not understand: {error}"
            ) from error

    @cached_property
    def _proxy(self) -> str:
        """Return the proxy of the requests without its password; empty without a proxy."""
        from gridtide.http.proxies import without_secrets
        from gridtide.http.transport import proxy_of

        if self.destination.url is None:
            return ""
        return without_secrets(proxy_of(self.destination.address, self._environ) or "")

    @property
    def _through(self) -> str:
        return f" through the proxy {self._proxy}" if self._proxy else ""

    def _address(self, response: httpx.Response) -> str:
        from gridtide.http.proxies import without_secrets

        if self.destination.url is None:
            return "the service in this process"
        return without_secrets(str(response.url)) + self._through

    def no_response(self, error: Exception) -> GridtideError:
        """Return the error for a request without a response, with its remedy."""
        from gridtide.http.proxies import proxy_fault, proxy_status, refusal, without_secrets
        from gridtide.http.transport import proxy_faults

        address = without_secrets(self.destination.address)
        why = str(error) or type(error).__name__
        if self._proxy and isinstance(error, proxy_faults()):
            status = proxy_status(why)
            if 400 <= status < 500:  # client errors: it will say the same again
                return refusal(self._proxy, self.base_url().host, status)
            why = proxy_fault(self._proxy, why)
        remedy = "is it running, and is GRIDTIDE_URL right?"
        if self._proxy:
            remedy += " hosts that are reached without the proxy go into NO_PROXY"
        if "CERTIFICATE_VERIFY_FAILED" in why:
            remedy = (
                "name a file with the certificates it is signed by in SSL_CERT_FILE, such as "
                "those of your company"
            )
        return ServiceUnavailable(f"{address} did not answer{self._through} ({why}); {remedy}")
